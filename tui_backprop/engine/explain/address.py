"""Parse the address of a number, such as W2[13,200], a1[40], delta3[7] or largest W2, or of an iteration: 37."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.network.graph import parameter_shapes
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import (
    INPUT,
    activation,
    delta,
    entry_name,
    is_gradient,
    is_parameter,
    kind_of,
    layer_of,
    spelled,
    value_of,
    weight,
)
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted

PATTERN = re.compile(
    r"(d?)(w|b|gamma|beta|γ|β|delta|δ|[xuzanhr])\s*(\d{0,9})\s*[\[( ]?\s*([\d, ]*)[\])]?", re.IGNORECASE
)
LARGEST = re.compile(r"(?:the\s+)?largest\s*(?:d?w|layer)?\s*(\d{0,9})", re.IGNORECASE)
LARGEST_VALUE = re.compile(r"(?:the\s+)?largest\s+(\S+)", re.IGNORECASE)
ITERATION = re.compile(r"(?:it(?:er(?:ation)?)?\.?)?\s*(\d[\d,]{0,11})", re.IGNORECASE)
INDEX_DIGITS = 12  # most digits of an index; no tensor is as long


@dataclass(frozen=True)
class Address:
    """Entry ``index`` of a parameter, or of one row of a value with a row per sample. Without an index it is the
    parameter most to blame in the layer that ``tensor`` ends with (of the network, if ``tensor`` is empty), iteration
    ``t``, or (``largest``) the entry of a value that is largest in magnitude in the first sample."""

    tensor: str = ""
    index: tuple[int, ...] = ()
    t: int | None = None
    largest: bool = False

    @property
    def layer(self) -> int:
        return layer_of(self.tensor)

    @property
    def value(self) -> str:
        """The value itself, or for a derivative the value it is taken with respect to."""
        return value_of(self.tensor)

    @property
    def is_parameter(self) -> bool:
        """Check whether it names a parameter or the gradient of one."""
        return is_parameter(self.tensor)


def examples(spec: NetworkSpec) -> str:
    """List some addresses of a network: W2[13,200], a1[40], delta3[7], largest W2, largest delta1."""
    w, last = weight(min(2, spec.depth)), min(3, spec.depth)
    i, j = (min(most, fan - 1) for most, fan in zip((13, 200), spec.fans[layer_of(w) - 1], strict=True))
    hidden = [entry_name(activation(1), (min(40, spec.layers[1] - 1),))] if spec.depth > 1 else []
    output = entry_name(delta(last), (min(7, spec.layers[last] - 1),))
    found = [entry_name(w, (i, j)), *hidden, output, f"largest {w}", f"largest {delta(1)}"]
    return ascii_formula(", ".join(found))


def parse_address(text: str, spec: NetworkSpec, last: int = 0) -> Address:
    """Parse an address; iterations go up to ``last``. Raises InputError, which lists the
    alternatives, for an address of nothing."""
    text = text.strip()
    if found := ITERATION.fullmatch(text):
        return Address(t=_trained(int(found[1].replace(",", "")), last))
    if found := LARGEST.fullmatch(text):
        layer = found[1] and str(_within(int(found[1]), 1, spec.depth, f"layer {found[1]}"))
        return Address(layer)
    found = LARGEST_VALUE.fullmatch(text)
    name, index = _named(found[1] if found else text, spec)
    if not found:
        return _checked(name, index, spec)
    _shape(name, spec)
    return Address(str(layer_of(name))) if is_parameter(name) else Address(name, largest=True)


def _named(text: str, spec: NetworkSpec) -> tuple[str, tuple[int, ...]]:
    """Split an address into the name of a tensor and an index."""
    found = PATTERN.fullmatch(text)
    if not found:
        raise InputError(
            "address", f"{quoted(text)} is not the name of a number; write it like {examples(spec)}"
        )
    derivative, kind, layer, places = found[1].lower(), found[2].lower(), found[3], found[4]
    if kind == INPUT:  # has no layer number
        layer, places = "", f"{layer} {places}"
    name = spelled(kind, layer, bool(derivative))
    return name, tuple(int(place[:INDEX_DIGITS]) for place in re.findall(r"\d+", places))


def _shape(name: str, spec: NetworkSpec) -> tuple[int, ...]:
    """Shape of a parameter, or of one sample of a value. Raises InputError for any other name."""
    shape = parameter_shapes(spec).get(name)
    if shape is None:
        made = {step.tensor: step.layer for step in walk(spec, 1, grain="operation")}
        if name not in made:
            others = filter(_has_numbers, made)
            raise InputError(
                "address",
                f"this network has no {name}; choose from {', '.join([*parameter_shapes(spec), *others])}",
            )
        shape = (spec.layers[made[name]],)
    return shape


def _has_numbers(name: str) -> bool:
    """Check whether errors list a name: a value other than a parameter, or the gradient of pre-activations."""
    kind = kind_of(value_of(name))
    if is_gradient(name):
        return kind == "preactivation"
    return kind not in ("loss", "product") and not is_parameter(name)


def _checked(name: str, index: tuple[int, ...], spec: NetworkSpec) -> Address:
    shape = _shape(name, spec)
    if len(index) != len(shape):
        like = entry_name(name, [size - 1 for size in shape])
        raise InputError(
            "address", f"{name} takes {len(shape)} {'indices' if len(shape) > 1 else 'index'}, up to {like}"
        )
    for place, size in zip(index, shape, strict=True):
        _within(place, 0, size - 1, f"index {place} of {name}")
    return Address(name, index)


def _trained(t: int, last: int) -> int:
    if t > last:
        raise InputError("address", f"iteration {t:,} is out of range (0 to {last:,}); train further first")
    return t


def _within(value: int, least: int, most: int, what: str) -> int:
    if not least <= value <= most:
        raise InputError("address", f"{what} is out of range ({least} to {most})")
    return value
