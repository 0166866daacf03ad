"""Which array a step shows, and why one of its units is marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.engine.arrays.statistics import Summary, summarize
from tui_backprop.engine.arrays.top_k import count_largest
from tui_backprop.engine.explain.entries import chosen_at, first_sample
from tui_backprop.engine.explain.receipts import penalties
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.axes import of_images
from tui_backprop.engine.primitives import Array
from tui_backprop.render.view_state import Snapshot

LARGEST_DELTA = (", the largest |δ|", ", largest |δ|")


@dataclass(frozen=True)
class ShownArray:
    """The array that a step shows: its ``name``, and whether it is a parameter as ``updated``; all ``values``, and
    those of the first sample as ``row``; the ``unit`` that is marked (-1: none). ``samples`` is their number, if each
    has a row of ``values``, else 0. ``notes`` describe it, the longest first, and ``image`` is (height, width) if
    entries are pixels, of each image of a sheet. ``axes`` are the names of its axes."""

    name: str
    updated: bool
    values: Array
    row: Array
    unit: int
    samples: int
    notes: tuple[str, ...]
    image: tuple[int, int] | None
    axes: tuple[str, ...] = ()
    index: tuple[int, ...] = ()  # of the selected entry, where axes have names

    @property
    def sheet(self) -> bool:
        """Whether it consists of images, such as feature maps and kernels."""
        return of_images(self.axes)

    @property
    def label(self) -> str:
        return self.name + ("'" if self.updated else "")


def shown_array(snapshot: Snapshot) -> ShownArray:
    """Return the array that the current step shows."""
    step, iteration, graph = snapshot.step.pieces[-1], snapshot.iteration, snapshot.graph
    if not graph.layered:
        return _shown_value(snapshot, step)
    name, unit = step.tensor, snapshot.unit(step.block)
    notes = _why_this_unit(snapshot, unit) if step.block else ()
    if step.kind == "loss":
        name, notes = graph.probabilities or graph.output, ()
    elif step.kind == "penalty":
        each = penalties(iteration)
        ties = count_largest(each)
        notes = (f"  1 of {ties} largest penalties" if ties > 1 else "  the largest penalty",)
        name, unit = graph.penalized[int(each.argmax())], -1
    if snapshot.session.walk.view == "picture" and (step.kind, step.block) == ("affine", 1):
        name = graph.weight(1)  # the pattern that the unit responds to
    updated = step.kind == "update"
    values = iteration.new[name] if updated else iteration.tensor(name)
    pixels = graph.value_of(name) in (graph.input, graph.weight(1))
    image = info(snapshot.session.data).image if pixels else None
    samples = len(values) if graph.per_sample(name) else 0
    return ShownArray(name, updated, values, values[0] if samples else values, unit, samples, notes, image)


def _shown_value(snapshot: Snapshot, step: Step) -> ShownArray:
    """Return the array of a step of a graph without layers, whatever its shape, as a vector or a matrix."""
    iteration, updated, graph = snapshot.iteration, step.kind == "update", snapshot.graph
    entry = chosen_at(graph, step, snapshot.unit(step.block))
    name = entry[0] if updated else step.tensor
    compares = entry[0] != graph.value_of(name)  # a loss of outputs shows their probabilities
    name = (graph.probabilities or graph.output) if compares else name
    values = iteration.new[name] if updated else first_sample(iteration, name)
    row = values.reshape(-1, values.shape[-1]) if values.ndim > 2 else np.atleast_1d(values)
    unit = (entry[1] or (0,))[-1] if row.ndim == 1 else -1
    axes, index = (graph.shaped_like(name).axes, entry[1]) if graph.axes else ((), ())
    if of_images(axes):
        height, width = values.shape[-2:]
        return ShownArray(name, updated, values, row, unit, 0, (), (height, width), axes, index)
    image = info(snapshot.session.data).image if graph.value_of(name) == graph.input else None
    if image:
        return ShownArray(name, updated, iteration.tensor(name), row, unit, iteration.batch, (), image, axes)
    return ShownArray(name, updated, values, row, unit, 0, (), None, axes, index)


def _why_this_unit(snapshot: Snapshot, unit: int) -> tuple[str, ...]:
    """Return notes on the marked unit, with the reason and without."""
    layer = snapshot.step.block
    if snapshot.chosen(layer) is not None:
        whys: tuple[str, ...] = (" (a: the most to blame)",)
    elif layer and layer not in snapshot.graph.blocks_with_delta:  # below what is frozen
        whys = ("",)
    else:
        of = snapshot.iteration.tensor(snapshot.graph.delta(layer))[0]
        ties = count_largest(of)
        whys = (
            (f", 1 of {ties} with the largest |δ|", f", 1 of {ties} largest |δ|")
            if ties > 1
            else LARGEST_DELTA
        )
        whys = ("",) if of.size == 1 else whys if of.any() else (", every δ is 0",)
    return tuple(f"  unit {unit}{why}" for why in (*whys, ""))


def shown_summary(snapshot: Snapshot, shown: ShownArray) -> Summary:
    """Return the summary of the part of the array that is shown."""
    if shown.samples or shown.values.ndim > 2 or snapshot.graph.per_sample(shown.name):
        return summarize(shown.row)
    return snapshot.iteration.summary(shown.name, updated=shown.updated)
