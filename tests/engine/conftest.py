"""Ways to a gradient that do not use the engine's backward rules, to hold those against."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from tui_backprop.engine.network import views
from tui_backprop.engine.program import Program
from tui_backprop.engine.spec import NetworkSpec

STEP = 1e-30  # of the complex step: nothing is subtracted, so it can be far below round-off
TINY = 1e-12  # two derivatives this small are equal: below it, a relative error compares round-off


@dataclass(frozen=True)
class Problem:
    """A network with a batch and parameters to differentiate at, all in float64."""

    spec: NetworkSpec
    x: np.ndarray
    t: np.ndarray
    parameters: np.ndarray


def problem(spec: NetworkSpec, batch: int, seed: int = 0) -> Problem:
    """Normal inputs and parameters: a pre-activation of exactly 0, ReLU's kink, has no chance to occur.

    Half a standard deviation keeps softmax and sigmoid from saturating, where p - 1 itself loses digits.
    """
    rng = np.random.default_rng(seed)
    outputs = spec.layers[-1]
    if spec.loss in ("cross-entropy", "binary-cross-entropy"):
        t = np.eye(outputs)[rng.integers(outputs, size=batch)]
    else:
        t = rng.normal(size=(batch, outputs))
    return Problem(
        spec, rng.normal(size=(batch, spec.layers[0])), t, rng.normal(scale=0.5, size=spec.parameters)
    )


def run(given: Problem, dtype: str | None = None) -> Program:
    """A forward and a backward pass."""
    dtype = dtype or given.spec.dtype
    program = Program(given.spec, len(given.x), given.parameters.astype(dtype), dtype)
    program.feed(given.x.astype(dtype), given.t.astype(dtype))
    program.forward()
    program.backward()
    return program


def complex_step(given: Problem) -> np.ndarray:
    """dL/dtheta_i = Im L(theta + i h e_i) / h, one forward pass for each parameter."""
    parameters = given.parameters.astype(complex)
    program = Program(given.spec, len(given.x), parameters, dtype="complex128")
    program.feed(given.x, given.t)
    gradient = np.empty(given.spec.parameters)
    for i in range(len(gradient)):
        parameters[i] += STEP * 1j
        gradient[i] = program.forward().imag / STEP
        parameters[i] = parameters[i].real
    return gradient


def central_differences(given: Problem, h: float) -> np.ndarray:
    """(-L(+2h) + 8 L(+h) - 8 L(-h) + L(-2h)) / 12 h, in float64."""
    parameters = given.parameters.copy()
    program = Program(given.spec, len(given.x), parameters)
    program.feed(given.x, given.t)
    gradient = np.empty(given.spec.parameters)
    for i, at in enumerate(given.parameters):
        losses = []
        for away in (2, 1, -1, -2):
            parameters[i] = at + away * h
            losses.append(float(program.forward()))
        parameters[i] = at
        gradient[i] = np.dot([-1, 8, -8, 1], losses) / (12 * h)
    return gradient


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


TEXTBOOK_F = {
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky-relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "identity": lambda z: z,
}
TEXTBOOK_SLOPE = {
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky-relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "sigmoid": lambda z: sigmoid(z) * sigmoid(-z),
    "identity": np.ones_like,
}


def _loss_and_delta(loss: str, z: np.ndarray, t: np.ndarray, n: int) -> tuple[float, np.ndarray]:
    """One sample's share of the loss, and its derivative by the sample's outputs."""
    if loss == "cross-entropy":
        p = np.exp(z) / np.exp(z).sum()
        return -np.log(p[t.argmax()]) / n, (p - t) / n
    if loss == "binary-cross-entropy":
        p = sigmoid(z)
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum() / n, (p - t) / n
    if loss == "mse":
        return ((z - t) ** 2).sum() / (n * len(z)), 2 * (z - t) / (n * len(z))
    return 0.5 * ((z - t) ** 2).sum() / n, (z - t) / n


def textbook(given: Problem) -> tuple[float, np.ndarray]:
    """Loss and gradient by the four equations of a textbook, sample by sample: no primitive is used."""
    spec, n = given.spec, len(given.x)
    weights = views(given.parameters, spec)
    gradient = np.zeros(spec.parameters)
    into = views(gradient, spec)
    loss = 0.0
    for x, t in zip(given.x, given.t, strict=True):
        a, z = {0: x}, {}
        for k in range(1, spec.depth + 1):
            z[k] = a[k - 1] @ weights[f"W{k}"] + weights.get(f"b{k}", 0.0)
            a[k] = TEXTBOOK_F[spec.activation](z[k])
        share, delta = _loss_and_delta(spec.loss, z[spec.depth], t, n)
        loss += share
        for k in range(spec.depth, 0, -1):
            into[f"W{k}"] += np.outer(a[k - 1], delta)
            if spec.bias:
                into[f"b{k}"] += delta
            if k > 1:
                delta = weights[f"W{k}"] @ delta * TEXTBOOK_SLOPE[spec.activation](z[k - 1])
    return loss, gradient


def worst(analytic: np.ndarray, numeric: np.ndarray) -> float:
    """The largest relative error |a - n| / max(|a|, |n|) of any entry."""
    size = np.maximum(np.abs(analytic), np.abs(numeric))
    return float(np.where(size < TINY, 0, np.abs(analytic - numeric) / np.maximum(size, TINY)).max())


@pytest.fixture(scope="session")
def calculus() -> SimpleNamespace:
    """The functions of this file, for tests to call."""
    return SimpleNamespace(
        problem=problem,
        run=run,
        complex_step=complex_step,
        central_differences=central_differences,
        textbook=textbook,
        worst=worst,
    )
