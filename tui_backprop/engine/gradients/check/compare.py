"""Hold one way to a gradient against another, and say where they differ and which operation is to blame.

Two checks go together. The first compares two methods, parameter by parameter (or along random directions),
and finds the tensor, the entry and both values. The second takes each operation by itself, at the values of
this very pass, and holds its VJPs and JVPs against the complex step of its own forward rule: it names the
operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tui_backprop.engine.gradients.check.arbiter import Arbiter
from tui_backprop.engine.gradients.check.directional import ALONG
from tui_backprop.engine.gradients.check.operations import faults
from tui_backprop.engine.gradients.check.report import (
    Fault,
    Pairs,
    Report,
    TensorCheck,
    Tolerance,
    UselessStep,
    judged,
    largest_of,
    tolerance,
)
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.graph import parameter_shapes, parameter_slices
from tui_backprop.engine.network.nonfinite import first_nonfinite
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array, Shape, index_at

Watch = Callable[[int, int], None]  # (evaluations made, of how many)
Fill = Callable[
    [str, Array, Problem, Array, Options], Iterator[int]
]  # as Method.fill, for a method by its name


def fill_here(name: str, out: Array, problem: Problem, where: Array, options: Options) -> Iterator[int]:
    """In this process."""
    return METHODS[name].fill(out, problem, where, options)


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
    backprop's gradient is largest, half at random. ``watch`` may raise to cancel. ``fill`` is
    what has a method find its derivatives, wherever that is done.

    Where a ReLU (or any function with a kink) changes sides within the step, or the loss bends too sharply for it,
    the difference is wrong although the derivative is right: such entries are counted apart. Raises UselessStep
    for a step that can tell nothing.
    """
    program = problem.program()
    loss = float(program.forward())
    guide = program.backward()
    bounds = _bounds(first, second, problem, loss, guide, options, rtol, atol)
    where = _chosen(problem, guide, entries, options.seed)
    a, b, made = *(np.zeros(problem.spec.parameters) for _ in range(2)), 0
    total = sum(METHODS[name].count(len(where), options.probes) for name in (first, second))
    for name, out in ((first, a), (second, b)):
        before = made
        for done in fill(name, out, problem, where, options):
            made = before + done
            watch(made, total)
    step, pairs, shapes = _step(first, second, problem, options), [], parameter_shapes(problem.spec)
    for name, place in parameter_slices(problem.spec).items():
        chosen = where[slice(*np.searchsorted(where, (place.start, place.stop)))]
        index = partial(_index, chosen - place.start, shapes[name])
        nudge = partial(_nudge, problem, chosen, step)
        pairs.append(Pairs(name, shapes[name], a[chosen], b[chosen], largest_of(guide[place]), index, nudge))
    return _report(problem, program, first, second, loss, made, step, bounds, pairs)


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
    """The fast check: backprop's gradient against the loss's slope along random directions, some for each
    tensor, of length 1. A few evaluations check all parameters at once, but cannot say which one is wrong.

    Raises UselessStep too, and ValueError for a second method that has no directional form (see ALONG).
    """
    if second not in ALONG:
        raise ValueError(f"{second} has no directional form; choose from {', '.join(ALONG)}")
    program = problem.program()
    loss = float(program.forward())
    gradient = program.backward()
    bounds = _bounds("backprop", second, problem, loss, gradient, options, rtol, atol)
    step = _step("backprop", second, problem, options)
    made, pairs, shapes = 1, [], parameter_shapes(problem.spec)
    make, evaluations = ALONG[second]
    slope = make(problem)
    for name, place in parameter_slices(problem.spec).items():
        found = np.empty((2, directions))
        direction = partial(_direction, options.seed, place)
        for k in range(directions):
            found[:, k] = gradient[place].astype(float) @ direction(k), slope(place, direction(k), step)
            made += evaluations
            watch(made, 1 + evaluations * directions * len(shapes))
        nudge = partial(_nudge_along, direction, place, step)
        pairs.append(
            Pairs(name, shapes[name], found[0], found[1], largest_of(gradient[place]), lambda k: (), nudge)
        )
    return _report(problem, program, "backprop", second, loss, made, step, bounds, pairs)


