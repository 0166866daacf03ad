"""The names of a dense network's values: ``W2``, ``z2``, ``δ2``. No other module builds one, and none takes one
apart.

A name is a symbol and the number of its layer, k = 1 .. L."""

from __future__ import annotations

INPUT, TARGET, LOSS, STRENGTH, PROBABILITIES = "x", "t", "L", "λ", "p"


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
