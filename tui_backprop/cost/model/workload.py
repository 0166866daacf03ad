"""The work of a pass: operations, bytes of parameters read and written, and calls from Python, summed over the table
of primitives.

Of the bytes, those of parameters and their gradients count, of every tensor; those of values are left out: for one
sample they are few beside the weights that make them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter

from tui_backprop.cost.model.network_shape import NetworkShape, Sizes
from tui_backprop.engine.gradients.batched import perturbed_at_once
from tui_backprop.engine.network.graph import (
    Op,
    Visit,
    backward_visits,
    compile_ops,
    differentiable,
    parameter_shapes,
    value_shapes,
)
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.primitives import Shape, fields

PARAMETERS_A_PASS = 256  # parameters that the batched method perturbs in one pass
CALLS_A_BATCH = 15  # of numpy that the batched method makes in each pass, besides those of the pass
CALLS_OF_BOTH = 20  # times the calls of a pass, that making and running its two programs takes
COMPLEX_FLOPS = 4  # real operations in a complex one: a product with its sum takes 8 for 2

FloatShape = tuple[float, ...]


@dataclass(frozen=True)
class Work:
    """Work of a pass of one sample: ``flops``, bytes ``read`` and ``written``, ``calls`` from Python, and the bytes
    of its working set (``touched``)."""

    flops: float
    read: float
    written: float
    calls: float
    touched: float


# --- operations of a pattern -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One rule that a pass runs, in a pattern: its ``flops``, a function of the shapes of its ``inputs``; the shapes
    of the values that are ``added`` to it, and of parameters ``read`` and ``written``; and its ``calls``."""

    flops: Callable[..., float]
    inputs: tuple[Shape, ...]
    added: tuple[Shape, ...] = ()
    read: tuple[Shape, ...] = ()
    written: tuple[Shape, ...] = ()
    calls: int = 1

    def operations(self, sizes: Sizes) -> float:
        inputs = [_sized(shape, sizes) for shape in self.inputs]
        return self.flops(*inputs) + _numbers(self.added, sizes)


def _sized(shape: Shape, sizes: Sizes) -> FloatShape:
    return tuple(sizes.get(n, n) for n in shape)


def _numbers(shapes: Iterable[Shape], sizes: Sizes) -> float:
    """Return how many numbers arrays of these shapes have."""
    total = 0.0
    for shape in shapes:
        count = 1.0
        for n in _sized(shape, sizes):
            count *= n
        total += count
    return total


@lru_cache(maxsize=64)
def _forward_rules(pattern: NetworkSpec) -> tuple[Rule, ...]:
    shapes, parameters = value_shapes(pattern, 1), parameter_shapes(pattern)

    def rule(op: Op) -> Rule:
        read = tuple(shapes[name] for name in op.inputs if name in parameters)
        return Rule(op.primitive.flops, tuple(shapes[name] for name in op.inputs), read=read)

    return tuple(map(rule, compile_ops(pattern)))


@lru_cache(maxsize=64)
def _backward_rules(pattern: NetworkSpec) -> tuple[Rule, ...]:
    shapes, parameters = value_shapes(pattern, 1), parameter_shapes(pattern)

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
            0 if only_passed_on else 1 + visit.adds,
        )

    return tuple(map(rule, backward_visits(pattern)))


@lru_cache(maxsize=64)
def _tangent_rules(pattern: NetworkSpec) -> tuple[Rule, ...]:
    """Return the rules of a JVP along all parameters. A parameter's tangent is read as often as it is itself."""
    shapes, parameters = value_shapes(pattern, 1), parameter_shapes(pattern)
    rules = []
    for op in compile_ops(pattern):
        row, inputs = op.primitive, tuple(shapes[name] for name in op.inputs)
        sources = [i for i in range(len(row.jvps)) if op.inputs[i] in differentiable(pattern)]
        for i in sources:
            tangent = (inputs[i],) if op.inputs[i] in parameters else ()
            read = tangent + _parameters_in(row.vjp_formulas[i], op.inputs, pattern)
            added = (shapes[op.output],) * (i != sources[0])
            rules.append(Rule(row.vjp_flops[i], inputs, added, read, calls=1 + len(added)))
    return tuple(rules)


