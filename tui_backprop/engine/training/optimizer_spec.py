"""The choice of an optimizer and of a learning-rate schedule, as one small value.

Everything here runs before the first paint of the screen, so this module imports no numpy: the rules that
compute with arrays are in ``optimizers``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import (
    boolean,
    non_negative_number,
    one_of,
    positive_number,
    whole_number,
)


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """A row of the table: the factor of the base rate alpha in iteration t = 0, 1, ...

    ``factor(t, T)`` is a number from 0 to 1, T the horizon in iterations. ``formula`` gives
    the whole rate, also beyond the horizon.
    """

    formula: str
    about: str
    factor: Callable[[int, int], float]
    horizon: bool = True  # depends on T
    changes: bool = True  # depends on t


# Past the horizon T, a factor keeps its last value. Inverse-sqrt has no horizon: it goes on falling.
SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("α", "constant rate", lambda t, T: 1.0, horizon=False, changes=False),
    "step": Schedule(
        "α / 10^min(2, floor(3 · t / T))",
        "divided by 10 at each third of the horizon",
        lambda t, T: 10.0 ** -min(3 * t // T, 2),
    ),
    "exponential": Schedule(
        "α / 100^min(1, t / T)", "exponential decay to a hundredth", lambda t, T: 100 ** -min(t / T, 1)
    ),
    "linear": Schedule("α · (1 − min(1, t / T))", "linear decay to zero", lambda t, T: 1 - min(t / T, 1)),
    "cosine": Schedule(
        "½ · α · (1 + cos(π · min(1, t / T)))",
        "cosine decay to zero (Loshchilov and Hutter 2017)",
        lambda t, T: (1 + math.cos(math.pi * min(t / T, 1))) / 2,
    ),
    "inverse-sqrt": Schedule(
        "α / √(t + 1)",
        "1/2 after 4 iterations, 1/10 after 100 (Vaswani et al. 2017)",
        lambda t, T: (t + 1) ** -0.5,
        horizon=False,
    ),
}

# Multiplies the schedule, whose horizon T includes the warm-up. A length of 0 means no warm-up.
WARM_UP = Schedule(
    "α · min(1, (t + 1) / T)",
    "linear increase to the base rate",
    lambda t, T: min(1.0, (t + 1) / max(T, 1)),
)


FLOAT32_ZERO = 2.0**-150  # the largest number that float32 rounds to 0


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer and its settings. Raises InputError for an invalid value.

    ``momentum`` is mu of momentum, nesterov and rmsprop-momentum, ``beta1`` and ``beta2`` belong to adam and adamw,
    ``rho`` to both kinds of rmsprop (PyTorch calls it alpha), ``epsilon`` to all of these (see ``settings`` in the
    table of rules). ``weight_decay``
    lambda adds lambda W to the gradient; adamw shrinks the weights themselves. ``clip`` is the largest Euclidean norm
    of the whole gradient, 0 for none. ``warmup`` and ``horizon`` are iterations. With ``decay_bias``,
    weight decay acts on biases, gains and shifts, too, as in PyTorch; otherwise on weights only. Without weight decay
    it is True.
    """

    name: str = "sgd"
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    rho: float = 0.99
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decay_bias: bool = True
    clip: float = 0.0
    schedule: str = "constant"
    warmup: int = 0
    horizon: int = 1000

    def __post_init__(self) -> None:
        one_of("optimizer", self.name, UPDATE_RULES)
        one_of("schedule", self.schedule, SCHEDULES)
        for field, value in {
            "momentum": non_negative_number("momentum", self.momentum, below=1),
            "beta1": non_negative_number("beta1", self.beta1, below=1),
            "beta2": non_negative_number("beta2", self.beta2, below=1),
            "rho": non_negative_number("rho", self.rho, below=1),
            "epsilon": positive_number("epsilon", self.epsilon, "1e-8"),
            "weight_decay": non_negative_number("weight-decay", self.weight_decay),
            "clip": non_negative_number("clip", self.clip),
            "warmup": whole_number("warmup", self.warmup, 0),
            "horizon": whole_number("horizon", self.horizon, 1),
        }.items():
            object.__setattr__(self, field, value)
        decay_bias = boolean("decay-bias", self.decay_bias) or not self.weight_decay
        object.__setattr__(self, "decay_bias", decay_bias)

    @property
    def has_momentum(self) -> bool:
        """True if momentum is not 0; PyTorch refuses ``nesterov`` without it."""
        return self.momentum > 0


def check_epsilon(spec: OptimizerSpec, dtype: str) -> None:
    """Raise InputError if an optimizer has an epsilon that is 0 in the precision of the network: 0 / 0 is NaN."""
    if dtype == "float32" and "epsilon" in UPDATE_RULES[spec.name].settings and spec.epsilon <= FLOAT32_ZERO:
        raise InputError(
            "epsilon", f"{spec.epsilon:g} is 0 in float32; choose 1e-44 or more, or --dtype float64"
        )


def learning_rate(spec: OptimizerSpec, lr: float, t: int) -> float:
    """Return the rate of iteration t = 0, 1, ...: the base rate ``lr``, with warm-up and schedule."""
    return lr * WARM_UP.factor(t, spec.warmup) * SCHEDULES[spec.schedule].factor(t, spec.horizon)
