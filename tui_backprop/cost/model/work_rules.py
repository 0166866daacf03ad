"""The rules that passes run, and the work of each: operations, bytes of parameters and of values, and calls from
Python, summed over the table of primitives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.cost.model.network_shape import CostShape
from tui_backprop.cost.model.pattern_counts import PatternCounts, Repeats, counts_of
from tui_backprop.cost.model.symbolic_sizes import Sizes, numbers, sized
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.primitives import Shape, size

ROW_BYTES = 512  # of a row, below which it takes no longer to begin than to go on


@dataclass(frozen=True)
class Work:
    """Work of a pass of one sample: ``flops``, those among them that are ``elementwise``, of values; bytes of
    parameters ``read`` and of their gradients ``written``, in so many rows of matrices; bytes of ``values`` read and
    written; ``calls`` from Python; and the bytes of its working set (``touched``).

    Gradients in tiles, which stay in a cache, are ``tiled``. FLOPs of products that read a number of a matrix more
    than once (for each position, or for many samples at once) are bound by operations, not by memory: they are
    ``multiplied``, times the bytes of a number."""

    flops: float
    elementwise: float
    read: float
    written: float
    rows_read: float
    rows_written: float
    values: float
    calls: float
    touched: float
    complex: bool = False
    tiled: float = 0.0
    multiplied: float = 0.0


@dataclass(frozen=True)
class Rule:
    """One rule that a pass runs, in a pattern: its ``flops``, a function of the shapes of its ``inputs``; the shapes
    of parameters ``read`` and ``written``, and of ``values`` read or written; its ``calls``; True if it is a
    ``product``; and the number that stands for how many ``times`` it runs."""

    flops: Callable[..., float]
    inputs: tuple[Shape, ...]
    read: tuple[Shape, ...] = ()
    written: tuple[Shape, ...] = ()
    values: tuple[Shape, ...] = ()
    calls: int = 1
    product: bool = False
    times: int = 1

    @property
    def elementwise(self) -> bool:
        """True if it is no product and goes through no matrix of parameters."""
        return not self.product and all(len(shape) == 1 for shape in (*self.read, *self.written))

    def operations(self, sizes: Sizes) -> float:
        return self.flops(*(sized(shape, sizes) for shape in self.inputs))

    def multiplied(self, sizes: Sizes) -> float:
        """Return the FLOPs of a product beyond those of reading, or writing, each number of its parameters once."""
        if not self.product:
            return 0.0
        return max(self.operations(sizes) - 2 * numbers((*self.read, *self.written), sizes), 0.0)


def _rows(shapes: Iterable[Shape], sizes: Sizes, itemsize: int) -> float:
    """Return how many rows matrices of these shapes have; of very short ones, as many as are ROW_BYTES long."""
    return sum(
        min(sized(shape, sizes)[0], itemsize * numbers((shape,), sizes) / ROW_BYTES)
        for shape in shapes
        if len(shape) > 1
    )


@lru_cache(maxsize=64)
def forward_rules(pattern: Model, repeats: Repeats = ()) -> tuple[Rule, ...]:
    """Return the rules of a forward pass of a pattern, in whose graph some blocks are repeated."""
    counts = counts_of(pattern, repeats)

    def rule(op: Op) -> Rule:
        inputs = counts.inputs(op)
        return Rule(
            op.primitive.flops,
            inputs,
            read=counts.parameters(op.inputs),
            values=counts.values_of(op),
            product=op.primitive.macs(*inputs) > 0,
            times=counts.times(op, op.output),
        )

    return tuple(map(rule, counts.graph.ops))


@lru_cache(maxsize=64)
def backward_rules(pattern: Model, repeats: Repeats = ()) -> tuple[Rule, ...]:
    """Return the rules of a backward pass."""
    counts = counts_of(pattern, repeats)

    def rules(visit: Visit) -> tuple[Rule, ...]:
        op, row, of = visit.op, visit.op.primitive, visit.of or 0
        only_passed_on = row.passes_on and of == 0 and not visit.adds
        inputs, read, to = counts.inputs(op), counts.read(op, row.vjp_formulas[of]), (visit.writes,)
        term = Rule(
            row.vjp_flops[of],
            inputs,
            counts.parameters(read),
            counts.parameters(to),
            () if only_passed_on else counts.values((*read, *to)),
            0 if only_passed_on else 1,
            row.macs(*inputs) > 0,
            counts.times(op, visit.writes),
        )
        return (term, _sum(counts, visit.writes, term.times)) if visit.adds else (term,)

    return tuple(rule for visit in counts.graph.backward_visits for rule in rules(visit))


def _sum(counts: PatternCounts, name: str, times: int) -> Rule:
    """Return the rule that adds an array to another one, in place, of the shape of a value or parameter."""
    shape, parameter = counts.shapes[name], counts.parameters((name,))
    return Rule(size, (shape,), parameter, parameter, counts.values((name, name)), times=times)


@lru_cache(maxsize=64)
def tangent_rules(pattern: Model, repeats: Repeats = ()) -> tuple[Rule, ...]:
    """Return the rules of a JVP along all parameters. A parameter's tangent is read as often as it is itself; that of
    an input stands where its VJP has the cotangent."""
    counts, rules = counts_of(pattern, repeats), []
    for op in counts.graph.ops:
        row, inputs = op.primitive, counts.inputs(op)
        sources = [i for i in range(len(row.jvps)) if op.inputs[i] in counts.graph.differentiable]
        for i in sources:
            used = op.inputs[i], *counts.read(op, row.vjp_formulas[i].replace("{g}", ""))
            times = counts.times(op, op.inputs[i])
            rules.append(
                Rule(
                    row.vjp_flops[i],
                    inputs,
                    counts.parameters(used),
                    values=counts.values((*used, op.output)),
                    product=row.macs(*inputs) > 0,
                    times=times,
                )
            )
            if i != sources[0]:
                rules.append(_sum(counts, op.output, times))
    return tuple(rules)


def summed(shape: CostShape, touched: float, *parts: tuple[Rule, ...]) -> Work:
    """Sum up rules that go through so many numbers; equal ones are computed once."""
    sizes, bytes_ = shape.sizes, shape.itemsize
    flops = elementwise = read = written = rows_read = rows_written = values = calls = multiplied = 0.0
    for rule, count in Counter(rule for part in parts for rule in part).items():
        times = count * sizes.get(rule.times, rule.times)
        operations = times * rule.operations(sizes)
        flops += operations
        elementwise += operations * rule.elementwise
        read += times * numbers(rule.read, sizes)
        written += times * numbers(rule.written, sizes)
        rows_read += times * _rows(rule.read, sizes, bytes_)
        rows_written += times * _rows(rule.written, sizes, bytes_)
        values += times * numbers(rule.values, sizes)
        calls += times * rule.calls
        multiplied += times * rule.multiplied(sizes)
    moved = bytes_ * read, bytes_ * written, rows_read, rows_written, bytes_ * values
    return Work(flops, elementwise, *moved, calls, bytes_ * touched, multiplied=bytes_ * multiplied)
