"""What a network is: a small frozen value, validated, with no arrays and no numpy in it.

Everything here runs before the first paint of the screen, so this module imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ACTIVATIONS = ("relu", "leaky-relu", "tanh", "sigmoid", "identity")
LOSSES = ("cross-entropy", "binary-cross-entropy", "mse", "half-squares")
INITS = ("he", "xavier", "lecun", "normal", "zeros")
DTYPES = ("float32", "float64")

ITEMSIZE = {"float32": 4, "float64": 8}
LONGEST_INTEGER = 18  # digits; a size with more cannot be counted in 64 bits


class SpecError(ValueError):
    """A choice that cannot be built: which field, what is wrong with it, and what would be right.

    ``field`` is the name of the option (``layers``, ``loss``, ...), so that the command line can name the
    flag and the form can put the message beside its input.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def one_of(field: str, value: object, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is allowed; raise SpecError with the list of choices otherwise."""
    choices = tuple(allowed)
    if not isinstance(value, str) or value not in choices:
        raise SpecError(field, f"{quoted(value)} is unknown; choose from {', '.join(choices)}")
    return value


def quoted(value: object) -> str:
    """Show what was typed: printable characters only, cut to a length that fits a line."""
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return f'"{text}"' if len(text) <= 40 else f'"{text[:37]}..."'


def whole(field: str, value: object, least: int) -> int:
    """Return ``value`` (an int, or text that reads as one) if it is a whole number of at least ``least``."""
    if type(value) is int and abs(value) >= 10**LONGEST_INTEGER:
        value = ("-" if value < 0 else "") + "9" * (
            LONGEST_INTEGER + 1
        )  # Python will not print a very long one
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?[0-9]+", text):
        raise SpecError(field, f"{quoted(value)} is not {_wanted(least)}")
    digits = text.lstrip("+-").lstrip("0")
    if text[0] != "-" and len(digits) > LONGEST_INTEGER:
        raise SpecError(
            field, f"{quoted(value)} is too large; it has to have at most {LONGEST_INTEGER} digits"
        )
    number = int(digits[: LONGEST_INTEGER + 1] or 0) * (-1 if text[0] == "-" else 1)
    if number < least:
        raise SpecError(field, f"{quoted(value)} is not {_wanted(least)}")
    return number


def _wanted(least: int) -> str:
    return "a positive whole number" if least == 1 else f"a whole number, {least} or more"


def positive(field: str, value: object) -> float:
    """Return ``value`` (a number, or text that reads as one) if it is finite and above zero."""
    try:
        text = str(value).strip()
        number = float(text) if text.isascii() else float("nan")
    except (ValueError, OverflowError):
        number = float("nan")
    if not 0 < number < float("inf"):
        raise SpecError(field, f"{quoted(value)} is not a positive number, such as 0.1")
    return number


def parse_layers(text: str) -> tuple[int, ...]:
    """Read layer sizes as people write them, ``784,256,10``; raise SpecError on the first bad one."""
    parts = [part.strip() for part in text.strip().strip("[]()").split(",")]
    if parts == [""]:
        raise SpecError("layers", "no sizes given; write them with commas, such as 784,256,10")
    sizes = []
    for part in parts:
        try:
            sizes.append(whole("layers", part, 1))
        except SpecError as error:
            raise SpecError(
                "layers", f"{error.message}; write sizes with commas, such as 784,256,10"
            ) from None
    if len(sizes) < 2:
        raise SpecError(
            "layers", f"one size is no network; give input and output at least, such as {sizes[0]},10"
        )
    return tuple(sizes)


@dataclass(frozen=True)
class NetworkSpec:
    """A dense network: sizes of its layers, input first, and how each part is chosen.

    Hidden layers use ``activation``; the last layer is linear, and the loss takes its outputs (logits, where
    the loss has a softmax or a sigmoid of its own). Raises SpecError where a field has a bad value.
    """

    layers: tuple[int, ...] = (784, 256, 256, 256, 10)
    activation: str = "relu"
    loss: str = "cross-entropy"
    init: str = "he"
    dtype: str = "float32"
    bias: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", parse_layers(",".join(str(n) for n in self.layers)))
        object.__setattr__(self, "seed", whole("seed", self.seed, 0))
        one_of("activation", self.activation, ACTIVATIONS)
        one_of("loss", self.loss, LOSSES)
        one_of("init", self.init, INITS)
        one_of("dtype", self.dtype, DTYPES)

    @property
    def depth(self) -> int:
        """Number of weight matrices, L."""
        return len(self.layers) - 1

    @property
    def fans(self) -> tuple[tuple[int, int], ...]:
        """(fan_in, fan_out) of each weight matrix, first layer first."""
        return tuple(zip(self.layers, self.layers[1:], strict=False))

    @property
    def weights(self) -> int:
        """Number of weights; also the multiply-accumulates of one forward pass of one sample."""
        return sum(fan_in * fan_out for fan_in, fan_out in self.fans)

    @property
    def parameters(self) -> int:
        """Number of parameters P: weights and biases."""
        return self.weights + (sum(self.layers[1:]) if self.bias else 0)

    def parameter_sum(self) -> list[tuple[int, int, int]]:
        """The sum that makes the parameter count: (fan_in, fan_out, parameters) for each layer."""
        return [(i, o, i * o + (o if self.bias else 0)) for i, o in self.fans]

    def memory(self, batch: int) -> int:
        """Bytes that the app holds at its peak: parameters, gradients and updated parameters of two iterations
        and a measurement (seven arrays of P numbers), and for each layer pre-activation, activation and delta
        of every sample, and two more for the pass after the update."""
        units = sum(self.layers)
        return ITEMSIZE[self.dtype] * (7 * self.parameters + 5 * units * batch)


# The share of multiply-accumulates: one forward pass needs one for each weight. The backward pass needs one
# for each weight (dW), and one more for each weight except the first layer's (its input needs no gradient).
def backprop_ratio(spec: NetworkSpec) -> float:
    """Multiply-accumulates of forward plus backward over those of forward: 2.40 for the lesson's network."""
    first = spec.layers[0] * spec.layers[1]
    return (3 * spec.weights - first) / spec.weights
