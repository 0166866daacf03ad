"""A pass whose weight gradients are handed over in tiles is the same pass."""

from __future__ import annotations

import tracemalloc
from contextlib import nullcontext

import numpy as np
import pytest

from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training import streaming as stream
from tui_backprop.engine.training.streaming import Digest, StreamedProgram, stream_pass

EVERYTHING = NetworkSpec((5, 4, 4, 6, 3), "gelu", dtype="float64", layer_norm=True, residual=True, l2=0.1)


def problem(spec, batch):
    rng = np.random.default_rng(0)
    outputs = spec.layers[-1]
    target = (
        rng.integers(outputs, size=batch)
        if spec.loss == "cross-entropy"
        else rng.normal(size=(batch, outputs))
    )
    x = rng.normal(size=(batch, spec.layers[0])).astype(spec.dtype)
    return x, target, rng.normal(size=spec.parameters).astype(spec.dtype)


@pytest.mark.parametrize("tile", [1, 7, 2**18])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "spec", [EVERYTHING, NetworkSpec((5, 4, 3), "relu", "mse", dtype="float64", bias=False)]
)
def test_the_tiles_make_up_the_gradient(monkeypatch, spec, batch, tile):
    monkeypatch.setattr(stream, "TILE", tile)
    x, target, parameters = problem(spec, batch)
    whole = Program(spec, batch, parameters.copy())
    whole.feed(x, target)
    whole.forward()
    gradient = spec.graph.views(whole.backward())

    streamed = StreamedProgram(spec, batch, parameters.copy())
    streamed.feed(x, target)
    streamed.forward()
    tiles = {}

    def take(name, row, tile):
        assert row == sum(len(part) for part in tiles.get(name, []))
        tiles.setdefault(name, []).append(tile.copy())

    made = [written for written, _ in streamed.stages(take)]
    assert len(made) == len(set(made))
    for name, wanted in gradient.items():
        got = np.concatenate(tiles[name]) if name[0] == "W" else streamed.cotangents[name]
        np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15)
    assert "gradient" not in vars(streamed)
    assert all(name not in streamed.cotangents for name in tiles)


def test_kernels_of_four_axes_are_kept_whole():
    spec = ConvSpec((2, 3), (3,), (1,), (1,), "max", (4,), "tanh", False, (1, 7, 6), 3, dtype="float64")
    rng = np.random.default_rng(0)
    made = []
    for program in (Program, StreamedProgram):
        each = program(spec, 2, initial_parameters(spec))
        each.feed(rng.random((2, 42)) if not made else made[0].values["x"], np.array([0, 2]))
        each.forward()
        made.append(each)
    whole, streamed = made
    gradient = spec.graph.views(whole.backward())
    for _ in streamed.stages(lambda name, row, tile: pytest.fail(f"{name} is no matrix of layers")):
        pass
    for name, wanted in gradient.items():
        np.testing.assert_array_equal(streamed.cotangents[name], wanted)


@pytest.mark.parametrize("batch", [1, 4])
def test_the_report_has_norms_and_largest_entries(monkeypatch, batch):
    monkeypatch.setattr(stream, "TILE", 16)
    spec = EVERYTHING
    x, target, parameters = problem(spec, batch)
    whole = Program(spec, batch, parameters.copy())
    whole.feed(x, target)
    loss = float(whole.forward())
    gradient = spec.graph.views(whole.backward())
    seen = []
    report = stream_pass(
        spec, x, target, parameters, most=4, watch=lambda phase, layer: seen.append((phase, layer))
    )
    assert report.loss == loss
    for layer in report.layers:
        dw = gradient[f"W{layer.layer}"]
        assert layer.gradient_norm == pytest.approx(np.linalg.norm(dw), rel=1e-12)
        order = np.argsort(-np.abs(dw), axis=None)[:4]
        assert [(e.row, e.column) for e in layer.largest] == [
            tuple(np.unravel_index(i, dw.shape)) for i in order
        ]
        assert [e.value for e in layer.largest] == pytest.approx(dw.flat[order])
        assert layer.shape == dw.shape
        made = whole.values[f"a{layer.layer}" if layer.layer < spec.depth else f"z{layer.layer}"]
        assert layer.activation_norm == pytest.approx(np.linalg.norm(made))
        assert layer.delta_norm == pytest.approx(np.linalg.norm(whole.cotangents[f"z{layer.layer}"]))
        assert layer.bad == 0
    assert seen[0] == ("forward", 1)
    assert seen[-1] == ("backward", 1)
    assert report.forward == pytest.approx(sum(layer.forward for layer in report.layers))