def _parameters_in(formula: str, inputs: tuple[str, ...], pattern: NetworkSpec) -> tuple[Shape, ...]:
    """Return the shapes of the parameters that a formula reads."""
    parameters = parameter_shapes(pattern)
    names = [inputs[int(field)] for field in sorted(fields(formula)) if field.isdigit()]
    return tuple(parameters[name] for name in names if name in parameters)


def _work(shape: NetworkShape, touched: float, *parts: tuple[Rule, ...]) -> Work:
    """Sum up rules that go through so many numbers; equal ones are computed once."""
    sizes, bytes_ = shape.sizes, shape.itemsize
    flops = read = written = calls = 0.0
    for rule, times in Counter(rule for part in parts for rule in part).items():
        flops += times * rule.operations(sizes)
        read += times * _numbers(rule.read, sizes)
        written += times * _numbers(rule.written, sizes)
        calls += times * rule.calls
    return Work(flops, bytes_ * read, bytes_ * written, calls, bytes_ * touched)


# --- kinds of passes ---------------------------------------------------------------------------------------


def _forward(shape: NetworkShape) -> Work:
    return _work(shape, shape.parameters, _forward_rules(shape.pattern))


def _backprop(shape: NetworkShape) -> Work:
    """Return the work of a forward and a backward pass, which writes a gradient for each parameter."""
    rules = _forward_rules(shape.pattern), _backward_rules(shape.pattern)
    return _work(shape, 2 * shape.parameters, *rules)


def _complex(shape: NetworkShape) -> Work:
    """Return the work of a forward pass in complex numbers, which are twice as long."""
    real = _forward(shape)
    return replace(real, flops=COMPLEX_FLOPS * real.flops, read=2 * real.read, touched=2 * real.touched)


def _jvp(shape: NetworkShape) -> Work:
    """Return the work of a JVP after a forward pass: values times the tangents of the weights, and tangents times the
    weights, except in the first layer, whose input has no tangent."""
    return _work(shape, 2 * shape.parameters - shape.each[0], _tangent_rules(shape.pattern))


def _batched(shape: NetworkShape) -> Work:
    """Return the work for one of P + 1 parts: two whole passes, and for every tensor passes of what comes after it,
    each with as many of its parameters at once as there is room for; a pass with fewer takes as long. Parameters are
    read once in a pass."""
    rules = _forward_rules(shape.pattern)
    found = {rule: _work(shape, 0, (rule,)) for rule in set(rules)}
    flops, read, calls = (
        list(accumulate([value(found[rule]) for rule in reversed(rules)], initial=0.0))[::-1]
        for value in (attrgetter("flops"), attrgetter("read"), attrgetter("calls"))
    )
    once = perturbed_at_once(shape.parameters, shape.itemsize, 1, sum(shape.widths), PARAMETERS_A_PASS)
    entries = [(_numbers((tensor,), shape.sizes), after) for tensor, after in _entries(shape.pattern)]
    passes = [(math.ceil(n / once), after) for n, after in entries]
    parts = shape.parameters + 1
    return Work(
        (sum(many * once * flops[after] for many, after in passes) + (1 + once) * flops[0]) / parts,
        (sum(many * read[after] for many, after in passes) + 2 * read[0]) / parts,
        0,
        (sum(many * (calls[after] + CALLS_A_BATCH) for many, after in passes) + CALLS_OF_BOTH * calls[0])
        / parts,
        shape.itemsize * shape.parameters,
    )


@lru_cache(maxsize=64)
def _entries(pattern: NetworkSpec) -> tuple[tuple[Shape, int], ...]:
    """Return the shape of each parameter tensor, and the first operation after the one that reads it (and after one
    that adds to the result in place)."""
    ops, found = compile_ops(pattern), {}
    for at, op in enumerate(ops):
        in_place = at + 1 < len(ops) and ops[at + 1].primitive.in_place
        found.update({name: at + 1 + in_place for name in op.inputs if name not in found})
    return tuple((shape, found[name]) for name, shape in parameter_shapes(pattern).items())


PASS_KINDS: dict[str, Callable[[NetworkShape], Work]] = {
    "forward": _forward,
    "backprop": _backprop,  # forward and backward
    "complex": _complex,
    "jvp": _jvp,
    "batched": _batched,  # for one parameter, of many at once, or the unperturbed network
}


@lru_cache(maxsize=4096)
def work(kind: str, shape: NetworkShape) -> Work:
    """Return the work of a pass of one of PASS_KINDS. Raises KeyError for another."""
    return PASS_KINDS[kind](shape)
