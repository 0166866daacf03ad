"""Typed expressions: gradients by hand, the walk, receipts, causes of zeros, and lines of PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.calculus import off
from tests.engine.frontends.expressions import problem, take
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.explain.number import number_of
from tui_backprop.engine.explain.pytorch import lines_of
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.explain.zero_gradient import zero_gradients
from tui_backprop.engine.frontends.expression.presets import EXPRESSIONS
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.gradients.check.compare import compare, compare_along
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.support.errors import InputError

SIGMOID = 1 / (1 + math.exp(-1))
P = 1 / (1 + math.exp(0.05))
U = math.tanh(0.5)
BY_HAND = {
    "sum-product": (-12, {"x": -4, "y": -4, "z": 3}),
    "sigmoid-neuron": (
        SIGMOID,
        {n: f * SIGMOID * (1 - SIGMOID) for n, f in {"w0": -1, "x0": 2, "w1": -2, "x1": -3, "w2": 1}.items()},
    ),
    "micrograd": (24.70408163265306, {"a": 138.83381924198252, "b": 645.5772594752186}),  # its README
    "three-uses": (2 * U + U**2 + math.sin(U), {"w": (2 + 2 * U + math.cos(U)) * (1 - U**2)}),
    "two-losses": (1.5**2 + 2**2, {"w": 2 * -1.5 * 1 + 2 * -2 * 2}),
    "detached": ((3 * U - 1) ** 2, {"u": 0, "v": 2 * (3 * U - 1) * U}),
    "x-squared-sine": (1.5**2 * math.sin(1.5), {"x": 2 * 1.5 * math.sin(1.5) + 1.5**2 * math.cos(1.5)}),
    "logistic-neuron": (-math.log(P), {"w": (P - 1) * 0.5, "b": P - 1}),
}
ARRAYS = ExpressionSpec(
    "u = W @ x\nh = max(u, 0)\nL = mean(h**2) + 0.1*sum(W*W)", "W=[[1, 2], [3, -4], [0.5, 0.1]], x:=[1, -2]"
)
SPECS = [*(preset.make() for preset in EXPRESSIONS.values()), ARRAYS]
each = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.title)


def test_every_preset_has_a_gradient_by_hand():
    assert BY_HAND.keys() == EXPRESSIONS.keys()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_loss_and_gradients_are_those_by_hand_and_of_the_complex_step(name):
    spec, (loss, gradients) = EXPRESSIONS[name].make(), BY_HAND[name]
    iteration = take(spec)
    assert iteration.loss == pytest.approx(loss, rel=1e-14)
    assert [*spec.graph.parameters] == [*gradients]
    for parameter, right in gradients.items():
        assert iteration.tensor(f"d{parameter}") == pytest.approx(right, rel=1e-13)
    exact = METHODS["complex-step"].gradient(problem(spec))
    np.testing.assert_allclose(iteration.program.gradient, exact, rtol=1e-13)


@each
@pytest.mark.parametrize("method", [name for name in METHODS if name != "spsa"])
def test_every_method_finds_the_gradient(spec, method):
    given = problem(spec)
    right = METHODS["backprop"].gradient(given)
    np.testing.assert_allclose(METHODS[method].gradient(given), right, rtol=1e-5, atol=1e-6)


@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_check_passes(spec, dtype):
    given = problem(spec.in_precision(dtype))
    for report in (compare(given), compare(given, second="complex-step"), compare_along(given)):
        assert not report.faults
        assert not any(tensor.failed for tensor in report.tensors)


@each
def test_the_walk_stops_at_each_operation_and_at_each_use(spec):
    graph = spec.graph
    for grain in ("operation", "equation"):
        steps = walk(spec, 1, grain=grain)
        assert [len(step.visits) for step in steps[1:-1]] == [1] * (len(steps) - 2)
        assert [step.visits[0] for step in steps[1:-1]] == [*graph.forward_visits, *graph.backward_visits]
    for step in walk(spec, 1):
        for name, shape in step.operands:
            assert take(spec).tensor(name).shape == shape


@each
def test_statements_are_the_layers_of_the_walk(spec):
    steps = walk(spec, 1, grain="layer")
    layers = [step.block for step in steps if step.phase == "backward"]
    assert layers == sorted(layers, reverse=True) == [*dict.fromkeys(layers)]


@each
@pytest.mark.parametrize("grain", ["operation", "equation", "layer"])
def test_receipts_add_up(spec, grain):
    iteration = take(spec)
    for step in walk(spec, 1, grain=grain):
        for unit in range(4):
            rows = receipt_rows(iteration, step, unit)
            assert rows[-1].value is not None
            entrywise = [part for part in step.pieces if part.kind in ("function", "arithmetic", "input")]
            if not entrywise:
                assert off(rows) < 1e-14


def test_a_value_used_three_times_shows_its_gradients_adding_each_by_its_own_path():
    spec = EXPRESSIONS["three-uses"].make()
    iteration = take(spec)
    steps = [step for step in walk(spec, 1) if step.tensor.startswith("du")]
    assert [step.tensor for step in steps] == ["du so far", "du so far (2 terms)", "du"]
    assert [step.formula for step in steps] == [
        "du = dv1 · x", "du = du + dv2 · 2 · u", "du = du + dv4 · cos(u)"
    ]  # fmt: skip
    terms = [2, 2 * U, math.cos(U)]
    for n, step in enumerate(steps, 1):
        rows = receipt_rows(iteration, step, 0)
        assert rows[-1].value == pytest.approx(sum(terms[:n]))
        assert rows[-2].value == pytest.approx(terms[n - 1])


def test_a_receipt_names_the_entries_of_a_matrix_product():
    iteration = take(ARRAYS)
    (step,) = [step for step in walk(ARRAYS, 1) if step.tensor == "u"]
    assert [row.label for row in receipt_rows(iteration, step, 1)] == [
        "W[1,1] · x[1]",
        "W[1,0] · x[0]",
        "u[1]",
    ]
    number = number_of(iteration, "W", (1, 1))
    assert [row.label for row in number.differentiated.rows] == [
        "du[1] · x[1]", "dv3[1,1] · W[1,1]", "dv3[1,1] · W[1,1]", "dW[1,1]"
    ]  # fmt: skip
    assert number_of(iteration, "L", ()).value == iteration.loss


def test_parameters_are_ranked_by_their_gradients():
    spec = EXPRESSIONS["sigmoid-neuron"].make()
    assert [found.tensor for found in ranking(take(spec), "gradient")] == ["x1", "x0", "w1", "w0", "w2"]


@pytest.mark.parametrize(
    ("text", "let", "cause"),
    [
        ("u = w - 1\nL = relu(u)*x", "w=0.5, x:=2", ("∂v1/∂u", "relu is flat there", "u")),
        ("u = w*x\nL = (u - 1)**2", "w=0.5, x:=2", ("du", "", "")),
        ("u = w*x\nL = u**2", "w=0.5, x:=0", ("du", "", "")),
        ("L = w*x - w*x", "w=0.5, x:=2", ("it", "its terms cancel", "")),
        ("L = v*detach(w)", "w=0.5, v=2", ("w", "the loss has no derivative by it", "")),
        ("L = dot(w, x)", "w=[1, 2], x:=[0, 1]", ("x[0]", "", "")),
        ("L = w[0]*x", "w=[1, 2], x:=0", ("dv1", "", "")),
        ("L = max(w)", "w=[1, 2]", ("∂L/∂w[0]", "max is flat there", "w[0]")),
        ("L = w[1]**2", "w=[1, 2]", ("w[0]", "no operation reads it", "")),
    ],
)
def test_the_cause_of_a_zero_gradient_is_named(text, let, cause):
    iteration = take(ExpressionSpec(text, let))
    tensor = "u" if cause[2] == "u" else "w"
    index = (0,) if iteration.tensor("w").shape else ()
    found = zero_gradients(iteration, tensor, index)
    assert (found[0].name, found[0].why, found[0].of) == cause


def test_nothing_flows_through_detach_by_any_method():
    spec = ExpressionSpec("L = w*detach(w**2) + detach(3*w)", "w=2")
    assert "dv1" not in spec.graph.tensors
    for method in ("backprop", "complex-step", "central-difference", "forward-mode", "forward-difference"):
        assert METHODS[method].gradient(problem(spec)) == pytest.approx(4, rel=1e-6)


def test_a_name_that_the_loss_does_not_read_is_a_value_without_a_gradient():
    spec = ExpressionSpec("u = w*w\nL = 3*w", "w=2")
    iteration = take(spec)
    assert iteration.tensor("u") == 4
    assert iteration.program.gradient == 3
    assert "du" not in spec.graph.tensors


def test_a_gradient_whose_name_is_taken_is_written_out():
    spec = ExpressionSpec("L = w*dw", "w=2, dw=3")
    iteration = take(spec)
    assert iteration.tensor("dL/dw") == 3
    assert iteration.tensor("ddw") == 2


@each
@pytest.mark.parametrize("grain", ["operation", "equation", "layer"])
def test_the_lines_of_pytorch_compute_the_numbers_of_the_walk(spec, grain):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
    iteration, graph = take(spec), spec.graph
    torch.set_default_dtype(torch.float64)
    names = {"torch": torch, "optim": torch.optim}
    for name in graph.inputs:
        names[name] = torch.tensor(np.array(iteration.tensor(name)))
    for name in graph.parameters:
        names[name] = torch.tensor(np.array(iteration.tensor(name)), requires_grad=True)
    names["params"] = [names[name] for name in graph.parameters]
    for step in walk(spec, 1, grain=grain):
        for line in lines_of(step, iteration):
            if " = " in line or line.endswith(("backward()", "step()")):
                exec(line, names)
        if step.phase == "backward":
            made = eval(lines_of(step, iteration)[-1], names)
            if grain != "layer":
                np.testing.assert_allclose(made.detach().numpy(), iteration.tensor(step.tensor), rtol=1e-12)
    for name in graph.parameters:
        np.testing.assert_allclose(names[name].detach().numpy(), iteration.new[name], rtol=1e-12)


@pytest.mark.parametrize(
    "text", ["L = max(w, 1)*3", "L = 3*min(w, 1)", "L = sum(max(M*w, axis=0))", "L = abs(w-1)"]
)
@pytest.mark.parametrize("w", [1, 1 + 1e-7])
def test_a_difference_across_a_kink_or_a_tie_is_no_failure(text, w):
    let = f"w={w!r}, M:=[[1, 1], [1, 1]]" if "M" in text else f"w={w!r}"
    report = compare(problem(ExpressionSpec(text, let)), "backprop", "forward-difference")
    assert not report.faults
    assert not any(tensor.failed for tensor in report.tensors)


def test_a_choice_names_all_that_it_chooses_from():
    """Also the winner."""
    spec = ExpressionSpec(
        "L = max(b, c) + max(W) + min(M, axis=0)[1]", "b=-1, c=3, W=[1,9,2,3,4,5,6], M=[[1,2],[0,4]]"
    )
    iteration, steps = take(spec), walk(spec, 1)
    made = {step.formula: [row.label for row in receipt_rows(iteration, step, 1)] for step in steps}
    assert made["v1 = max(b, c)"] == ["b", "c", "v1 = max(b, c)"]
    assert made["v2 = max(W)"] == ["W[1]", "W[6]", "W[5], then 4 others", "v2 = max(W)"]
    assert made["v4 = min(M, axis −2)"] == ["M[0,1]", "M[1,1]", "v4[1] = min(M, axis −2)"]


@pytest.mark.parametrize(
    ("text", "let", "said"),
    [
        ("L = a*b + sin(a)", "", "let: no numbers are given; give each name one, such as a=1, b=1"),
        (
            "L = a*b",
            "a=2",
            'expr: column 7: "b" has no value; give it one among the numbers (--let), such as b=1',
        ),
        ("L = a*b", "a=2 b=-1", 'let: a comma is missing; write "a=2, b=-1"'),
        ("L = a*b", "a=[1, 2] b:=3 c = 1", 'let: a comma is missing; write "a=[1, 2], b:=3, c = 1"'),
        (
            "L = a b",
            "a=2, b=1",
            "expr: column 7: an operator is missing here; write a product with *, as in 2*x",
        ),
        ("L = (a + 1)(b)", "a=2, b=1", "expr: column 5"),
        ("L = (a + 1) b", "a=2, b=1", "expr: column 13: an operator is missing here"),
        ("L = sin (a) +", "a=2", "expr: column 14: the formula cannot be read here"),
    ],
)
def test_what_is_missing_is_named(text, let, said):
    with pytest.raises(InputError) as error:
        ExpressionSpec(text, let)
    assert str(error.value).startswith(said)
