"""What a network says at many points, against a forward pass written sample by sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.frontends.rnn.spec import RnnSpec
from tui_backprop.engine.network import inference as plane
from tui_backprop.engine.network.inference import at_once, grid, outputs, passes
from tui_backprop.engine.network.initializers import initial_parameters

SPECS = {
    "classes": NetworkSpec((2, 5, 5, 3), "tanh", dtype="float64"),
    "one output": NetworkSpec((2, 4, 1), "tanh", "binary-cross-entropy", dtype="float64"),
    "curve": NetworkSpec((1, 1, 1), "tanh", "mse", dtype="float64"),
    "linear": NetworkSpec((2, 3), loss="half-squares", dtype="float64"),
    "no bias": NetworkSpec((2, 5, 3), "tanh", dtype="float64", bias=False),
    "everything": NetworkSpec(
        (2, 6, 6, 3), "tanh", dtype="float64", layer_norm=True, residual=True, dropout=0.5, l2=0.1
    ),
    "deep": NetworkSpec((2, *(4,) * 39, 2), "tanh", dtype="float64", residual=True),
}


def one_by_one(spec, parameters, points):
    """z of each point by the textbook; nothing is dropped."""
    w, made = spec.graph.views(parameters), []
    for a in points:
        for k in range(1, spec.depth + 1):
            came, z = a, a @ w[f"W{k}"] + (w[f"b{k}"] if spec.bias else 0)
            if k == spec.depth:
                break
            if spec.layer_norm:
                z = (z - z.mean()) / np.sqrt(z.var() + 1e-5) * w[f"γ{k}"] + w[f"β{k}"]
            a = np.tanh(z) + (came if spec.adds_input(k) else 0)
        made.append(z)
    return np.array(made)


def some_points(spec, n=37):
    return np.random.default_rng(1).normal(size=(n, spec.layers[0]))


@pytest.mark.parametrize("most", [1, 7, 4096])
@pytest.mark.parametrize("name", SPECS)
def test_outputs_are_those_of_a_forward_pass_however_it_is_cut(name, most):
    spec, points = SPECS[name], some_points(SPECS[name])
    parameters = initial_parameters(spec)
    wanted = one_by_one(spec, parameters, points)
    assert np.allclose(outputs(spec, parameters, points, most).z, wanted, rtol=1e-12, atol=1e-12)
    parameters[0] += 1e-6  # planted: a single weight that is a little off is seen
    assert not np.allclose(outputs(spec, parameters, points, most).z, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("most", [7, 4096])
def test_probabilities_are_the_loss_s_own(most):
    spec, points = SPECS["classes"], some_points(SPECS["classes"])
    z, p = outputs(spec, initial_parameters(spec), points, most)
    assert np.allclose(p, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))
    spec = SPECS["one output"]
    z, p = outputs(spec, initial_parameters(spec), points)
    assert np.allclose(p, 1 / (1 + np.exp(-z)))
    for name in ("curve", "linear"):
        assert outputs(SPECS[name], initial_parameters(SPECS[name]), some_points(SPECS[name])).p is None


def test_dropout_is_off():
    spec = SPECS["everything"]
    points, parameters = some_points(spec), initial_parameters(spec)
    whole = outputs(replace(spec, dropout=0.0), parameters, points)
    assert np.array_equal(outputs(spec, parameters, points).z, whole.z)


def test_a_wide_network_takes_fewer_samples_at_once():
    assert at_once(SPECS["classes"]) == 4096
    wide = NetworkSpec((784, 3000, 3000, 10))
    assert 1 <= at_once(wide) < 200
    assert at_once(wide) * 4 * 12 * sum(wide.layers[1:]) <= plane.PASS_BYTES
    assert at_once(NetworkSpec((2, 10**7, 2))) == 1


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPECS["everything"], layers=(2, 300, 300, 3)),
        ConvSpec(),
        ConvSpec(channels="32,32", dense="none", batch_norm=True),
        RnnSpec(),
        GptSpec(),
    ],
    ids=lambda spec: spec.title,
)
def test_a_pass_holds_no_more_than_its_bound(spec):
    shapes = spec.graph.shapes(5_000)
    x, t = (np.zeros(shapes[name], int) for name in (spec.graph.input, spec.graph.target))
    program = next(passes(spec, initial_parameters(spec), x.astype(spec.dtype), t))
    held = {id(a): a for a in (*program.values.values(), *program.cotangents.values())}
    held |= {id(a): a for cache in program.caches.values() for a in cache}
    own = sum(a.nbytes for a in held.values() if a.base is None)
    assert program.batch > 1
    assert own <= plane.PASS_BYTES


def test_nan_parameters_give_nan_and_no_warning():
    spec = SPECS["classes"]
    z, p = outputs(spec, np.full(spec.parameters, np.nan), some_points(spec))
    assert np.isnan(z).all()
    assert np.isnan(p).all()


def test_a_grid_has_the_middles_of_its_cells_and_reads_from_the_top_left():
    assert grid((0, 10), (4, 16), 3, 2).tolist() == [[1, 15], [3, 15], [1, 13], [3, 13], [1, 11], [3, 11]]
    assert grid((-1, -1), (1, 1), 1, 1).tolist() == [[0, 0]]
