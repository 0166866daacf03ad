"""Remedies: changes of a training run that help where a rule is broken. Each is a row with its words and the change
itself, so that the advice on the screen is the advice that is tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec

SEEDS = 5  # other seeds tried; one alone helps in about half of the runs that are stuck
FEW_LAYERS = 3  # hidden layers that train without care
HIDDEN_UNITS = 16  # of a first hidden layer


@dataclass(frozen=True)
class Setup:
    """What a training run starts from, as far as remedies change it. ``lr`` is the base learning rate."""

    network: NetworkSpec
    optimizer: OptimizerSpec
    lr: float
    batch: int


Change = Callable[[Setup], tuple[Setup, ...]]


@dataclass(frozen=True)
class Remedy:
    """``words`` say what to try, ``change`` does it: it returns the setups to train from the beginning, of which the
    best counts, and none where there is nothing to change."""

    words: str
    change: Change


def _network(setup: Setup, **changes: Any) -> tuple[Setup, ...]:
    new = replace(setup, network=replace(setup.network, **changes))
    return (new,) if new != setup else ()


def _optimizer(setup: Setup, **changes: Any) -> tuple[Setup, ...]:
    new = replace(setup, optimizer=replace(setup.optimizer, **changes))
    return (new,) if new != setup else ()


def _saturates(setup: Setup) -> bool:
    return any(ACTIVATIONS[name].saturates for name in setup.network.activations)


def _random(setup: Setup) -> tuple[Setup, ...]:
    return _network(setup, init="xavier" if _saturates(setup) else "he")


def _he(setup: Setup) -> tuple[Setup, ...]:
    return () if _saturates(setup) else _network(setup, init="he")


def _relu(setup: Setup) -> tuple[Setup, ...]:
    return _network(setup, activation="relu", init="he") if _saturates(setup) else ()


def _leaky(setup: Setup) -> tuple[Setup, ...]:
    names = setup.network.activations
    leaky = ["leaky-relu" if ACTIVATIONS[name].can_die else name for name in names]
    return _network(setup, activation=",".join(leaky)) if leaky != [*names] else ()


def _wider(setup: Setup) -> tuple[Setup, ...]:
    first, *hidden, last = setup.network.layers
    return _network(setup, layers=(first, *(4 * width for width in hidden), last)) if hidden else ()


def _adam(setup: Setup) -> tuple[Setup, ...]:
    return _optimizer(setup, name="adam")


def _both(first: Change, then: Change) -> Change:
    """Return the change of both, where both change something."""
    return lambda setup: tuple(new for old in first(setup) for new in then(old))


def _slower(setup: Setup) -> tuple[Setup, ...]:
    return tuple(replace(setup, lr=setup.lr / 10**k) for k in (1, 2, 3))


def _and_slower(first: Change) -> Change:
    """Return a change, tried at the same learning rate and at lower ones."""
    return lambda setup: (*first(setup), *_both(first, _slower)(setup))


def _fewer_layers(setup: Setup) -> tuple[Setup, ...]:
    first, *hidden, last = setup.network.layers
    if len(hidden) <= FEW_LAYERS or not _saturates(setup):
        return ()
    names = setup.network.activations[:FEW_LAYERS]
    layers = (first, *hidden[:FEW_LAYERS], last)
    return _network(setup, layers=layers, activation=",".join(names), init="xavier")


def _hidden_layer(setup: Setup) -> tuple[Setup, ...]:
    first, *hidden, last = setup.network.layers
    return () if hidden else _network(setup, layers=(first, HIDDEN_UNITS, last), activation="relu", init="he")


def _other_seeds(setup: Setup) -> tuple[Setup, ...]:
    network = setup.network
    seeds = range(network.seed + 1, network.seed + 1 + SEEDS) if network.depth > 1 else ()
    return tuple(replace(setup, network=replace(network, seed=seed)) for seed in seeds)


LOWER_RATE = Remedy("α / 10 to α / 1000", _slower)
HIGHER_RATE = Remedy("100 α", lambda setup: (replace(setup, lr=100 * setup.lr),))
CLIP = Remedy("gradient clipping", lambda setup: () if setup.optimizer.clip else _optimizer(setup, clip=1.0))
HE = Remedy("he weights", _he)
RANDOM = Remedy("he weights (xavier for tanh and sigmoid)", _random)
MORE_UNITS = Remedy("4 times the units", _wider)
WIDE_RELU = Remedy("4 times the units, relu with he weights", _both(_relu, _wider))
WIDE_ADAM = Remedy("4 times the units with adam", _both(_adam, _wider))
WIDE_LEAKY = Remedy(
    f"4 times the units with leaky-relu, {LOWER_RATE.words} if need be", _and_slower(_both(_leaky, _wider))
)
FEWER_LAYERS = Remedy(f"{FEW_LAYERS} hidden layers with xavier weights", _fewer_layers)
HIDDEN_LAYER = Remedy("a hidden layer", _hidden_layer)
OTHER_SEEDS = Remedy(f"up to {SEEDS} other seeds", _other_seeds)
