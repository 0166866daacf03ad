"""``backprop-tui cost --race``: a numerical gradient for real, in a process or on workers, and called off."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import psutil
import pytest
from click.testing import CliRunner

from tests.durations import DURATION
from tests.waits import GENEROUS, all_gone, gone, until
from tui_backprop.cli.main import main
from tui_backprop.cli.workers import PLAIN_TCP
from tui_backprop.cost.measure import cache
from tui_backprop.cost.race.race import RACE_METHODS, Race, RaceStatus
from tui_backprop.data.samples import cut
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.initializers import initial_parameters

SMALL = (
    "--layers",
    "2,7,5,2",
    "--data",
    "moons",
    "--batch",
    "4",
    "--dtype",
    "float64",
    "--activation",
    "tanh",
)
P = 2 * 7 + 7 + 7 * 5 + 5 + 5 * 2 + 2


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Short measurements."""
    monkeypatch.setattr("tui_backprop.cost.measure.passes.LOOK", 0.001)


def run(*arguments):
    return CliRunner().invoke(main, ["cost", "--race", *arguments])


def raced(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["race"]


def gradients(method, step=None):
    """That of backprop and that of a method, in this process."""
    spec = NetworkSpec((2, 7, 5, 2), "tanh", dtype="float64")
    batch = cut(spec, "moons", 0, 4)
    problem = Problem(spec, batch.x, batch.t, initial_parameters(spec))
    return METHODS["backprop"].gradient(problem), METHODS[method].gradient(problem, options=Options(step))


@pytest.mark.parametrize("method", RACE_METHODS)
def test_it_says_how_long_it_took_and_how_far_both_agree(method):
    race = raced(*SMALL, "--method", method)
    exact, numeric = gradients(method)
    assert race["evaluations"] == METHODS[method].count(P, 1)
    assert race["rate"] == pytest.approx(race["evaluations"] / race["seconds"])
    assert race["ratio"] == pytest.approx(race["on_idle_core"] / race["backprop"])
    assert race["on_idle_core"] in (race["seconds"], pytest.approx(race["share"] * race["seconds"]))
    assert race["cosine"] == pytest.approx(numeric @ exact / np.linalg.norm(numeric) / np.linalg.norm(exact))
    assert race["relative_error"] == pytest.approx(np.linalg.norm(numeric - exact) / np.linalg.norm(exact))
    assert race["worst"]["error"] == np.abs(numeric - exact).max()
    assert re.fullmatch(r"[Wb][123]\[[\d,]+\]", race["worst"]["entry"])
    assert race["step"] == pytest.approx(METHODS[method].best_step("float64"))
    assert race["workers"] == 0


def test_the_step_is_the_one_asked_for():
    race = raced(*SMALL, "--step", "1e-2")
    exact, numeric = gradients("forward-difference", 1e-2)
    assert race["step"] == 1e-2
    assert race["worst"]["error"] == np.abs(numeric - exact).max() > 1e-4


def test_the_text_ends_with_the_race_and_the_claims_are_of_it():
    result = run(*SMALL)
    assert result.exit_code == 0
    rows = [row for row in result.stdout.splitlines() if not row.startswith("busy ")]  # on a machine that is
    at = next(i for i, row in enumerate(rows) if row.startswith("The race, run in one process"))
    assert rows[at].endswith("forward-difference, h = 1.5e-08")
    on, took, backprop, agree = rows[at + 1 :]
    assert re.match(r"on +\w+, samples? [\d-]+$", on)
    assert re.match(rf"took +{DURATION} for {P + 1} evaluations, [\d,]+/s, each a forward pass$", took)
    assert re.match(rf"backprop +{DURATION} for the same gradient: [\d,.]+ times faster$", backprop)
    assert re.match(
        r"agreement +cosine 1\.000000000, relative error \S+, largest error at [Wb][123]\[[\d,]+\], ", agree
    )
    claim = next(row for row in rows if row.startswith("one gradient, numerically"))
    assert "measured, in the race" in claim or "CPU time of the race" in claim


def test_for_one_sample_the_projection_stands_beside_it():
    text = run("--layers", "2,7,2", "--data", "moons").stdout
    assert re.search(
        r"^predicted +[\d.]+ \S+ in one process .*\n? *.*took [<>]?[\d.,]+ times that$", text, re.MULTILINE
    )
    assert (
        "predicted "
        not in run("--layers", "2,7,2", "--data", "moons", "--method", "batched-forward-mode").stdout[-300:]
    )


def test_where_every_gradient_is_0_nothing_is_made_up():
    arguments = "--layers", "2,3,2", "--data", "moons", "--init", "zeros", "--method", "forward-mode"
    race = raced(*arguments, "--no-bias")
    assert race["cosine"] == race["relative_error"] == "NaN"
    assert "cosine unknown, relative error NaN" in run(*arguments, "--no-bias").stdout


def test_a_race_that_fails_is_one_line(monkeypatch):
    failed = RaceStatus("forward-difference", "failed", why="MemoryError: none left")
    monkeypatch.setattr(Race, "start", lambda race: None)
    monkeypatch.setattr(Race, "status", lambda race: failed)
    result = run(*SMALL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "backprop-tui: --race: MemoryError: none left\n"


# --- on workers -------------------------------------------------------------------------------------------


def test_on_workers_of_this_machine_the_same_is_found_to_the_last_bit(monkeypatch):
    alone = raced(*SMALL, "--method", "complex-step")
    monkeypatch.setattr("tui_backprop.cost.race.race.Race", None)  # not in the process of a race
    monkeypatch.setitem(sys.modules, "distributed", None)  # nor with Dask
    shared = raced(*SMALL, "--method", "complex-step", "--workers", "1")
    same = ("method", "step", "evaluations", "worst", "cosine", "relative_error")
    assert {name: shared[name] for name in same} == {name: alone[name] for name in same}
    assert (alone["workers"], shared["workers"]) == (0, 1)
    result = run(*SMALL, "--workers", "2")
    assert result.exit_code == 0, result.output
    assert "The race, run on 2 workers: forward-difference" in result.stdout


def test_a_scheduler_without_the_extra_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run(*SMALL, "--scheduler", "127.0.0.1:1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"backprop-tui: --scheduler: {PLAIN_TCP}",
        'backprop-tui: --scheduler: needs the extra: pip install "backprop-tui[cluster]"',
    ]


# --- called off -------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


class Watched:
    """The command in a session of its own, its stderr a terminal that is read all the time."""

    def __init__(self, *arguments):
        self.master, slave = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui_backprop", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.said = b""
        self.family = set()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        with suppress(OSError):  # the other end is closed
            while data := os.read(self.master, 4096):
                self.said += data

    def until(self, text):
        """Wait until it is said."""
        self.wait(lambda: re.search(text, self.said))

    def until_there_are(self, processes):
        """Wait until it has started so many."""
        self.wait(lambda: len(self.family) >= processes)

    def wait(self, reached):
        """Wait, and remember who belongs to it."""

        def looked():
            assert self.process.poll() is None, self.said
            with suppress(psutil.NoSuchProcess):
                self.family |= {one.pid for one in psutil.Process(self.process.pid).children(recursive=True)}
            return reached()

        until(looked, lambda: f"what it says: {self.said}")

    def interrupt(self, times=1):
        """Ctrl+C goes to all of them, as from a terminal, again when the line is wiped, that is, while they are being
        ended; what it printed, and its exit code."""
        for _ in range(times):
            os.killpg(self.process.pid, signal.SIGINT)
            until(lambda: self.said.endswith(b"\r") or gone(self.process.pid), "the line to be wiped")
        printed, _ = self.process.communicate(timeout=GENEROUS)
        self.reader.join(GENEROUS)
        os.close(self.master)
        return printed, self.process.returncode


@pytest.mark.slow
@posix
@pytest.mark.parametrize(
    ("command", "processes"),
    [
        (("cost", "--race"), 1),
        (("cost", "--race", "--workers", "2"), 2),
        (("check", "--exhaustive", "--workers", "2"), 2),
        (("check", "--exhaustive"), 0),
    ],
)
def test_ctrl_c_ends_it_with_130_without_a_word_and_no_process_stays(command, processes):
    watched = Watched(*command)
    watched.until(rf"evaluations: [\d,]+ of (335,115|670,237), [\d,]+/s, {DURATION} left".encode())
    printed, code = watched.interrupt(3 if "--workers" in command else 1)
    assert (printed, code) == (b"", 130)
    assert b"Traceback" not in watched.said
    assert b"Error" not in watched.said
    assert watched.said.rpartition(b"\r ")[2].strip() == b""  # the line of progress is gone
    assert len(watched.family) >= processes
    all_gone([*watched.family])


@posix
@pytest.mark.parametrize(
    "command",
    [("cost", "--race"), pytest.param(("cost", "--race", "--workers", "2"), marks=pytest.mark.slow)],
)
def test_so_it_does_while_processes_are_being_started(command):
    watched = Watched(*command)
    watched.until_there_are(2)  # beside Python's own resource tracker
    printed, code = watched.interrupt()
    assert (printed, code) == (b"", 130)
    assert watched.said.split(b"\r")[-1].strip() == b""
    assert b"Traceback" not in watched.said
    all_gone([*watched.family])


@posix
def test_of_a_sweep_that_is_called_off_what_was_measured_is_kept(place):
    watched = Watched("cost", "--preset", "xor", "--sweep")
    watched.until(rf"networks: [1-9]\d* of \d+, now \S+ parameters, at most {DURATION} left".encode())
    printed, code = watched.interrupt()
    assert (printed, code) == (b"", 130)
    assert b"Traceback" not in watched.said
    done = int(re.search(rb"canceled; (\d+) of \d+ networks were measured and saved", watched.said)[1])
    (file,) = place.folder.rglob(cache.NAME)
    points = json.loads(file.read_text())["points"]
    assert len({tuple(point["shape"]["widths"]) for point in points}) == done >= 1
