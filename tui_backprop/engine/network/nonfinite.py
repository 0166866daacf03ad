"""The origin of a NaN or an infinity: the first such value, in the order in which a pass computes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array, index_at
from tui_backprop.support.format import format_number

PARAMETERS = "parameters"  # the key of the new parameters among the results of an update
IN_DOUBLE = 10**7  # parameters up to which a bad value is computed again in double precision


@dataclass(frozen=True)
class NonFinite:
    """The first bad ``number``: entry ``index`` of ``value``, computed by operation ``op`` of ``block`` (0 and "" for
    an input or a parameter) of training ``iteration`` (None: of the one in view). ``cause`` says why."""

    op: str
    block: int
    value: str
    index: tuple[int, ...]
    number: float
    cause: str
    details: str = ""
    when: str = ""
    iteration: int | None = None

    @property
    def brief(self) -> str:
        """The origin in a sentence: z1[0,2] is ∞: matmul in layer 1 overflows float32"""
        place = entry_name(self.value, self.index) if self.index else self.value
        first = "" if self.iteration is None else f"first in iteration {self.iteration:,}: "
        return f"{first}{place}{self.when} is {format_number(self.number)}: {self.cause}"

    @property
    def why(self) -> str:
        """The origin in a sentence, with the number that it would be in double precision."""
        return f"{self.brief}{self.details}"


def finite(values: Array) -> bool:
    """Return whether every entry is finite."""
    return first_bad_index(values) is None


def first_bad_index(values: Array) -> tuple[int, ...] | None:
    """The index of the first entry that is NaN or infinite, row by row; None if there is none."""
    with np.errstate(all="ignore"):
        if values.dtype.kind in "iu" or np.isfinite(values.sum()):  # a finite sum has no bad terms
            return None
    bad = ~np.isfinite(values)
    return index_at(int(np.argmax(bad)), values.shape) if bad.any() else None


def first_nonfinite(program: Program) -> NonFinite | None:
    """The first entry that is NaN or infinite: of the inputs and parameters, then of each operation's output in
    forward order, then of each gradient in backward order; None if every number is finite.

    Call it after a forward and a backward pass. Values that an operation in place has overwritten are computed
    again, in a pass that stops at the first bad one.
    """
    return nonfinite_forward(program) or _nonfinite_backward(program)


def nonfinite_forward(program: Program) -> NonFinite | None:
    """The first bad entry of the forward pass, which need not have been run."""
    return nonfinite_inputs(program) or _nonfinite_outputs(program)


def nonfinite_update(
    program: Program, made: Mapping[str, Array], rule: str, alpha: float, epsilon: float
) -> NonFinite | None:
    """The first entry that an update (of the optimizer ``rule``, at rate ``alpha``) made NaN or infinite after a pass
    that was finite. ``made`` are flat arrays (P,) in the order in which they are computed: the optimizer's slots, by
    name, and the new parameters as PARAMETERS. ``epsilon`` keeps the rule from dividing by 0, unless the precision
    rounds it to 0."""
    for name, place in program.graph.slices.items():
        for slot, flat in made.items():
            values = flat[place].reshape(program.shapes[name])
            at = first_bad_index(values)
            if at is not None:
                value = name if slot == PARAMETERS else f"{slot} of {name}"
                cause, details = _cause(f"{rule} at α = {alpha:.3g}", values, at)
                if not values.dtype.type(epsilon):
                    details += f", or divides by ε, which is 0 in {values.dtype}"
                number = float(values[at])
                return NonFinite(
                    f"{rule} update",
                    program.graph.block(name),
                    value,
                    at,
                    number,
                    cause,
                    details,
                    " after the update",
                )
    return None


def nonfinite_inputs(program: Program) -> NonFinite | None:
    """The first bad entry of the inputs and parameters."""
    for name in (*program.graph.data, *program.graph.parameters):
        at = first_bad_index(program.values[name])
        if at is not None:
            number = float(program.values[name][at])
            return NonFinite("", 0, name, at, number, "it was so before the forward pass")
    return None


def _again(program: Program, dtype: str) -> Program:
    """The program with the same batch and parameters, in a precision of its own; not run."""
    again = Program(program.spec, program.batch, program.parameters.astype(dtype), dtype)
    again.feed_as(program)
    return again


def _nonfinite_outputs(program: Program) -> NonFinite | None:
    again = _again(program, str(program.dtype))
    for n, (op, _) in enumerate(zip(program.ops, again.steps(), strict=True), 1):
        if not finite(again.values[op.output]):
            double = _double(program)
            if double is not None:
                double.forward(stop=n)
            return bad_output(
                program.graph, op, again.values[op.output], double.values[op.output] if double else None
            )
    return None


def bad_output(graph: Graph, op: Op, values: Array, double: Array | None = None) -> NonFinite | None:
    """The first bad entry of the output of an operation whose inputs are finite; ``double`` is that output in double
    precision, if it is known."""
    at = first_bad_index(values)
    if at is None:
        return None
    when = (
        f" ({graph.readers[op.output][0].output} before its bias)" if op.output in graph.overwritten else ""
    )
    cause, details = _cause(f"{op.primitive.name} in {graph.blocks[op.block].title}", values, at, double)
    return NonFinite(op.primitive.name, op.block, op.output, at, float(values[at]), cause, details, when)


def _nonfinite_backward(program: Program) -> NonFinite | None:
    for visit in program.graph.backward_visits:
        made = program.cotangents.get(visit.writes)
        if made is not None and not finite(made):
            double = _double(program)
            if double is not None:
                double.forward()
                double.backward()
            return bad_gradient(
                program.graph, visit, made, double.cotangents[visit.writes] if double else None
            )
    return None


def bad_gradient(graph: Graph, visit: Visit, values: Array, double: Array | None = None) -> NonFinite | None:
    """The first bad entry of the gradient that a backward visit writes, from finite values; ``double`` is that
    gradient in double precision, if it is known."""
    at = first_bad_index(values)
    if at is None:
        return None
    name, block = visit.op.primitive.name, visit.op.block
    cause, details = _cause(f"the vjp of {name} in {graph.blocks[block].title}", values, at, double)
    return NonFinite(
        f"{name} vjp", block, graph.gradient_of(visit.writes), at, float(values[at]), cause, details
    )


def _double(program: Program) -> Program | None:
    """The program in double precision, not run; None for one of that precision, or a large one."""
    if program.dtype == np.float64 or program.spec.parameters > IN_DOUBLE:
        return None
    return _again(program, "float64")


def _cause(made: str, values: Array, at: tuple[int, ...], double: Array | None = None) -> tuple[str, str]:
    """Why ``made`` (an operation and its place) gives no finite number from finite ones, in brief, and the details:
    the number in double precision, if it is known, and the range.

    From finite numbers, NaN is ∞ − ∞ or 0 · ∞ of parts that overflow. So can an infinite result be within the range:
    the mean of numbers whose sum is not.
    """
    number = np.nan if double is None else float(double[at])
    largest = float(np.finfo(values.dtype).max)
    limit, known = format_number(largest), f"; in float64 it is {format_number(number, sign=True)}"
    if not np.isfinite(number):
        return f"{made} overflows {values.dtype}", f", whose largest number is {limit}"
    if abs(number) > largest:
        return f"{made} overflows {values.dtype}", f"{known}, beyond {limit}"
    return f"a part of {made} overflows {values.dtype}", known
