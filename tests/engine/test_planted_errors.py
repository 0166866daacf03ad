"""The comparison with the complex step has teeth: a backward rule wrong by a thousandth does not pass it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine import network
from tui_backprop.engine.primitives import BIAS_ADD, ELEMENTWISE, LOSSES, MATMUL
from tui_backprop.engine.spec import ACTIVATIONS, NetworkSpec
from tui_backprop.engine.spec import LOSSES as LOSS_NAMES
from tui_backprop.engine.trace import walk


def forget_compiled():
    for cached in (network.compile_ops, network.backward_visits, walk):
        cached.cache_clear()


@pytest.fixture
def plant(monkeypatch):
    """A function that makes VJP number ``i`` of a primitive wrong by a factor of 1.001."""

    def wrong(primitive, i):
        right = primitive.vjps[i]

        def vjp(x_bar, *arguments):
            right(x_bar, *arguments)
            np.multiply(x_bar, 1.001, out=x_bar)

        vjps = tuple(vjp if k == i else rule for k, rule in enumerate(primitive.vjps))
        return replace(primitive, vjps=vjps)

    def planted(primitive, i):
        if primitive in (MATMUL, BIAS_ADD):
            name = "MATMUL" if primitive is MATMUL else "BIAS_ADD"
            monkeypatch.setattr(network, name, wrong(primitive, i))
        else:
            table = ELEMENTWISE if primitive in ELEMENTWISE.values() else LOSSES
            name = next(name for name, row in table.items() if row is primitive)
            monkeypatch.setitem(table, name, wrong(primitive, i))
        forget_compiled()

    yield planted
    monkeypatch.undo()
    forget_compiled()


CASES = [
    *((MATMUL, i, NetworkSpec((3, 4, 2), "tanh", dtype="float64")) for i in (0, 1)),
    *((BIAS_ADD, i, NetworkSpec((3, 4, 2), "tanh", dtype="float64")) for i in (0, 1)),
    *((ELEMENTWISE[name], 0, NetworkSpec((3, 4, 2), name, dtype="float64")) for name in ACTIVATIONS),
    *((LOSSES[name], 0, NetworkSpec((3, 4, 2), "tanh", name, dtype="float64")) for name in LOSS_NAMES),
]


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("primitive", "i", "spec"), CASES, ids=[f"{primitive.name}-{i}" for primitive, i, _ in CASES]
)
def test_a_vjp_wrong_by_a_thousandth_is_caught(calculus, plant, primitive, i, spec, batch):
    problem = calculus.problem(spec, batch)
    right = calculus.complex_step(problem)
    assert calculus.worst(calculus.run(problem).gradient, right) < 1e-12
    plant(primitive, i)
    assert calculus.worst(calculus.run(problem).gradient, right) > 5e-4


def test_every_vjp_of_the_table_is_among_the_planted_ones():
    every = {
        (primitive.name, i)
        for primitive in (MATMUL, BIAS_ADD, *ELEMENTWISE.values(), *LOSSES.values())
        for i in range(len(primitive.vjps))
    }
    assert {(primitive.name, i) for primitive, i, _ in CASES} == every
