"""The table of update rules, from a gradient to new parameters. The conventions are PyTorch's.

A rule updates ``w`` in place from the gradient ``g``, which it does not change, and its state, the slots:

    rule(w, g, s, spec, lr, t, *slots)

All arrays are flat, of one length and precision; ``s`` is scratch, so a rule allocates nothing. ``lr`` is the
scheduled rate alpha of iteration t = 0, 1, ... Python floats take the precision of the array that they are
combined with. numpy is not loaded before a rule runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_backprop.engine.arrays.types import Array, np

if TYPE_CHECKING:
    from tui_backprop.engine.training.optimizer_spec import OptimizerSpec


@dataclass(frozen=True, eq=False, repr=False)
class UpdateRule:
    """A row of the table. ``flops`` counts floating-point operations for each parameter, without clipping
    and decay. ``settings`` are the fields of OptimizerSpec that only some rules have; ``title`` is the name in a
    sentence, if it differs. ``torch`` is the class in torch.optim, and ``torch_settings`` are its keyword
    arguments besides the rate, with {0} = the OptimizerSpec. ``decoupled`` decay shrinks the weights, any other is
    added to the gradient. ``convention`` says in a sentence what other sources define differently."""

    rule: Callable[..., None]
    slots: tuple[str, ...]
    formulas: tuple[str, ...]
    flops: int
    torch: str
    torch_settings: tuple[tuple[str, str], ...] = ()
    settings: tuple[str, ...] = ()
    title: str = ""
    decoupled: bool = False
    convention: str = ""


def _descend(w: Array, direction: Array, s: Array, lr: float) -> None:
    np.multiply(direction, lr, out=s)
    np.subtract(w, s, out=w)


def _average(mean: Array, sample: Array, s: Array, beta: float) -> None:
    """mean <- beta mean + (1 - beta) sample; ``sample`` may be the scratch."""
    np.multiply(mean, beta, out=mean)
    np.multiply(sample, 1 - beta, out=s)
    np.add(mean, s, out=mean)


def _sgd(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int) -> None:
    _descend(w, g, s, lr)


def _momentum(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, v: Array) -> None:
    np.multiply(v, spec.momentum, out=v)
    np.add(v, g, out=v)
    _descend(w, v, s, lr)


def _nesterov(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, v: Array) -> None:
    np.multiply(v, spec.momentum, out=v)
    np.add(v, g, out=v)
    np.multiply(v, spec.momentum, out=s)
    np.add(s, g, out=s)
    _descend(w, s, s, lr)


def _rmsprop(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, v: Array) -> None:
    np.multiply(g, g, out=s)
    _average(v, s, s, spec.rho)
    np.sqrt(v, out=s)
    np.add(s, spec.epsilon, out=s)
    np.divide(g, s, out=s)
    _descend(w, s, s, lr)


def _rmsprop_momentum(
    w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, v: Array, u: Array
) -> None:
    np.multiply(g, g, out=s)
    _average(v, s, s, spec.rho)
    np.sqrt(v, out=s)
    np.add(s, spec.epsilon, out=s)
    np.divide(g, s, out=s)
    np.multiply(u, spec.momentum, out=u)
    np.add(u, s, out=u)
    _descend(w, u, s, lr)


def _adam(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, m: Array, v: Array) -> None:
    _average(m, g, s, spec.beta1)
    np.multiply(g, g, out=s)
    _average(v, s, s, spec.beta2)
    np.divide(v, 1 - spec.beta2 ** (t + 1), out=s)
    np.sqrt(s, out=s)
    np.add(s, spec.epsilon, out=s)
    np.divide(m, s, out=s)
    _descend(w, s, s, lr / (1 - spec.beta1 ** (t + 1)))


# Settings that only some rules have, by their fields in OptimizerSpec, and their symbols in formulas.
SYMBOLS = {"momentum": "μ", "beta1": "β₁", "beta2": "β₂", "rho": "ρ", "epsilon": "ε"}

ADAM_FORMULAS = (
    "m ← β₁ m + (1 − β₁) dW",
    "v ← β₂ v + (1 − β₂) dW²",
    "M = m / (1 − β₁^(t + 1))",
    "V = v / (1 − β₂^(t + 1))",
    "W ← W − α M / (√(V) + ε)",
)

ADAM_SETTINGS = (("betas", "({0.beta1}, {0.beta2})"), ("eps", "{0.epsilon}"))

# Polyak 1964; Nesterov 1983 as in Sutskever et al. 2013; Tieleman and Hinton 2012; Kingma and Ba 2015;
# Loshchilov and Hutter 2019.
UPDATE_RULES: dict[str, UpdateRule] = {
    "sgd": UpdateRule(_sgd, (), ("W ← W − α dW",), flops=2, torch="SGD", title="gradient descent"),
    "momentum": UpdateRule(
        _momentum,
        ("v",),
        ("v ← μ v + dW", "W ← W − α v"),
        flops=4,
        torch="SGD",
        torch_settings=(("momentum", "{0.momentum}"),),
        settings=("momentum",),
        convention="v sums gradients, without a factor 1 − μ, from 0, as in PyTorch",
    ),
    "nesterov": UpdateRule(
        _nesterov,
        ("v",),
        ("v ← μ v + dW", "W ← W − α (dW + μ v)"),
        flops=6,
        torch="SGD",
        torch_settings=(("momentum", "{0.momentum}"), ("nesterov", "{0.has_momentum}")),
        settings=("momentum",),
        convention="Nesterov's method in PyTorch's form: the step is dW + μ v, with the new v",
    ),
    "rmsprop": UpdateRule(
        _rmsprop,
        ("v",),
        ("v ← ρ v + (1 − ρ) dW²", "W ← W − α dW / (√(v) + ε)"),
        flops=9,
        torch="RMSprop",
        torch_settings=(("alpha", "{0.rho}"), ("eps", "{0.epsilon}")),
        settings=("rho", "epsilon"),
        convention="ε is added outside the root, as in PyTorch (Keras: inside); v starts at 0, uncorrected",
    ),
    "rmsprop-momentum": UpdateRule(
        _rmsprop_momentum,
        ("v", "u"),
        ("v ← ρ v + (1 − ρ) dW²", "u ← μ u + dW / (√(v) + ε)", "W ← W − α u"),
        flops=11,
        torch="RMSprop",
        torch_settings=(("alpha", "{0.rho}"), ("eps", "{0.epsilon}"), ("momentum", "{0.momentum}")),
        settings=("momentum", "rho", "epsilon"),
        title="rmsprop with momentum",
        convention="ε is added outside the root, and u sums steps without α, as in PyTorch",
    ),
    "adam": UpdateRule(
        _adam,
        ("m", "v"),
        ADAM_FORMULAS,
        flops=13,
        torch="Adam",
        torch_settings=ADAM_SETTINGS,
        settings=("beta1", "beta2", "epsilon"),
        convention="ε is added outside the root, after the correction of V, as in PyTorch",
    ),
    "adamw": UpdateRule(
        _adam,
        ("m", "v"),
        ADAM_FORMULAS,
        flops=13,
        torch="AdamW",
        torch_settings=ADAM_SETTINGS,
        settings=("beta1", "beta2", "epsilon"),
        convention="ε is added outside the root, after the correction of V, as in PyTorch",
        decoupled=True,
    ),
}
