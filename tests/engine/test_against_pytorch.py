"""Losses and gradients against PyTorch's, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.network import views
from tui_backprop.engine.spec import ACTIVATIONS, LOSSES, NetworkSpec

torch = pytest.importorskip("torch")
F = torch.nn.functional

ACTIVATION = {
    "relu": torch.relu,
    "leaky-relu": F.leaky_relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}
LOSS = {
    "cross-entropy": lambda z, t: F.cross_entropy(z, t.argmax(1)),
    "binary-cross-entropy": lambda z, t: (
        F.binary_cross_entropy_with_logits(z, t, reduction="none").sum(1).mean()
    ),
    "mse": F.mse_loss,
    "half-squares": lambda z, t: (0.5 * (z - t) ** 2).sum(1).mean(),
}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_gradients_are_pytorch_s(calculus, activation, loss, batch):
    spec = NetworkSpec((4, 5, 3, 2), activation, loss, dtype="float64")
    problem = calculus.problem(spec, batch)
    program = calculus.run(problem)
    leaves = {
        name: torch.tensor(w, requires_grad=True)
        for name, w in views(problem.parameters.copy(), spec).items()
    }
    a = torch.tensor(problem.x)
    for k in range(1, spec.depth + 1):
        z = a @ leaves[f"W{k}"] + leaves[f"b{k}"]
        a = ACTIVATION[activation](z)
    theirs = LOSS[loss](z, torch.tensor(problem.t))
    theirs.backward()
    assert float(program.values["loss"]) == pytest.approx(theirs.item(), rel=1e-12)
    gradient = np.concatenate([leaf.grad.numpy().ravel() for leaf in leaves.values()])
    assert calculus.worst(program.gradient, gradient) < 1e-12


def test_the_kink_of_relu_has_pytorch_s_slope(calculus):
    z = torch.zeros(1, requires_grad=True)
    torch.relu(z).backward()
    assert z.grad.item() == 0
