"""Worker processes of this machine: no ports, no files, and nothing left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.cost.race.workers import SMALL, problem_of
from tests.waits import GENEROUS, all_gone, gone, until
from tui_backprop.cost.race.shares import ONE_THREAD, Answer, Share, Task
from tui_backprop.cost.race.worker_sources import local_workers
from tui_backprop.engine.gradients.methods import Options
from tui_backprop.support.errors import UserError
from tui_backprop.support.starting import StartError


def pids(workers):
    return [int(name.removeprefix("process ")) for name in workers.threads]


def answered(workers):
    """Ask every worker for a share, and wait until each has answered."""
    problem = problem_of(SMALL)
    task = workers.begin(Task(0, problem, "complex-step", problem.parameters.argsort(), Options()))
    for name in workers.threads:
        workers.ask(name, Share(task.number, 0, 5))
    found = []
    until(lambda: found.extend(workers.answers()) or len(found) == len(workers.threads))
    assert all(isinstance(each, Answer) for each in found)
    assert {each.worker for each in found} == {*workers.threads}


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_they_listen_nowhere_keep_to_one_thread_and_have_no_hand_on_the_terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")  # they are not to listen to that
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = dict(os.environ)
    with local_workers(2) as workers:
        assert dict(os.environ) == before
        answered(workers)
        processes = [psutil.Process(), *map(psutil.Process, pids(workers))]
        assert len(processes) == 3
        for process in processes:
            assert [each for each in process.net_connections("inet") if each.status == "LISTEN"] == []
            assert [each for each in process.net_connections("unix") if str(each.laddr).strip()] == []
        for process in processes[1:]:
            environment = process.environ()
            assert ONE_THREAD.items() <= environment.items()
            assert environment["PYTHONSAFEPATH"] == "1"
            streams = {os.readlink(f"/proc/{process.pid}/fd/{stream}") for stream in (0, 1, 2)}
            assert streams == {os.devnull}
            process.send_signal(signal.SIGINT)  # Ctrl+C goes to the whole group
        answered(workers)
        assert list(tmp_path.iterdir()) == []
        started = pids(workers)
    assert all(map(gone, started))


def test_one_that_is_stopped_before_it_read_anything_can_be_ended():
    with local_workers(1) as workers:
        (pid,) = pids(workers)
        os.kill(pid, signal.SIGSTOP)
        problem = problem_of(SMALL, 2000)
        workers.begin(Task(0, problem, "complex-step", problem.parameters.argsort(), Options()))
    assert gone(pid)


@pytest.mark.parametrize("failing", [1, 2])
def test_where_no_process_can_be_started_it_is_a_line_and_none_stays(monkeypatch, failing):
    from tui_backprop.cost.race import workers as module

    start, started = module.start_talking, []

    def refuse(*given):
        if len(started) == failing - 1:
            raise StartError("no process can be started: Resource temporarily unavailable")
        process, here = start(*given)
        started.append(process.pid)
        return process, here

    monkeypatch.setattr(module, "start_talking", refuse)
    with (
        pytest.raises(UserError, match=r"workers: no process can be started: .*unavailable"),
        local_workers(3),
    ):
        pass
    assert all(map(gone, started))


def test_python_that_ignores_the_environment_starts_nothing_unless_it_is_safe_itself():
    code = (
        "from tui_backprop.cost.race.worker_sources import local_workers\n"
        "if __name__ == '__main__':\n"
        "    with local_workers(1) as workers: print(*workers.threads)"
    )
    for flags, start in (
        (["-E"], "no process can be started: Python runs with -E"),
        (["-E", "-P"], "process "),
    ):
        done = subprocess.run(
            [sys.executable, *flags, "-c", code], capture_output=True, text=True, timeout=GENEROUS
        )
        assert start in done.stdout + done.stderr


APP = """
    import os, sys
    from workers import LONG, problem_of
    from tui_backprop.cost.race.distributed import race_distributed
    from tui_backprop.cost.race.worker_sources import local_workers
    if __name__ == "__main__":
        try:
            with local_workers(1) as workers:
                for status in race_distributed(workers, problem_of(LONG), chunk=5):
                    if status.done and sys.argv:
                        sys.argv = []
                        print(*workers.threads, flush=True)
        except KeyboardInterrupt:
            raise SystemExit(130)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_when_the_program_is_ended_nothing_stays_behind_or_has_a_word_to_say(tmp_path, how):
    folder = tmp_path / "tmp"
    folder.mkdir()
    (tmp_path / "workers.py").write_bytes(Path(__file__).with_name("workers.py").read_bytes())
    (tmp_path / "app.py").write_text(textwrap.dedent(APP))
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    worker = int(app.stdout.readline().removeprefix("process "))
    if how == signal.SIGINT:
        os.killpg(app.pid, how)  # as a terminal does
    else:
        app.send_signal(how)
    _, said = app.communicate(timeout=GENEROUS)
    assert app.returncode == (130 if how == signal.SIGINT else -how)
    assert said == ""
    all_gone([worker])
    assert list(folder.iterdir()) == []
