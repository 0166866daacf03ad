"""Compare two gradient methods, and report where they differ and which operation causes it.

Two checks go together. The first compares two methods, parameter by parameter (or along random directions),
and finds the tensor, the entry and both values. The second takes each operation by itself, at the values of
the same pass, and compares its VJPs and JVPs with the complex step of its own forward rule: it names the
operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np

from tui_backprop.engine.arrays.norms import cosine
from tui_backprop.engine.gradients.check.arbiter import Arbiter
from tui_backprop.engine.gradients.check.directional import ALONG
from tui_backprop.engine.gradients.check.entries import chosen_entries
from tui_backprop.engine.gradients.check.operations import faults
from tui_backprop.engine.gradients.check.report import (
    Artifact,
    CheckedEntry,
    Pairs,
    Quotients,
    Report,
    TensorCheck,
    judged,
)
from tui_backprop.engine.gradients.check.roundoff import round_off
from tui_backprop.engine.gradients.check.tolerance import Noise, Tolerance, noise_of, tolerance
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.gradients.quotient import Quotient
from tui_backprop.engine.network.nonfinite import first_nonfinite
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array, Shape, index_at

Watch = Callable[[int, int], None]  # (evaluations made, out of how many)
Fill = Callable[
    [str, Array, Problem, Array, Options], Iterator[int]
]  # as Method.fill, for a method by its name


def fill_here(name: str, out: Array, problem: Problem, where: Array, options: Options) -> Iterator[int]:
    """Fill ``out`` in this process."""
    return METHODS[name].fill(out, problem, where, options)


@np.errstate(all="ignore")  # an overflow appears as inf or NaN, and is judged as such
def compare(
    problem: Problem,
    first: str = "backprop",
    second: str = "central-difference",
    *,
    entries: int | None = 20,
    rtol: float | None = None,
    atol: float | None = None,
    options: Options = Options(),
    watch: Watch = lambda done, of: None,
    fill: Fill = fill_here,
) -> Report:
    """Compare two methods in ``entries`` parameters of each tensor (None: all of them), half of them where
    backprop's gradient is largest, half at random. ``watch`` may raise to cancel; judging a tensor counts as an
    evaluation there. ``fill`` is what has a method find its derivatives, wherever that is done.

    Where a ReLU (or any function with a kink) changes sides within the step, or the loss bends too sharply for it,
    the difference quotient is wrong although the derivative is right: such entries are counted apart.
    """
    program = problem.program()
    program.forward()
    guide = program.backward()
    where = chosen_entries(problem, guide, entries, options.seed)
    rounding = round_off(problem, lambda gradient: gradient[where], options.seed)
    noise = noise_of(first, second, guide[where], options)
    bounds = tolerance(first, second, problem, rounding, noise, options, rtol, atol)
    a, b, made = *(np.zeros(problem.spec.parameters) for _ in range(2)), 0
    slices, shapes = problem.spec.graph.trained, problem.spec.graph.parameters
    total = sum(METHODS[name].count(len(where), options.probes) for name in (first, second)) + len(slices)
    for name, out in ((first, a), (second, b)):
        before = made
        for done in fill(name, out, problem, where, options):
            made = before + done
            watch(made, total)
    step, pairs = _step(first, second, problem, options), []
    quotients = partial(_quotients, problem, first, second, options)
    for name, place in slices.items():
        inside = slice(*np.searchsorted(where, (place.start, place.stop)))
        chosen = where[inside]
        pairs.append(
            Pairs(
                name,
                shapes[name],
                a[chosen],
                b[chosen],
                _exact(first, second),
                rounding.derivatives[inside],
                largest_of(guide[place]),
                partial(_index, chosen - place.start, shapes[name]),
                partial(_nudge, problem, chosen, step),
                partial(quotients, chosen),
            )
        )
    artifact = Arbiter(problem, first, second).artifact
    tensors = _judged_all(pairs, step, bounds, artifact, lambda done: watch(made + done, total))
    return _report(problem, program, (first, second), made, noise, tensors, pairs)


@np.errstate(all="ignore")
def compare_along(
    problem: Problem,
    second: str = "central-difference",
    *,
    directions: int = 1,
    rtol: float | None = None,
    atol: float | None = None,
    options: Options = Options(),
    watch: Watch = lambda done, of: None,
) -> Report:
    """Compare backprop's gradient with the slope of the loss along random directions of length 1, some for each
    tensor. A few evaluations check all parameters at once, but cannot show which one is wrong.

    Raises ValueError for a second method that has no directional form (see ALONG).
    """
    if second not in ALONG:
        raise ValueError(f"{second} has no directional form; choose from {', '.join(ALONG)}")
    program = problem.program()
    program.forward()
    gradient = program.backward()
    slices, shapes = problem.spec.graph.trained, problem.spec.graph.parameters
    method = ALONG[second]
    of = 1 + (method.evaluations * directions + 1) * len(slices)
    along = partial(_along, slices, options.seed, directions, lambda: watch(1, of))
    rounding = round_off(problem, along, options.seed)
    bounds = tolerance("backprop", second, problem, rounding, None, options, rtol, atol)
    step, found = _step("backprop", second, problem, options), along(gradient)
    made, pairs = 1, []
    slope = method.slope(problem)
    for at, (name, place) in enumerate(slices.items()):
        inside = slice(at * directions, (at + 1) * directions)
        direction, slopes = partial(_direction, options.seed, place), np.empty(directions)
        for k in range(directions):
            slopes[k] = slope(place, direction(k), step)
            made += method.evaluations
            watch(made, of)
        pairs.append(
            Pairs(
                name,
                shapes[name],
                found[inside],
                slopes,
                _exact("backprop", second),
                rounding.derivatives[inside],
                largest_of(gradient[place]),
                lambda k: (),
                partial(_nudge_along, direction, place, step),
                partial(_quotients_along, problem, second, direction, place, step),
            )
        )
    artifact = Arbiter(problem, "backprop", second).artifact
    tensors = _judged_all(pairs, step, bounds, artifact, lambda done: watch(made + done, of))
    return _report(problem, program, ("backprop", second), made, None, tensors, pairs)


def _judged_all(
    pairs: list[Pairs],
    step: float,
    bounds: Tolerance,
    artifact: Callable[[CheckedEntry, slice, Array], Artifact],
    watch: Callable[[int], None],
) -> tuple[TensorCheck, ...]:
    """Judge the tensors; ``watch`` gets the number of those that are judged."""
    tensors = []
    for each in pairs:
        tensors.append(judged(each, step, bounds, artifact))
        watch(len(tensors))
    return tuple(tensors)


def _report(
    problem: Problem,
    program: Program,
    methods: tuple[str, str],
    made: int,
    noise: Noise | None,
    tensors: tuple[TensorCheck, ...],
    pairs: list[Pairs],
) -> Report:
    """Put the tensors, the operations and the origin of a number that is not finite together."""
    a, b = (np.concatenate([getattr(each, side) for each in pairs]) for side in ("first", "second"))
    found, operations, overflowed = faults(problem)
    bad = first_nonfinite(program)
    report = Report(
        first=methods[0],
        second=methods[1],
        dtype=problem.spec.dtype,
        loss=float(program.values[program.graph.loss]),
        evaluations=made,
        cosine=cosine(a, b),
        tensors=tensors,
        operations=operations,
        overflowed=overflowed,
        faults=found,
        bad=bad.why if bad else "",
        noise=noise,
    )
    closest = report.closest
    if closest is None or closest.worst is None:
        return report
    of = next(each for each in pairs if each.tensor == closest.tensor)
    return replace(report, quotients=of.quotients(closest.worst.number))


def largest_of(values: Array) -> float:
    """Return the largest magnitude of the finite numbers; 0 if there are none."""
    with np.errstate(all="ignore"):
        finite = values if np.isfinite(values.sum()) else np.nan_to_num(values, posinf=0, neginf=0)
    return float(max(finite.max(), -finite.min()))


def _step(first: str, second: str, problem: Problem, options: Options) -> float:
    """Return the larger step of the two methods, of those that take a difference if any does; 0 without a step."""
    rows = [METHODS[name] for name in (first, second) if METHODS[name].order]
    steps = [
        row.best_step(problem.spec.dtype) if options.step is None else options.step
        for row in [row for row in rows if row.subtracts] or rows
    ]
    return max(steps, default=0.0)


def _exact(first: str, second: str) -> tuple[bool, bool]:
    """Return which of the two methods subtract no losses."""
    return not METHODS[first].subtracts, not METHODS[second].subtracts


def _index(places: Array, shape: Shape, k: int) -> tuple[int, ...]:
    return index_at(int(places[k]), shape)


def _nudge(problem: Problem, where: Array, step: float, k: int) -> tuple[slice, Array]:
    """Return the one parameter that is moved for entry k, and by how much."""
    i = int(where[k])
    return slice(i, i + 1), np.array([step * max(1.0, abs(float(problem.parameters[i])))])


def _quotients(
    problem: Problem, first: str, second: str, options: Options, where: Array, k: int
) -> Quotients:
    """Compute the difference quotients of entry k, of the methods that take one."""

    def of(name: str) -> Quotient | None:
        row = METHODS[name]
        if row.quotient is None:
            return None
        step = row.best_step(problem.spec.dtype) if options.step is None else options.step
        return row.quotient(problem.program(), int(where[k]), step)

    return of(first), of(second)


def _along(
    slices: Mapping[str, slice], seed: int, directions: int, watch: Callable[[], None], gradient: Array
) -> Array:
    """Return the slopes along the directions of all tensors, one tensor after the other; ``watch`` is called for
    each."""
    slopes = np.empty(len(slices) * directions)
    for at, (place, k) in enumerate(product(slices.values(), range(directions))):
        slopes[at] = gradient[place].astype(float) @ _direction(seed, place, k)
        watch()
    return slopes


def _quotients_along(
    problem: Problem, second: str, direction: Callable[[int], Array], place: slice, step: float, k: int
) -> Quotients:
    """Compute the difference quotient along direction k, if the method takes one."""
    quotient = ALONG[second].quotient
    return None, None if quotient is None else quotient(problem.program(), place, direction(k), step)


def _direction(seed: int, place: slice, k: int) -> Array:
    """Return the random direction k of the tensor at ``place``, of length 1."""
    direction = np.random.default_rng((seed, place.start, k)).normal(size=place.stop - place.start)
    return np.asarray(direction / np.linalg.norm(direction))


def _nudge_along(direction: Callable[[int], Array], place: slice, step: float, k: int) -> tuple[slice, Array]:
    return place, step * direction(k)
