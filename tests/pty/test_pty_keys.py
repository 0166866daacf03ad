"""Keys in a real terminal: the question before quitting, the lesson on first launch, remapped keys, redrawing."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from tui_backprop.terminal.setup import RESET_COMMAND

pytestmark = pytest.mark.pty
ASKED = "a race is running: q again stops it and quits"


def racing(run):
    run.shows("step 0/20")
    run.press("3", "[chart]")
    run.press("v", "the lesson")
    run.press("v", "enter starts it")
    run.send("\r")
    run.until(lambda: " cancels" in run.text, "the race")
    return run


def test_a_race_is_asked_about_and_ended_by_the_second_q(terminal):
    run = racing(terminal(100, 30))
    run.send("q")
    run.until(lambda: ASKED in run.text, "the question")
    assert run.child.poll() is None
    run.send("x")
    run.until(lambda: ASKED not in run.text, "it to be taken back")
    assert run.child.poll() is None
    run.send("q")
    run.until(lambda: ASKED in run.text, "the question")
    run.send("q")
    assert run.ended() == 0
    assert b"\x1b[?1049l" in run.raw
    assert b"Traceback" not in run.raw


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_asks_nothing(terminal, name):
    run = racing(terminal(100, 30))
    os.kill(run.child.pid, getattr(signal, name))
    run.ended()
    assert "again" not in run.text
    assert b"\x1b[?1049l" in run.raw


@pytest.mark.slow
def test_the_first_start_opens_the_lesson_and_a_resumed_one_is_at_its_step(terminal):
    given = {"BACKPROP_TUI_LESSON": None}
    run = terminal(80, 24, **given)
    run.shows("0.1 Run the first operation")
    run.press("right", "● done")
    run.press(".", "0.2 Look at one unit")
    run.send("q")
    assert run.ended() == 0
    for arguments, lesson in (((), False), (("--resume",), True), (("--chapter", "5.2"), True)):
        run = terminal(80, 24, *arguments, **given)
        run.shows("5.2 The chain rule" if "5.2" in arguments else f"step {int(lesson)}/20")
        if "--resume" in arguments:
            run.shows("0.2 Look at one unit")
        assert ("L hide" in run.text) is lesson
        run.send("q")
        assert run.ended() == 0


@pytest.mark.slow
def test_once_it_is_hidden_a_key_costs_what_it_did(terminal):
    costs = []
    for arguments in ((), ("--lesson",)):
        run = terminal(80, 24, *arguments, OPENBLAS_NUM_THREADS="1")
        run.shows("0.1 Run the first operation" if arguments else "step 0/20")
        if arguments:
            run.until(lambda run=run: "step 0/20" in run.text, "the first pass")
            run.send("L")
            run.until(lambda run=run: "shows the lesson again" in run.text, "it to be hidden")
            run.until(lambda run=run: "shows the lesson again" not in run.text, "that to pass")
        costs.append([run.press("right", f"step {i}/20") for i in range(1, 9)])
    assert sum(costs[1]) <= 1.1 * sum(costs[0])


def test_a_session_that_is_not_kept_is_told_of_in_the_end_too(terminal):
    run = terminal(80, 24, XDG_STATE_HOME="/dev/null")
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    run.send("q")
    assert run.ended() == 0
    assert "backprop-tui: the session is not kept" in run.text


def test_other_keys_are_named_and_work(terminal, tmp_path):
    (tmp_path / "keys.toml").write_text(
        '[keys]\nview = ["w"]\nquit = ["Z"]\n"panel(\'cost\')" = ["W", "f4"]\n'
    )
    run = terminal(100, 30, "--config", str(tmp_path / "keys.toml"))
    run.shows("step 0/20")
    assert "w view" in run.text
    assert "Z quit" in run.text
    assert "W cost" in run.text
    run.press("w", "histogram (w)")
    run.send("Z")
    assert run.ended() == 0


def test_all_is_drawn_anew_over_what_something_else_wrote(terminal):
    run = terminal(80, 24)
    run.shows("step 0/20")
    before = run.text
    run._stream.feed(b"\x1b[10;1Hmessage of the system")
    assert run.text != before
    run.send("\x0c")
    run.until(lambda: run.text == before, "the screen as it was")


def test_what_is_said_to_mend_a_terminal_takes_back_all_that_was_asked_of_it(terminal):
    run = terminal()
    run.shows("step 0/20")
    mended = subprocess.run(["sh", "-c", RESET_COMMAND], capture_output=True, check=True).stdout
    opposite = {b"h": b"l", b"l": b"h", b">": b"<"}
    asked = {(mode, opposite[switch]) for mode, switch in switched(run.raw)}
    assert (b"kitty keys", b"<") in asked
    assert (b"7", b"h") in asked
    assert switched(mended) == asked
    keys, screen = mended.index(b"\x1b[<u"), mended.index(b"1049l")
    assert keys < screen, "the alternate screen has keys of its own"


def switched(raw: bytes) -> set[tuple[bytes, bytes]]:
    """Return the modes that are switched on or off, but for those of a frame; for a mode both ways, the last one."""
    found = {
        mode: switch
        for modes, switch in re.findall(rb"\x1b\[\?([\d;]+)([hl])", raw)
        for mode in modes.split(b";")
        if mode != b"2026"
    }
    keys = re.findall(rb"\x1b\[([<>])\d*u", raw)
    return {*found.items(), *((b"kitty keys", switch) for switch in keys[-1:])}
