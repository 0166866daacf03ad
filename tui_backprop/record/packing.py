"""From the tape of a step to what is written: only what the loss depends on, with the arrays that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from tui_backprop.engine.frontends.recording.recorded import (
    LEFT_OVER,
    VALUE,
    RecordedFunction,
    RecordedIteration,
    RecordedModule,
    RecordedOp,
    RecordedValue,
    Statistics,
)
from tui_backprop.engine.frontends.recording.statistics import statistics_of
from tui_backprop.engine.frontends.recording.validity import values_in
from tui_backprop.engine.primitives import Array
from tui_backprop.files.recording import Room
from tui_backprop.record.kept import Kept
from tui_backprop.record.tape import LEAF, Node, Tape, TapeOp, TapeValue

WIDENED = (torch.bfloat16, torch.float16)  # types that are kept as float32


def packed(tape: Tape, number: int, names: Mapping[int, str], kept: Kept, room: Room) -> RecordedIteration:
    """Write the arrays of a step, and return its description."""
    return _Packing(tape, number, names, kept, room).whole()


def numpy_of(tensor: Any) -> Array:
    """Return a tensor as an array: from any device, and in single precision where numpy has no such type."""
    tensor = tensor.detach()
    if tensor.dtype in WIDENED:
        tensor = tensor.float()
    found: Array = tensor.cpu().contiguous().numpy()
    return found


class _Packing:
    """Writes one step."""

    def __init__(self, tape: Tape, number: int, names: Mapping[int, str], kept: Kept, room: Room) -> None:
        self._tape, self._number, self._names, self._kept, self._room = tape, number, names, kept, room
        self._ops = [*_needed(tape)]
        used = {value for op in self._ops for value in (*_read(op), *op.outputs)}
        used |= {value for each in tape.functions for value in (*each.inputs, *each.outputs)}
        used |= {value for value, _ in tape.roots}
        self._at = {value: k for k, value in enumerate(sorted(used))}  # the new numbers of values
        self._module_of = {value: op.module for op in self._ops for value in (*_read(op), *op.outputs)}
        self._statistics: dict[str, Statistics] = {}
        self._written: dict[
            int, tuple[str, Any]
        ] = {}  # keys by the ids of tensors, and these, so that ids stay
        self._bad: list[str] = []
        self._bytes = self._left = 0

    def whole(self) -> RecordedIteration:
        """Write everything."""
        by_node = {value.node: value for value in self._values() if value.node is not None}
        values = tuple(self._value(value) for value in self._values())
        ops = tuple(self._op(k, op, by_node) for k, op in enumerate(self._ops))
        functions = tuple(
            RecordedFunction(
                each.name, self._numbers(each.inputs), self._numbers(each.outputs),
                self._terms(f"function{k}", each.node, by_node), each.module,
            )
            for k, each in enumerate(self._tape.functions)
        )  # fmt: skip
        roots = tuple(
            (self._at[value], "" if seed is None else self._write(f"seed{k}", seed, always=True))
            for k, (value, seed) in enumerate(self._tape.roots)
        )
        if self._left:
            self._kept.warn(self._number, self._left)
        modules: tuple[RecordedModule, ...] = tuple(self._tape.modules)
        notes = (LEFT_OVER,) if any(value.before for value in values) else ()
        return RecordedIteration(
            self._number,
            values,
            ops,
            modules,
            functions,
            roots,
            (*self._tape.notes, *notes),
            self._statistics,
            tuple(self._bad),
        )

    def _values(self) -> Iterator[TapeValue]:
        return (self._tape.values[number] for number in self._at)

    def _numbers(self, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self._at[value] for value in values)

    def _value(self, value: TapeValue) -> RecordedValue:
        number = self._at[value.number]
        inside = self._inside(value.number)
        cotangents = self._tape.cotangents.get(value.node, []) if value.node else []
        cotangent = sum(cotangents[1:], cotangents[0]) if cotangents else None
        before = self._tape.before.get(id(value.tensor)) if value.node and value.node[0] == LEAF else None
        return RecordedValue(
            value.shape, value.dtype, self._names.get(id(value.tensor), ""), value.parameter, value.differentiable,
            "" if value.view else self._write(f"value{number}", value.numbers, inside),
            "" if cotangent is None else self._write(f"cotangent{number}", cotangent, inside),
            "" if before is None or not before.any() else self._write(f"before{number}", before, inside),
        )  # fmt: skip

    def _inside(self, value: int) -> bool:
        """Return whether a value is of a module whose arrays are kept."""
        call = self._module_of.get(value, 0)
        return self._kept.module(self._tape.modules[call].name)

    def _op(self, k: int, op: TapeOp, by_node: Mapping[Node, TapeValue]) -> RecordedOp:
        node = self._tape.values[op.outputs[0]].node if op.function is None else None
        sequence = None if node is None or node[0] == LEAF else node[0]
        return RecordedOp(
            op.name, tuple(map(self._argument, op.arguments)),
            {name: self._argument(each) for name, each in op.keywords.items()},
            self._numbers(op.outputs), op.module, op.function,
            self._terms(f"term{k}", sequence, by_node), op.tracked,
        )  # fmt: skip

    def _terms(
        self, key: str, sequence: int | None, by_node: Mapping[Node, TapeValue]
    ) -> tuple[tuple[int, str], ...]:
        """Write what an operation of autograd contributed to cotangents, where that is not all of them."""
        found = []
        for i, (edge, term) in enumerate(self._tape.terms.get(-1 if sequence is None else sequence, ())):
            value = by_node.get(edge)
            cotangents = self._tape.cotangents.get(edge, [])
            whole = len(cotangents) == 1 and cotangents[0] is term
            if value is not None and not whole:
                inside = self._inside(value.number)
                found.append((self._at[value.number], self._write(f"{key}.{i}", term, inside)))
        return tuple(found)

    def _argument(self, argument: Any) -> Any:
        if isinstance(argument, list):
            return [self._argument(each) for each in argument]
        if isinstance(argument, dict) and VALUE in argument:
            return {VALUE: self._at[argument[VALUE]]}
        return argument

    def _write(self, name: str, tensor: Any, inside: bool = True, always: bool = False) -> str:
        """Write an array, or its statistics; return its key."""
        if id(tensor) in self._written:  # a cotangent that an operation passes on as it is
            return self._written[id(tensor)][0]
        key, array = f"{self._number}/{name}", numpy_of(tensor)
        self._written[id(tensor)] = key, tensor
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            self._bad.append(key)
        beyond = self._bytes + array.nbytes > self._kept.limit
        if (inside and not beyond) or always or array.ndim == 0:
            self._bytes += array.nbytes
            self._room.add(key, array)
        else:
            self._left += inside
            self._statistics[key] = statistics_of(np.real(array))
        return key


def _read(op: TapeOp) -> tuple[int, ...]:
    return (*values_in(op.arguments), *values_in([*op.keywords.values()]))


def _needed(tape: Tape) -> Iterator[TapeOp]:
    """Yield the operations that the roots of the backward pass depend on, in order."""
    wanted = {value for value, _ in tape.roots} | {value for each in tape.functions for value in each.outputs}
    needed: list[TapeOp] = []
    for op in reversed(tape.ops):
        if wanted.intersection(op.outputs):
            needed.append(op)
            wanted.update(_read(op))
    return reversed(needed)
