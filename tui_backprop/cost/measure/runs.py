"""Passes of a network to be timed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.cost.measure.timing import TimedRun
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import (
    PARAMETERS_A_PASS,
    STREAMED,
    stacked,
    stacked_at_once,
    stacked_cost,
    starting_cost,
)
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.branches import Branches
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.gradients.problem import COMPLEX
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.shared_pass import LEAST_MACS
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.streaming import StreamedProgram

BATCHES, FEW_BATCHES = 32, 8  # in which a batched method is measured, at the least
FEWER_BATCHES = 1_000_000  # parameters from which it is in FEW_BATCHES
MOST_BATCHES = 2048


@dataclass(frozen=True)
class Passes:
    """A run of ``count`` passes of one kind, and the ``start`` that it has besides, once for any number of them."""

    run: TimedRun
    count: float = 1.0
    start: TimedRun | None = None


def weights_of(spec: NetworkSpec) -> Array:
    """Return parameters (P,) that are quick to make. The time of a pass does not depend on their values, as long as
    neither they nor their products are 0 or subnormal."""
    return np.resize(np.linspace(-0.05, 0.06, 4099, dtype=spec.dtype), spec.parameters)


def passes_of(spec: NetworkSpec, parameters: Array, kinds: Sequence[str]) -> dict[str, Passes]:
    """Return passes of one sample for each of some kinds."""
    many = spec.parameters >= STREAMED
    program = (StreamedProgram if many else Program)(spec, 1, parameters)
    x = np.full(program.shapes[program.graph.input], 0.5, spec.dtype)
    program.feed(x, target := np.zeros_like(program.values[program.graph.target]))

    def backprop() -> None:
        program.forward()
        if isinstance(program, StreamedProgram):
            for _ in program.stages(lambda *tile: None):
                pass
        else:
            program.backward()

    shared = not many and spec.weights >= LEAST_MACS
    found = {"forward": Passes(TimedRun(program.forward)), "backprop": Passes(TimedRun(backprop, shared))}
    problem = Problem(spec, x, target, parameters)
    if "complex" in kinds:
        off, branches = problem.program(dtype=COMPLEX[spec.dtype]), Branches(problem)
        found["complex"] = Passes(TimedRun(lambda: branches.forward(off)))  # as the method runs it
    if "jvp" in kinds:
        direction = np.zeros_like(parameters)
        program.forward()
        found["jvp"] = Passes(TimedRun(ForwardMode(program, spec.graph.views(direction)).push))
    if "batched" in kinds:
        found["batched"] = _batched(problem)
    return {kind: found[kind] for kind in kinds}


def _batched(problem: Problem) -> Passes:
    """Return the batched method for all parameters of a small network, with the unperturbed one; or for some batches,
    where one more is its start."""
    spec, out = problem.spec, np.empty(problem.spec.parameters)
    shared = PARAMETERS_A_PASS * spec.weights >= LEAST_MACS
    least = BATCHES if spec.parameters < FEWER_BATCHES else FEW_BATCHES

    def run(where: Array) -> TimedRun:
        options = Options(at_once=PARAMETERS_A_PASS)
        return TimedRun(
            lambda: _exhaust(METHODS["batched-difference"].fill(out, problem, where, options)), shared
        )

    if spec.parameters <= least * PARAMETERS_A_PASS:
        return Passes(run(np.arange(spec.parameters)), spec.parameters + 1)
    sampled, count = _sampled(spec, least)
    return Passes(run(np.concatenate([*sampled, sampled[0]])), count, run(sampled[0]))


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
