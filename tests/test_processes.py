"""Processes that tests start: they hear the usual signals, and are gone after the test, and after the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import probe, processes
from tests.waits import GENEROUS, all_gone, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

HEARS = """
    import os, signal, subprocess, time
    import pytest

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
    def test_a_process_hears(number):
        process = subprocess.Popen(["sleep", "60"])
        process.send_signal(number)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        process.kill()
        process.wait()
        assert status != 0

    def test_this_one_hears():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
            time.sleep(60)
"""
DEAF = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGCHLD))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_signals_that_the_parent_ignores_or_blocks_are_heard(tmp_path):
    said, _ = probe.start(tmp_path, HEARS, sys.executable, "-c", DEAF).communicate(timeout=GENEROUS)
    assert "5 passed" in said


MARK = f"61.{os.getpid():08}"  # seconds that only processes of this one sleep, with a digit after it
FORGETS = """
    import gc, subprocess, sys

    KEPT = []

    def test_that_waits_in_vain():
        code = "import subprocess, time; subprocess.Popen(['sleep', 'MARK2']); print(flush=True); time.sleep(61)"
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.readline()
        assert not process.pid, "a time-out"

    def test_that_comes_next():
        gc.collect()

    def test_that_passes_but_forgets():
        KEPT.append(subprocess.Popen(["sleep", "MARK3"]))

    def test_that_comes_last():
        gc.collect()
"""


def test_what_a_test_leaves_running_is_ended_and_is_its_own_error_alone(tmp_path):
    said, _ = probe.start(tmp_path, FORGETS.replace("MARK", MARK)).communicate(timeout=GENEROUS)
    assert "1 failed, 3 passed, 2 errors" in said, said
    assert said.count("left running") >= 2
    assert not running(f"{MARK}2")
    assert not running(f"{MARK}3")


def running(argument: str) -> list[psutil.Process]:
    """Return the processes with an argument."""
    return [each for each in psutil.process_iter() if argument in command(each)]


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


DAEMON = """
    import os, subprocess, time
    from pathlib import Path

    def test_that_never_ends():
        subprocess.run(["sh", "-c", "sleep MARK4 & sleep MARK5 &"], start_new_session=True, stdout=subprocess.DEVNULL)
        Path("folder").write_text(os.environ["TMPDIR"])
        Path("folder").rename("ready")
        time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_of_a_run_that_is_killed_no_process_and_no_folder_stays(tmp_path, how):
    run = probe.start(tmp_path, DAEMON.replace("MARK", MARK))
    until((tmp_path / "ready").exists, "the test")
    folder = Path((tmp_path / "ready").read_text()).parents[1]
    until(lambda: len(running(f"{MARK}4") + running(f"{MARK}5")) == 2, "both to be running")
    daemons = running(f"{MARK}4") + running(f"{MARK}5")
    assert {each.pid for each in daemons} <= {each.pid for each in processes.of(str(folder))}
    run.send_signal(how)
    run.communicate(timeout=GENEROUS)
    all_gone(daemons)
    until(lambda: not folder.exists(), "the end of the folder")


def test_processes_are_found_by_the_command_line_too(tmp_path):
    """The environment of sshd cannot be read: its title is written over it."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(61)", f"{tmp_path}/x"],
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    assert [each.pid for each in processes.of(str(tmp_path))] == [process.pid]
    assert processes.of(f"{tmp_path}0") == processes.of(str(tmp_path)[:-1]) == []
    assert processes.end([process]) == [str(process.args)]
    assert process.returncode == -signal.SIGKILL
    assert processes.end([process]) == []
