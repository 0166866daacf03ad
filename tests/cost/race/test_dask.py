"""A real Dask cluster with TLS, whose workers stop, lie and cannot be found."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.cost.race.certificates import files, make_certificate
from tests.cost.race.shadows import plant
from tests.cost.race.workers import LONG, SMALL, problem_of
from tests.waits import GENEROUS
from tui_backprop.cli.main import main
from tui_backprop.cost.race import worker_sources
from tui_backprop.cost.race.dask_client import RefusalError, Relay
from tui_backprop.cost.race.distributed import fill_distributed
from tui_backprop.cost.race.scheduler import Scheduler, scheduler_at
from tui_backprop.cost.race.worker_sources import scheduler_workers
from tui_backprop.engine.gradients.methods import METHODS

pytest.importorskip("distributed", reason="needs the extra cluster")
pytestmark = pytest.mark.slow


class Cluster:
    """A scheduler with an honest worker, and further processes with more workers."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        make_certificate(folder)
        self.address, self.worker = self.start()

    def start(self, *arguments):
        """Start a process; its addresses."""
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "-P", Path(__file__).with_name("dask_cluster.py"), self.folder, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        return self.processes[-1].stdout.readline().split()

    def add(self, *names):
        return self.start(self.address, *names)

    def end(self, process):
        process.kill()
        process.communicate(timeout=GENEROUS)
        self.processes.remove(process)

    @property
    def scheduler(self):
        return scheduler_at(self.address, files(self.folder))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    for process in [*made.processes]:
        made.end(process)


def test_the_result_is_that_of_one_process_and_nothing_in_tmpdir_or_here_is_imported(
    cluster, tmp_path, monkeypatch
):
    mark, temporary = tmp_path / "ran", tmp_path / "tmp"
    for folder in (tmp_path / "here", temporary, temporary / "dask-scratch-space"):
        plant(folder, mark)
    before = sorted(temporary.rglob("*"))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(worker_sources, "scheduler_workers", partial(scheduler_workers, patience=GENEROUS))
    options = [f"--{name.replace('_', '-')}={path}" for name, path in files(cluster.folder).items()]
    command = ["check", "--exhaustive", "--layers", "784,3,10", "--json"]
    alone, shared = (
        CliRunner().invoke(main, [*command, *more])
        for more in ((), ("--scheduler", cluster.address, *options))
    )
    assert shared.stderr == "", shared.stderr
    assert (shared.exit_code, shared.stdout) == (alone.exit_code, alone.stdout) == (0, alone.stdout)
    assert not mark.exists(), mark.read_text()
    assert sorted(temporary.rglob("*")) == before


def test_workers_that_lie_are_named_and_what_they_send_does_not_count(cluster):
    lies = {
        "text": "sent str instead of derivatives and seconds",
        "zero": "sent a time that cannot be",
        "one": "sent float64 of shape (1,) instead of float64 of shape (5,)",
        "nan": "sent numbers that are not finite",
        "error": "failed: ZeroDivisionError: integer division or modulo by zero",
    }
    addresses = dict(zip(lies, cluster.add(*lies), strict=True))
    notes, problem, out = [], problem_of(SMALL, 4), np.zeros(SMALL.parameters)
    with scheduler_workers(cluster.scheduler, GENEROUS, note=notes.append) as workers:
        while len(workers.threads) < 6:
            workers.answers()
        for _ in fill_distributed(workers, "central-difference", out, problem, chunk=5):
            pass
    cluster.end(cluster.processes[-1])
    assert out.tobytes() == METHODS["central-difference"].gradient(problem).tobytes()
    assert {f"{addresses[name]} {lies[name]}" for name in lies} == {line.partition(";")[0] for line in notes}


@pytest.mark.parametrize("all_of_them", [False, True], ids=["one of two", "scheduler and both workers"])
def test_the_shares_of_those_that_are_stopped_are_computed_by_others_or_here(cluster, all_of_them):
    (stopped,) = cluster.add("honest too")
    notes, problem, out = [], problem_of(LONG), np.zeros(LONG.parameters)
    victims = [cluster.processes[-1], *(cluster.processes[:1] if all_of_them else ())]
    with scheduler_workers(cluster.scheduler, GENEROUS, note=notes.append) as workers:
        while len(workers.threads) < 2:
            workers.answers()
        for _ in fill_distributed(workers, "forward-difference", out, problem, chunk=200):
            while victims:
                victims.pop().send_signal(signal.SIGSTOP)
    cluster.processes[0].send_signal(signal.SIGCONT)
    cluster.end(cluster.processes[-1])
    assert out.tobytes() == METHODS["forward-difference"].gradient(problem).tobytes()
    named = " ".join(notes)  # a busy machine may keep others waiting, too
    assert f"no answer from {stopped}" in named or f", {stopped} for" in named
    assert ("this machine takes over" in named) >= all_of_them


def test_a_worker_s_port_and_a_connection_without_tls_are_refused(cluster):
    tls, port = cluster.scheduler.tls, int(cluster.address.rpartition(":")[2])
    worker = Scheduler("127.0.0.1", int(cluster.worker.rpartition(":")[2]), tls)
    for place, why in (
        (worker, f"{cluster.worker} is a Dask worker, not a scheduler"),
        (
            Scheduler("127.0.0.1", port),
            f"tcp://127.0.0.1:{port} is not a Dask scheduler: it closed the connection",
        ),
    ):
        with pytest.raises(RefusalError) as refused:
            asyncio.run(Relay(None, place).run(GENEROUS))
        assert str(refused.value) == why
