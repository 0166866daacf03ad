"""Which array a step shows, and why one of its units is marked."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.data.catalogue import DATASETS
from tui_backprop.engine.arrays.statistics import Summary, summarize
from tui_backprop.engine.arrays.top_k import count_largest
from tui_backprop.engine.explain.receipts import penalties
from tui_backprop.engine.network.graph import penalized
from tui_backprop.engine.network.tensor_names import (
    INPUT,
    PROBABILITIES,
    delta,
    per_sample,
    preactivation,
    value_of,
    weight,
)
from tui_backprop.engine.primitives import Array
from tui_backprop.render.view_state import Snapshot

LARGEST_DELTA = (", the largest |δ|", ", largest |δ|")


@dataclass(frozen=True)
class ShownArray:
    """The array that a step shows: its ``name``, and whether it is a parameter as ``updated``; all ``values``, and
    those of the first sample as ``row``; the ``unit`` that is marked (-1: none). ``notes`` describe it, the longest
    first, and ``image`` is (height, width) if entries are pixels."""

    name: str
    updated: bool
    values: Array
    row: Array
    unit: int
    notes: tuple[str, ...]
    image: tuple[int, int] | None

    @property
    def label(self) -> str:
        return self.name + ("'" if self.updated else "")

    @property
    def samples(self) -> int:
        """Number of samples, if each has a row; else 0."""
        return len(self.values) if per_sample(self.name) else 0


def shown_array(snapshot: Snapshot) -> ShownArray:
    """Return the array that the current step shows."""
    step, iteration = snapshot.step.pieces[-1], snapshot.iteration
    name, unit = step.tensor, snapshot.unit(step.layer)
    notes = _why_this_unit(snapshot, unit) if step.layer else ()
    if step.kind == "loss":
        probabilities = f"{PROBABILITIES} =" in step.formula
        name, notes = PROBABILITIES if probabilities else preactivation(step.layer), ()
    elif step.kind == "penalty":
        each = penalties(iteration)
        ties = count_largest(each)
        notes = (f"  1 of {ties} largest penalties" if ties > 1 else "  the largest penalty",)
        name, unit = penalized(iteration.spec)[int(each.argmax())], -1
    if snapshot.session.walk.view == "picture" and (step.kind, step.layer) == ("affine", 1):
        name = weight(1)  # the pattern that the unit responds to
    updated = step.kind == "update"
    values = iteration.new[name] if updated else iteration.tensor(name)
    pixels = value_of(name) in (INPUT, weight(1))
    image = DATASETS[snapshot.session.data].image if pixels else None
    return ShownArray(name, updated, values, values[0] if per_sample(name) else values, unit, notes, image)


def _why_this_unit(snapshot: Snapshot, unit: int) -> tuple[str, ...]:
    """Return notes on the marked unit, with the reason and without."""
    chosen = snapshot.chosen(snapshot.step.layer) is not None
    if chosen:
        whys: tuple[str, ...] = (" (a: the most to blame)",)
    else:
        of = snapshot.iteration.tensor(delta(snapshot.step.layer))[0]
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
    if shown.samples:
        return summarize(shown.row)
    return snapshot.iteration.summary(shown.name, updated=shown.updated)
