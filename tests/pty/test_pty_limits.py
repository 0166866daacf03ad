"""Where few threads, processes or files may be open, the app opens and goes on, or says in one line why not."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

USER = 54321  # nobody else's: limits of processes count those of a user
KEEP_READING = "+dac_override,+dac_read_search"  # of Python and the program, wherever they are
AS_USER = (
    "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
    f"--inh-caps={KEEP_READING}", f"--ambient-caps={KEEP_READING}",
)  # fmt: skip
possible = (
    hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv") and shutil.which("prlimit")
)
pytestmark = pytest.mark.skipif(not possible, reason="setpriv, prlimit and the superuser are needed")


def opened(terminal, limit):
    return terminal(100, 30, "prlimit", limit, *AS_USER, sys.executable, "-m", "tui_backprop", program=True)


@pytest.mark.parametrize("processes", [1, 3])
def test_too_few_threads_for_the_app_are_a_line(terminal, processes):
    """At 3, its own thread and the one that watches the terminal leave one for what takes three."""
    app = opened(terminal, f"--nproc={processes}")
    assert app.ended() == 2
    assert "process limit: no thread can be started: can't start new thread; the app needs 3" in app.text
    assert "Traceback" not in app.text


@pytest.mark.parametrize("limit", ["--nproc=6", "--nofile=14"])
def test_where_a_sweep_cannot_start_the_app_says_so_and_goes_on(terminal, limit):
    app = opened(terminal, limit)
    app.shows("step")
    app.send("3")
    app.shows("S sweep")
    app.send("S")
    app.shows("No sweep: no process")
    app.send("q")
    app.until(lambda: app.read(0.1) or app.child.poll() is not None or app.send("q"), "the end")
    assert app.ended() == 0
    assert "Traceback" not in app.text
