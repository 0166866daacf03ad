"""The first update of training in plain Python, written apart from the engine, with the conventions of PyTorch."""

from __future__ import annotations

import math

from tui_backprop.engine.training.optimizer_spec import OptimizerSpec

SCHEDULES = {
    "constant": lambda t, T: 1.0,
    "step": lambda t, T: 0.1 ** min(math.floor(3 * t / T), 2),
    "exponential": lambda t, T: 0.01 ** min(t / T, 1),
    "linear": lambda t, T: max(1 - t / T, 0),
    "cosine": lambda t, T: 0.5 * (1 + math.cos(math.pi * min(t / T, 1))),
    "inverse-sqrt": lambda t, T: 1 / math.sqrt(t + 1),
}


def rate(spec: OptimizerSpec, lr: float, t: int) -> float:
    """The learning rate of iteration t."""
    warm = min((t + 1) / spec.warmup, 1) if spec.warmup else 1
    return lr * warm * SCHEDULES[spec.schedule](t, spec.horizon)


def first_update(spec: OptimizerSpec, lr: float, w: float, g: float, norm: float, is_weight: bool) -> float:
    """A parameter w with gradient g after the first update; ``norm`` is that of the whole gradient."""
    lr = rate(spec, lr, 0)
    if spec.clip and norm > spec.clip:
        g *= spec.clip / norm
    if spec.weight_decay and (spec.decay_bias or is_weight):
        if spec.name == "adamw":
            w *= 1 - lr * spec.weight_decay
        else:
            g += spec.weight_decay * w
    if spec.name in ("adam", "adamw"):  # with the bias corrected, both means are those of the one gradient
        return w - lr * g / (abs(g) + spec.epsilon)
    if spec.name in ("rmsprop", "rmsprop-momentum"):  # the sum of steps begins at 0
        return w - lr * g / (math.sqrt((1 - spec.rho) * g * g) + spec.epsilon)
    return w - lr * (g + spec.momentum * g if spec.name == "nesterov" else g)
