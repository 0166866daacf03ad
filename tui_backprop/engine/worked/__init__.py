"""One unit's arithmetic: the equation of a step with this network's own numbers put in.

A worked example is a receipt: rows that add up (or multiply out) to the value that the pass holds. Long sums
show their largest terms, and what is left as one row.
"""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.iteration import Pass
from tui_backprop.engine.trace import Step
from tui_backprop.engine.worked import losses, operations, steps, updates
from tui_backprop.engine.worked.losses import penalties
from tui_backprop.engine.worked.rows import Receipt, Row
from tui_backprop.engine.worked.updates import selected_input

RECEIPTS: dict[str, Receipt] = {
    "input": steps.input_,
    "affine": steps.affine,
    "normalisation": steps.normalisation,
    "activation": steps.activation,
    "dropout": steps.elementwise("*"),
    "residual": steps.elementwise("+"),
    "loss": losses.loss,
    "penalty": losses.penalty,
    "output delta": losses.output_delta,
    "weights": steps.weights,
    "gains": steps.gains,
    "carried": steps.carried,
    "delta": steps.delta,
    "normalisation delta": steps.normalisation_delta,
    "update": updates.update,
}


def worked(taken: Pass, step: Step, unit: int, terms: int = 3, sample: int = 0) -> tuple[Row, ...]:
    """The receipt of ``step`` for ``unit`` of its layer, for row ``sample`` of the batch.

    ``terms`` is how many terms of a long sum are shown. Raises KeyError for an unknown kind of step.
    """
    with np.errstate(all="ignore"):  # where training has diverged, inf and NaN are what there is to show
        return tuple(row for part in step.pieces for row in _receipt(part)(taken, part, unit, terms, sample))


def _receipt(step: Step) -> Receipt:
    """That of an operation which is only a part of its equation, or that of the equation."""
    found = operations.RECEIPTS.get(step.operation) if step.operation else None
    return found or RECEIPTS[step.kind]


def telling_unit(taken: Pass, layer: int, sample: int = 0) -> int:
    """The unit of a layer with the largest |delta|, the one that answers most for the loss.

    For the input (layer 0), which has no delta, the entry with the largest value.
    """
    of = taken.tensor(f"δ{layer}" if layer else "x")[sample]
    return int(np.argmax(np.abs(np.nan_to_num(of))))


__all__ = ["RECEIPTS", "Row", "penalties", "selected_input", "telling_unit", "worked"]
