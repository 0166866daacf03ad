"""Threads and processes are started in one way, which says where none can be started."""

from __future__ import annotations

import re
import threading
from functools import partial
from pathlib import Path

import pytest

import tui_backprop
from tui_backprop.support import starting
from tui_backprop.support.starting import StartError, done_in_threads, require_threads, start_thread

WAYS = re.compile(
    r"\b(?:Thread|Timer|ThreadPoolExecutor|ProcessPoolExecutor|Popen|Process|Pool)\(|\bget_context\(|\brun_worker\("
    r"|\bthread=True|\b(?:run_in_executor|to_thread|create_subprocess_\w+|start_new_thread)\b|\bimport subprocess"
    r"|\bos\.(?:fork|forkpty|posix_spawn\w*|spawn\w+|system|popen|exec\w+)\(|\bpty\.\w+\(|@work\b"
)
PLACES = {
    "support/starting.py": {"Thread(", "get_context(", "Process("},
    "tui/app/services.py": {"run_worker(", "thread=True"},  # in_thread
}


def refuse(self):
    raise RuntimeError("can't start new thread")


def test_nothing_else_starts_a_thread_or_a_process():
    root = Path(tui_backprop.__file__).parent
    found = {
        str(path.relative_to(root)): set(WAYS.findall(text))
        for path in root.rglob("*.py")
        if WAYS.search(text := path.read_text(encoding="utf-8"))
    }
    assert found == PLACES


def test_a_thread_that_cannot_be_started_is_an_error_with_a_reason(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(starting, "granted", lambda: 0)
    for attempt in (partial(start_thread, print, "x"), partial(require_threads, 1)):
        with pytest.raises(StartError, match=r"^no thread can be started: can't start new thread$"):
            attempt()


def test_no_thread_is_started_for_a_trial_where_limits_are_far(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(starting, "granted", lambda: 8)
    require_threads(8)
    with pytest.raises(StartError):
        require_threads(9)


@pytest.mark.parametrize("possible", [0, 1, 9])
def test_jobs_are_all_done_however_many_threads_can_be_started(monkeypatch, possible):
    left, start = iter(range(possible)), starting.start_thread

    def limited(work, name):
        if next(left, None) is None:
            raise StartError("no thread can be started")
        return start(work, name)

    monkeypatch.setattr(starting, "start_thread", limited)
    assert sorted(done_in_threads([partial(abs, -k) for k in range(20)], 4)) == [*range(20)]


def test_the_error_of_a_job_is_raised_and_no_thread_stays():
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        [*done_in_threads([partial(divmod, 1, k % 5) for k in range(20)], 2)]
    assert threading.active_count() == before


def test_jobs_that_nobody_waits_for_are_not_begun():
    begun, go_on = [], threading.Event()

    def job(k):
        begun.append(k)
        if k:
            go_on.wait()

    results = done_in_threads([partial(job, k) for k in range(20)], 1)
    next(results)
    threading.Timer(0.05, go_on.set).start()
    results.close()
    assert len(begun) <= 2
