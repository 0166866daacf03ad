"""Worked examples: the equation of a step for one unit, with this network's numbers.

A worked example is a receipt: rows that add up (or multiply out) to the value in the pass. Long sums
show their largest terms, and the remaining ones as one row. The terms follow from the right rules, the result is what
the program has computed: where a rule of the program is wrong, they do not add up, and a row says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from tui_backprop.engine.explain.entries import entry_at
from tui_backprop.engine.explain.receipts import batch_norm, chain_rule, general, losses, operations, updates
from tui_backprop.engine.explain.receipts import layers as steps
from tui_backprop.engine.explain.receipts.losses import penalties
from tui_backprop.engine.explain.receipts.rows import (
    ParameterReceipt,
    Receipt,
    ReceiptRow,
    in_range,
    of_largest,
    selected_input,
)
from tui_backprop.engine.explain.receipts.sums import balanced
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.tensor_names import TensorEntry
from tui_backprop.engine.training.iteration import Iteration

# Steps about a parameter: the one asked for, or the weight into the unit with the largest gradient.
PARAMETERS: dict[str, ParameterReceipt] = {
    "weights": steps.gradient,
    "gains": steps.gradient,
    "update": updates.update,
}
RECEIPTS: dict[str, Receipt] = {
    "input": steps.input_,
    "affine": steps.affine,
    "normalization": steps.normalization,
    "activation": steps.activation,
    "dropout": steps.elementwise("*"),
    "residual": steps.elementwise("+"),
    "loss": losses.loss,
    "penalty": losses.penalty,
    "output delta": chain_rule.loss_by_chain_rule,
    "carried": steps.delta,
    "input gradient": steps.delta,
    "delta": steps.delta,
    "normalization delta": steps.normalization_delta,
    **{kind: of_largest(receipt) for kind, receipt in PARAMETERS.items()},
}


def _of_outputs(receipt: Receipt) -> Callable[..., Sequence[ReceiptRow]]:
    """Return the receipt of a loss that reads a row of outputs for each sample; the general one where it reads one
    for each position."""

    def rows(
        iteration: Iteration, step: Step, j: int, terms: int, s: int, asked: TensorEntry | None = None
    ) -> Sequence[ReceiptRow]:
        if iteration.graph.loss_rule.per_position:
            return general.receipt(iteration, step, j, terms, s, asked)
        at = asked[1][-1] if asked and len(asked[1]) == 1 else j
        return receipt(iteration, step, at, terms, s)

    return rows


# Receipts of operations that are equations of their own, where the general one does not say enough.
SINGLE: dict[tuple[str, int | None], Callable[..., Sequence[ReceiptRow]]] = {
    ("loss", None): _of_outputs(losses.loss),
    ("loss", 0): _of_outputs(chain_rule.loss_by_chain_rule),
    ("batch normalization", None): batch_norm.forward,
    ("batch normalization", 0): batch_norm.to_input,
    ("batch normalization", 1): batch_norm.to_gain,
}


def receipt_rows(
    iteration: Iteration,
    step: Step,
    unit: int,
    terms: int = 3,
    sample: int = 0,
    asked: TensorEntry | None = None,
) -> tuple[ReceiptRow, ...]:
    """Return the receipt of ``step`` for ``unit`` of its layer and row ``sample`` of the batch.

    ``terms`` is how many terms of a long sum are shown. A step that computes gradients of parameters or updates them
    shows the parameter ``asked`` for, if it is one of the unit's, else the weight into the unit with the largest
    gradient. A sum that does not add up has a row with the difference. Raises KeyError for an unknown kind of step.
    """
    with np.errstate(all="ignore"):  # after divergence inf and NaN are shown as they are
        rows = [
            in_range(row, iteration.program.dtype)
            for part in step.pieces
            for row in _receipt(iteration, part, unit, asked)(iteration, part, unit, terms, sample)
        ]
    return tuple(balanced(rows))


def _receipt(iteration: Iteration, part: Step, unit: int, asked: TensorEntry | None) -> Receipt:
    """Select the receipt of a single operation, if it has one of its own, or of its equation; the general one of an
    operation that is an equation of its own."""
    if part.visits and not part.visits[-1].op.equations:
        visit = part.visits[-1]
        single = SINGLE.get((visit.op.primitive.kind, visit.of), general.receipt)
        return partial(single, asked=asked)
    if part.kind == "input" and iteration.graph.by_name[iteration.graph.input].classes:
        return lambda *_: ()  # tokens are no numbers
    if part.kind == "input" and not iteration.graph.fed:
        return lambda iteration, step, unit, *_: general.given(
            iteration, entry_at(iteration.graph, step, unit)
        )
    operation = part.operation if part.operation in operations.RECEIPTS else None
    own = operations.PARAMETERS.get(operation) if operation else PARAMETERS.get(part.kind)
    if (
        own is not None
        and asked is not None
        and asked[1][-1:] in ((), (unit,))
        and _shows(iteration, part, asked[0])
    ):
        receipt, (tensor, index) = own, asked
        return lambda iteration, step, j, terms, s: receipt(iteration, step, tensor, index, terms)
    return operations.RECEIPTS[operation] if operation else RECEIPTS[part.kind]


def _shows(iteration: Iteration, part: Step, tensor: str) -> bool:
    """Check whether a step computes the gradient of a parameter tensor, or updates it."""
    if tensor not in iteration.graph.parameters:
        return False
    if part.kind == "update":
        return iteration.graph.block(tensor) == part.block
    return iteration.graph.gradient_of(tensor) in dict(part.operands)


def unit_with_largest_delta(iteration: Iteration, layer: int, sample: int = 0) -> int:
    """Return the unit of a layer with the largest |delta|; of a block without units, the number of the entry with the
    largest gradient, row by row; of the input (layer 0), of the largest entry."""
    graph = iteration.graph
    value = graph.part(layer, "pre-activation") or graph.output_of(layer)
    of = iteration.tensor(graph.gradient_of(value) if layer and value in graph.differentiable else value)
    row = of[sample] if graph.per_sample(value) else of
    return int(np.argmax(np.abs(np.nan_to_num(row))))


__all__ = [
    "RECEIPTS",
    "ReceiptRow",
    "penalties",
    "receipt_rows",
    "selected_input",
    "unit_with_largest_delta",
]
