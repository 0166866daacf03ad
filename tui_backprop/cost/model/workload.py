"""The work of each kind of pass, of one sample. The passes of a numerical method are timed and counted as the method
runs them: with setting a parameter, the difference quotient, and their part of making the programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from tui_backprop.cost.model.methods import CostMethod
from tui_backprop.cost.model.network_shape import CostShape
from tui_backprop.cost.model.pattern_counts import Repeats, counts_of
from tui_backprop.cost.model.symbolic_sizes import numbers, sized
from tui_backprop.cost.model.work_rules import (
    Work,
    backward_rules,
    forward_rules,
    summed,
    tangent_rules,
)
from tui_backprop.engine.gradients.batched import copies_stack, perturbed_at_once
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.primitives import Shape

PARAMETERS_A_PASS = 256  # parameters that the batched method perturbs in one pass
CALLS_A_BATCH = 15  # of numpy that the batched method makes in each pass, besides those of the pass
CALLS_OF_BOTH = 20  # times the calls of a pass, that making and running its two programs takes
STREAMED = 100_000_000  # parameters from which the backward pass of layers keeps no weight gradient
COMPLEX_FLOPS = 4  # real operations in a complex one: a product with its sum takes 8 for 2
STARTS = {"naive": 10, "central": 5, "complex": 10, "jvp": 9, "spsa": 8}  # the same, of the other methods
CALLS_A_PARAMETER = 2  # of numpy that setting a parameter and the quotient take about as long as
DRAWN_BYTES = 200  # of each parameter, that drawing a sign and its part of the gradient take about as long as
FLOPS_A_CALL = 1e5  # that take about as long as a call
FLOPS_A_PARAMETER = 400  # that take about as long as making an array with another parameter
ROW_BY_ROW = (
    2  # times as long as those of one sample, that values of many take, which numpy goes through row by row
)
WorkRule = Callable[[CostShape], Work]
SUMS = ("flops", "elementwise", "read", "values", "calls")


def _held(shape: CostShape) -> float:
    """Return how many numbers a forward pass goes through: parameters and values."""
    return shape.parameters + _values(shape)


def _values(shape: CostShape) -> float:
    return numbers(_made(shape.pattern, shape.repeats), shape.sizes)


@lru_cache(maxsize=64)
def _made(pattern: Model, repeats: Repeats) -> tuple[Shape, ...]:
    """Return the shapes of the values that a forward pass makes, each array once."""
    counts = counts_of(pattern, repeats)
    return counts.every(op.output for op in counts.graph.ops if not op.primitive.in_place)


def _forward(shape: CostShape) -> Work:
    return summed(shape, _held(shape), forward_rules(shape.pattern, shape.repeats))


def _backprop(shape: CostShape) -> Work:
    """Return the work of a forward and a backward pass, which writes a gradient for each parameter."""
    rules = (each(shape.pattern, shape.repeats) for each in (forward_rules, backward_rules))
    does = summed(shape, 2 * _held(shape), *rules)
    if shape.parameters < STREAMED or not shape.pattern.graph.layered:
        return does
    return replace(does, touched=does.touched / 2, written=0.0, rows_written=0.0, tiled=does.written)


def _complex(shape: CostShape) -> Work:
    """Return the work of a forward pass in complex numbers, which are twice as long."""
    real = _forward(shape)
    return replace(
        real,
        flops=COMPLEX_FLOPS * real.flops,
        elementwise=COMPLEX_FLOPS * real.elementwise,
        read=2 * real.read,
        values=2 * real.values,
        touched=2 * real.touched,
        multiplied=COMPLEX_FLOPS * real.multiplied,
        complex=True,
    )


def _jvp(shape: CostShape) -> Work:
    """Return the work of a JVP after a forward pass: values times the tangents of the weights, and tangents times the
    weights, except in the first layer, whose input has no tangent."""
    touched = 2 * _held(shape) - shape.without_tangent
    return summed(shape, touched, tangent_rules(shape.pattern, shape.repeats))


def _perturbed(kind: str, each: WorkRule, passes: float = 1.0) -> WorkRule:
    """Return a function for the work of one of the passes, so many for each parameter, that a method makes: ``each``,
    with the parameter set for it, and its part of the start."""

    def found(shape: CostShape) -> Work:
        does = each(shape)
        start = STARTS[kind] * does.calls / (passes * shape.parameters)
        return replace(does, calls=does.calls + CALLS_A_PARAMETER + start)

    return found


def _spsa(shape: CostShape) -> Work:
    """Return the work of one of two forward passes, with half of what drawing and adding up the signs takes."""
    does, drawn = _forward(shape), DRAWN_BYTES * shape.parameters
    calls = (1 + STARTS["spsa"] / 2) * does.calls
    return replace(does, calls=calls, values=does.values + drawn, touched=does.touched + drawn / 2)


@dataclass(frozen=True)
class Stacked:
    """Passes that the batched method makes for one tensor of so many ``parameters``: ``passes`` of the operations
    ``after`` the one that reads it, whose output is so ``wide``."""

    parameters: float
    passes: int
    after: int
    wide: float


def stacked_at_once(shape: CostShape) -> int:
    """Return how many parameters the batched method perturbs in one pass."""
    return perturbed_at_once(shape.parameters, shape.itemsize, 1, shape.units, PARAMETERS_A_PASS)


def stacked(shape: CostShape) -> list[Stacked]:
    """Return the passes for each tensor, in the order of the parameters; one with fewer parameters takes as long."""
    once, found = stacked_at_once(shape), []
    for tensor, after in _entries(shape.pattern):
        count = numbers((tensor,), shape.sizes)
        found.append(
            Stacked(count, math.ceil(count / once), after, (sized(tensor, shape.sizes) or (1.0,))[-1])
        )
    return found


@lru_cache(maxsize=64)
def _from_there(shape: CostShape) -> Mapping[str, Sequence[float]]:
    """Return the work of a forward pass from each operation on, one sum for each of SUMS."""
    rules = forward_rules(shape.pattern)
    found = {rule: summed(shape, 0, (rule,)) for rule in set(rules)}
    return {
        name: list(accumulate((getattr(found[rule], name) for rule in reversed(rules)), initial=0.0))[::-1]
        for name in SUMS
    }


def stacked_cost(shape: CostShape, each: Stacked) -> float:
    """Return about what one of these passes takes, in FLOPs."""
    rest = _from_there(shape)
    calls = rest["calls"][each.after] + CALLS_A_BATCH
    return stacked_at_once(shape) * rest["flops"][each.after] + FLOPS_A_CALL * calls


def starting_cost(shape: CostShape) -> float:
    """Return about what the two whole passes take that come first, and making them, in FLOPs."""
    whole = (1 + stacked_at_once(shape)) * _from_there(shape)["flops"][0]
    return whole + FLOPS_A_PARAMETER * shape.parameters


def _batched(shape: CostShape) -> Work:
    """Return the work for one of P + 1 parts: two whole passes, and for every tensor passes of what comes after it,
    each with as many of its parameters at once as there is room for. Parameters are read once in a pass. Where copies
    of a network do not stack, parameters are perturbed one after the other."""
    if not copies_stack(shape.pattern.graph):
        return work("naive", shape)
    once, tensors, rest = stacked_at_once(shape), stacked(shape), _from_there(shape)
    parts = shape.parameters + 1

    def each(name: str, whole: float, besides: float = 0.0) -> float:
        later = sum(one.passes * (rest[name][one.after] + besides) for one in tensors)
        return (later + whole * rest[name][0]) / parts

    def of_all(name: str) -> float:
        return once * each(name, (1 + once) / once)

    copied = shape.itemsize * once * sum(one.passes * one.wide for one in tensors) / parts
    return Work(
        of_all("flops"),
        of_all("elementwise"),
        each("read", 2),
        written=0.0,
        rows_read=0.0,
        rows_written=0.0,
        values=ROW_BY_ROW * (of_all("values") + copied),
        calls=each("calls", CALLS_OF_BOTH, CALLS_A_BATCH),
        touched=shape.itemsize * once * _values(shape),
        multiplied=shape.itemsize * (of_all("flops") - of_all("elementwise")),
    )


@lru_cache(maxsize=64)
def _entries(pattern: Model) -> tuple[tuple[Shape, int], ...]:
    """Return the shape of each parameter tensor, and the first operation after the one that reads it (and after one
    that adds to the result in place)."""
    ops, found = pattern.graph.ops, {}
    for at, op in enumerate(ops):
        in_place = at + 1 < len(ops) and ops[at + 1].primitive.in_place
        found.update({name: at + 1 + in_place for name in op.inputs if name not in found})
    return tuple((shape, found[name]) for name, shape in pattern.graph.parameters.items())


def passes_in_words(method: CostMethod, shape: CostShape) -> str:
    """Say which passes a method makes for a gradient of a network."""
    return method.about if copies_stack(shape.pattern.graph) else method.unstacked or method.about


PASS_KINDS: dict[str, WorkRule] = {
    "forward": _forward,
    "backprop": _backprop,  # forward and backward
    "naive": _perturbed("naive", _forward),  # forward, with a parameter perturbed, or none
    "central": _perturbed("central", _forward, 2),
    "complex": _perturbed("complex", _complex),
    "jvp": _perturbed("jvp", _jvp),
    "batched": _batched,  # for one parameter, of many at once, or the unperturbed network
    "spsa": _spsa,  # forward, with all parameters perturbed
}


@lru_cache(maxsize=4096)
def work(kind: str, shape: CostShape) -> Work:
    """Return the work of a pass of one of PASS_KINDS. Raises KeyError for another."""
    return PASS_KINDS[kind](shape)
