"""The derivative of the loss by the chain rule: Jacobians of softmax and sigmoid with numbers, and their sum."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import Problem

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def rows_of(iteration, j, s, grain="operation"):
    """The receipt of the delta of output ``j`` of sample ``s``."""
    steps = walk(iteration.spec, iteration.batch, grain=grain)
    step = next(step for step in steps if step.kind == "output delta")
    return receipt_rows(iteration, step, j, sample=s)


def factors(loss, z, t):
    """dL/dp (outputs,) and the Jacobian of p by z (outputs, outputs) of one sample."""
    if loss == "cross-entropy":
        p = np.exp(z) / np.exp(z).sum()
        by_p = np.zeros(len(z))
        by_p[t] = -1 / p[t]
        return by_p, np.diag(p) - np.outer(p, p)
    p = 1 / (1 + np.exp(-z))
    return -t / p + (1 - t) / (1 - p), np.diag(p * (1 - p))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("outputs", [1, 2, 7])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("loss", ["cross-entropy", "binary-cross-entropy"])
def test_the_factors_are_those_of_the_jacobian_and_their_sum_is_the_delta(
    calculus, loss, batch, outputs, dtype
):
    spec = NetworkSpec((3, 4, outputs), "tanh", loss, dtype=dtype, l2=0.1)
    iteration = calculus.take(calculus.problem(spec, batch, seed=outputs))
    near = {"rel": TOLERANCE[dtype], "abs": TOLERANCE[dtype]}
    short = "(p − t) / n" if batch > 1 else "p − t"
    for s in range(batch):
        by_p, jacobian = factors(loss, iteration.tensor("z2")[s].astype(float), iteration.tensor("t")[s])
        for j in range(outputs):
            rows = rows_of(iteration, j, s)
            i = iteration.tensor("t")[s] if loss == "cross-entropy" else j
            results = [(row.label, row.value) for row in rows if row.sign == "="]
            names = [f"dL/dp[{i}]", f"∂p[{i}]/∂z2[{j}]", f"δ2[{j}]", f"δ2[{j}] = {short}"]
            assert [label for label, _ in results] == names
            assert results[0][1] == pytest.approx(by_p[i] / batch, **near)
            assert results[1][1] == pytest.approx(jacobian[i, j], **near)
            assert results[2][1] == results[3][1] == iteration.tensor("δ2")[s, j]
            assert results[3][1] == pytest.approx(by_p @ jacobian[:, j] / batch, **near)
            assert calculus.off(rows) <= TOLERANCE[dtype]
            (product,) = (row for row in rows if row.factors)
            assert product.factors == (results[0][1], results[1][1])
            left_out = [row.label for row in rows if " more: " in row.label]
            assert [label.split(" ")[0] for label in left_out] == [str(outputs - 1)] * (outputs > 1)


@pytest.mark.parametrize("loss", ["cross-entropy", "binary-cross-entropy"])
def test_a_walk_by_equations_shows_the_simplified_derivative_alone(calculus, loss):
    iteration = calculus.take(calculus.problem(NetworkSpec((2, 3), loss=loss, dtype="float64"), 1))
    rows = rows_of(iteration, 1, 0, "equation")
    assert [row.sign for row in rows] == ["+", "-", "="]
    *terms, result = rows_of(iteration, 1, 0)[-3:]
    assert [*terms, result.value] == [*rows[:-1], rows[-1].value]


def test_the_2_of_a_square_and_the_half_of_the_loss_cancel(calculus):
    iteration = calculus.take(calculus.problem(NetworkSpec((2, 3), loss="half-squares", dtype="float64"), 2))
    rows = rows_of(iteration, 1, 1)
    assert [(row.sign, row.value) for row in rows[2:-1]] == [("*", 2), ("*", 0.5), ("/", 2)]
    assert calculus.off(rows) <= TOLERANCE["float64"]
    assert [row.sign for row in rows_of(iteration, 1, 1, "equation")] == ["+", "-", "/", "="]


@pytest.mark.parametrize(
    ("loss", "target"), [("cross-entropy", [1]), ("binary-cross-entropy", [[0.0, 1.0, 1.0]])]
)
def test_where_a_probability_is_rounded_to_0_or_1_only_the_simplified_derivative_is_left(
    calculus, loss, target
):
    spec = NetworkSpec((1, 3), loss=loss, dtype="float32", bias=False)
    given = Problem(spec, np.ones((1, 1), "f4"), np.array(target), np.array([200, -200, 200], "f4"))
    iteration = calculus.take(given)
    for j in range(3):
        rows = rows_of(iteration, j, 0)
        assert [row.sign for row in rows] == ["+", "-", "="]
        assert calculus.off(rows) <= TOLERANCE["float32"]
