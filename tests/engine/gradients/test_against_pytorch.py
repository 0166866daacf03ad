"""Losses and gradients against PyTorch's, where it is installed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES

torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
F = torch.nn.functional

ACTIVATION = {
    "relu": torch.relu,
    "leaky-relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": lambda z: F.gelu(z, approximate="tanh"),
    "silu": F.silu,
    "softplus": F.softplus,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}
LOSS = {
    "cross-entropy": F.cross_entropy,
    "binary-cross-entropy": lambda z, t: (
        F.binary_cross_entropy_with_logits(z, t, reduction="none").sum(1).mean()
    ),
    "mse": F.mse_loss,
    "half-squares": lambda z, t: (0.5 * (z - t) ** 2).sum(1).mean(),
}


def theirs(problem):
    """Loss and gradient by PyTorch, with the problem's own dropout masks."""
    spec, masks = problem.spec, problem.program().values
    w = {
        name: torch.tensor(array, requires_grad=True)
        for name, array in spec.graph.views(problem.parameters).items()
    }
    a = torch.tensor(problem.x)
    for k in range(1, spec.depth + 1):
        z = a @ w[f"W{k}"] + (w[f"b{k}"] if spec.bias else 0)
        if k < spec.depth:
            h = F.layer_norm(z, z.shape[1:], w[f"γ{k}"], w[f"β{k}"]) if spec.layer_norm else z
            h = ACTIVATION[spec.activations[k - 1]](h)
            h = h * torch.tensor(masks[f"m{k}"]) if spec.dropout else h
            a = h + a if spec.residual and h.shape == a.shape else h
    loss = LOSS[spec.loss](z, torch.tensor(problem.target))
    loss = loss + spec.l2 / 2 * sum((array**2).sum() for name, array in w.items() if name[0] == "W")
    loss.backward()
    return loss.item(), np.concatenate([leaf.grad.numpy().ravel() for leaf in w.values()])


def assert_same(calculus, problem, rel=1e-12, eps=2.0**-52):
    program = calculus.run(problem)
    loss, gradient = theirs(problem)
    assert float(program.values["L"]) == pytest.approx(loss, rel=rel)
    assert calculus.worst(program.gradient, gradient, eps) < rel


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_gradients_are_pytorch_s(calculus, activation, loss, batch):
    spec = NetworkSpec((4, 5, 3, 2), activation, loss, dtype="float64")
    assert_same(calculus, calculus.problem(spec, batch))


@pytest.mark.parametrize(
    "choices",
    [
        {"layer_norm": True},
        {"residual": True},
        {"dropout": 0.4},
        {"l2": 0.3},
        {"bias": False},
        {"layer_norm": True, "residual": True, "dropout": 0.3, "l2": 0.1},
        {"layer_norm": True, "residual": True, "dropout": 0.3, "l2": 0.1, "bias": False},
    ],
    ids=lambda choices: "+".join(choices),
)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_so_they_are_with_every_other_choice(calculus, activation, loss, choices):
    spec = NetworkSpec((5, 5, 4, 4, 3), f"{activation},tanh,{activation}", loss, dtype="float64", **choices)
    assert_same(calculus, calculus.problem(spec, 3))


def test_the_lesson_s_network_is_pytorch_s_in_both_precisions(calculus):
    problem = calculus.problem(NetworkSpec(dtype="float64"), 8, scale=0.05)
    assert_same(calculus, problem, rel=1e-10)
    single = problem.in_precision("float32")
    loss, gradient = theirs(single)
    program = calculus.run(single)
    assert float(program.values["L"]) == pytest.approx(loss, rel=1e-5)
    assert np.abs(program.gradient - gradient).max() < 1e-5 * np.abs(gradient).max()


@pytest.mark.parametrize("loss", ["cross-entropy", "binary-cross-entropy"])
@pytest.mark.parametrize("scale", [3.0, 10.0])
def test_logits_that_saturate_are_no_worse_than_pytorch_s(calculus, loss, scale):
    spec = NetworkSpec((4, 5, 3), "silu", loss, dtype="float64")
    problem = calculus.problem(spec, 6, scale=scale)
    if loss != "cross-entropy":
        problem = replace(problem, target=np.round(problem.target))
    assert_same(calculus, problem)


@pytest.mark.parametrize("name", ["relu", "leaky-relu", "elu"])
def test_the_slope_at_the_kink_is_pytorch_s(calculus, name):
    z = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    ACTIVATION[name](z).sum().backward()
    spec = NetworkSpec((1, 1, 1), name, "half-squares", dtype="float64")
    problem = calculus.problem(spec, 1)
    zero = replace(problem, x=np.zeros((1, 1)), parameters=np.array([1.0, 0.0, 1.0, 5.0]))
    program = calculus.run(zero)
    delta = program.cotangents["a1"]
    assert program.cotangents["b1"].item() == z.grad.item() * delta.item()
