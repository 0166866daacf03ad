"""Passes of small networks, and losses and gradients computed independently of the backward rules."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import linear
from tui_backprop.engine.training.iteration import Iteration, TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots

STEP = 1e-30  # of the complex step: nothing is subtracted, so it can be far below rounding errors

# What a number may be off by apart from its own round-off: two round-offs of the largest one, because both
# sides add terms as large as that. In 5,500 random networks half a round-off was the most that was needed.
FLOOR = 2.0


def problem(spec: NetworkSpec, batch: int, seed: int = 0, scale: float = 0.5) -> Problem:
    """Draw normal inputs and parameters, so that a pre-activation is never exactly 0, ReLU's kink.

    Half a standard deviation keeps softmax and sigmoid from saturating, where p - 1 loses digits."""
    rng, outputs = np.random.default_rng(seed), spec.layers[-1]
    if spec.loss == "cross-entropy":
        target = rng.integers(outputs, size=batch)
    else:
        draw = rng.random if spec.loss == "binary-cross-entropy" else rng.normal
        target = draw(size=(batch, outputs)).astype(spec.dtype)
    x, parameters = rng.normal(size=(batch, spec.layers[0])), rng.normal(scale=scale, size=spec.parameters)
    return Problem(spec, x.astype(spec.dtype), target, parameters.astype(spec.dtype))


def run(given: Problem) -> Program:
    """Run a forward and a backward pass."""
    program = given.program()
    program.forward()
    program.backward()
    return program


def take(
    given: Problem, lr: float = 0.1, optimizer: OptimizerSpec = OptimizerSpec(), iterations: int = 1
) -> Iteration:
    """Return the last of some iterations on the same samples."""
    spec = given.spec
    state = TrainingState(0, given.parameters.copy(), new_slots(optimizer, spec.parameters, spec.dtype))
    for _ in range(iterations):
        iteration = run_iteration(spec, Update(given.x, given.target, lr), state, optimizer)
        state = iteration.after
    return iteration


OPERATION = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
OPERATION[","] = lambda value, other: value


def off(rows) -> float:
    """Return how far a receipt's rows are from its results, as a share of the largest number involved: a summand
    after a result begins the next sum. Infinite without a result at the end."""
    value, most, worst, done = 0.0, 0.0, 0.0, True
    for row in (row for row in rows if row.sign != "≠"):  # what says that they do not add up
        if row.sign == "=":
            worst, done = max(worst, abs(value - row.value) / (most or 1.0)), True
            continue
        if done and row.sign in "+-":
            value = most = 0.0
        value, done = OPERATION[row.sign](value, row.value), False
        most = max(most, abs(value), abs(row.value) if row.sign in "+-" else 0.0)
    return worst if done and rows else float("inf")


def complex_step(given: Problem) -> np.ndarray:
    """Compute dL/dtheta_i = Im L(theta + i h e_i) / h, by one forward pass of the program for each parameter."""
    program = given.program("complex128")
    return _each(program.parameters, program.forward)


def _each(parameters: np.ndarray, loss) -> np.ndarray:
    gradient = np.empty(len(parameters))
    for i, w in enumerate(parameters.tolist()):
        parameters[i] = w + STEP * 1j
        gradient[i] = loss().imag / STEP
        parameters[i] = w
    return gradient


def along(given: Problem, direction: np.ndarray) -> float:
    """Compute the derivative of the loss along a direction (P,), by one complex step in float64's precision."""
    program = given.program("complex128")
    program.parameters += STEP * 1j * direction
    return float(program.forward().imag / STEP)


# --- textbook losses, sample by sample: without primitives, and for complex numbers, too -------------------

TEXTBOOK = {
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky-relu": lambda z: np.where(z.real > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(z) - 1),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
}
TEXTBOOK_LOSS = {
    "cross-entropy": lambda z, t: -np.log(np.exp(z[t]) / np.exp(z).sum()),
    "binary-cross-entropy": lambda z, t: (
        -(t * np.log(1 / (1 + np.exp(-z))) + (1 - t) * np.log(1 / (1 + np.exp(z)))).sum()
    ),
    "mse": lambda z, t: ((z - t) ** 2).mean(),
    "half-squares": lambda z, t: 0.5 * ((z - t) ** 2).sum(),
}


def textbook_loss(given: Problem, parameters: np.ndarray):
    """Compute the loss at ``parameters`` (P,), with the problem's own dropout masks."""
    spec, w, masks = given.spec, given.spec.graph.views(parameters), given.program().values
    losses = []
    for sample, (x, t) in enumerate(zip(given.x, given.target, strict=True)):
        a = x
        for k in range(1, spec.depth + 1):
            z = a @ w[f"W{k}"] + (w[f"b{k}"] if spec.bias else 0)
            if k == spec.depth:
                break
            if spec.layer_norm:
                z = (z - z.mean()) / np.sqrt(((z - z.mean()) ** 2).mean() + 1e-5) * w[f"γ{k}"] + w[f"β{k}"]
            h = TEXTBOOK[spec.activations[k - 1]](z)
            h = h * masks[f"m{k}"][sample] if spec.dropout else h
            a = h + a if spec.residual and h.shape == a.shape else h
        losses.append(TEXTBOOK_LOSS[spec.loss](z, t))
    penalized = [w[name] for name in w if spec.l2_bias or name[0] == "W"]
    return np.mean(losses) + spec.l2 / 2 * sum((array**2).sum() for array in penalized)


def textbook(given: Problem) -> tuple[float, np.ndarray]:
    """Compute loss and gradient, the latter by the complex step."""
    parameters = given.parameters.astype(complex)
    return textbook_loss(given, parameters).real, _each(parameters, lambda: textbook_loss(given, parameters))


def worst(found: np.ndarray, right: np.ndarray, eps: float = 2.0**-52) -> float:
    """Return the largest relative error |found - expected| / max(|found|, |expected|) beyond the floor; NaN if there
    is one."""
    found, right = (np.asarray(a, float).ravel() for a in (found, right))
    size = np.maximum(np.abs(found), np.abs(right))
    beyond = np.maximum(np.abs(found - right) - FLOOR * eps * size.max(initial=0), 0)
    return float((beyond / np.where(beyond == 0, 1, size)).max(initial=0))


def products(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which every matrix product from now on adds its multiply-accumulates."""
    macs: list[int] = []

    def counted(rule: Callable[..., object]) -> Callable[..., object]:
        def count(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> object:
            if min(a.ndim, b.ndim) > 1:  # a bias adds up samples by a product with a vector of ones
                macs.append(out.size * a.shape[-1])
            return rule(a, b, out=out)

        return count

    counting = {rule.__name__: counted(rule) for rule in (np.dot, np.matmul)}
    monkeypatch.setattr(linear, "np", SimpleNamespace(**{**vars(np), **counting}))
    return macs


@pytest.fixture(scope="session")
def calculus() -> SimpleNamespace:
    """The functions of this file, for tests to call."""
    return SimpleNamespace(
        problem=problem,
        run=run,
        take=take,
        off=off,
        complex_step=complex_step,
        along=along,
        textbook=textbook,
        worst=worst,
        products=products,
        everything=NetworkSpec(  # every kind of operation, all of them smooth
            (4, 5, 5, 3), "gelu,silu", dtype="float64", layer_norm=True, residual=True, dropout=0.3, l2=0.1
        ),
    )
