"""From start to end in a real terminal: keys, size, and the state in which the terminal is left."""

from __future__ import annotations

import os
import re
import signal
import statistics
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.pty
SIZES = [(80, 24), (120, 40)]
CODES = re.compile(rb"\x1b\[[<>?]?[\d;]*[a-z]|\s")


def left_clean(terminal) -> bool:
    """Return True if the terminal is as before: main screen, visible cursor, no mouse and paste modes, echo on."""
    raw = bytes(terminal.raw)
    modes = {}
    for mode, switch in re.findall(rb"\x1b\[\?([\d;]+)([hl])", raw):
        modes |= dict.fromkeys(mode.split(b";"), switch)
    off = [b"1049", b"1000", b"1002", b"1003", b"1006", b"1015", b"2004", b"1004", b"2026"]
    return modes.get(b"25") == b"h" and all(modes.get(mode, b"l") == b"l" for mode in off)


def with_all_panels(terminal, *arguments):
    """Start the app at 120x40 and wait for its measurements; the timing is the lesson's, which no later measurement
    changes."""
    run = terminal(120, 40, *arguments)
    run.shows("times faster")
    run.press("m", "388 days")
    return run


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_starts_steps_and_quits_leaving_the_terminal_clean(terminal, columns, rows):
    run = terminal(columns, rows)
    run.shows("step 0/20")
    run.shows("One sample, 784 numbers.")
    assert b"\x1b[?1049h" in run.raw
    run.press("right", "step 1/20")
    assert "z1" in run.text
    run.press("left", "step 0/20")
    run.send("q")
    assert run.ended() == 0
    assert b"\x1b[?1049l" in run.raw
    assert left_clean(run)
    left = CODES.sub(b"", bytes(run.raw).rpartition(b"\x1b[?1049l")[2])  # on the shell's screen
    assert left == b"backprop-tui--resumecontinuesatiteration0,step0"  # without blanks, which are codes here
    assert b"Traceback" not in run.raw


def test_ctrl_q_quits_from_a_text_field(terminal):
    run = terminal()
    run.shows("step 0/20")
    run.press("1", "784,256,256,256,10")
    run.press("q", 'layers: "q" is not')  # typed text replaces the old one
    run.send("ctrl+q")
    assert run.ended() == 0
    assert left_clean(run)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"])
def test_a_signal_to_end_leaves_the_terminal_clean(terminal, name):
    run = terminal()
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    run.child.send_signal(getattr(signal, name))
    assert run.ended() == 128 + getattr(signal, name)
    assert left_clean(run)
    assert b"Traceback" not in run.raw


def test_a_signal_while_it_plays_ends_it_too(terminal):
    run = terminal()
    run.shows("step 0/20")
    run.send(" ")
    run.until(lambda: "step 0/20" not in run.text, "the play")
    run.child.send_signal(signal.SIGTERM)
    run.ended()
    assert left_clean(run)


def train_without_end(run):
    run.press("T", "updates")
    run.press("+", "[1000]")
    run.press("+", "[epoch]")
    run.press("+", "[endless]")
    run.send("enter")
    run.until(lambda: "until stopped" in run.text, "the training")


@pytest.mark.parametrize(
    ("busy", "own"),
    [
        ("starting", True),
        ("starting", False),
        pytest.param("still", False, marks=pytest.mark.slow),
        ("playing", True),
        ("training", False),
    ],
)
def test_the_process_ends_when_its_terminal_goes_away(terminal, busy, own):
    """``own``: the terminal is its own, so that it gets a signal."""
    run = terminal(own=own)
    run.shows("step 0/20")
    if busy == "playing":
        run.send(" ")
        run.until(lambda: "playing" in run.text, "the play")
    elif busy == "training":
        train_without_end(run)
    elif busy == "still":
        run.press("right", "step 1/20")
        run.read(1.0)
        run.quiet()
    os.close(run.master)
    assert run.child.wait(timeout=60) == 129


@pytest.mark.parametrize(
    ("seen", "own"),
    [(b"\x1b[?1049h", True), (b"\x1b[?2004h", False), (b"step 0/20", True), (b"step 0/20", False)],
)
def test_the_process_ends_when_its_terminal_goes_away_while_it_starts(terminal, own, seen):
    run = terminal(own=own)
    run.until(lambda: seen in run.raw, "the beginning")
    os.close(run.master)
    assert run.child.wait(timeout=60) in (129, -signal.SIGHUP)


