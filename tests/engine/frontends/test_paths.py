"""The path of largest influence in a graph without layers, against all paths written out."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from tests.engine.frontends.any_shape import ByHand
from tests.engine.frontends.expressions import take
from tui_backprop.engine.analysis.influence import strongest_path
from tui_backprop.engine.analysis.path_of_operations import MOST_PATHS
from tui_backprop.engine.frontends.expression.presets import EXPRESSIONS
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.network.rerun import jacobian_column

SPECS = [
    *(preset.make() for name, preset in EXPRESSIONS.items() if name != "micrograd"),
    ExpressionSpec(
        "u = W @ x\nh = max(u, 0)\nL = mean(h**2) + 0.1*sum(W*W)", "W=[[1, 2], [3, -4]], x:=[1, -2]"
    ),
    ByHand(),
]


def products(iteration, value, index):
    """Iterate over the products of derivatives of all paths from an entry to the loss."""
    graph = iteration.graph
    if value == graph.loss:
        yield 1.0
    for visit in graph.visits_of.get(value, ()):
        column = jacobian_column(iteration.program, visit.op, visit.of, index)
        for place in zip(*np.nonzero(column), strict=True) if column.shape else [()] * bool(column):
            for rest in products(iteration, visit.op.output, tuple(map(int, place))):
                yield float(column[place]) * rest


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.title)
def test_the_path_is_the_largest_of_all_and_all_add_up_to_the_gradient(spec):
    iteration = take(spec)
    for name, shape in spec.graph.parameters.items():
        for index in np.ndindex(shape):
            every = list(products(iteration, name, index))
            gradient = float(iteration.tensor(spec.graph.gradient_of(name))[index])
            assert sum(every) == pytest.approx(gradient, rel=1e-12, abs=1e-14)
            found = strongest_path(iteration, name, index)
            listed = [prod(hop.factor for hop in path) for path in found.every]
            assert sorted(map(abs, listed), reverse=True) == list(map(abs, listed))
            assert listed or len(every) > MOST_PATHS or not any(every)
            nonzero = sorted(filter(None, listed)), sorted(filter(None, every))
            assert not listed or nonzero[0] == pytest.approx(nonzero[1], rel=1e-12)
            sizes = np.abs(every)
            if not sizes.any():
                assert found.steps == ()
                continue
            assert abs(prod(hop.factor for hop in found.steps)) == pytest.approx(sizes.max(), rel=1e-12)
            assert found.ties == np.isclose(sizes, sizes.max(), rtol=1e-12, atol=0).sum()


def test_the_factors_are_written_with_the_names_of_the_expression():
    hops = strongest_path(take(EXPRESSIONS["three-uses"].make()), "w", ()).steps
    assert [hop.formula for hop in hops] == ["(1 − u²)", "x", "1", "1"]
    assert [hop.value for hop in hops] == ["u", "v1", "v3", "L"]
    hops = strongest_path(take(SPECS[-2]), "W", (1, 1)).steps
    assert [hop.formula for hop in hops][:2] == ["x[1]", "[u[1] > 0]"]


def test_many_dead_ends_are_not_searched_for_ever():
    spec = ExpressionSpec("h = relu(w * M)\nL = sum(h) * 0 + w", f"w=1, M:={[-1.0] * 900}")
    assert strongest_path(take(spec), "w", ()).every == ()
