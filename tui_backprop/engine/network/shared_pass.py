"""A pass in phases of jobs, which threads share.

Samples go down the network in parts, and up again, without waiting for each other; weight gradients are computed in
parts of their rows. Threads meet before the loss, which is of all samples, before the weight gradients, and at the
end. Where samples are too few for parts, one thread walks up, and the others compute weight gradients behind it. The
parts are those in which ``linear.py`` computes large products, so that the numbers are the same to the last
bit whether a pass is shared or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tui_backprop.engine.arrays.team import Arguments, Call, Chain, Job, run, team
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.linear import SAMPLES, WEIGHT_ROWS, parts

if TYPE_CHECKING:
    from tui_backprop.engine.network.program import Program

Phase = Sequence[Job]

MOST_JOBS = 8  # of a phase that is divided by samples
LEAST_MACS = 2**23  # multiply-accumulates of a phase that is shared; with fewer, meeting takes longer


def run_phases(phases: Sequence[Phase]) -> None:
    """Run phases in order, the jobs of each in any order."""
    for phase in phases:
        if len(phase) == 1:
            run(phase[0])
        else:
            team().run(phase)


# What rows of a weight gradient depend on: parts of the inputs of an operation, by its kind.
ROWS_OF_INPUTS: Mapping[str, Callable[[list[Array], slice], list[Array]]] = {
    "affine": lambda inputs, rows: [inputs[0][:, rows], inputs[1][rows]],
    "penalty": lambda inputs, rows: [inputs[0], inputs[1][rows], inputs[2]],
}


def by_rows(visit: Visit) -> bool:
    """Return True if a visit can compute some rows of the gradient of weights alone."""
    return visit.op.primitive.kind in ROWS_OF_INPUTS


def rows_of(visit: Visit, arguments: Arguments, rows: slice) -> Arguments:
    """Narrow the arguments of a VJP, after the array that it writes to, to some rows of a weight gradient."""
    g, y, cache, *inputs = arguments
    return g, y, cache, *ROWS_OF_INPUTS[visit.op.primitive.kind](inputs, rows)


def forward_phases(program: Program, calls: Sequence[Call]) -> list[Phase]:
    """Divide a forward pass, whose ``calls`` are one for each operation."""
    ops = enumerate(program.ops)
    end = next((i for i, op in ops if not op.primitive.by_sample), len(program.ops))
    if not _worth_sharing(program, [Visit(op) for op in program.ops[:end]]):
        return [[calls]]
    narrowed = _to_samples(program)
    by_samples = [
        [(rule, narrowed(arguments, part)) for rule, arguments in calls[:end]]
        for part in _samples(program.batch)
    ]
    return [by_samples, [calls[end:]]]


def backward_phases(program: Program) -> list[Phase]:
    """Divide a backward pass: the loss, the values of each sample, and the parameters."""
    visits, parameters = program.graph.backward_visits, program.graph.parameters
    of_parameters = [visit for visit in visits if visit.writes in parameters]
    of_values = [visit for visit in visits if visit.writes not in parameters]
    by_sample = [visit for visit in of_values if visit.op.primitive.by_sample]
    of_loss = [visit for visit in of_values if not visit.op.primitive.by_sample]
    weights = (visit for visit in of_parameters if program.graph.is_weight(visit.writes))
    divisible = of_values == [*of_loss, *by_sample] and all(map(by_rows, weights))
    if not divisible or not any(_worth_sharing(program, each) for each in (by_sample, of_parameters)):
        return [[program.backward_calls(visits)]]
    if len(_samples(program.batch)) > 1:
        rows = [job for _, _, job in sorted(_by_rows(program, of_parameters), key=lambda row: -row[0])]
        return [[program.backward_calls(of_loss)], _by_samples(program, by_sample), rows]
    chain = Chain([program.backward_calls([visit]) for visit in of_values])
    place = {visit.writes: i for i, visit in enumerate(of_values)}
    behind = [
        [(chain.wait, (max(place.get(visit.op.output, 0) for visit in visits),)), *job]
        for _, visits, job in _by_rows(program, of_parameters)
    ]
    return [[[(chain.start, ())]], [[(chain.run, ())], *behind]]


def _worth_sharing(program: Program, visits: Sequence[Visit]) -> bool:
    return sum(visit.costs(program.shapes)[0] for visit in visits) >= LEAST_MACS


def _samples(batch: int) -> list[slice]:
    """Divide samples into at most MOST_JOBS parts, each of whole parts of a product."""
    of_products = -(-batch // SAMPLES)
    return parts(batch, SAMPLES * -(-of_products // MOST_JOBS))


def _to_samples(program: Program) -> Callable[[Any, slice], Any]:
    """Return a function that narrows an array, a cache or arguments to some samples, and leaves parameters whole."""
    shared = (value.name for value in program.graph.values if not value.per_sample)
    whole = {id(program.values[name]) for name in shared}

    def narrowed(given: Any, part: slice) -> Any:
        if isinstance(given, tuple):
            return getattr(type(given), "_make", tuple)(narrowed(each, part) for each in given)
        return given if id(given) in whole or not given.ndim else given[part]

    return narrowed


def _by_samples(program: Program, visits: Sequence[Visit]) -> Phase:
    narrowed = _to_samples(program)

    def job(part: slice) -> Job:
        return program.backward_calls(visits, lambda _, to, given: (to[part], narrowed(given, part)))

    return [job(part) for part in _samples(program.batch)]


def _by_rows(program: Program, visits: Sequence[Visit]) -> list[tuple[int, Sequence[Visit], Job]]:
    """Divide the gradients of parameters: weights by rows, in the order of their visits, and all others as one job at
    the end. Return the number of entries that a job writes, its visits, and the job."""
    weights = [visit for visit in visits if program.graph.is_weight(visit.writes)]
    others = [visit for visit in visits if not program.graph.is_weight(visit.writes)]

    def job(of_weight: Sequence[Visit], rows: slice) -> Job:
        return program.backward_calls(
            of_weight, lambda visit, to, given: (to[rows], rows_of(visit, given, rows))
        )

    jobs: list[tuple[int, Sequence[Visit], Job]] = []
    for name, group in groupby(weights, lambda visit: visit.writes):
        of_weight, (height, width) = tuple(group), program.shapes[name]
        jobs += [
            (len(range(height)[rows]) * width, of_weight, job(of_weight, rows))
            for rows in parts(height, WEIGHT_ROWS)
        ]
    return [*jobs, *([(0, others, program.backward_calls(others))] if others else [])]
