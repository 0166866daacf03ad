"""Passes of a network to be timed: a forward pass, a whole step, and each numerical method as it runs."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.cost.measure.timing import TimedRun
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import (
    PARAMETERS_A_PASS,
    STREAMED,
    stacked,
    stacked_at_once,
    stacked_cost,
    starting_cost,
)
from tui_backprop.engine.gradients.batched import copies_stack
from tui_backprop.engine.gradients.methods import METHODS, Method, Options, Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.model import Model, no_data
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.shared_pass import LEAST_MACS
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.streaming import StreamedProgram

BATCHES, FEW_BATCHES = 32, 8  # in which a batched method is measured, at the least
FEWER_BATCHES = 1_000_000  # parameters from which it is in FEW_BATCHES
MOST_BATCHES = 2048
PARAMETERS_A_RUN = 4096  # after which a method that goes from parameter to parameter begins anew
MANY = 20_000  # parameters from which its start is no more than a thousandth of the whole


@dataclass(frozen=True)
class Passes:
    """Passes of one kind, in a run and the ``start`` of a method: one pass takes ``of_run`` times the seconds of the
    run, and ``of_start`` times those of the start."""

    run: TimedRun
    of_run: float = 1.0
    start: TimedRun | None = None
    of_start: float = 0.0


def weights_of(spec: Model) -> Array:
    """Return parameters (P,) that are quick to make. The time of a pass does not depend on their values, as long as
    neither they nor their products are 0 or subnormal; those of a graph that holds its numbers are these."""
    if spec.holds_numbers:
        return initial_parameters(spec)
    return np.resize(np.linspace(-0.05, 0.06, 4099, dtype=spec.dtype), spec.parameters)


def passes_of(spec: Model, parameters: Array, kinds: Sequence[str]) -> dict[str, Passes]:
    """Return passes of one sample for each of some kinds."""
    found = _whole_passes(spec, parameters) if {"forward", "backprop"} & {*kinds} else {}
    x, target = _sample(spec)
    for method in COST_METHODS.values():
        if method.kind in kinds and method.kind not in found:
            made = RUNS.get(method.kind, _one_by_one)
            found[method.kind] = made(METHODS[method.engine_method], Problem(spec, x, target, parameters))
    return {kind: found[kind] for kind in kinds}


def _sample(spec: Model) -> tuple[Array, Array]:
    shapes, graph = spec.graph.shapes(1), spec.graph
    if spec.holds_numbers:
        return no_data(spec.dtype), no_data(spec.dtype)
    x, target = graph.by_name[graph.input], graph.by_name[graph.target]
    inputs = np.full(shapes[x.name], 0 if x.classes else 0.5, spec.dtype)
    return inputs, np.zeros(shapes[target.name], np.intp if target.classes else spec.dtype)


def _whole_passes(spec: Model, parameters: Array) -> dict[str, Passes]:
    """Return a forward pass, and one with the backward pass."""
    many = spec.parameters >= STREAMED and spec.graph.layered
    program = (StreamedProgram if many else Program)(spec, 1, parameters)
    program.feed(*_sample(spec))

    def backprop() -> None:
        program.forward()
        if isinstance(program, StreamedProgram):
            _exhaust(program.stages(lambda *tile: None))
        else:
            program.backward()

    shared = not many and spec.weights >= LEAST_MACS
    return {"forward": Passes(TimedRun(program.forward)), "backprop": Passes(TimedRun(backprop, shared))}


def _one_by_one(method: Method, problem: Problem) -> Passes:
    """Return a method that goes from parameter to parameter, which goes on with the next one in each run; with its
    start, where that is no small part of the whole."""
    parameters, out = problem.spec.parameters, np.empty(problem.spec.parameters)
    where, nothing = np.arange(min(parameters, PARAMETERS_A_RUN)), np.arange(0)
    passes, begun = method.count(parameters, 1), method.fill(out, problem, where)

    def advance() -> None:
        nonlocal begun
        if next(begun, None) is None:
            begun = method.fill(out, problem, where)
            next(begun)

    if parameters > MANY:
        return Passes(TimedRun(advance), parameters / passes)
    start = TimedRun(lambda: _exhaust(method.fill(out, problem, nothing)))
    return Passes(TimedRun(advance), parameters / passes, start, 1 / passes)


def _at_once(method: Method, problem: Problem) -> Passes:
    """Return a method that perturbs all parameters at once, which goes on with the next random direction in each run,
    in the same arrays; with its start."""
    out, passes = np.empty(problem.spec.parameters), method.count(problem.spec.parameters, 1)
    probes = method.fill(out, problem, options=Options(probes=sys.maxsize))
    start = TimedRun(lambda: _exhaust(method.fill(out, problem, np.arange(0))))
    return Passes(TimedRun(lambda: next(probes)), 1 / passes, start, 1 / passes)


def _batched(method: Method, problem: Problem) -> Passes:
    """Return the batched method for all parameters of a small network, with the unperturbed one; or for some batches,
    where one more is its start. Where copies do not stack, it goes from parameter to parameter."""
    if not copies_stack(problem.spec.graph):
        return _one_by_one(method, problem)
    spec, out = problem.spec, np.empty(problem.spec.parameters)
    shared = PARAMETERS_A_PASS * spec.weights >= LEAST_MACS
    least = BATCHES if spec.parameters < FEWER_BATCHES else FEW_BATCHES
    options = Options(at_once=PARAMETERS_A_PASS)

    def run(where: Array) -> TimedRun:
        return TimedRun(lambda: _exhaust(method.fill(out, problem, where, options)), shared)

    if spec.parameters <= least * PARAMETERS_A_PASS:
        return Passes(run(np.arange(spec.parameters)), 1 / (spec.parameters + 1))
    sampled, count = _sampled(spec, least)
    return Passes(run(np.concatenate([*sampled, sampled[0]])), 1 / count, run(sampled[0]), -1 / count)


RUNS = {"batched": _batched, "spsa": _at_once}  # by the kind of pass; others go one by one


def _exhaust(work: Iterable[object]) -> None:
    for _ in work:
        pass


def _sampled(spec: Model, least: int) -> tuple[list[Array], float]:
    """Return the indices of some batches of parameters, at equal distances in the work of all of them; and how many
    parameters of the whole network take as much work. They are so many that they take as long as their start."""
    shape = shape_of(spec)
    tensors, once = stacked(shape), stacked_at_once(shape)
    costs = [stacked_cost(shape, each) for each in tensors]
    until = np.cumsum([each.passes * cost for each, cost in zip(tensors, costs, strict=True)])
    as_start = starting_cost(shape) * sum(each.passes for each in tensors) / until[-1]
    batches = min(max(math.ceil(as_start), least), MOST_BATCHES)
    found, done = [], 0.0
    for middle in (np.arange(batches) + 0.5) / batches * until[-1]:
        at = int(np.searchsorted(until, middle))
        first = round(sum(each.parameters for each in tensors[:at]))
        here = round(tensors[at].parameters)
        past = int((middle - until[at]) / costs[at] + tensors[at].passes) * once
        found.append(np.arange(first + max(min(past, here - once), 0), first + min(past + once, here)))
        done += costs[at]
    return found, done / float(until[-1]) * spec.parameters
