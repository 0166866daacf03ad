"""Recompute instead of caching: run the gradient with values of the forward pass computed again for each layer of the
backward pass, or deltas for each layer's parameters, or both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby
from statistics import median
from time import perf_counter, sleep

import numpy as np

from tui_backprop.cost.accounting.ledger import kept_bytes, layer_of, needed
from tui_backprop.engine.network.model import ITEMSIZE, Model
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array, size
from tui_backprop.engine.training.iteration import Iteration, feed
from tui_backprop.support.errors import InputError

LEAST_RUNS, MOST_RUNS = 3, 50  # runs that are timed
LONGEST_RUN = 2.0  # seconds after which a run is stopped, and its time projected


@dataclass(frozen=True)
class Retention:
    """Which arrays are kept: values of the forward pass for the backward pass, and deltas for the earlier layers."""

    values: bool
    deltas: bool


RETENTIONS = {
    "everything kept": Retention(True, True),
    "no values kept": Retention(False, True),
    "no deltas kept": Retention(True, False),
    "nothing kept": Retention(False, False),
}


@dataclass(frozen=True)
class Recomputed:
    """A gradient computed with less kept: the number of (partial) forward ``passes`` and ``backward_passes``, their
    multiply-accumulates, and the bytes of the forward pass held at once. ``seconds`` is the median of ``runs``; with
    0 runs it is projected from the part of one that was run. ``same`` is True if the result is bitwise equal to the
    gradient although everything not kept was overwritten."""

    kind: str
    passes: int
    backward_passes: int
    macs: int
    held: int
    seconds: float
    runs: int
    same: bool


@dataclass(frozen=True)
class StagePart:
    """Some backward visits, how many operations (from the first on) make the arrays they need, and their bytes."""

    visits: tuple[Visit, ...]
    forward: int
    bytes: int


# Of the loss or of a layer: "all" visits, those for earlier layers ("onward"), those for its "own" parameters.
Stage = Mapping[str, StagePart]
StageStep = tuple[int, int, str]  # operations that are run again, the stage, which part of it


def stages(spec: Model, batch: int = 1) -> tuple[Stage, ...]:
    """Split the backward pass into stages: the loss, then one for each layer."""
    graph, shapes = spec.graph, spec.graph.shapes(batch)
    places = {op.output: i for i, op in enumerate(graph.ops)}
    layers = {op.output: op.block for op in graph.ops}
    masks, parameters = {mask.name for mask in graph.masks}, graph.parameters

    def layer(visit: Visit) -> int:
        of_loss = visit.op.primitive.kind == "loss" or graph.role(visit.writes) == "loss"
        return 0 if of_loss else layer_of(graph, visit.op)

    def part(visits: list[Visit]) -> StagePart:
        needs = {kept: n for kept, n in needed(spec, shapes, visits).items() if kept[1] not in masks}
        return StagePart(
            tuple(visits), max((places[at] + 1 for at, _ in needs), default=0), sum(needs.values())
        )

    made: list[Stage] = []
    for k, group in groupby(graph.backward_visits, layer):
        visits = list(group)
        onward = [visit for visit in visits if visit.writes not in parameters]
        own = [visit for visit in visits if k and layers.get(visit.writes, k) == k]
        made.append({"all": part(visits), "onward": part(onward), "own": part(own)})
    return tuple(made)


def steps(stages_back: tuple[Stage, ...], whole: int, retention: Retention) -> Iterator[StageStep]:
    """Yield the steps to run: if deltas are not kept, one backward pass for the parameters of each layer; if values
    are not kept, a (partial) forward pass before each step that needs them."""
    everything = ((at, "all") for at in range(len(stages_back)))
    again = (
        (at, "own" if at == end else "onward") for end in range(1, len(stages_back)) for at in range(end + 1)
    )  # of the loss, stage 0, there are no parameters
    for n, (at, name) in enumerate(everything if retention.deltas else again):
        yield (0 if n else whole) if retention.values else stages_back[at][name].forward, at, name


def recompute(iteration: Iteration, kind: str, seconds: float = 0.1) -> Recomputed:
    """Compute the gradient of an iteration with a ``kind`` of RETENTIONS, repeatedly for ``seconds``, at least 3
    times; after 2 seconds a run is stopped. The rules of the program itself are run. Raises InputError for another
    kind."""
    if kind not in RETENTIONS:
        raise InputError("kind", f'invalid value "{kind}"; choose from {", ".join(RETENTIONS)}')
    run = _Run(iteration, RETENTIONS[kind])
    same = run.checked(iteration.program.gradient)
    took, runs = run.timed(seconds)
    return Recomputed(kind, *run.counted(), run.held(), took, runs, same)


class _Run:
    """A program of its own for a pass, and the steps to its gradient."""

    def __init__(self, iteration: Iteration, retention: Retention) -> None:
        self.spec, self.batch, self.retention = iteration.spec, iteration.batch, retention
        self.graph, self.places = iteration.graph, iteration.graph.slices
        self.x = iteration.tensor(self.graph.input)
        self.program = Program(iteration.spec, iteration.batch, iteration.program.parameters)
        feed(self.program, self.x, iteration.tensor(self.graph.target), iteration.before.t)
        self.stages_back = stages(iteration.spec, iteration.batch)
        self.calls = [
            {name: self.program.backward_calls(part.visits) for name, part in stage.items()}
            for stage in self.stages_back
        ]

    def steps(self) -> Iterator[StageStep]:
        return steps(self.stages_back, len(self.program.ops), self.retention)

    def _step(self, step: StageStep) -> None:
        forward, at, name = step
        if forward:
            self.program.forward(0, forward)
        for rule, arguments in self.calls[at][name]:
            rule(*arguments)

    def checked(self, expected: Array) -> bool:
        """Run once, for at most the time limit, with NaN in everything that is not kept; return True if the gradients
        computed by then are bitwise equal to ``expected``."""
        found: set[str] = set()
        end = perf_counter() + LONGEST_RUN
        self.program.gradient.fill(np.nan)
        with np.errstate(all="ignore"):
            for step in self.steps():
                if not self.retention.values:
                    self._forget_values()
                if not self.retention.deltas and step[1] == 0:
                    self._forget_deltas()
                self._step(step)
                found |= {visit.writes for visit in self.stages_back[step[1]][step[2]].visits}
                if perf_counter() > end and not found.isdisjoint(self.places):
                    break
            else:
                found = set(self.places)
        return all(
            np.array_equal(self.program.gradient[place], expected[place], equal_nan=True)
            for name, place in self.places.items()
            if name in found
        )

    def _forget_values(self) -> None:
        """Fill every value and cache with NaN by a forward pass of NaN."""
        self.program.values[self.graph.input].fill(np.nan)
        self.program.forward()
        np.copyto(self.program.values[self.graph.input], self.x)

    def _forget_deltas(self) -> None:
        for name, array in self.program.cotangents.items():
            if name not in self.places and self.graph.role(name) != "loss":
                array.fill(np.nan)

    def timed(self, seconds: float) -> tuple[float, int]:
        """Return the median seconds of a run, and of how many runs."""
        times: list[float] = []
        start = perf_counter()
        while len(times) < LEAST_RUNS or (perf_counter() < start + seconds and len(times) < MOST_RUNS):
            took, share = self._once(start + LONGEST_RUN)
            if share < 1:
                return (median(times), len(times)) if times else (took / share, 0)
            times.append(took)
            sleep(0)  # release the interpreter lock, so that the screen can be drawn
        return median(times), len(times)

    def _once(self, until: float) -> tuple[float, float]:
        """Return the seconds of a run, and the share of its calls that were made in the time limit."""
        start, done = perf_counter(), 0
        with np.errstate(all="ignore"):
            for step in self.steps():
                self._step(step)
                done += self._calls(step)
                if perf_counter() > until:
                    break
        took = perf_counter() - start
        return took, 1.0 if perf_counter() <= until else done / sum(map(self._calls, self.steps()))

    def _calls(self, step: StageStep) -> int:
        forward, at, name = step
        return forward + len(self.calls[at][name])

    def counted(self) -> tuple[int, int, int]:
        """Return (partial) forward passes, (partial) backward passes, and multiply-accumulates in all."""
        shapes = self.graph.shapes(self.batch)
        forward = [0, *accumulate(visit.costs(shapes)[0] for visit in self.graph.forward_visits)]
        back = [
            {name: sum(visit.costs(shapes)[0] for visit in part.visits) for name, part in stage.items()}
            for stage in self.stages_back
        ]
        passes = backward_passes = macs = 0
        for again, at, name in self.steps():
            passes += again > 0
            backward_passes += at == 0
            macs += forward[again] + back[at][name]
        return passes, backward_passes, macs

    def held(self) -> int:
        """Return the bytes of the forward pass held at once: everything that the backward pass needs; or, where
        values are not kept, those of the step that needs most, and the dropout masks, which are not drawn again."""
        if self.retention.values:
            return sum(kept_bytes(self.spec, self.batch).values())
        masks = sum(size(mask.shape_for(self.batch)) for mask in self.graph.masks) * ITEMSIZE[self.spec.dtype]
        return masks + max(self.stages_back[at][name].bytes for _, at, name in self.steps())
