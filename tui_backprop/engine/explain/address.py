"""Parse the address of a number, such as W2[13,200], a1[40], delta3[7] or largest W2, of an array or a block, such as
A1, dA1 or attention, or of an iteration: 37."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.network.value import Value
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted

ENTRY = re.compile(r"(?P<name>[^\[( ]+)\s*[\[( ]?\s*(?P<index>[\d, ]*)[\])]?")
NUMBERED = re.compile(r"[^\W\d_]+\d+")  # the form of a name
DIGITS = re.compile(r"\d+$")
LARGEST = re.compile(r"(?:the\s+)?largest\s*(?:d?w|layer)?\s*(\d{0,9})", re.IGNORECASE)
LARGEST_VALUE = re.compile(r"(?:the\s+)?largest\s+(\S+)", re.IGNORECASE)
ITERATION = re.compile(r"(?:it(?:er(?:ation)?)?\.?)?\s*(\d[\d,]{0,11})", re.IGNORECASE)
SHORTEST_TITLE = 3  # characters of the start of a block's title
INDEX_DIGITS = 12  # most digits of an index; no tensor is as long


@dataclass(frozen=True)
class Address:
    """Entry ``index`` of a parameter, or of one row of a value with a row per sample. Without an index it is the
    parameter most to blame in ``layer`` (in the network, if that is 0; without a name), iteration ``t``, a single
    number, an ``array`` as a whole, or (``largest``) the entry of a value that is largest in magnitude in the first
    sample.

    ``value`` is what a derivative is taken with respect to, or the tensor itself."""

    tensor: str = ""
    index: tuple[int, ...] = ()
    t: int | None = None
    largest: bool = False
    layer: int = 0
    value: str = ""
    is_parameter: bool = False
    array: str = ""


def examples(graph: Graph) -> str:
    """List some addresses of a network: W2[13,200], a1[40], delta3[7], largest W2, a1; of another graph, of its
    parameters and of what it computes, the largest array of the most axes, and its block."""
    if not graph.layered:
        made = [op.output for op in graph.ops if op.output not in graph.overwritten]
        names = dict.fromkeys([*[*graph.parameters][:2], *made[:2], graph.output])
        shapes = {name: graph.by_name[name].sample_shape for name in (*names, *made)}
        found = [entry_name(name, [size - 1 for size in shapes[name]]) for name in names]
        large = max(reversed(made), key=lambda name: (len(shapes[name]), prod(shapes[name])))
        if shapes[large]:
            found += [large, graph.gradient_of(large)]
        if graph.axes:
            found.append(graph.blocks[graph.block(large)].title)
        return ascii_formula(", ".join(found))
    first, w = graph.blocks_with_delta[0], graph.weight(min(2, graph.depth))
    last = max(min(3, graph.depth), first)
    i, j = (min(most, fan - 1) for most, fan in zip((13, 200), graph.parameters[w], strict=True))
    hidden = [entry_name(graph.output_of(1), (min(40, graph.width(1) - 1),))] if graph.depth > 1 else []
    output = entry_name(graph.delta(last), (min(7, graph.width(last) - 1),))
    found = [
        entry_name(w, (i, j)),
        *hidden,
        output,
        f"largest {w}",
        f"largest {graph.delta(first)}",
        *([graph.output_of(1)] if graph.depth > 1 else []),
        graph.gradient_of(w),
    ]
    return ascii_formula(", ".join(found))


def parse_address(text: str, graph: Graph, last: int = 0) -> Address:
    """Parse an address; iterations go up to ``last``. Raises InputError, which lists the
    alternatives, for an address of nothing."""
    text = text.strip()
    if found := ITERATION.fullmatch(text):
        return Address(t=_trained(int(found[1].replace(",", "")), last))
    found = LARGEST.fullmatch(text)
    if found and not graph.layered and text.split()[-1].lower() != "largest":
        found = None  # it may be the name of a value; there are no layers
    if found:
        layer = int(found[1] or 0)
        return Address(layer=_within(layer, 1, graph.depth, f"layer {layer}") if found[1] else 0)
    if array := _arrays(graph).get(text) or _arrays(graph).get(text.lower()) or _in_block(text, graph):
        return Address(array=array)
    found = LARGEST_VALUE.fullmatch(text)
    name, index = _named(found[1] if found else text, graph)
    about = graph.about(name)
    if not found:
        _check(name, index, _shape(graph, about) or ())
        return Address(name, index, None, False, about.block, about.name, about.is_parameter)
    if about.is_parameter and graph.layered:
        return Address(layer=about.block)
    if about.is_parameter:
        name = about.gradient if about.name in graph.differentiable else about.name
        return Address(name, (), None, True, about.block, about.name, True)
    return Address(name, (), None, True, about.block, about.name)


def _named(text: str, graph: Graph) -> tuple[str, tuple[int, ...]]:
    """Split an address into the name of a tensor and an index. A parameter and its gradient share a name: they are
    looked up together."""
    found = ENTRY.fullmatch(text)
    typed, places = (found["name"], found["index"]) if found else ("", "")
    name = _spelled(typed, graph)
    if name is None:  # x40 is x[40]
        name = _spelled(DIGITS.sub("", typed), graph)
        digits = DIGITS.search(typed)
        places = f"{digits[0]} {places}" if name and digits else places
    if name is None and NUMBERED.fullmatch(typed):
        others = ", ".join((*graph.parameters, *_listed(graph)))
        raise InputError("address", f"this network has no {typed}; choose from {others}")
    if name is None:
        raise InputError(
            "address", f"{quoted(text)} is not the name of a number; write it like {examples(graph)}"
        )
    return name, tuple(int(place[:INDEX_DIGITS]) for place in re.findall(r"\d+", places))


def _spelled(typed: str, graph: Graph) -> str | None:
    """Return the name that was typed, in any case and with Greek letters written out; None if it is none."""
    exact, any_case = _spellings(graph)
    plain = ascii_formula(typed)
    return exact.get(plain) or any_case.get(plain.lower())


@lru_cache(maxsize=16)
def _spellings(graph: Graph) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the names of all numbers by what is typed for them: exactly, and in lower case."""
    exact: dict[str, str] = {}
    for name, (value, what, _) in graph.tensors.items():
        about = graph.by_name[value]
        if _shape(graph, about) is not None and what in ("value", "gradient"):
            meant = name if what == "gradient" and not about.is_parameter else value
            exact[ascii_formula(name)] = meant
            if what == "gradient":
                exact[ascii_formula(f"d{value}")] = meant
    return exact, {typed.lower(): name for typed, name in reversed(exact.items())}


