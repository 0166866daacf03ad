"""The parts of images that an entry of a convolution or a pooling, or of their gradients, is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.explain.receipts.general import ENTRYWISE
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.axes import of_images
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.rerun import jacobian_column, jacobian_row, touched
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Patch:
    """The ``rows`` and ``columns`` of image ``lead`` of a tensor that an entry is made of, of all such images the one
    with the largest share; ``won`` are the places in the image that were selected, if the operation selects."""

    tensor: str
    lead: Index
    image: Array
    rows: slice
    columns: slice
    won: tuple[Index, ...] = ()

    @property
    def part(self) -> Array:
        """The patch by itself."""
        return np.asarray(self.image[self.rows, self.columns])


def patches_of(iteration: Iteration, step: Step, index: Index) -> tuple[Patch, ...]:
    """Return the patches that the entry at ``index`` (with that of the sample) of a step's array is made of; nothing
    where it is made of single entries, or of no images."""
    visit = step.visits[-1] if step.visits else None
    if visit is None or visit.op.primitive.kind in ENTRYWISE:
        return ()
    if visit.of is None:
        return _forward(iteration, visit.op, index)
    return _backward(iteration, visit.op, visit.of, index)


def _forward(iteration: Iteration, op: Op, index: Index) -> tuple[Patch, ...]:
    graph, found = iteration.graph, []
    for i, name in enumerate(op.inputs):
        if not of_images(graph.by_name[name].axes):
            continue
        places = touched(iteration.program, op, i, index, by_output=True)
        if len(places) < 2:
            return ()
        factors = jacobian_row(iteration.program, op, i, index)
        lead, inside = _largest(places, factors * iteration.tensor(name))
        won = [place for place in inside if factors[(*lead, *place)]] if op.primitive.pattern else []
        found.append(_patch(iteration, name, lead, inside, won))
    return tuple(found)


def _backward(iteration: Iteration, op: Op, i: int, index: Index) -> tuple[Patch, ...]:
    graph, gradient = iteration.graph, iteration.graph.gradient_of(op.output)
    if not (of_images(graph.by_name[op.output].axes) and of_images(graph.by_name[op.inputs[i]].axes)):
        return ()
    places = touched(iteration.program, op, i, index, by_output=False)
    if len(places) < 2:
        return ()
    factors = jacobian_column(iteration.program, op, i, index)
    lead, inside = _largest(places, factors * iteration.tensor(gradient))
    found = [_patch(iteration, gradient, lead, inside)]
    if op.primitive.factor is not None:
        shapes = [iteration.program.shapes[name] for name in op.inputs]
        others = [op.primitive.factor(i, index, (*lead, *place), *shapes) for place in inside]
        found.append(_patch(iteration, op.inputs[1 - i], others[0][:-2], [place[-2:] for place in others]))
    return tuple(found)


def _largest(places: Sequence[Index], shares: Array) -> tuple[Index, list[Index]]:
    """Return the image whose entries add most to a sum of ``shares``, and the places in it."""
    images: dict[Index, list[Index]] = {}
    for place in places:
        images.setdefault(place[:-2], []).append(place[-2:])

    def total(lead: Index) -> float:
        return abs(float(np.nan_to_num(sum(shares[(*lead, *place)] for place in images[lead]))))

    lead = max(images, key=total)
    return lead, images[lead]


def _patch(
    iteration: Iteration, tensor: str, lead: Index, places: Sequence[Index], won: Sequence[Index] = ()
) -> Patch:
    rows, columns = (slice(min(axis), max(axis) + 1) for axis in zip(*places, strict=True))
    return Patch(tensor, lead, np.asarray(iteration.tensor(tensor)[lead]), rows, columns, tuple(won))
