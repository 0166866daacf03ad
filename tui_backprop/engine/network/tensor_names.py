"""Names of values and of their gradients: ``W2``, ``dW2``, ``z2``, ``δ2``. No other module builds or parses one.

The name of a value is a symbol and the number of its layer, k = 1 .. L; the name of its gradient is a ``d`` and the
value's name, except for pre-activations, whose gradient is ``δ``. This module does not need numpy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

INPUT, TARGET, LOSS, STRENGTH, PROBABILITIES = "x", "t", "L", "λ", "p"
TensorEntry = tuple[str, tuple[int, ...]]  # the name of a tensor, and an index into it
SO_FAR = " so far"  # suffix of the name of a sum that lacks some of its terms

Kind = Literal[
    "weight", "bias", "gain", "shift", "input", "target", "product", "preactivation", "standardized", "normalized",
    "activated", "mask", "masked", "activation", "probabilities", "loss", "strength",
]  # fmt: skip
_KINDS: dict[str, Kind] = {
    "W": "weight", "b": "bias", "γ": "gain", "β": "shift", "x": "input", "t": "target", "u": "product",
    "z": "preactivation", "v": "standardized", "n": "normalized", "h": "activated", "m": "mask", "r": "masked",
    "a": "activation", "p": "probabilities", "L": "loss", "λ": "strength",
}  # fmt: skip
_PARAMETERS = ("W", "b", "γ", "β")
_SHARED = {"weight", "bias", "gain", "shift", "loss", "strength"}  # one array for all samples of a batch
_SPELLED = {"w": "W", "gamma": "γ", "beta": "β", "delta": "δ"}


def weight(k: int) -> str:
    """Weights (fan_in, fan_out)."""
    return f"W{k}"


def bias(k: int) -> str:
    """Biases (fan_out,)."""
    return f"b{k}"


def gain(k: int) -> str:
    """Gains (width,) of a layer normalization."""
    return f"γ{k}"


def shift(k: int) -> str:
    """Shifts (width,) of a layer normalization."""
    return f"β{k}"


def product(k: int) -> str:
    """The matrix product, before the bias is added."""
    return f"u{k}"


def preactivation(k: int) -> str:
    """Pre-activations: the product plus the bias."""
    return f"z{k}"


def delta(k: int) -> str:
    """The gradient of the pre-activations."""
    return f"δ{k}"


def standardized(k: int) -> str:
    """Pre-activations with mean 0 and variance 1, before gain and shift."""
    return f"v{k}"


def normalized(k: int) -> str:
    """Pre-activations after layer normalization."""
    return f"n{k}"


def activated(k: int) -> str:
    """The activation function's values, where dropout or a residual follows."""
    return f"h{k}"


def mask(k: int) -> str:
    """The dropout mask."""
    return f"m{k}"


def masked(k: int) -> str:
    """Values after dropout, where a residual follows."""
    return f"r{k}"


def activation(k: int) -> str:
    """The output of a layer; that of layer 0 is the input of the network."""
    return f"a{k}" if k else INPUT


def partial_loss(k: int) -> str:
    """Return the name of the loss with the first k penalties added."""
    return f"{LOSS}{k}"


def kind_of(value: str) -> Kind:
    """Return the kind of a value from its name. Raises KeyError for any other text."""
    return _KINDS[value.rstrip("0123456789")]


def layer_of(name: str) -> int:
    """Return the layer in the name of a value or a gradient, 0 if it has none."""
    return int(re.sub(r"\D", "", name) or 0)


def is_weight(value: str) -> bool:
    """Return True if a value is a weight matrix."""
    return value.startswith("W")


def is_parameter(value: str) -> bool:
    """Return True if a value is a parameter: a weight, a bias, a gain or a shift."""
    return value[:1] in _PARAMETERS


def is_gradient(name: str) -> bool:
    """Return True if a name is that of a gradient."""
    return name.startswith(("d", "δ"))


def gradient_of(value: str) -> str:
    """Return the name of dL/dvalue."""
    kind = kind_of(value)
    if kind == "loss":  # a penalty passes it on unchanged
        return f"d{LOSS}"
    return delta(layer_of(value)) if kind in ("preactivation", "product") else f"d{value}"


def value_of(name: str) -> str:
    """Return the value that a gradient is of, even if some of its terms are missing; a value itself."""
    whole = name.removesuffix(SO_FAR)
    if whole.startswith(("δ", "delta")):
        return preactivation(layer_of(whole))
    return whole.removeprefix("d")


def saved_by(output: str) -> str:
    """Return the name in formulas for what an operation saves for its backward pass: v of a normalization, p of a
    loss."""
    return standardized(layer_of(output)) if kind_of(output) == "normalized" else PROBABILITIES


def per_sample(name: str) -> bool:
    """Return True if an array has a row for each sample: values and their gradients do; parameters, their gradients
    and the loss do not."""
    return _KINDS.get(value_of(name).rstrip("0123456789")) not in _SHARED


def canonical(value: str, depth: int) -> str:
    """Return the name under which a network of so many layers holds a value: the last layer is linear, so aL is
    zL."""
    return preactivation(depth) if value == activation(depth) else value


def spelled(symbol: str, layer: str, gradient: bool) -> str:
    """Return the name meant by a typed symbol (gamma, W, z), the digits of a layer, and whether a ``d`` preceded
    them.

    A parameter and its gradient share a name: they are looked up together."""
    symbol = _SPELLED.get(symbol, symbol)
    name = symbol + layer
    if not gradient or is_parameter(name):
        return name
    return gradient_of(name) if symbol in _KINDS else f"d{name}"


def entry_name(tensor: str, index: Sequence[object]) -> str:
    """Return the name of an entry, such as W2[13,200]. The suffix of a partial sum stays at the end."""
    whole = tensor.removesuffix(SO_FAR)
    return f"{whole}[{','.join(map(str, index))}]{tensor.removeprefix(whole)}"
