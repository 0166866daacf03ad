"""Rerun single operations of a finished pass, to recover values that a later operation overwrote."""

from __future__ import annotations

from typing import Any

import numpy as np

from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array, Primitive, Shape, size

GOLDEN = (5**0.5 - 1) / 2  # times squares, its fractions are spread evenly and in no order


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


def first_terms(program: Program, name: str) -> Array:
    """Return the sum of the first terms of a derivative, named "da1 so far"."""
    value, _, terms = program.graph.tensors[name]
    visits = program.graph.visits_of.get(value, ())[:terms]
    if not visits:
        raise KeyError(name)
    made = contribution(program, visits[0])
    for visit in visits[1:]:
        made = np.asarray(made + contribution(program, visit))
    made.setflags(write=False)
    return made


def contribution(program: Program, visit: Visit) -> Array:
    """Return the term that one backward visit adds to the derivative of its value."""
    return pulled(program, visit.op, visit.of or 0, program.cotangents[visit.op.output])


def pulled(program: Program, op: Op, i: int, cotangent: Array) -> Array:
    """Run the VJP of an operation by input ``i``."""
    made = np.empty(program.shapes[op.inputs[i]], program.dtype)
    with np.errstate(all="ignore"):
        op.primitive.vjps[i](made, cotangent, *_forward_again(program, op))
    made.setflags(write=False)
    return made


def _forward_again(program: Program, op: Op) -> tuple[Any, ...]:
    """Return the output of an operation, a cache of its own (that of the pass is read-only), and its inputs."""
    inputs = [program.values[name] for name in op.inputs]
    y, row = program.values[op.output], op.primitive
    room = row.room(program.dtype, *(array.shape for array in inputs))
    if room:
        row.forward(np.empty_like(y), room, *inputs)
    return y, room, *inputs


def touched(
    program: Program, op: Op, i: int, index: tuple[int, ...], by_output: bool
) -> list[tuple[int, ...]]:
    """List the entries of input ``i`` that an entry of the output is made of (``by_output``), or the entries of the
    output that an entry of the input is part of: those with a derivative where the inputs that have one are such that
    none is 0 by chance."""
    row = op.primitive.pattern or op.primitive
    inputs = [
        _ordinary(program.shapes[name], program.dtype, row)
        if name in op.differentiated
        else program.values[name]
        for name in op.inputs
    ]
    y = np.empty(program.shapes[op.output], program.dtype)
    room = row.room(program.dtype, *(array.shape for array in inputs))
    row.forward(y, room, *inputs)
    one = np.zeros(program.shapes[op.output if by_output else op.inputs[i]], program.dtype)
    one[index] = 1
    made = np.empty(program.shapes[op.inputs[i] if by_output else op.output], program.dtype)
    (row.vjps if by_output else row.jvps)[i](made, one, y, room, *inputs)
    return [tuple(map(int, place)) for place in np.argwhere(made)]


def _ordinary(shape: Shape, dtype: np.dtype[Any], row: Primitive) -> Array:
    """Return entries at which no derivative is 0 by chance: all different, between 1 and 2; all the same where the
    operation selects some."""
    if row.side:
        return np.ones(shape, dtype)
    return (1 + np.arange(size(shape)) ** 2 * GOLDEN % 1).reshape(shape).astype(dtype)


def jacobian_row(program: Program, op: Op, i: int, index: tuple[int, ...]) -> Array:
    """Return the derivatives of an entry of an operation's output by all entries of input ``i``, by its VJP."""
    one = np.zeros(program.shapes[op.output], program.dtype)
    one[index] = 1
    return pulled(program, op, i, one)


def jacobian_column(program: Program, op: Op, i: int, index: tuple[int, ...]) -> Array:
    """Return the derivatives of all entries of an operation's output by an entry of input ``i``, by its JVP."""
    one = np.zeros(program.shapes[op.inputs[i]], program.dtype)
    one[index] = 1
    made = np.empty(program.shapes[op.output], program.dtype)
    with np.errstate(all="ignore"):
        op.primitive.jvps[i](made, one, *_forward_again(program, op))
    return made
