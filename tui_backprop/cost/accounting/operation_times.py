"""What each operation of a program takes on this machine: its forward rule, and each of its VJPs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, sleep

import numpy as np

from tui_backprop.engine.network.graph import Visit, backward_visits, forward_visits
from tui_backprop.engine.network.program import Call, Program
from tui_backprop.engine.training.iteration import Iteration, feed

LEAST_ROUNDS, MOST_ROUNDS = 3, 200  # rounds, beside the one that warms up

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
    """Seconds of every rule that a pass runs, over so many ``rounds``; a VJP that only hands its cotangent on
    takes none. A time is that of the call from Python, as passes make it."""

    rules: Mapping[RuleKey, Quartiles]
    rounds: int

    def forward(self, output: str | None = None) -> float:
        """Median seconds of the forward rule that makes ``output``, or of all of them together."""
        return self._sum(rule for rule in self.rules if rule[1] is None and output in (None, rule[0]))

    def backward(self, output: str | None = None) -> float:
        """Median seconds of the VJPs of an operation, or of all."""
        return self._sum(rule for rule in self.rules if rule[1] is not None and output in (None, rule[0]))

    def _sum(self, rules: Iterable[RuleKey]) -> float:
        return sum(self.rules[rule].median for rule in rules)


def rule_of(visit: Visit) -> RuleKey:
    """Which rule a visit runs."""
    return visit.op.output, visit.of


def time_operations(iteration: Iteration, seconds: float = 0.3) -> Timing:
    """Time every operation of a pass in a program of its own, on the same batch and parameters.

    One round runs the whole walk in order, for values feed each other. The first warms up and is not counted,
    unless it alone takes longer than ``seconds``; else more follow until those are over, at least 3 and at most
    200. So it takes ``seconds``, or 4 times as long, or one round, whichever is the longest.
    """
    program = Program(iteration.spec, iteration.batch, iteration.program.parameters)
    feed(program, iteration.tensor("x"), iteration.tensor("t"), iteration.before.t)
    visits = (*forward_visits(iteration.spec), *backward_visits(iteration.spec))
    calls = [_calls(program, visit) for visit in visits]
    end = perf_counter() + seconds
    first = _round(calls)
    rounds: list[list[float]] = []
    while sum(first) <= seconds and (
        len(rounds) < LEAST_ROUNDS or (perf_counter() < end and len(rounds) < MOST_ROUNDS)
    ):
        rounds.append(_round(calls))
        sleep(0)  # lets go of the interpreter, for whoever draws meanwhile
    low, median, high = np.quantile(rounds or [first], (0.25, 0.5, 0.75), axis=0).tolist()
    spreads = map(Quartiles, low, median, high)
    return Timing(dict(zip(map(rule_of, visits), spreads, strict=True)), len(rounds) or 1)


def _calls(program: Program, visit: Visit) -> list[Call]:
    """What a visit runs: a forward rule; a VJP, and an addition where there is something to add to, or nothing."""
    if visit.of is not None:
        return program.backward_calls((visit,))
    op = visit.op
    inputs = (program.values[name] for name in op.inputs)
    return [(op.primitive.forward, (program.values[op.output], program.caches[op.output], *inputs))]


def _round(calls: Sequence[Sequence[Call]]) -> list[float]:
    """Seconds of each visit, all of them run once."""
    times = []
    with np.errstate(all="ignore"):
        for each in calls:
            start = perf_counter()
            for rule, arguments in each:
                rule(*arguments)
            times.append(perf_counter() - start if each else 0.0)
    return times
