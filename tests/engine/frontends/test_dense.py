"""The dense front end: an activation of the outputs, and the gradient of the loss by the input."""

from __future__ import annotations

import numpy as np
import pytest

from tests.calculus import STEP
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.support.errors import InputError

VALUES = [name for name, row in LOSSES.items() if row.output_is_value]
SMOOTH = [name for name, row in ACTIVATIONS.items() if not row.kink]


def spec(**options):
    return NetworkSpec((3, 4, 4, 2), "tanh", dtype="float64", **options)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("loss", VALUES)
@pytest.mark.parametrize("activation", SMOOTH)
def test_gradients_through_an_activation_of_the_outputs_are_those_of_the_complex_step(
    calculus, activation, loss, batch
):
    problem = calculus.problem(spec(loss=loss, output_activation=activation), batch)
    assert calculus.worst(METHODS["backprop"].gradient(problem), calculus.complex_step(problem)) < 1e-12


def test_the_loss_reads_the_activation_of_the_outputs(calculus):
    iteration = calculus.take(calculus.problem(spec(loss="mse", output_activation="sigmoid"), 3))
    z, a, t = (iteration.tensor(name) for name in ("z3", "a3", "t"))
    np.testing.assert_allclose(a, 1 / (1 + np.exp(-z)), rtol=1e-13)
    assert iteration.loss == pytest.approx(np.mean((a - t) ** 2), rel=1e-13)
    np.testing.assert_allclose(iteration.tensor("δ3"), iteration.tensor("da3") * a * (1 - a), rtol=1e-12)
    kinds = [(step.kind, step.tensor) for step in walk(iteration.spec, 3) if step.block == 3]
    assert kinds[:5] == [
        ("affine", "z3"), ("activation", "a3"), ("loss", "L"), ("output delta", "da3"), ("delta", "δ3"),
    ]  # fmt: skip


def test_a_saturated_output_gets_hardly_any_gradient_from_a_squared_error(calculus):
    network = NetworkSpec((1, 1), loss="half-squares", dtype="float64", output_activation="sigmoid")
    program = Program(network, 1, np.array([12.0, 0.0]))
    program.feed(np.ones((1, 1)), np.zeros((1, 1)))
    program.forward()
    program.backward()
    assert abs(program.gradient).max() < 1e-4  # though the output is 1 and its target 0
    assert program.cotangents["a1"][0, 0] > 0.99


@pytest.mark.parametrize("loss", [name for name, row in LOSSES.items() if row.probabilities])
def test_a_loss_with_an_activation_of_its_own_takes_no_other(loss):
    with pytest.raises(InputError, match="takes logits") as caught:
        spec(loss=loss, output_activation="tanh")
    assert caught.value.field == "output-activation"
    assert spec(loss=loss, output_activation="identity").graph.output == "z3"


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "options", [{}, {"layer_norm": True, "l2": 0.1}, {"loss": "mse", "output_activation": "tanh"}]
)
def test_the_gradient_by_the_input_is_that_of_the_complex_step(calculus, options, batch):
    problem = calculus.problem(spec(input_gradient=True, **options), batch)
    iteration = calculus.take(problem)
    program = Program(problem.spec, batch, problem.parameters.astype(complex), "complex128")
    for at in np.ndindex(problem.x.shape):
        x = problem.x.astype(complex)
        x[at] += 1j * STEP
        program.feed(x, problem.target)
        assert iteration.tensor("dx")[at] == pytest.approx(
            program.forward().imag / STEP, rel=1e-11, abs=1e-15
        )


@pytest.mark.parametrize("residual", [True, False])
def test_the_gradient_by_the_input_is_one_more_step_and_changes_no_other_number(calculus, residual):
    network = NetworkSpec((4, 4, 4, 2), "tanh", dtype="float64", residual=residual)
    without = calculus.take(calculus.problem(network, 3))
    wanted = calculus.take(calculus.problem(NetworkSpec(**vars(network) | {"input_gradient": True}), 3))
    np.testing.assert_array_equal(without.program.gradient, wanted.program.gradient)
    steps = [(step.phase, step.kind, step.tensor) for step in walk(wanted.spec, 3)]
    more = [each for each in steps if each[1] == "input gradient"]
    assert more[-1] == ("backward", "input gradient", "dx")
    assert [each for each in steps if each not in more] == [
        (step.phase, step.kind, step.tensor) for step in walk(network, 3)
    ]


def test_without_being_asked_for_nothing_flows_to_the_input():
    graph = spec().graph
    assert graph.input not in graph.differentiable
    assert "dx" not in graph.tensors


def test_pytorch_has_the_same_gradient_by_the_input(calculus):
    torch = pytest.importorskip("torch")
    iteration = calculus.take(
        calculus.problem(spec(loss="mse", output_activation="sigmoid", input_gradient=True), 3)
    )
    tensors = {name: torch.tensor(iteration.tensor(name)) for name in ("x", "t", *iteration.graph.parameters)}
    a = tensors["x"].requires_grad_()
    for k in (1, 2):
        a = torch.tanh(a @ tensors[f"W{k}"] + tensors[f"b{k}"])
    out = torch.sigmoid(a @ tensors["W3"] + tensors["b3"])
    torch.nn.functional.mse_loss(out, tensors["t"]).backward()
    assert calculus.worst(tensors["x"].grad.numpy(), iteration.tensor("dx")) < 1e-13
