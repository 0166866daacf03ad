"""The strongest path, against all paths written out."""

from __future__ import annotations

from copy import deepcopy
from math import prod

import numpy as np
import pytest

from tui_backprop.engine.analysis.influence import strongest_path
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

SPECS = [
    NetworkSpec((3, 4, 3, 2), "tanh", dtype="float64"),
    NetworkSpec((3, 4, 4, 4, 2), "gelu,relu,tanh", dtype="float64", residual=True, dropout=0.2, l2=0.1),
    NetworkSpec((3, 4, 4, 4, 2), "silu", dtype="float64", residual=True, layer_norm=True, bias=False),
    NetworkSpec((3, 2), "tanh", "mse", dtype="float64"),
]


def iteration(spec, batch):
    rng = np.random.default_rng(0)
    target = rng.integers(2, size=batch) if spec.loss == "cross-entropy" else rng.normal(size=(batch, 2))
    update = Update(rng.normal(size=(batch, 3)), target, 0.1)
    return run_iteration(spec, update, TrainingState(0, rng.normal(size=spec.parameters)))


def jacobian(program, op, i, s):
    """dy/dx of one sample by the operation's own JVPs, (x units, y units)."""
    x = [program.values[name] for name in op.inputs]
    cache = deepcopy(program.caches[op.output])  # which rules also work in; the pass's own is read-only
    rows = []
    for unit in range(x[i].shape[1]):
        x_dot, y_dot = np.zeros_like(x[i]), np.zeros_like(program.values[op.output])
        x_dot[s, unit] = 1
        op.primitive.jvps[i](y_dot, x_dot, program.values[op.output], cache, *x)
        rows.append(y_dot[s])
    return np.array(rows)


def all_paths(pass_, tensor, index, s):
    """Every path's product, by walking all of them."""
    program = pass_.program
    ops = [op for op in program.ops if op.primitive.kind not in ("loss", "penalty")]
    delta = pass_.tensor(f"δ{pass_.spec.depth}")[s]

    def onward(value, unit):
        readers = [(op, i) for op in ops for i in range(2) if i < len(op.inputs) and op.inputs[i] == value]
        if not readers:
            return [delta[unit]]
        products = []
        for op, i in readers:
            for j, factor in enumerate(jacobian(program, op, i, s)[unit]):
                if factor:
                    products += [factor * rest for rest in onward(op.output, j)]
        return products

    first = next(op for op in ops if tensor in op.inputs)
    unit = index[-1]
    if tensor[0] == "W":
        factor = pass_.tensor(first.inputs[0])[s, index[0]]
    else:
        factor = pass_.tensor(f"v{first.block}")[s, unit] if tensor[0] == "γ" else 1.0
    return [factor * rest for rest in onward(first.output, unit)]


CASES = [(spec, tensor) for spec in SPECS for tensor in spec.graph.parameters]


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(("spec", "tensor"), CASES, ids=[f"{SPECS.index(s)}-{t}" for s, t in CASES])
def test_the_strongest_path_is_the_largest_of_all_and_all_add_up_to_the_gradient(spec, tensor, batch):
    pass_ = iteration(spec, batch)
    index = tuple(size - 1 for size in spec.graph.parameters[tensor])
    total = 0.0
    for s in range(batch):
        products = all_paths(pass_, tensor, index, s)
        found = prod(hop.factor for hop in strongest_path(pass_, tensor, index, s).steps)
        assert abs(found) == pytest.approx(max(map(abs, products), default=0.0), rel=1e-12)
        total += sum(products)
    penalty = spec.l2 * pass_.tensor(tensor)[index] if tensor[0] == "W" else 0.0
    assert total + penalty == pytest.approx(pass_.tensor(f"d{tensor}")[index], rel=1e-10)


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize(("layers", "value"), [((3, 4, 4, 2), 0.5), ((2, 3, 2), 1.0), ((2, 4, 4, 4, 1), 2.0)])
def test_paths_that_are_equally_large_are_counted(layers, value, residual):
    """With equal weights many paths tie; these powers of two multiply without round-off."""
    spec = NetworkSpec(layers, "relu", "mse", dtype="float64", residual=residual, init=f"constant:{value}")
    x, t = np.full((1, layers[0]), 0.5), np.full((1, layers[-1]), 0.25)
    pass_ = run_iteration(spec, Update(x, t, 0.1), TrainingState(0, initial_parameters(spec)))
    for tensor in ("W1", f"W{spec.depth}", "b1"):
        index = (0, 1) if tensor == "W1" else (0, 0) if tensor[0] == "W" else (1,)
        products = np.abs(all_paths(pass_, tensor, index, 0))
        assert strongest_path(pass_, tensor, index).ties == int((products == products.max()).sum())


def test_the_hops_say_what_they_multiply_by():
    pass_ = iteration(SPECS[0], 1)
    hops = strongest_path(pass_, "W1", (2, 3)).steps
    assert [hop.value for hop in hops] == ["u1", "z1", "a1", "u2", "z2", "a2", "u3", "z3", "L"]
    assert (hops[0].formula, hops[0].factor) == ("x[2]", pass_.tensor("x")[0, 2])
    assert hops[1].formula == "1"
    assert hops[2].formula == "f'(z1[3])"
    j = hops[3].unit
    assert (hops[3].formula, hops[3].factor) == (f"W2[3,{j}]", pass_.tensor("W2")[3, j])
    assert hops[-1].formula == f"dL/dz3[{hops[-2].unit}]"


def test_only_parameters_have_a_path():
    with pytest.raises(KeyError):
        strongest_path(iteration(SPECS[0], 1), "a1", (0, 0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_no_path_is_the_largest_where_a_factor_is_not_finite(bad):
    spec = NetworkSpec((2, 3, 2), "tanh", dtype="float64")
    parameters = np.linspace(-1, 1, spec.parameters)
    update = Update(np.ones((1, 2)), np.array([0]), 0.1)
    assert strongest_path(
        run_iteration(spec, update, TrainingState(0, parameters.copy())), "W1", (0, 0)
    ).steps
    parameters[-1] = bad  # a bias of the output
    assert strongest_path(run_iteration(spec, update, TrainingState(0, parameters)), "W1", (0, 0)).steps == ()