@lru_cache(maxsize=16)
def _arrays(graph: Graph) -> Mapping[str, str]:
    """Return what the walk computes, and is no single number to look up, by what is typed for it, exactly or in lower
    case: a parameter leads to its gradient, probabilities to the loss that they are saved for."""
    exact: dict[str, str] = {}
    for name, (value, what, _) in graph.tensors.items():
        about = graph.by_name[value]
        if what == "saved":
            exact[name] = value
        elif _shape(graph, about) != () and about.role != "constant" and what in ("value", "gradient"):
            learned = about.is_parameter and value in graph.differentiable
            exact[ascii_formula(name)] = exact[name] = about.gradient if learned else name
            if what == "gradient":
                exact.setdefault(ascii_formula(f"d{value}"), name)
    return {typed.lower(): name for typed, name in reversed(exact.items())} | exact


def _in_block(text: str, graph: Graph) -> str:
    """Return what the first block whose title starts with the text computes first; "" if there is none."""
    typed = "".join(text.split()).lower()
    found = (
        k for k, block in enumerate(graph.blocks) if "".join(block.title.lower().split()).startswith(typed)
    )
    number = next(found, None) if len(typed) >= SHORTEST_TITLE else None
    made = (op for op in graph.ops if op.output not in graph.overwritten)
    return next((op.output for op in made if op.block == number), "")


def _listed(graph: Graph) -> Iterator[str]:
    """Names that an error lists, beside the parameters."""
    yield graph.input
    values = [op.output for op in graph.ops if op.output not in graph.overwritten]
    yield from (name for name in values if graph.role(name) != "loss")
    yield from map(graph.delta, reversed(graph.blocks_with_delta))


def _shape(graph: Graph, value: Value) -> tuple[int, ...] | None:
    """Shape of a parameter, or of one sample of a value that is computed; None if it has no numbers to look up."""
    if value.is_parameter or (not graph.layered and value.role not in ("constant", "target")):
        return value.sample_shape
    return value.sample_shape or None if value.per_sample and value.role not in ("target", "mask") else None


def _check(name: str, index: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if not shape and index:
        raise InputError("address", f"{name} is a single number; write it without an index")
    if len(index) != len(shape):
        like = entry_name(name, [size - 1 for size in shape])
        raise InputError(
            "address", f"{name} takes {len(shape)} {'indices' if len(shape) > 1 else 'index'}, up to {like}"
        )
    for place, size in zip(index, shape, strict=True):
        _within(place, 0, size - 1, f"index {place} of {name}")


def _trained(t: int, last: int) -> int:
    if t > last:
        raise InputError("address", f"iteration {t:,} is out of range (0 to {last:,}); train further first")
    return t


def _within(value: int, least: int, most: int, what: str) -> int:
    if not least <= value <= most:
        raise InputError("address", f"{what} is out of range ({least} to {most})")
    return value
