"""Rerun single operations of a finished pass, to recover values that a later operation overwrote."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array


def overwritten(program: Program, value: str) -> Array:
    """Return a value as its operation computed it, even if the next one has written to the same memory (as the bias
    is added to ``uk``). Raises KeyError if no operation computes it."""
    op = program.graph.by_output.get(value)
    if op is None:
        raise KeyError(value)
    inputs = [program.values[name] for name in op.inputs]
    made = np.empty(program.shapes[value], program.dtype)
    room = op.primitive.room(program.dtype, *(array.shape for array in inputs))
    with np.errstate(all="ignore"):
        op.primitive.forward(made, room, *inputs)
    made.setflags(write=False)
    return made


def first_term(program: Program, name: str) -> Array:
    """Return the first of several terms of a derivative, named "da1 so far"."""
    value = program.graph.value_of(name)
    visit = next((visit for visit in program.graph.backward_visits if visit.writes == value), None)
    if visit is None:
        raise KeyError(name)
    return contribution(program, visit)


def contribution(program: Program, visit: Visit) -> Array:
    """Return the term that one backward visit adds to the derivative of its value."""
    rule, (given, y, _, *inputs) = program.vjp(visit)
    row = visit.op.primitive
    room = row.room(program.dtype, *(array.shape for array in inputs))  # that of the pass is read-only
    made = np.empty(program.shapes[visit.writes], program.dtype)
    with np.errstate(all="ignore"):
        if room:
            row.forward(np.empty_like(y), room, *inputs)
        rule(made, given, y, room, *inputs)
    made.setflags(write=False)
    return made
