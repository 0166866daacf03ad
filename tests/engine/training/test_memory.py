"""What one walk will take is said before it is taken."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tui_backprop.cost.measure.passes import measure
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients import batched
from tui_backprop.engine.gradients.check.compare import compare
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.memory import check_check_memory, check_memory
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.files.identity import wait
from tui_backprop.session.brought_files import read_weights
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.session.transitions import after_update, before_update, next_sample
from tui_backprop.support import memory
from tui_backprop.support.errors import UserError
from tui_backprop.support.format import format_bytes
from tui_backprop.support.memory import Available

EVERYTHING = {"layer_norm": True, "residual": True, "dropout": 0.1, "l2": 0.1}
PLAIN = OptimizerSpec()


def peak(session: Session) -> int:
    """Bytes at the most, stepping forward and back with as little kept as can be."""
    replay = Replay(0)
    replay.take(Session(NetworkSpec((2, 2)), session.data))  # loads the data
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        shown = replay.take(session)
        for move in (after_update, after_update, next_sample, before_update, before_update, after_update):
            session = move(session)
            shown = replay.take(session)
        measure(session.network, 0.0)
        assert shown.batch == session.batch
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adamw"])
def test_a_network_of_many_parameters_takes_no_more_than_was_said_and_not_far_less(optimizer, options):
    spec = NetworkSpec((2, 500, 500, 500, 2), **options)
    needed = peak(Session(spec, "moons", optimizer=OptimizerSpec(optimizer)))
    said = spec.memory(1, len(UPDATE_RULES[optimizer].slots))
    assert 0.5 * said < needed < said


FILED = NetworkSpec((2, 500, 500, 500, 2))


def write_file(path, extra):
    """Write weights in double precision, and ``extra`` times as many numbers that no network needs."""
    arrays = FILED.graph.views(initial_parameters(FILED).astype(float))
    np.savez(path, more=np.zeros(extra * FILED.parameters), **arrays)


def filed(path):
    """Read weights, and return the network that starts with them."""
    found = read_weights(path)
    text = start.start_of(found.name, found.identity.id, start.shapes_of(FILED))
    return replace(FILED, start=text)


@pytest.mark.parametrize("extra", [0, 8])
def test_the_arrays_of_a_file_are_counted_with_the_walk(tmp_path, extra):
    write_file(tmp_path / "weights.npz", extra)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        spec = filed(tmp_path / "weights.npz")
        wait()  # until the content itself is no longer held
        held = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.reset_peak()
        Replay(0).take(Session(spec, "moons"))
        needed = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert spec.held_bytes == pytest.approx(held, abs=2**20)
    assert spec.held_bytes == 8 * (1 + extra) * spec.parameters
    said = spec.memory(1)
    assert 0.4 * said < needed < said
    assert spec.streamed_memory(1) - FILED.streamed_memory(1) == spec.held_bytes
    assert spec.check_memory(1) - FILED.check_memory(1) == spec.held_bytes


def test_what_a_file_holds_already_is_not_asked_for_again(tmp_path, monkeypatch):
    write_file(tmp_path / "weights.npz", 8)
    spec = filed(tmp_path / "weights.npz")
    monkeypatch.setattr(memory, "available", lambda: Available(int(FILED.memory(1) * 1.3)))
    check_memory(spec, 1, PLAIN)
    monkeypatch.setattr(memory, "available", lambda: Available(int(FILED.memory(1) * 1.2)))
    with pytest.raises(UserError, match="parameters need"):
        check_memory(spec, 1, PLAIN)


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_batch_of_many_samples_takes_no_more_than_was_said_and_not_far_less(activation, options):
    spec = NetworkSpec((2, *(30,) * 5, 2), activation, **options)
    needed = peak(Session(spec, "moons", batch=5000))
    assert 0.5 * spec.memory(5000) < needed < spec.memory(5000)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_what_does_not_fit_is_refused_with_both_figures(optimizer):
    for network, batch, field in (
        (NetworkSpec((784, 10**9, 10)), 1, "layers"),
        (NetworkSpec(), 10**9, "batch"),
    ):
        with pytest.raises(
            UserError,
            match=r"parameters need [\d.,]+ .B of memory; [\d.,]+ .B is free, of which a fifth is reserved",
        ) as caught:
            check_memory(network, batch, OptimizerSpec(optimizer))
        assert caught.value.field == field


def test_an_optimizer_that_remembers_more_takes_more(monkeypatch):
    spec = NetworkSpec((2, 3000, 3000, 2))
    monkeypatch.setattr(memory, "available", lambda: Available(int(spec.memory(1) * 1.3)))
    check_memory(spec, 1, PLAIN)
    with pytest.raises(UserError):
        check_memory(spec, 1, OptimizerSpec("adam"))


@pytest.mark.parametrize(
    ("count", "text"), [(12, "12 bytes"), (1_340_000, "1.34 MB"), (2.5e12, "2.5 TB"), (3e18, "3e+03 PB")]
)
def test_bytes_are_written_as_people_write_them(count, text):
    assert format_bytes(count) == text


@pytest.mark.slow
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize(
    "spec",
    [
        NetworkSpec((200, 250, 250, 100)),
        NetworkSpec((300, 400), "tanh", "mse", dtype="float64"),
        NetworkSpec((200, 250, 250, 100), "gelu", **EVERYTHING),
        NetworkSpec((100, 150, 100), "gelu", **EVERYTHING, dtype="float64"),
    ],
)
def test_a_check_takes_no_more_than_was_said_and_not_far_less(spec, every):
    dtype = spec.dtype
    x = np.random.default_rng(0).normal(size=(2, spec.layers[0])).astype(dtype)
    target = np.zeros(2, int) if spec.loss == "cross-entropy" else np.zeros((2, spec.layers[-1]), dtype)
    problem = Problem(spec, x, target, initial_parameters(spec))
    tracemalloc.start()
    compare(
        problem,
        second="batched-forward-mode" if every else "central-difference",
        entries=None if every else 20,
    )
    needed = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    said = spec.check_memory(2, every)
    assert 0.4 * said < needed < said + batched.BATCHED_BYTES * every


def test_a_check_that_does_not_fit_is_refused_where_a_walk_would_fit(monkeypatch):
    spec = NetworkSpec((2, 3000, 3000, 2))
    assert spec.check_memory(1) > spec.memory(1)
    monkeypatch.setattr(memory, "available", lambda: Available(int(spec.memory(1) * 1.3)))
    check_memory(spec, 1, PLAIN)
    with pytest.raises(UserError, match="parameters need"):
        check_check_memory(spec, 1, every=False)


DRAWN = """
import re, sys
from pathlib import Path
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

