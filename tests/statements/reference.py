"""A network in plain numpy, written apart from the engine: formulas as in the field's textbooks, in double or complex
precision, and what follows from them (loss, predictions, gradients by the complex step)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.iteration import Iteration

STEP = 1e-120  # of the complex step: times weights of 1e30 in every layer it is still small
LAYER_NORM_EPSILON = 1e-5


def _positive(z: np.ndarray) -> np.ndarray:
    return np.where(z.real > 0, z, 0)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    small = np.exp(-np.where(z.real >= 0, z, -z))
    return np.where(z.real >= 0, 1 / (1 + small), small / (1 + small))


ACTIVATIONS = {
    "relu": _positive,
    "leaky-relu": lambda z: np.where(z.real > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z.real > 0, z, np.expm1(np.where(z.real > 0, 0, z))),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh((2 / np.pi) ** 0.5 * (z + 0.044715 * z**3))),
    "silu": lambda z: z * _sigmoid(z),
    "softplus": lambda z: _positive(z) + np.log1p(np.exp(-np.where(z.real > 0, z, -z))),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "identity": lambda z: z,
}


def _cross_entropy(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    shifted = z - z.real.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(z)), t.astype(int)])


def _binary_cross_entropy(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    softplus = _positive(z) + np.log1p(np.exp(-np.where(z.real > 0, z, -z)))
    return np.mean((softplus - t * z).sum(axis=1))


LOSSES = {
    "cross-entropy": _cross_entropy,
    "binary-cross-entropy": _binary_cross_entropy,
    "mse": lambda z, t: np.mean((z - t) ** 2),
    "half-squares": lambda z, t: np.mean(((z - t) ** 2).sum(axis=1) / 2),
}


@dataclass
class Reference:
    """A network on a batch: ``x`` (n, inputs), ``t`` as the loss takes it, ``parameters`` by name, dropout ``masks``
    by layer."""

    spec: NetworkSpec
    x: np.ndarray
    t: np.ndarray
    parameters: dict[str, np.ndarray]
    masks: dict[int, np.ndarray]

    def outputs(
        self,
        x: np.ndarray,
        parameters: dict[str, np.ndarray],
        masked: bool = True,
        seen: dict[int, np.ndarray] | None = None,
    ) -> np.ndarray:
        """The outputs (n, outputs) for inputs ``x``, in the precision of the parameters; what the activation of each
        hidden layer takes is put into ``seen``."""
        a = x
        with np.errstate(all="ignore"):
            for k in range(1, self.spec.depth + 1):
                z = a @ parameters[f"W{k}"]
                if self.spec.bias:
                    z = z + parameters[f"b{k}"]
                if k == self.spec.depth:
                    return z
                if self.spec.layer_norm:
                    centered = z - z.mean(axis=1, keepdims=True)
                    spread = np.sqrt((centered**2).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
                    z = parameters[f"γ{k}"] * centered / spread + parameters[f"β{k}"]
                if seen is not None:
                    seen[k] = z
                z = ACTIVATIONS[self.spec.activations[k - 1]](z)
                if masked and k in self.masks:
                    z = z * self.masks[k]
                a = z + a if self.spec.residual and a.shape == z.shape else z
        raise AssertionError("a network has at least one layer")

    def loss(self, parameters: dict[str, np.ndarray] | None = None) -> complex | float:
        """The loss of the batch, with the penalty."""
        parameters = self.parameters if parameters is None else parameters
        with np.errstate(all="ignore"):
            data = LOSSES[self.spec.loss](self.outputs(self.x, parameters), self.t)
            weights = [parameters[f"W{k}"] for k in range(1, self.spec.depth + 1)]
            return data + self.spec.l2 / 2 * sum((w**2).sum() for w in weights)

    def moved(self, name: str, index: tuple[int, ...], by: complex) -> dict[str, np.ndarray]:
        """The parameters with one of them moved."""
        array = self.parameters[name].astype(complex if isinstance(by, complex) else float)
        array[index] += by
        return self.parameters | {name: array}

    def name_of(self, said: str) -> str:
        """The name of a parameter as the engine has it, from its name in ASCII: gamma1, beta1."""
        return said.replace("gamma", "γ").replace("beta", "β")

    def gradient(self, name: str, index: tuple[int, ...]) -> float:
        """dL/dparameter by the complex step."""
        return float(np.imag(self.loss(self.moved(name, index, 1j * STEP))) / STEP)

    @property
    def threshold(self) -> float:
        """The output from which a single one stands for class 1."""
        return 0.5 if self.spec.loss in ("mse", "half-squares") else 0.0

    def of_first(self) -> Reference:
        """The first sample alone."""
        masks = {k: mask[:1] for k, mask in self.masks.items()}
        return Reference(self.spec, self.x[:1], self.t[:1], self.parameters, masks)

    def scale(self) -> float:
        """The size of the numbers that the loss is made of: its round-off is relative to them."""
        z = self.outputs(self.x, self.parameters)
        size = float(np.abs(z).max(initial=0) + np.abs(self.t).max(initial=0))
        weights = max(float((self.parameters[f"W{k}"] ** 2).sum()) for k in range(1, self.spec.depth + 1))
        return size * (size if self.spec.loss in ("mse", "half-squares") else 1) + self.spec.l2 * weights

    def terms(self) -> float:
        """The size of the terms of a gradient, roughly: of the inputs of all layers times that of the loss."""
        return self.scale()

    def predicted(self, z: np.ndarray) -> np.ndarray:
        """The predicted classes (n,), -1 where the largest output is not finite."""
        classes = z.argmax(axis=1) if z.shape[1] > 1 else (z[:, 0] > self.threshold).astype(int)
        return np.where(np.isfinite(z.max(axis=1)), classes, -1)


def reference_of(iteration: Iteration) -> Reference:
    """The reference for an iteration: its batch and parameters in double precision, and its dropout masks."""
    spec = iteration.spec
    named = {name: iteration.tensor(name).astype(float) for name in iteration.new}
    kept = 1 / (1 - spec.dropout)
    masks = {k: (iteration.tensor(f"m{k}") > 0) * kept for k in range(1, spec.depth) if spec.dropout}
    return Reference(
        spec, iteration.tensor("x").astype(float), np.asarray(iteration.tensor("t")), named, masks
    )
