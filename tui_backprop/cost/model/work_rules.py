"""The rules that passes run, and the work of each: operations, bytes of parameters and of values, and calls from
Python, summed over the table of primitives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.cost.model.network_shape import CostShape, Sizes
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.primitives import Shape, fields

ROW_BYTES = 512  # of a row, below which it takes no longer to begin than to go on

FloatShape = tuple[float, ...]


@dataclass(frozen=True)
class Work:
    """Work of a pass of one sample: ``flops``, those among them that are ``elementwise``, of values; bytes of
    parameters ``read`` and of their gradients ``written``, in so many rows of matrices; bytes of ``values`` read and
    written; ``calls`` from Python; and the bytes of its working set (``touched``).

    Gradients in tiles, which stay in a cache, are ``tiled``. FLOPs with many samples at once are bound by operations,
    not by memory: they are ``multiplied``, times the bytes of a number."""

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
    of the values that are ``added`` to it, of parameters ``read`` and ``written``, and of ``values`` read or written;
    and its ``calls``."""

    flops: Callable[..., float]
    inputs: tuple[Shape, ...]
    added: tuple[Shape, ...] = ()
    read: tuple[Shape, ...] = ()
    written: tuple[Shape, ...] = ()
    values: tuple[Shape, ...] = ()
    calls: int = 1

    @property
    def elementwise(self) -> bool:
        """True if it goes through no matrix of parameters."""
        return all(len(shape) == 1 for shape in (*self.read, *self.written))

    def operations(self, sizes: Sizes) -> float:
        inputs = [sized(shape, sizes) for shape in self.inputs]
        return self.flops(*inputs) + numbers(self.added, sizes)


def sized(shape: Shape, sizes: Sizes) -> FloatShape:
    return tuple(sizes.get(n, n) for n in shape)


def numbers(shapes: Iterable[Shape], sizes: Sizes) -> float:
    """Return how many numbers arrays of these shapes have."""
    total = 0.0
    for shape in shapes:
        count = 1.0
        for n in sized(shape, sizes):
            count *= n
        total += count
    return total


def _rows(shapes: Iterable[Shape], sizes: Sizes, itemsize: int) -> float:
    """Return how many rows matrices of these shapes have; of very short ones, as many as are ROW_BYTES long."""
    return sum(
        min(sized(shape, sizes)[0], itemsize * numbers((shape,), sizes) / ROW_BYTES)
        for shape in shapes
        if len(shape) > 1
    )


@lru_cache(maxsize=64)
def forward_rules(pattern: Model) -> tuple[Rule, ...]:
    shapes, parameters = pattern.graph.shapes(1), pattern.graph.parameters

    def rule(op: Op) -> Rule:
        read = tuple(shapes[name] for name in op.inputs if name in parameters)
        values = _values((*op.inputs, op.output), pattern)
        inputs = tuple(shapes[name] for name in op.inputs)
        return Rule(op.primitive.flops, inputs, read=read, values=values)

    return tuple(map(rule, pattern.graph.ops))


@lru_cache(maxsize=64)
def backward_rules(pattern: Model) -> tuple[Rule, ...]:
    shapes, parameters = pattern.graph.shapes(1), pattern.graph.parameters

    def rule(visit: Visit) -> Rule:
        row, of, names = visit.op.primitive, visit.of or 0, visit.op.inputs
        only_passed_on = row.passes_on and of == 0 and not visit.adds
        written = (shapes[visit.writes],) if visit.writes in parameters else ()
        return Rule(
            row.vjp_flops[of],
            tuple(shapes[name] for name in names),
            (shapes[visit.writes],) * visit.adds,
            _parameters_in(row.vjp_formulas[of], names, pattern),
            written,
            () if only_passed_on else _values((*names, visit.op.output, visit.writes), pattern),
            0 if only_passed_on else 1 + visit.adds,
        )

    return tuple(map(rule, pattern.graph.backward_visits))


@lru_cache(maxsize=64)
def tangent_rules(pattern: Model) -> tuple[Rule, ...]:
    """Return the rules of a JVP along all parameters. A parameter's tangent is read as often as it is itself."""
    shapes, parameters = pattern.graph.shapes(1), pattern.graph.parameters
    rules = []
    for op in pattern.graph.ops:
        row, inputs = op.primitive, tuple(shapes[name] for name in op.inputs)
        sources = [i for i in range(len(row.jvps)) if op.inputs[i] in pattern.graph.differentiable]
        for i in sources:
            tangent = (inputs[i],) if op.inputs[i] in parameters else ()
            read = tangent + _parameters_in(row.vjp_formulas[i], op.inputs, pattern)
            added = (shapes[op.output],) * (i != sources[0])
            values = _values((*op.inputs, op.output), pattern)
            rules.append(Rule(row.vjp_flops[i], inputs, added, read, (), values, 1 + len(added)))
    return tuple(rules)


def _values(names: Iterable[str], pattern: Model) -> tuple[Shape, ...]:
    """Return the shapes of those that are not parameters."""
    shapes, parameters = pattern.graph.shapes(1), pattern.graph.parameters
    return tuple(shapes[name] for name in names if name not in parameters)


def _parameters_in(formula: str, inputs: tuple[str, ...], pattern: Model) -> tuple[Shape, ...]:
    """Return the shapes of the parameters that a formula reads."""
    parameters = pattern.graph.parameters
    names = [inputs[int(field)] for field in sorted(fields(formula)) if field.isdigit()]
    return tuple(parameters[name] for name in names if name in parameters)


def summed(shape: CostShape, touched: float, *parts: tuple[Rule, ...]) -> Work:
    """Sum up rules that go through so many numbers; equal ones are computed once."""
    sizes, bytes_ = shape.sizes, shape.itemsize
    flops = elementwise = read = written = rows_read = rows_written = values = calls = 0.0
    for rule, times in Counter(rule for part in parts for rule in part).items():
        operations = times * rule.operations(sizes)
        flops += operations
        elementwise += operations * rule.elementwise
        read += times * numbers(rule.read, sizes)
        written += times * numbers(rule.written, sizes)
        rows_read += times * _rows(rule.read, sizes, bytes_)
        rows_written += times * _rows(rule.written, sizes, bytes_)
        values += times * numbers(rule.values, sizes)
        calls += times * rule.calls
    moved = bytes_ * read, bytes_ * written, rows_read, rows_written, bytes_ * values
    return Work(flops, elementwise, *moved, calls, bytes_ * touched)
