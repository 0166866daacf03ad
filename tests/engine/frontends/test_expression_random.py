"""Random expressions: the gradient is that of the complex step, forward mode, and PyTorch where it is installed."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.engine.frontends.expressions import EVERY, Drawn, problem
from tui_backprop.engine.explain.pytorch import forward_line
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.network.rerun import jacobian_row
from tui_backprop.support.errors import InputError

COUNT, SHARE = 2_000, 0.8
TOLERANCE = 1e-10  # of the sum of the absolute terms


# The absolute terms of a derivative that is a difference: 1 − y² and y − y².
TERMS = {"tanh": lambda y: 1 + y * y, "sigmoid": lambda y: y + y * y}


def absolute_terms(program) -> np.ndarray:
    """Return the sums of the absolute terms of each derivative: over all paths to the loss, the products of the
    absolute derivatives of all operations."""
    graph, found = program.graph, np.zeros_like(program.gradient)
    sums = {name: np.zeros(program.shapes[name]) for name in graph.differentiable} | graph.views(found)
    sums[graph.loss] = np.ones(())
    for visit in graph.backward_visits:
        op, of = visit.op, visit.of
        if op.primitive.name in TERMS:
            sums[visit.writes] += TERMS[op.primitive.name](program.values[op.output]) * sums[op.output]
            continue
        for place in np.ndindex(program.shapes[op.output]):
            sums[visit.writes] += np.abs(jacobian_row(program, op, of, place)) * sums[op.output][place]
    return found


def agree(found, program) -> bool:
    off = np.abs(found - program.gradient)
    if (off <= TOLERANCE * np.abs(program.gradient)).all():
        return True
    return bool((off <= TOLERANCE * absolute_terms(program)).all())


@pytest.fixture(scope="module")
def kept():
    """Draw until there are enough: (drawn, problem, program after its pass)."""
    found = []
    for seed in range(int(COUNT / SHARE)):
        drawn = Drawn(random.Random(seed))
        try:
            problem_ = problem(ExpressionSpec(drawn.text, drawn.let))
        except InputError:
            continue
        program = problem_.program()
        with np.errstate(all="ignore"):
            loss, gradient = program.forward(), program.backward()
        if np.isfinite(loss) and np.isfinite(gradient).all():
            found.append((drawn, problem_, program))
        if len(found) == COUNT:
            break
    return found


def test_most_draws_are_kept_and_every_operator_is_in_many_of_them(kept):
    assert len(kept) == COUNT
    counts = Counter(name for drawn, _, _ in kept for name in drawn.operators)
    assert min(counts[name] for name in EVERY) >= 100
    assert sum(drawn.uses_a_value_twice(program.graph) for drawn, _, program in kept) >= COUNT / 2


@pytest.mark.parametrize("method", ["complex-step", "batched-forward-mode"])
def test_the_gradient_is_that_of(kept, method):
    with np.errstate(all="ignore"):
        for drawn, problem_, program in kept:
            assert agree(METHODS[method].gradient(problem_), program), (drawn.text, drawn.let)


@settings(
    derandomize=True, max_examples=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
@given(st.randoms(use_true_random=False))
def test_hypothesis_finds_no_expression_whose_gradient_is_another(source):
    drawn = Drawn(source)
    try:
        problem_ = problem(ExpressionSpec(drawn.text, drawn.let))
    except InputError:
        assume(False)
    program = problem_.program()
    with np.errstate(all="ignore"):
        assume(np.isfinite(program.forward()) and np.isfinite(program.backward()).all())
        assert agree(METHODS["complex-step"].gradient(problem_), program), (drawn.text, drawn.let)


def test_the_gradient_is_pytorch_s(kept):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
    torch.set_default_dtype(torch.float64)
    for drawn, _, program in kept:
        graph = program.graph
        names = {name: torch.tensor(program.values[name]) for name in graph.inputs}
        leaves = {name: torch.tensor(program.values[name], requires_grad=True) for name in graph.parameters}
        names |= leaves | {"torch": torch}
        for op in graph.ops:
            exec(forward_line(graph, op.output), names)
        found = np.zeros_like(program.gradient)
        if names[graph.loss].requires_grad:
            names[graph.loss].backward()
        for name, view in graph.views(found).items():
            view[...] = 0 if leaves[name].grad is None else leaves[name].grad.numpy()
        assert agree(found, program), (drawn.text, drawn.let)
