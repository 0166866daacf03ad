"""The comparison with the complex step has teeth: no rule that is wrong passes it, by a thousandth or in sign."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense import graph as network
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.primitives import ELEMENTWISE, LOSSES, PRIMITIVES
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES as LOSS_NAMES

CACHED = [f for f in (*vars(network).values(), walk) if hasattr(f, "cache_clear")]


def dropped_term(out):
    """One entry is left at 0, the largest."""
    out[np.unravel_index(np.abs(out).argmax(), out.shape)] = 0


ERRORS = {
    "a thousandth": lambda out: np.multiply(out, 1.001, out=out),
    "its sign": lambda out: np.negative(out, out=out),
    "a dropped term": dropped_term,
    "nothing done": lambda out: out.fill(0),
}


def spec(activation="tanh", loss="cross-entropy", **choices):
    return NetworkSpec((3, 4, 4, 2), activation, loss, dtype="float64", **choices)


CASES = {
    "matmul": spec(),
    "bias add": spec(),
    **{name: spec(name) for name in ACTIVATIONS},
    "layer normalization": spec(layer_norm=True),
    "dropout": spec(dropout=0.3),
    "residual add": spec(residual=True),
    **{LOSSES[name].name: spec(loss=name) for name in LOSS_NAMES},
    "L2 penalty": spec(l2=0.1),
}


def planted_rules(kind):
    """(row, i) of each VJP, or JVP, that a gradient can come to."""
    return [
        (row, i)
        for row in PRIMITIVES
        for i in range(len(getattr(row, kind)))
        # A bias or a penalty hands its cotangent on in the same array: there is no rule to be wrong.
        if not (kind == "vjps" and i == 0 and row.passes_on)
    ]


def forget_compiled():
    for cached in CACHED:
        cached.cache_clear()


@pytest.fixture
def plant(monkeypatch):
    """A function that makes VJP or JVP number ``i`` of a row wrong."""

    def planted(row, kind, i, error):
        right = getattr(row, kind)[i]

        def rule(out, *arguments):
            right(out, *arguments)
            ERRORS[error](out)

        rules = tuple(rule if k == i else kept for k, kept in enumerate(getattr(row, kind)))
        wrong = replace(row, **{kind: rules})
        for table in (ELEMENTWISE, LOSSES):
            for name, there in table.items():
                if there is row:
                    monkeypatch.setitem(table, name, wrong)
        for name, there in vars(network).copy().items():
            if there is row:
                monkeypatch.setattr(network, name, wrong)
        forget_compiled()

    yield planted
    monkeypatch.undo()
    forget_compiled()


def case(kind):
    rules = planted_rules(kind)
    return pytest.mark.parametrize(("row", "i"), rules, ids=[f"{row.name}-{i}" for row, i in rules])


def difference(calculus, problem, method):
    return calculus.worst(METHODS[method].gradient(problem), calculus.complex_step(problem))


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("error", ERRORS)
@case("vjps")
def test_a_wrong_vjp_is_caught(calculus, plant, row, i, error, batch):
    problem = calculus.problem(CASES[row.name], batch)
    assert difference(calculus, problem, "backprop") < 1e-12
    plant(row, "vjps", i, error)
    assert difference(calculus, problem, "backprop") > 5e-4


@pytest.mark.parametrize("method", ["forward-mode", "batched-forward-mode"])
@pytest.mark.parametrize("error", ERRORS)
@case("jvps")
def test_a_wrong_jvp_is_caught(calculus, plant, row, i, error, method):
    problem = calculus.problem(CASES[row.name], 2)
    assert difference(calculus, problem, method) < 1e-12
    plant(row, "jvps", i, error)
    found = difference(calculus, problem, method)
    assert found > 5e-4 or never_run(row, i, method)


def never_run(row, i, method):
    """The batched method starts behind the product with a weight, and takes a penalty by formula."""
    by_formula = row.name == "L2 penalty" or (row.name, i) == ("matmul", 1)
    return method == "batched-forward-mode" and by_formula


@pytest.mark.parametrize("kind", ["vjps", "jvps"])
def test_every_vjp_of_the_table_is_among_the_planted_ones(kind):
    every = {(row.name, i) for row in PRIMITIVES for i in range(len(getattr(row, kind)))}
    left_out = every - {(row.name, i) for row, i in planted_rules(kind)}
    assert {row.name for row in PRIMITIVES} == {*CASES}
    if kind == "jvps":
        assert not left_out
    else:
        assert left_out == {("bias add", 0), ("residual add", 0), ("L2 penalty", 0)}


@pytest.mark.parametrize("name", ["bias add", "residual add", "L2 penalty"])
def test_vjps_that_are_left_out_are_never_called(calculus, monkeypatch, plant, name):
    row = next(row for row in PRIMITIVES if row.name == name)
    problem = calculus.problem(CASES[name], 2)
    plant(row, "vjps", 0, "its sign")
    assert difference(calculus, problem, "backprop") < 1e-12


def test_all_caches_that_hold_compiled_networks_are_cleared_here():
    assert {"graph_of", "walk"} <= {f.__name__ for f in CACHED}
