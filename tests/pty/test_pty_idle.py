"""An app that nobody touches does nothing: it writes nothing, and takes no time."""

from __future__ import annotations

import psutil
import pytest

from tests.pty.rest import MOST, at_rest, watched
from tests.pty.test_pty_ssh import opened

pytestmark = pytest.mark.pty

WATCHED = 5.0  # seconds


def rests(run, process: psutil.Process) -> None:
    """Once it has measured what it wants to, it writes nothing and takes no time."""
    at_rest(run, process)
    written, share = watched(run, process, WATCHED)
    print(f"\n{share:.2%} of a core")
    assert (written, share < MOST) == (0, True), f"{written} bytes and {share:.1%} of a core"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
def test_it_rests_where_it_started(terminal, size):
    run = terminal(*size)
    run.shows("step 0/20")
    rests(run, psutil.Process(run.child.pid))


def test_it_rests_after_a_play(terminal):
    run = terminal(120, 40)
    run.shows("step 0/20")
    run.send(" ", "+", "+", "+")
    run.until(lambda: "step 15/20" in run.text, "the play")
    run.send(" ")
    rests(run, psutil.Process(run.child.pid))


def test_it_rests_over_a_connection(terminal, server):
    run = opened(terminal, server, columns=120, rows=40)
    run.shows("step 0/20")
    (process,) = server.apps()
    rests(run, process)