def test_an_interrupt_before_the_program_has_begun_says_nothing(terminal):
    run = terminal()
    run.until(lambda: interruptible(run.child.pid), "the interpreter")
    run.child.send_signal(signal.SIGINT)
    assert run.ended() in (130, -signal.SIGINT)
    assert not run.raw.strip()


def interruptible(pid: int) -> bool:
    """Return True once a process of ours has set how it takes SIGINT, which it does before it loads anything."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)
    ignored_by_python = int(re.search(r"SigIgn:\s*(\w+)", status)[1], 16)
    return bool(ignored_by_python) and not caught & 1 << signal.SIGINT - 1


def test_it_ends_whatever_would_be_written_to_a_terminal_that_is_gone(terminal):
    """Textual's queue holds 30 pieces, and blocks once the thread that writes them has failed."""
    run = terminal()
    run.shows("step 0/20")
    for signal_ in [signal.SIGCONT] * 5:  # each sets the terminal's modes again, as a hangup does
        run.child.send_signal(signal_)
        run.read(0.2)
    os.close(run.master)
    assert run.child.wait(timeout=60) == 129


@pytest.mark.parametrize("key", ["q", "SIGTERM"])
def test_training_that_has_no_end_ends_with_the_app(terminal, key):
    run = terminal()
    run.shows("step 0/20")
    train_without_end(run)
    if key == "q":
        run.press("q", "q again")  # it asks once
        run.send("q")
    else:
        run.child.send_signal(signal.SIGTERM)
    run.ended()
    assert left_clean(run)
    assert b"Traceback" not in run.raw


def test_follows_the_size_of_the_terminal(terminal):
    run = with_all_panels(terminal)
    run.press("right", "step 1/20")
    wide = run.text
    run.resize(80, 24)
    run.shows(" 1 net  2 walk ")
    assert "step 1/20" in run.text
    run.resize(50, 10)
    run.shows("60x18")
    run.resize(120, 40)
    run.shows("cost of one gradient")
    run.until(lambda: run.text == wide, "the same screen as before")


@pytest.mark.slow
def test_stepping_back_in_a_terminal_restores_every_cell(terminal):
    run = with_all_panels(terminal)
    seen = [run.text]
    for step in range(1, 21):
        run.press("right", f"step {step}/20")
        seen.append(run.text)
    run.press("right", "iteration 1, step 0/20")
    run.press("left", "iteration 0, step 20/20")
    for step in range(19, -1, -1):
        assert run.text == seen.pop()
        run.press("left", f"step {step}/20")
    assert run.text == seen.pop()


@pytest.mark.parametrize(("sparse", "median", "most"), [((), 2_500, 8_000), (("--sparse",), 1_000, 3_000)])
def test_a_step_writes_little_at_120x40(terminal, sparse, median, most):
    run = with_all_panels(terminal, *sparse)
    sizes = sorted(run.press("right", f"step {step}/20") for step in range(1, 21))
    assert statistics.median(sizes) <= median, sizes
    assert sizes[int(0.95 * len(sizes))] <= most, sizes


def test_ctrl_l_draws_all_again_over_what_others_wrote(terminal):
    run = with_all_panels(terminal)
    run.press("right", "step 1/20")
    seen = run.text
    run._stream.feed(b"\x1b[5;5Hsomebody else wrote this\x1b[2J\x1b[31m")
    run.send("right", "left", "ctrl+l")
    run.until(lambda: run.text == seen, "the same screen")


def test_nothing_is_written_while_no_key_is_pressed(terminal):
    run = with_all_panels(terminal)
    before = len(run.raw)
    assert not run.read(0.3)
    assert len(run.raw) == before


def test_ctrl_z_goes_to_the_shell_and_fg_comes_back_to_the_same_screen(terminal):
    run = terminal(80, 24, shell=True)
    run.shows("$ ")
    run.send(f"{sys.executable} -m tui_backprop", "enter")
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    run.press("right", "step 2/20")
    seen = run.text
    run.send("ctrl+z")
    run.shows("Stopped")
    assert left_clean(run)
    run.send("stty -a | tr ' ;' '\\n\\n' | grep -x echo", "enter")
    run.until(lambda: any(row.startswith("echo") for row in run.screen.display), "a terminal that echoes")
    run.send("fg", "enter")
    run.until(lambda: run.text == seen, "the same screen")
    run.press("right", "step 3/20")
    run.send("q")
    prompt = lambda: any(row.startswith("$ ") for row in run.screen.display)  # noqa: E731
    run.until(lambda: left_clean(run) and prompt(), "the shell, which reads again")
    run.send("exit", "enter")
    assert run.ended() == 0