layers, dtype = eval(sys.argv[1]), sys.argv[2]
initial_parameters(NetworkSpec((9, 9, 2), init="orthogonal", dtype=dtype))  # loads LAPACK
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
status = lambda name: 1024 * int(re.search(name + r":\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before = status("VmRSS")
initial_parameters(NetworkSpec(layers, init="orthogonal", dtype=dtype))
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not tell the peak")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", [(1100, 1100, 10), (300, 4000, 10)])
def test_orthogonal_weights_are_counted_with_what_lapack_takes_to_draw_them(layers, dtype):
    """Measured by the system: tracemalloc does not see the work space of LAPACK, half of it all."""
    done = subprocess.run(
        [sys.executable, "-c", DRAWN, str(layers), dtype], capture_output=True, text=True, check=True
    )
    spec = NetworkSpec(layers, init="orthogonal", dtype=dtype)
    assert 0.5 * spec.streamed_memory(1) < int(done.stdout) < spec.streamed_memory(1)
    assert int(done.stdout) < spec.memory(1)


ARENAS = """
import ctypes, threading
from tui_backprop.files.identity import wait
from tui_backprop.session.brought_files import read_weights
from tui_backprop.session.replay import Replay

Replay()
together = threading.Barrier(12)

def allocate():
    together.wait()
    kept = [bytes(3000) for _ in range(50)]
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(library.fopen(b"/dev/stdout", b"w"))
library.malloc_info(0, file)
library.fclose(file)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library is not glibc")
def test_threads_share_what_others_have_freed():
    told = subprocess.run([sys.executable, "-c", ARENAS], capture_output=True, text=True, check=True).stdout
    assert 1 <= told.count("<heap nr=") <= 3
