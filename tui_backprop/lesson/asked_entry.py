"""The entry that a step of the walk asks a learner to predict: the one on the last line of its receipt."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import isclose

from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.training.iteration import Iteration

INDEX = re.compile(r"\[(\d+(?:,\d+)*)\]")
GIVEN = "input"  # kind of a step that computes nothing
SAME = 1e-6  # relative difference of a number and the same as the receipt computes it


@dataclass(frozen=True)
class AskedEntry:
    """An entry of the tensor of a ``step`` (of one equation; of an update, of the parameter that is shown): its
    ``name`` on the receipt, and its ``index``."""

    name: str
    step: Step
    index: tuple[int, ...]


def asked_entry(
    iteration: Iteration, step: Step, unit: int, number: tuple[str, tuple[int, ...]]
) -> AskedEntry | None:
    """Return the entry to predict; None where a step computes nothing, or its receipt ends in no single entry."""
    piece = step.pieces[-1]
    rows = [row for row in receipt_rows(iteration, piece, unit, 2, asked=number) if row.sign != "≠"]
    if piece.kind == GIVEN or not rows or rows[-1].sign != "=":
        return None
    array = iteration.tensor(piece.tensor)
    if piece.kind == "update":  # of the parameter that is shown, which need not be the step's first one
        piece = replace(piece, tensor=number[0] if number[0] in iteration.new else piece.tensor)
        array = iteration.new[piece.tensor]
    name = re.split(" = |, ", rows[-1].label)[0]
    found = INDEX.search(name)
    index = tuple(map(int, found[1].split(","))) if found else ()
    index = (0,) * (array.ndim - len(index)) + index  # of the first sample
    if len(index) != array.ndim or any(i >= n for i, n in zip(index, array.shape, strict=True)):
        return None
    own = float(array[index])
    return (
        AskedEntry(name, piece, index) if isclose(own, rows[-1].value, rel_tol=SAME, abs_tol=1e-12) else None
    )