def _report(
    problem: Problem,
    program: Program,
    first: str,
    second: str,
    loss: float,
    made: int,
    step: float,
    bounds: Tolerance,
    pairs: list[Pairs],
) -> Report:
    """The verdict on the pairs, tensor by tensor, and on each operation."""
    arbiter = Arbiter(problem, first, second)
    a, b = (np.concatenate([getattr(each, side) for each in pairs]) for side in ("first", "second"))
    with np.errstate(all="ignore"):
        cosine = float((a / np.linalg.norm(a)) @ (b / np.linalg.norm(b)))
    found, operations, overflowed = faults(problem)
    bad = first_nonfinite(program)
    return Report(
        first=first,
        second=second,
        dtype=problem.spec.dtype,
        loss=loss,
        evaluations=made,
        cosine=cosine,
        tensors=tuple(judged(each, step, bounds, arbiter.artifact) for each in pairs),
        operations=operations,
        overflowed=overflowed,
        faults=found,
        bad=bad.why if bad else "",
    )


def _bounds(
    first: str,
    second: str,
    problem: Problem,
    loss: float,
    gradient: Array,
    options: Options,
    rtol: float | None,
    atol: float | None,
) -> Tolerance:
    """What is to be expected, but for what is asked for."""
    expected = tolerance(first, second, problem, loss, gradient, options)
    share = expected.share if atol is None else 0.0
    return Tolerance(expected.rtol if rtol is None else rtol, expected.atol if atol is None else atol, share)


def _step(first: str, second: str, problem: Problem, options: Options) -> float:
    """The larger step of the two, of those that take a difference if any does; 0 if both do without a step."""
    rows = [METHODS[name] for name in (first, second) if METHODS[name].order]
    steps = [
        row.best_step(problem.spec.dtype) if options.step is None else options.step
        for row in [row for row in rows if row.subtracts] or rows
    ]
    return max(steps, default=0.0)


def _chosen(problem: Problem, guide: Array, entries: int | None, seed: int) -> Array:
    """Places in the flat vector: all, or of each tensor those with the largest gradient and some at random."""
    if entries is None:
        return np.arange(problem.spec.parameters)
    generator = np.random.default_rng(seed)
    chosen = []
    for place in parameter_slices(problem.spec).values():
        count = place.stop - place.start
        if count <= entries:
            chosen.append(np.arange(place.start, place.stop))
        else:
            part = np.nan_to_num(np.abs(guide[place]))
            top = np.argpartition(part, -(entries // 2))[count - entries // 2 :]
            anywhere = generator.choice(count, size=entries, replace=False)
            others = anywhere[~np.isin(anywhere, top)][: entries - len(top)]
            chosen.append(place.start + np.sort(np.concatenate([top, others])))
    return np.concatenate(chosen)


def _index(places: Array, shape: Shape, k: int) -> tuple[int, ...]:
    return index_at(int(places[k]), shape)


def _nudge(problem: Problem, where: Array, step: float, k: int) -> tuple[slice, Array]:
    """The one parameter that was moved for entry k, and by how much."""
    i = int(where[k])
    return slice(i, i + 1), np.array([step * max(1.0, abs(float(problem.parameters[i])))])


def _direction(seed: int, place: slice, k: int) -> Array:
    """Random direction k of the tensor that lies at ``place``, of length 1."""
    direction = np.random.default_rng((seed, place.start, k)).normal(size=place.stop - place.start)
    return np.asarray(direction / np.linalg.norm(direction))


def _nudge_along(direction: Callable[[int], Array], place: slice, step: float, k: int) -> tuple[slice, Array]:
    return place, step * direction(k)


__all__ = [
    "ALONG",
    "Fault",
    "Fill",
    "Report",
    "TensorCheck",
    "UselessStep",
    "compare",
    "compare_along",
    "faults",
    "fill_here",
]
