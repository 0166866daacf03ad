"""Worker processes: started, joined, and nothing left of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.cost.race.workers import SMALL, problem_of
from tests.waits import GENEROUS, all_gone, gone
from tui_backprop import __version__
from tui_backprop.cost.race.dask_cluster import ONE_THREAD, Cluster, _check, joined, local
from tui_backprop.cost.race.distributed import fill_distributed
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.support.errors import UserError

distributed = pytest.importorskip("distributed", reason="needs the extra cluster")


@pytest.fixture(scope="module")
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", "2")  # the workers are not to listen to that
        with local(2) as made:
            yield made
        assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_the_workers_are_within_reach_of_this_machine_alone_and_say_nothing(cluster):
    own = psutil.Process()
    workers = [psutil.Process(pid) for pid in cluster.client.run(os.getpid).values()]
    assert len(workers) == 2
    listening = [
        place.laddr
        for process in (own, *workers)
        for place in process.net_connections("tcp")
        if place.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 2
    assert {place.ip for place in listening} == {"127.0.0.1"}
    assert 8787 not in {place.port for place in listening}  # Dask's dashboard
    for threads in cluster.client.run(lambda: {name: os.environ.get(name) for name in ONE_THREAD}).values():
        assert threads == ONE_THREAD
    if hasattr(signal, "pthread_sigmask"):  # not even while they start does Ctrl+C reach them
        held = cluster.client.run(lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        assert all(signal.SIGINT in each for each in held.values())
    if Path("/proc").exists():
        for process in workers:
            streams = {os.readlink(f"/proc/{process.pid}/fd/{stream}") for stream in (0, 1, 2)}
            assert streams == {os.devnull}


@pytest.mark.slow
def test_nothing_is_left_of_workers():
    before = dict(os.environ)
    with local(1) as made:
        (folder,) = made.client.run(lambda dask_worker: dask_worker.local_directory).values()
        (pid,) = made.client.run(os.getpid).values()
        assert Path(folder).exists()
        scheduler = made.client.scheduler.address
    assert gone(pid)
    assert not Path(folder).parents[1].exists()
    assert dict(os.environ) == before
    with pytest.raises(UserError, match="no answer"), joined(scheduler):
        pass


def test_workers_that_are_there_already_can_be_joined(cluster):
    address = cluster.client.scheduler.address
    problem = problem_of(SMALL, 4)
    for place in (address, address.removeprefix("tcp://")):
        with joined(place) as others:
            found = np.zeros(SMALL.parameters)
            assert [*fill_distributed(others, "complex-step", found, problem, chunk=7)][
                -1
            ] == SMALL.parameters
            assert found.tobytes() == METHODS["complex-step"].gradient(problem).tobytes()
    assert cluster.threads() == 2  # they stay


@pytest.mark.parametrize(
    "address",
    [
        "",
        "here",
        "1.2.3.4",
        "1.2.3.4:",
        ":8786",
        "1.2.3.4:0",
        "1.2.3.4:65536",
        "http://a:80",
        "a b:1",
        "a\x1b[1m:1",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UserError, match="; use HOST:PORT") as refused, joined(address):
        pass
    assert refused.value.field == "scheduler"
    assert refused.value.message.isprintable()


@pytest.mark.parametrize(
    ("says", "why"),
    [(b"", "did not answer within 0.2 s"), (b"SSH-2.0-OpenSSH_9.9\r\n", "is not a Dask scheduler")],
)
def test_what_listens_and_is_no_scheduler_is_given_up(says, why):
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=answer, args=(server, says))
        answering.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError, match=why), joined(place, GENEROUS if says else 0.2):
            pass
        answering.join(GENEROUS)


def answer(server, says):
    """Take one connection, say this much, and wait until the other side has gone."""
    line, _ = server.accept()
    with line, suppress(ConnectionResetError):
        line.sendall(says)
        line.recv(1)


def test_a_scheduler_without_workers_says_how_to_start_some(cluster):
    kind = {"dashboard_address": None, "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"}}
    with (
        distributed.LocalCluster(n_workers=0, processes=True, **kind) as empty,
        pytest.raises(UserError, match="has no workers; start some: dask worker"),
        joined(empty.scheduler_address, 0.3),
    ):
        pass


def test_workers_that_would_compute_something_else_are_refused():
    with pytest.raises(UserError, match=r"a runs backprop-tui 0\.0\.1"):
        _check("a", "0.0.1", True)
    with pytest.raises(UserError, match="start it with OMP_NUM_THREADS=1"):
        _check("a", __version__, False)


@pytest.mark.parametrize("number", [0, -1, "two", 10_000])
def test_a_number_of_workers_that_does_not_do_is_refused(number):
    with pytest.raises(UserError) as refused, local(number):
        pass
    assert refused.value.field == "workers"


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r'needs the extra: pip install "backprop-tui\[cluster\]"'), local(1):
        pass


def test_a_scheduler_that_is_gone_is_said_to_be():
    from distributed.comm import CommClosedError

    class Client:
        def nthreads(self):
            raise CommClosedError("in <TCP …>")

    with pytest.raises(UserError, match="lost the connection to the scheduler"):
        Cluster(Client(), "scheduler").threads()


def test_dask_is_imported_when_it_is_used():
    code = "import sys, tui_backprop.cost.race.distributed; print({'dask', 'distributed'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=GENEROUS)
    assert done.stdout.strip() == "set()", done.stderr


APP = """
    import os, sys
    from workers import LONG, problem_of
    from tui_backprop.cost.race.dask_cluster import local
    from tui_backprop.cost.race.distributed import race_distributed
    if __name__ == "__main__":
        try:
            with local(1) as cluster:
                for standing in race_distributed(cluster, problem_of(LONG), chunk=5):
                    if standing.done and sys.argv:
                        sys.argv = []
                        print(*cluster.client.run(os.getpid).values(), flush=True)
        except KeyboardInterrupt:
            raise SystemExit(130)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_when_the_program_is_ended_no_worker_stays_behind_or_has_a_word_to_say(tmp_path, how):
    (tmp_path / "workers.py").write_bytes(Path(__file__).with_name("workers.py").read_bytes())
    (tmp_path / "app.py").write_text(textwrap.dedent(APP))
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    worker = int(app.stdout.readline())
    if how == signal.SIGINT:
        os.killpg(app.pid, how)  # as a terminal does
    else:
        app.send_signal(how)
    _, said = app.communicate(timeout=GENEROUS)
    assert app.returncode == (130 if how == signal.SIGINT else -how)
    if how == signal.SIGINT:  # killed, nobody tidies up but Python's own resource tracker, which says so
        assert said == ""
    assert "Traceback" not in said
    all_gone([worker])
