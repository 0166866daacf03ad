"""Figures about a value that the words name, or its gradient: {largest Wh}, {rms dh1}."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.mutants.sharing import positions
from tui_backprop.engine.network.rerun import pulled
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array, size
from tui_backprop.lesson.subject import Subject
from tui_backprop.support.format import format_number, format_share


def _slope(about: Subject, value: str) -> str:
    name, index = about.steepest(value)
    return format_number(float(about.gradient_of(name)[index]))


def _uses(about: Subject, value: str) -> str:
    """The number of positions and operations at which a value is used."""
    graph, shapes = about.iteration.graph, about.iteration.program.shapes
    readers = [visit.op for visit in graph.visits_of[value]]
    return f"{sum(size(positions(op.primitive.kind, shapes[op.output])) for op in readers):,}"


def _products(about: Subject, value: str) -> str:
    """The number of products that each entry of a value is the sum of."""
    op, shapes = about.iteration.graph.by_output[value], about.iteration.program.shapes
    return str(op.primitive.terms_and_units(*(shapes[name] for name in op.inputs))[0])


def _rms(array: Array) -> str:
    return format_number(norm(array) / array.size**0.5)


def _zeros(about: Subject, name: str) -> str:
    array = about.iteration.tensor(name)
    return format_share(int(np.count_nonzero(array == 0)), array.size)


def _through(about: Subject, pair: str) -> str:
    """The size of the part of a gradient that comes back through a later value: {through h1 h16} is of dL/dh1."""
    early, late = pair.split()
    program, graph = about.iteration.program, about.iteration.graph
    back = {late: program.cotangents[late]}
    for op in reversed(graph.ops):
        if op.output in back and op.output != early:
            for i, name in enumerate(op.differentiated):
                if name in graph.differentiable:
                    back[name] = back.get(name, 0) + pulled(program, op, i, back[op.output])
    return _rms(back[early])


def _letters(about: Subject, value: str) -> str:
    """The characters of the first sequence, without boundaries."""
    names, ids = info(about.session.data).token_names, about.iteration.tensor(value)[0]
    return "".join(names[int(each)] for each in ids if int(each) < len(names) - 1)


VALUE_FIGURES: dict[str, Callable[[Subject, str], str]] = {
    "largest": lambda about, value: entry_name(*about.steepest(value)),
    "slope": _slope,
    "entries": lambda about, value: f"{about.iteration.tensor(value).size:,}",
    "pairs": lambda about, pair: f"{prod(about.iteration.tensor(each).size for each in pair.split()):,}",
    "shape": lambda about, value: "×".join(map(str, about.iteration.tensor(value).shape)),
    "products": _products,
    "uses": _uses,
    "rms": lambda about, name: _rms(about.iteration.tensor(name)),
    "through": _through,
    "zeros": _zeros,
    "letters": _letters,
}
