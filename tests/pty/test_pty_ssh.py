"""Over a real SSH connection: the app works as it does locally, and when the connection is cut, only the session
remains."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.pty.server import Server
from tests.pty.slow_line import SlowLine
from tests.pty.test_pty_life import left_clean
from tests.waits import all_gone

pytestmark = pytest.mark.pty


def opened(terminal, server, *arguments: str, columns=80, rows=24, port=None, **env: str):
    """Open the app in a terminal, over a connection."""
    run = terminal(columns, rows, *server.app(*arguments, port=port, **env), program=True)
    try:
        run.until(lambda: "step " in run.text or run.child.poll() is not None, "the app")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{server.log}") from None
    if "account is locked" in server.log:
        pytest.skip("sshd lets nobody in whose account is locked")
    assert run.child.poll() is None, f"{run.text}\n{server.log}"
    return run


def cut(run, server, by: str) -> None:
    """Kill the client or the server's end of the connection."""
    process = psutil.Process(run.child.pid) if by == "client" else server.connection()
    process.send_signal(signal.SIGKILL)


BY = pytest.mark.parametrize("by", ["client", "server"])


def test_it_opens_steps_and_quits_leaving_the_terminal_clean(terminal, server):
    run = opened(terminal, server)
    run.shows("step 0/20")
    run.shows("One sample, 784 numbers.")
    processes = server.apps()
    run.press("right", "step 1/20")
    run.press("end", "step 20/20")
    run.press("left", "step 19/20")
    run.send("q")
    assert run.ended() == 0
    all_gone(processes)
    assert left_clean(run)
    assert b"Traceback" not in run.raw


def test_the_exit_code_and_a_refusal_come_over_the_line(terminal, server):
    run = terminal(200, 24, *server.app("--layers", "784,x,10"), program=True)
    assert run.ended() == 2, server.log
    assert b"backprop-tui: --layers: " in run.raw
    assert b"\x1b[?1049h" not in run.raw


def test_the_size_of_the_terminal_comes_over_the_line(terminal, server):
    run = opened(terminal, server)
    run.shows("step 0/20")
    run.resize(120, 40)
    run.shows("cost of one gradient")
    run.resize(50, 10)
    run.shows("60x18")
    run.resize(80, 24)
    run.shows("step 0/20")


@BY
def test_what_was_left_by_a_cut_line_is_resumed_over_a_new_one(terminal, server, by):
    run = opened(terminal, server, "--preset", "xor")
    run.shows("step 0/10")
    run.press("t", "iter 1")
    run.press("n", "step 0/10")
    for step in range(1, 8):
        run.press("right", f"step {step}/10")
    seen = run.text
    processes = server.apps()
    cut(run, server, by)
    all_gone(processes)
    again = opened(terminal, server, "--resume")
    again.until(lambda: again.text == seen, f"the same screen:\n{seen}")
    again.press("left", "step 6/10")


@BY
def test_a_line_that_is_cut_while_keys_come_loses_none_that_had_been_answered(terminal, server, by):
    run = opened(terminal, server)
    run.shows("step 0/20")
    run.send(*["right"] * 13)
    run.until(lambda: "step 13/20" in run.text, "the last step")
    processes = server.apps()
    cut(run, server, by)  # immediately; the session is written at most twice a second
    all_gone(processes)
    again = opened(terminal, server, "--resume")
    again.shows("step 13/20")


def race(run) -> None:
    """Start a race, which has a process of its own."""
    run.press("3", "v ")
    for _ in range(2):
        run.press("v", "v ")
    run.shows("enter starts it")
    run.send("enter")
    run.until(lambda: "enter pauses" in run.text, "the race")


@BY
def test_a_race_that_is_on_ends_with_the_line(terminal, server, by):
    run = opened(terminal, server)
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    before = len(server.apps())
    race(run)
    processes = server.apps()
    assert len(processes) > before
    cut(run, server, by)
    all_gone(processes)
    again = opened(terminal, server, "--resume")
    again.shows("step 1/20")


@BY
def test_play_ends_with_the_line(terminal, server, by):
    run = opened(terminal, server)
    run.shows("step 0/20")
    run.send(" ", "+", "+", "+")
    run.until(lambda: "16/s" in run.text, "the play")
    processes = server.apps()
    cut(run, server, by)
    all_gone(processes)


@pytest.mark.slow
def test_a_line_that_falls_silent_leaves_nothing_behind(terminal, tmp_path):
    """As when a laptop is closed: nothing informs the server, which finds out by asking."""
    with Server(tmp_path, alive=1) as server, SlowLine(server.port, rate=1e9, round_trip=0.0) as line:
        run = opened(terminal, server, port=line.port)
        run.shows("step 0/20")
        run.press("right", "step 1/20")
        processes = server.apps()
        line.hold()
        all_gone(processes)
        again = opened(terminal, server, "--resume")
        again.shows("step 1/20")
