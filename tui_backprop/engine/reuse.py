"""Reuse, counted: what the chain rule takes when every path is multiplied out, and what it takes when nothing that
was computed is kept. Backprop computes every derivative once, and everything that lies before it uses that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from time import perf_counter

import numpy as np

from tui_backprop.engine.iteration import Pass, feed
from tui_backprop.engine.ledger import kept_bytes
from tui_backprop.engine.network import (
    Visit,
    backward_visits,
    compile_ops,
    forward_visits,
    parameter_shapes,
    value_shapes,
)
from tui_backprop.engine.primitives import size
from tui_backprop.engine.program import Program
from tui_backprop.engine.spec import NetworkSpec, SpecError
from tui_backprop.engine.trace import costs_of

LEAST, MOST = 3, 50  # runs, beside the one that warms up


# --- paths -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Paths:
    """The chain rule, path by path, for one parameter: how many lead from it to the loss, and the multiplications if
    each is multiplied out. ``all_paths`` and ``all_multiplications`` are those of all parameters; ``backprop`` is
    what the way back takes for all of them at once, for one sample."""

    paths: int
    multiplications: int
    all_paths: int
    all_multiplications: int
    backprop: int


@dataclass(frozen=True)
class Count:
    """Paths from one unit of a value to the loss, and the factors on all of them together."""

    paths: int = 0
    factors: int = 0

    def onward(self, ways: int, factors: int) -> Count:
        """From a unit that reaches so many of these, each by so many more factors."""
        return Count(ways * self.paths, ways * (self.factors + factors * self.paths))

    def __add__(self, other: Count) -> Count:
        return Count(self.paths + other.paths, self.factors + other.factors)


def counts(spec: NetworkSpec) -> dict[str, Count]:
    """For every value of a network: paths from one of its units to the loss, of one sample. All units of a value have
    as many. (A penalty is a path of its own that leads through no unit; it is left out.)"""
    found: dict[str, Count] = {}
    widths = {name: shape[-1] if shape else 1 for name, shape in value_shapes(spec, 1).items()}
    for op in reversed(compile_ops(spec)):
        kind, name = op.primitive.kind, op.output
        if kind == "penalty":
            continue
        if kind == "loss":
            found[op.inputs[0]] = Count(1, 1)
            continue
        after = found[name]
        before = op.inputs[0]
        if op.primitive.name == "matmul":
            step = after.onward(widths[name], 1)
        elif (
            kind == "normalisation"
        ):  # every sum of a sample moves mean and deviation, and with them all others
            step = after.onward(widths[name], 1)
        elif kind in ("activation", "dropout"):
            step = after.onward(1, 1)
        else:
            step = after
        found[before] = found.get(before, Count()) + step
        if kind == "residual":
            found[op.inputs[1]] = found.get(op.inputs[1], Count()) + after
    return found


def paths(spec: NetworkSpec, tensor: str) -> Paths:
    """The paths of each parameter of a ``tensor``. Raises KeyError for what is no parameter."""
    shapes = parameter_shapes(spec)
    each = {name: _of_parameter(spec, name) for name in shapes}
    here = each[tensor]
    return Paths(
        here.paths,
        _multiplied(here),
        sum(size(shapes[name]) * one.paths for name, one in each.items()),
        sum(size(shapes[name]) * _multiplied(one) for name, one in each.items()),
        sum(costs_of(visit, dict(value_shapes(spec, 1)))[0] for visit in backward_visits(spec)),
    )


def _of_parameter(spec: NetworkSpec, name: str) -> Count:
    """A weight multiplies what came in, which is one factor more; a bias does not."""
    op = next(op for op in compile_ops(spec) if name in op.inputs and op.primitive.kind != "penalty")
    after = counts(spec)[op.output]
    return after.onward(1, 1 if name[0] in "Wγ" else 0)


def _multiplied(count: Count) -> int:
    """A product of n factors takes n − 1 multiplications."""
    return count.factors - count.paths


# --- the cache switched off -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recomputed:
    """A gradient found with less kept: ``passes`` (parts of) forward passes and ``walks`` (parts of) walks back,
    their multiply-accumulates, the bytes that are
    held between two steps, seconds (the median of ``runs``), and whether the
    gradient is the same as with everything kept, ``to the last bit``."""

    kind: str
    passes: int
    walks: int
    macs: int
    held: int
    seconds: float
    runs: int
    same: bool


Stage = tuple[int, tuple[Visit, ...]]  # how many operations have to be run for it, and the visits back


def stages(spec: NetworkSpec) -> tuple[Stage, ...]:
    """The way back, operation by operation of the loss and then layer by layer."""
    ops = {op.output: i for i, op in enumerate(compile_ops(spec))}
    whole = len(ops)

    def place(visit: Visit) -> tuple[int, bool]:
        return visit.op.layer, visit.op.primitive.kind in ("loss", "penalty")

    made: list[Stage] = []
    for (layer, loss), visits in groupby(backward_visits(spec), place):
        group = tuple(visits)
        last = max((i for name, i in ops.items() if compile_ops(spec)[i].layer == layer), default=whole - 1)
        made.append((whole if loss else last + 1, group))
    return tuple(made)


def _kept(all_stages: tuple[Stage, ...], parameters: frozenset[str]) -> Iterator[Step]:
    yield None, ()
    for _, visits in all_stages:
        yield 0, visits


def _forward_again(all_stages: tuple[Stage, ...], parameters: frozenset[str]) -> Iterator[Step]:
    yield from all_stages


def _deltas_again(all_stages: tuple[Stage, ...], parameters: frozenset[str]) -> Iterator[Step]:
    yield None, ()
    for at in _with_parameters(all_stages, parameters):
        for _, visits in all_stages[:at]:
            yield 0, _without(visits, parameters)
        yield 0, all_stages[at][1]


def _both_again(all_stages: tuple[Stage, ...], parameters: frozenset[str]) -> Iterator[Step]:
    for at in _with_parameters(all_stages, parameters):
        for stop, visits in all_stages[:at]:
            yield stop, _without(visits, parameters)
        yield all_stages[at]


def _with_parameters(all_stages: tuple[Stage, ...], parameters: frozenset[str]) -> list[int]:
    """The stages at which a parameter's gradient is found."""
    return [at for at, (_, visits) in enumerate(all_stages) if any(v.writes in parameters for v in visits)]


