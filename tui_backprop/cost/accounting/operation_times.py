"""Time each operation of a program on this machine: its forward rule and each of its VJPs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, sleep

import numpy as np

from tui_backprop.engine.arrays.team import Call
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.iteration import Iteration, feed

LEAST_ROUNDS, MOST_ROUNDS = 3, 200  # rounds, not counting the warm-up

RuleKey = tuple[
    str, int | None
]  # the output of an operation, and of which input it is the VJP; None: forward


@dataclass(frozen=True)
class Quartiles:
    """Seconds of several runs: first quartile, median, third quartile."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Timing:
    """Seconds of every rule that a pass runs, over so many ``rounds``; 0 for a VJP that returns its cotangent
    unchanged. Times include the call from Python."""

    rules: Mapping[RuleKey, Quartiles]
    rounds: int

    def forward(self, output: str | None = None) -> float:
        """Return the median seconds of the forward rule that makes ``output``, or the sum over all of them."""
        return self._sum(rule for rule in self.rules if rule[1] is None and output in (None, rule[0]))

    def backward(self, output: str | None = None) -> float:
        """Return the median seconds of the VJPs of an operation, or the sum over all of them."""
        return self._sum(rule for rule in self.rules if rule[1] is not None and output in (None, rule[0]))

    def _sum(self, rules: Iterable[RuleKey]) -> float:
        return sum(self.rules[rule].median for rule in rules)


def rule_of(visit: Visit) -> RuleKey:
    """Return the key of the rule that a visit runs."""
    return visit.op.output, visit.of


def time_operations(iteration: Iteration, seconds: float = 0.3) -> Timing:
    """Time every operation of a pass in a program of its own, on the same batch and parameters.

    One round runs all operations in order, since later ones read the values of earlier ones. The first round is a
    warm-up and is counted only if it alone takes longer than ``seconds``; otherwise rounds follow until that time
    is over, at least 3 and at most 200. All of it takes ``seconds``, four rounds or one round, whichever is longest.
    """
    program = Program(iteration.spec, iteration.batch, iteration.program.parameters)
    graph = iteration.graph
    feed(program, *iteration.data, iteration.before.t)
    visits = (*graph.forward_visits, *graph.backward_visits)
    calls = [_calls(program, visit) for visit in visits]
    end = perf_counter() + seconds
    first = _round(calls)
    rounds: list[list[float]] = []
    while sum(first) <= seconds and (
        len(rounds) < LEAST_ROUNDS or (perf_counter() < end and len(rounds) < MOST_ROUNDS)
    ):
        rounds.append(_round(calls))
        sleep(0)  # release the interpreter lock, so that the screen can be drawn
    low, median, high = np.quantile(rounds or [first], (0.25, 0.5, 0.75), axis=0).tolist()
    spreads = map(Quartiles, low, median, high)
    return Timing(dict(zip(map(rule_of, visits), spreads, strict=True)), len(rounds) or 1)


def _calls(program: Program, visit: Visit) -> list[Call]:
    """Return the calls of a visit: a forward rule; or a VJP and, where cotangents add up, an addition; or none."""
    if visit.of is not None:
        return program.backward_calls((visit,))
    op = visit.op
    inputs = (program.values[name] for name in op.inputs)
    return [(op.primitive.forward, (program.values[op.output], program.caches[op.output], *inputs))]


def _round(calls: Sequence[Sequence[Call]]) -> list[float]:
    """Run each visit once and return its seconds."""
    times = []
    with np.errstate(all="ignore"):
        for each in calls:
            start = perf_counter()
            for rule, arguments in each:
                rule(*arguments)
            times.append(perf_counter() - start if each else 0.0)
    return times