def test_watching_can_cancel():
    def stop(phase, layer):
        if phase == "backward":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream_pass(EVERYTHING, *problem(EVERYTHING, 1), watch=stop)


def digest_of(values, most=3, height=2):
    digest = Digest(most)
    for row in range(0, len(values), height):
        digest.add(row, values[row : row + height])
    return digest


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_a_digest_s_norm_survives_squares_that_no_float32_holds(size):
    values = (np.random.default_rng(0).normal(size=(7, 5)) * size).astype("float32")
    assert digest_of(values).norm == pytest.approx(np.linalg.norm(values.astype(float)), rel=1e-6)


def test_a_digest_counts_what_is_no_number_and_goes_on():
    values = np.ones((6, 4), "float32")
    values[1, 2], values[5, 0], values[3, 3] = np.nan, -np.inf, 5
    digest = digest_of(values)
    assert digest.bad == 2
    assert np.isnan(digest.norm)
    assert (digest.largest[0].row, digest.largest[0].column, digest.largest[0].value) == (3, 3, 5.0)


def test_a_digest_of_zeros_has_no_largest_entry():
    digest = digest_of(np.zeros((6, 4)))
    assert (digest.norm, digest.largest) == (0.0, ())


def test_memory_stays_near_that_of_the_parameters():
    spec = NetworkSpec((50, 1500, 1500, 10))
    x, target, _ = problem(spec, 1)
    parameters = initial_parameters(spec)
    tracemalloc.start()
    stream_pass(spec, x, target, parameters)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak + parameters.nbytes < 1.2 * spec.streamed_memory(1) + 2**20
    assert peak < 0.5 * parameters.nbytes  # a stored gradient would be as large as the parameters


def test_the_estimate_for_a_billion_parameters_is_below_16_gib():
    spec = NetworkSpec((784, 18130, 18130, 18130, 18130, 10))
    assert spec.parameters > 1_000_000_000
    assert spec.streamed_memory(1) < 4 * 2**30


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_so_does_the_norm_of_doubles_that_have_no_squares(size):
    values = np.random.default_rng(0).normal(size=(7, 5)) * size
    assert digest_of(values).norm == pytest.approx(np.linalg.norm(values / size) * size, rel=1e-12)


def test_a_digest_that_is_to_keep_no_entries_keeps_none():
    assert digest_of(np.ones((4, 3)), most=0).largest == ()


def test_times_go_to_the_layer_that_took_them(monkeypatch):
    """A clock on which only the operations of layer 2 take time: 7 forward, 11 backward each."""
    now = [0.0]
    monkeypatch.setattr(stream, "running_clock", lambda: nullcontext(lambda: now[0]))
    forward, stages = Program.steps, StreamedProgram.stages

    def steps(program):
        for op, _ in zip(program.ops, forward(program), strict=True):
            now[0] += 7 * (op.block == 2)
            yield

    def timed(program, take):
        for written, layer in stages(program, take):
            now[0] += 11 * (layer == 2)
            yield written, layer

    monkeypatch.setattr(Program, "steps", steps)
    monkeypatch.setattr(StreamedProgram, "stages", timed)
    spec = NetworkSpec((5, 4, 4, 3), "relu", dtype="float64")
    report = stream_pass(spec, *problem(spec, 2))
    assert [layer.forward for layer in report.layers] == [0, 21, 0]  # matmul, bias add, activation
    assert [layer.backward for layer in report.layers] == [0, 55, 0]  # dz, du, dW, db, and da of layer 1
    assert (report.forward, report.backward) == (21, 55)


def test_progress_goes_on_only_also_where_penalties_come_last():
    seen = []
    stream_pass(EVERYTHING, *problem(EVERYTHING, 1), watch=lambda phase, layer: seen.append((phase, layer)))
    forward = [layer for phase, layer in seen if phase == "forward"]
    backward = [layer for phase, layer in seen if phase == "backward"]
    assert forward == sorted(forward)
    assert backward == sorted(backward, reverse=True)


def test_a_wide_input_is_not_counted_like_a_layer():
    spec = NetworkSpec((20_000, 4, 3))
    x, target, parameters = np.zeros((200, 20_000), "float32"), np.zeros(200, int), initial_parameters(spec)
    tracemalloc.start()
    stream_pass(spec, x, target, parameters)
    peak = tracemalloc.get_traced_memory()[1] + parameters.nbytes + x.nbytes
    tracemalloc.stop()
    assert 0.4 * spec.streamed_memory(200) < peak < spec.streamed_memory(200)