Step = tuple[int | None, tuple[Visit, ...]]  # operations run anew (None: all, 0: none), and visits back

# What is kept, and the steps that takes.
KINDS: dict[str, Callable[[tuple[Stage, ...], frozenset[str]], Iterator[Step]]] = {
    "everything kept": _kept,
    "no values kept": _forward_again,
    "no deltas kept": _deltas_again,
    "nothing kept": _both_again,
}


def _without(visits: tuple[Visit, ...], parameters: frozenset[str]) -> tuple[Visit, ...]:
    return tuple(visit for visit in visits if visit.writes not in parameters)


def recompute(taken: Pass, kind: str, seconds: float = 0.1) -> Recomputed:
    """Find the gradient of a pass with only so much kept (one of KINDS), again and again for so many ``seconds``, 3
    times at the least. Nothing is estimated: the rules of the program are run. Raises SpecError for another kind."""
    if kind not in KINDS:
        raise SpecError("kind", f"{kind} is unknown; choose {', '.join(KINDS)}")
    spec, batch = taken.spec, taken.batch
    program = Program(spec, batch, taken.program.parameters)
    feed(program, taken.tensor("x"), taken.tensor("t"), taken.before.t)
    parameters = frozenset(parameter_shapes(spec))
    plan = list(KINDS[kind](stages(spec), parameters))
    calls = [(stop, program.backward_calls(visits) if visits else []) for stop, visits in plan]

    def run() -> float:
        start = perf_counter()
        with np.errstate(all="ignore"):
            for stop, back in calls:
                if stop != 0:
                    program.forward(0, stop)
                for rule, arguments in back:
                    rule(*arguments)
        return perf_counter() - start

    times = [run()]
    same = bool(np.array_equal(program.gradient, taken.program.gradient, equal_nan=True))
    end = perf_counter() + seconds
    while len(times) <= LEAST or (perf_counter() < end and len(times) < MOST):
        times.append(run())
    passes, walks, macs = _counted(spec, batch, plan)
    held = _held(spec, batch, kind)
    return Recomputed(kind, passes, walks, macs, held, median(times[1:]), len(times) - 1, same)


def _counted(spec: NetworkSpec, batch: int, plan: list[Step]) -> tuple[int, int, int]:
    """(Parts of) forward passes, of walks back, and multiply-accumulates in all."""
    shapes = dict(value_shapes(spec, batch))
    forward = [costs_of(visit, shapes)[0] for visit in forward_visits(spec)]
    passes = sum(stop != 0 for stop, _ in plan)
    macs = sum(sum(forward[:stop]) for stop, _ in plan if stop != 0)
    macs += sum(costs_of(visit, shapes)[0] for _, visits in plan for visit in visits)
    top = next(visit for visit in backward_visits(spec) if visit.writes == f"z{spec.depth}")
    walks = sum(top in visits for _, visits in plan)
    return passes, walks, macs


def _held(spec: NetworkSpec, batch: int, kind: str) -> int:
    """Bytes kept from the forward pass; without, those of the largest layer, which is made anew and dropped."""
    kept = kept_bytes(spec, batch)
    if kind in ("everything kept", "no deltas kept"):
        return sum(kept.values())
    layer_of = {op.output: op.layer for op in compile_ops(spec)}
    layers: dict[int, int] = {}
    for name, bytes_ in kept.items():
        layers[layer_of[name]] = layers.get(layer_of[name], 0) + bytes_
    return max(layers.values(), default=0)
