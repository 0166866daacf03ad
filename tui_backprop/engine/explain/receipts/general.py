"""Receipts of any operation, for an entry of an array of any shape.

Forward, an entry is shown with the entries of the inputs that it is made of. Backward, it is a sum over all entries
of the output that depend on it: each cotangent times the derivative of that entry, which the JVP of the operation
gives, not the VJP that the receipt explains. What earlier uses of the value have added stands in front. Labels are
written for the terms that are shown alone: an entry of a kernel has one for each position in each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.explain.receipts.normalized import BACKWARD, FORWARD
from tui_backprop.engine.explain.receipts.rows import ReceiptRow, largest, summands
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.network.rerun import jacobian_column, jacobian_row, touched
from tui_backprop.engine.network.tensor_names import TensorEntry, entry_name
from tui_backprop.engine.primitives import Array, Shape, index_at, size
from tui_backprop.engine.training.iteration import Iteration

Index = tuple[int, ...]
ENTRYWISE = "arithmetic", "function"  # kinds of operations in which entries meet in the same place


def entry_index(iteration: Iteration, tensor: str, j: int, s: int, asked: TensorEntry | None = None) -> Index:
    """Return the index of an entry of a tensor: the one ``asked`` for, if it is of that tensor; else number ``j`` row
    by row, of sample ``s`` where the tensor has samples."""
    graph, shape = iteration.graph, iteration.tensor(tensor).shape
    lead: Index = (s,) if graph.per_sample(tensor) else ()
    if asked and asked[0] == graph.value_of(tensor) and len(asked[1]) == len(shape) - len(lead):
        return (*lead, *asked[1])
    rest = shape[len(lead) :]
    return (*lead, *index_at(min(j, size(rest) - 1), rest)) if rest else lead


def given(iteration: Iteration, chosen: TensorEntry) -> Sequence[ReceiptRow]:
    """Return the numbers that are given to a graph: of each input, or of each parameter, the ``chosen`` entry or the
    first one."""
    names = iteration.graph.inputs or tuple(iteration.graph.parameters)
    first = {name: (0,) * iteration.tensor(name).ndim for name in names}
    return [entry_row(iteration, "=", *at) for at in (first | dict([chosen])).items()]


def receipt(
    iteration: Iteration, step: Step, j: int, terms: int, s: int, asked: TensorEntry | None = None
) -> Sequence[ReceiptRow]:
    """Return the receipt of a step that is a single operation, or one of its VJPs."""
    visit = step.visits[-1]
    index = entry_index(iteration, step.tensor, j, s, asked)
    rows = _forward if visit.of is None else _backward
    return rows(iteration, step, visit, index, terms)


def named_index(iteration: Iteration, tensor: str, index: Index) -> Index:
    """Return the index that an entry is named with: without the sample, if there is one sample."""
    alone = iteration.batch == 1 and iteration.graph.per_sample(tensor)
    return index[1:] if alone else index


def name_of(iteration: Iteration, tensor: str, index: Index) -> str:
    """Name an entry."""
    return entry_name(tensor, named_index(iteration, tensor, index))


def entry_row(iteration: Iteration, sign: str, name: str, index: Index) -> ReceiptRow:
    """Return the row of an entry of a value or a gradient."""
    return ReceiptRow(sign, name_of(iteration, name, index), float(iteration.tensor(name)[index]))


def _aligned(index: Index, shape: Shape) -> Index:
    """Return the index, in an array that is broadcast, of what stands at an index of the result."""
    return tuple(i if n > 1 else 0 for i, n in zip(index[len(index) - len(shape) :], shape, strict=True))


def _forward(iteration: Iteration, step: Step, visit: Visit, index: Index, terms: int) -> list[ReceiptRow]:
    op, row = visit.op, visit.op.primitive
    end = entry_row(iteration, "=", op.output, index)
    if row.kind in FORWARD:
        return [*FORWARD[row.kind](iteration, op, index, partial(name_of, iteration), terms), end]
    if row.kind not in ENTRYWISE:
        if row.side:
            end = replace(end, label=f"{end.label} = {tidy(row.formula.format(*op.inputs))}")
            return [*_selected(iteration, op, index, terms), end]
        return [*_linear(iteration, op, index, terms), end]
    entries = [(name, _aligned(index, iteration.tensor(name).shape)) for name in op.inputs]
    rows = [entry_row(iteration, sign, *at) for sign, at in zip(("+", row.sign), entries, strict=False)]
    if row.sign:
        return [*rows, end]
    formula, numbers = row.formula, tuple(float(iteration.tensor(name)[at]) for name, at in entries)
    label = tidy(formula.format(*(name_of(iteration, *at) for at in entries)))
    others = [
        entry_row(iteration, ",", *at) for at in entries[1:] if iteration.graph.role(at[0]) != "constant"
    ]
    return [rows[0], *others, ReceiptRow("=", f"{end.label} = {label}", end.value, numbers, tidy(formula))]


def _selected(iteration: Iteration, op: Op, index: Index, terms: int) -> list[ReceiptRow]:
    """Return the entries that a largest or smallest one is selected from: the selected ones, then the nearest."""
    (name,) = op.inputs
    end, values = float(iteration.tensor(op.output)[index]), iteration.tensor(name)
    places = touched(iteration.program, op, 0, index, by_output=True)
    places.sort(key=lambda place: abs(float(values[place]) - end))
    shown = len(places) if len(places) <= terms + 1 else terms
    rows = [entry_row(iteration, "," if i else "+", name, place) for i, place in enumerate(places[:shown])]
    if shown == len(places):
        return rows
    last = rows[-1]
    more = f"{last.label}, then {len(places) - shown} others"
    return [*rows[:-1], replace(last, label=more)]


def _linear(iteration: Iteration, op: Op, index: Index, terms: int) -> list[ReceiptRow]:
    """Return the entries of the inputs that an entry of the output is a sum of, each times a factor."""
    read: list[tuple[int, Index]] = []
    values, shares = [], []
    product = op.primitive.factor is not None
    for i, name in enumerate(op.inputs[:1] if product else op.differentiated):
        factors = jacobian_row(iteration.program, op, i, index)
        for place in touched(iteration.program, op, i, index, by_output=True):
            read.append((i, place))
            values.append(float(iteration.tensor(name)[place]))
            shares.append(float(factors[place]))

    def label(k: int) -> str:
        i, place = read[k]
        factor = "" if shares[k] == 1 and not product else _factor(iteration, op, i, place, index)
        return " · ".join(filter(None, (name_of(iteration, op.inputs[i], place), factor)))

    if all(share == 1 for share in shares) and not product:
        return largest(label, np.array(values), terms)
    return summands(label, np.array(values), np.array(shares), terms)


def _shapes(iteration: Iteration, op: Op) -> list[Shape]:
    return [iteration.program.shapes[name] for name in op.inputs]


@dataclass(frozen=True, eq=False)
class Term:
    """A term of the gradient of the entry at an ``index`` of input ``i`` of an operation: the ``cotangent`` at a
    ``place`` of its output, times a ``factor``."""

    iteration: Iteration
    op: Op
    i: int
    index: Index
    place: Index
    cotangent: float
    factor: float

    @property
    def label(self) -> str:
        """The cotangent times the factor, in symbols."""
        iteration, op, place, row = self.iteration, self.op, self.place, self.op.primitive
        cotangent = name_of(iteration, iteration.graph.gradient_of(op.output), place)
        if row.kind in ENTRYWISE:
            formula = _unsummed(row.vjp_formulas[self.i])
            names = _entries(iteration, op, place)
            return tidy(formula.format(*names, g=cotangent, y=name_of(iteration, op.output, place), v=""))
        if self.factor == 1 and row.factor is None:
            return cotangent
        if self.factor == 0 and row.pattern:
            (won,) = np.argwhere(jacobian_row(iteration.program, op, self.i, place)).tolist()
            return f"{cotangent} goes to {name_of(iteration, op.inputs[self.i], tuple(won))}"
        return f"{cotangent} · {_factor(iteration, op, self.i, self.index, place)}"

    @property
    def factor_name(self) -> str:
        """The name of the factor, if it is an entry of another input; else ""."""
        row = self.op.primitive
        multiplies = row.sign == "*" or row.factor is not None
        return derivative_of(self.iteration, self.op, self.i, self.index, self.place) if multiplies else ""


def terms_of(iteration: Iteration, visit: Visit, index: Index) -> list[Term]:
    """List the terms that a backward visit adds to the gradient of an entry."""
    op, i = visit.op, visit.of or 0
    factors = jacobian_column(iteration.program, op, i, index)
    cotangents = iteration.tensor(iteration.graph.gradient_of(op.output))
    return [
        Term(iteration, op, i, index, place, float(cotangents[place]), float(factors[place]))
        for place in _places(iteration, op, i, index, factors)
    ]


def _backward(iteration: Iteration, step: Step, visit: Visit, index: Index, most: int) -> list[ReceiptRow]:
    graph = iteration.graph
    earlier = graph.visits_of[visit.writes]
    at = earlier.index(visit)
    rows = [entry_row(iteration, "+", graph.written(earlier[at - 1]), index)] if at else []
    if visit.op.primitive.kind in BACKWARD:
        own = BACKWARD[visit.op.primitive.kind](iteration, visit.op, index, partial(name_of, iteration), most)
        return [*rows, *own, entry_row(iteration, "=", step.tensor, index)]
    terms = terms_of(iteration, visit, index)
    left, right = np.array([term.cotangent for term in terms]), np.array([term.factor for term in terms])
    rows += summands(lambda k: terms[k].label, left, right, most)
    if not terms:
        rows.append(ReceiptRow("+", f"{name_of(iteration, visit.writes, index)} is not read", 0.0))
    return [*rows, entry_row(iteration, "=", step.tensor, index)]


def _places(iteration: Iteration, op: Op, i: int, index: Index, factors: Array) -> list[Index]:
    """Return the entries of the output that depend on an entry of an input, if only with a derivative of 0."""
    if op.primitive.kind in ENTRYWISE:
        shape = iteration.program.shapes[op.inputs[i]]
        return [place for place in np.ndindex(factors.shape) if _aligned(place, shape) == index]
    return touched(iteration.program, op, i, index, by_output=False)


def _entries(iteration: Iteration, op: Op, place: Index) -> list[str]:
    """Return the names of the entries of the inputs that meet in a ``place`` of the output."""
    return [name_of(iteration, name, _aligned(place, iteration.program.shapes[name])) for name in op.inputs]


def _factor(iteration: Iteration, op: Op, i: int, index: Index, place: Index) -> str:
    """Write the derivative of the output at a ``place`` by an input at an index: of a product, the entry of the other
    factor."""
    if op.primitive.factor is None:
        return f"∂{name_of(iteration, op.output, place)}/∂{name_of(iteration, op.inputs[i], index)}"
    at = op.primitive.factor(i, index, place, *_shapes(iteration, op))
    return name_of(iteration, op.inputs[1 - i], at)


def derivative_of(iteration: Iteration, op: Op, i: int, index: Index, place: Index) -> str:
    """Write the derivative of the output of an operation at a ``place`` by an entry of input ``i``."""
    row = op.primitive
    if row.kind not in ENTRYWISE:
        one = row.factor is None and jacobian_row(iteration.program, op, i, place)[index] == 1
        return "1" if one else _factor(iteration, op, i, index, place)
    names = _entries(iteration, op, place)
    formula = _unsummed(row.vjp_formulas[i]).replace("{g} · ", "").replace("{g}", "1")
    return tidy(formula.format(*names, y=name_of(iteration, op.output, place)))


def _unsummed(formula: str) -> str:
    """Return the formula of a VJP without the sum over repeated entries."""
    return formula[3:-2] if formula.startswith("Σ( ") and formula.endswith(" )") else formula
