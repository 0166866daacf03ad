"""Where a NaN or an infinity came from: the first number in the order of the walk that is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.network.graph import backward_visits, mask_shapes, parameter_shapes, parameter_slices
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import (
    INPUT,
    TARGET,
    entry_name,
    gradient_of,
    kind_of,
    layer_of,
    preactivation,
)
from tui_backprop.engine.primitives import Array, index_at

PARAMETERS = "parameters"  # the key of the new parameters among what an update made


@dataclass(frozen=True)
class NonFinite:
    """The first bad ``number``: entry ``index`` of ``value``, made by operation ``op`` of ``layer`` (0 and "" where
    it came in from outside). ``why`` says so in a sentence."""

    op: str
    layer: int
    value: str
    index: tuple[int, ...]
    number: float
    why: str


def first_nonfinite(program: Program) -> NonFinite | None:
    """The first entry that is NaN or infinite, looking at what came in, then at each operation in forward
    order, then at each gradient in backward order; None if every number is finite.

    Call it after a forward and a backward pass. Values that an operation in place has written over are made
    anew, in a pass that stops at the first bad one.
    """
    return nonfinite_forward(program) or next((bad for bad in _made_backward(program) if bad), None)


def nonfinite_forward(program: Program) -> NonFinite | None:
    """The first bad entry of the forward pass, which need not have been run."""
    return _came_in(program) or _made_forward(program)


def nonfinite_update(
    program: Program, made: Mapping[str, Array], rule: str, alpha: float
) -> NonFinite | None:
    """The first entry that an update (of the optimizer ``rule``, at rate ``alpha``) made NaN or infinite out of a
    pass that was finite. ``made`` are flat arrays (P,) in the order in which they were made: what the optimizer
    remembers, by name, and the new parameters as PARAMETERS."""
    for name, place in parameter_slices(program.spec).items():
        for slot, flat in made.items():
            values = flat[place].reshape(program.shapes[name])
            at = _first(values)
            if at is not None:
                layer, value = layer_of(name), name if slot == PARAMETERS else f"{slot} of {name}"
                why = f"{rule} in layer {layer} produced it at α = {alpha:.3g} from finite values"
                return _bad(f"{rule} update", layer, value, values, at, why, " after the update")
    return None


def _came_in(program: Program) -> NonFinite | None:
    for name in (INPUT, TARGET, *parameter_shapes(program.spec)):
        at = _first(program.values[name])
        if at is not None:
            return _bad("", 0, name, program.values[name], at, "it was there before this pass")
    return None


def _made_forward(program: Program) -> NonFinite | None:
    again = Program(program.spec, program.batch, program.parameters, str(program.dtype))
    for name in (INPUT, TARGET, *mask_shapes(program.spec, program.batch)):
        np.copyto(again.values[name], program.values[name])
    for op, _ in zip(program.ops, again.steps(), strict=True):
        at = _first(again.values[op.output])
        if at is not None:
            why = f"{op.primitive.name} in layer {op.layer} produced it from finite values"
            when = f" ({preactivation(op.layer)} before its bias)" if kind_of(op.output) == "product" else ""
            return _bad(op.primitive.name, op.layer, op.output, again.values[op.output], at, why, when)
    return None


def _made_backward(program: Program) -> Iterator[NonFinite | None]:
    for visit in backward_visits(program.spec):
        made, row = program.cotangents.get(visit.writes), visit.op.primitive
        at = None if made is None else _first(made)
        if made is not None and at is not None:
            why = f"the vjp of {row.name} in layer {visit.op.layer} produced it from finite values"
            yield _bad(f"{row.name} vjp", visit.op.layer, gradient_of(visit.writes), made, at, why)


def _first(values: Array) -> tuple[int, ...] | None:
    """Index of the first entry that is not finite, row by row."""
    with np.errstate(all="ignore"):
        if values.dtype.kind in "iu" or np.isfinite(values.sum()):  # a finite sum has no bad terms
            return None
    bad = ~np.isfinite(values)
    if not bad.any():
        return None
    return index_at(int(np.argmax(bad)), values.shape)


def _bad(
    op: str, layer: int, value: str, values: Array, at: tuple[int, ...], why: str, when: str = ""
) -> NonFinite:
    place = entry_name(value, at) if at else value
    return NonFinite(op, layer, value, at, float(values[at]), f"{place}{when} is {float(values[at])}: {why}")
