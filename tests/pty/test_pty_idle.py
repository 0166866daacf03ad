"""An idle app writes nothing, and uses no processor time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.pty.rest import MOST, at_rest, watched
from tests.pty.test_pty_ssh import opened

pytestmark = [pytest.mark.pty, pytest.mark.slow]

WATCHED = 5.0  # seconds


def rests(run, process: psutil.Process) -> None:
    """Check that it writes nothing and uses no processor time once its measurements are done."""
    at_rest(run, process)
    written, share = watched(run, process, WATCHED)
    print(f"\n{share:.2%} of a core")
    assert (written, share < MOST) == (0, True), f"{written} bytes and {share:.1%} of a core"


def where_it_started(run) -> None:
    run.shows("step 0/20")


def after_a_play(run) -> None:
    run.shows("step 0/20")
    run.send(" ", "+", "+", "+")
    run.until(lambda: "step 15/20" in run.text, "the play")
    run.send(" ")


def test_it_rests(terminal):
    """Side by side, because each of them only waits."""
    cases = [((120, 40), where_it_started), ((80, 24), after_a_play)]
    runs = [(terminal(*size), use) for size, use in cases]

    def used(run, use) -> None:
        use(run)
        rests(run, psutil.Process(run.child.pid))

    with ThreadPoolExecutor(len(runs)) as pool:
        for each in [pool.submit(used, *run) for run in runs]:
            each.result()


def test_it_rests_over_a_connection(terminal, server):
    run = opened(terminal, server, columns=120, rows=40)
    run.shows("step 0/20")
    (process,) = server.apps()
    rests(run, process)
