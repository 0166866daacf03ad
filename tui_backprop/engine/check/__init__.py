"""Hold one way to a gradient against another, and say where they differ and which operation is to blame.

Two checks go together. The first compares two methods, parameter by parameter (or along random directions),
and finds the tensor, the entry and both values. The second takes each operation by itself, at the values of
this very pass, and holds its VJPs and JVPs against the complex step of its own forward rule: it names the
operation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tui_backprop.engine.check.along import ALONG
from tui_backprop.engine.check.operations import faults
from tui_backprop.engine.check.report import (
    Entry,
    Fault,
    Report,
    TensorCheck,
    Tolerance,
    entry_of,
    judged,
    tolerance,
)
from tui_backprop.engine.methods import METHODS, Method, Options, Problem
from tui_backprop.engine.network import parameter_shapes, parameter_slices
from tui_backprop.engine.nonfinite import first_bad
from tui_backprop.engine.primitives import ELEMENTWISE, Array
from tui_backprop.engine.program import Program

Watch = Callable[[int, int], None]  # (evaluations made, of how many)


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
) -> Report:
    """Compare two methods in ``entries`` parameters of each tensor (None: all of them), half of them where
    backprop's gradient is largest, half at random. ``watch`` may raise to cancel.

    A ReLU (or any function with a kink) that changes sides within the step makes a difference wrong although
    the derivative is right: such entries are counted apart. Raises ValueError for a step that can tell nothing.
    """
    program = problem.program()
    loss = float(program.forward())
    guide = program.backward()
    bounds = tolerance(first, second, problem, loss, guide, options)
    bounds = Tolerance(bounds.rtol if rtol is None else rtol, bounds.atol if atol is None else atol)
    where = _chosen(problem, guide, entries, options.seed)
    a, b, made = *(np.zeros(problem.spec.parameters) for _ in range(2)), 0
    total = sum(METHODS[name].count(len(where), options.probes) for name in (first, second))
    for name, out in ((first, a), (second, b)):
        before = made
        for done in METHODS[name].fill(out, problem, where, options):
            made = before + done
            watch(made, total)
    step = _step(METHODS[second], METHODS[first], problem, options)
    tensors, shapes = [], parameter_shapes(problem.spec)
    for name, place in parameter_slices(problem.spec).items():
        pairs = []
        for i in where[(where >= place.start) & (where < place.stop)].tolist():
            index = np.unravel_index(i - place.start, shapes[name])
            nudge = partial(_nudge, problem, i, step)
            pairs.append((entry_of(index, float(a[i]), float(b[i]), step, bounds), nudge))
        tensors.append(judged(name, shapes[name], pairs, partial(_at_kink, problem)))
    return _report(problem, program, first, second, loss, made, tensors)


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

    Raises ValueError for a second method that has no directional form (see ALONG).
    """
    if second not in ALONG:
        raise ValueError(f"{second} has no directional form; choose from {', '.join(ALONG)}")
    program = problem.program()
    loss = float(program.forward())
    gradient = program.backward().astype(float)
    generator = np.random.default_rng(options.seed)
    bounds = tolerance("backprop", second, problem, loss, gradient, options)
    bounds = Tolerance(bounds.rtol if rtol is None else rtol, bounds.atol if atol is None else atol)
    step = _step(METHODS[second], METHODS[second], problem, options)
    slope, evaluations = ALONG[second]
    tensors, made, shapes = [], 1, parameter_shapes(problem.spec)
    for name, place in parameter_slices(problem.spec).items():
        pairs = []
        for _ in range(directions):
            way = np.zeros(problem.spec.parameters)
            way[place] = generator.normal(size=place.stop - place.start)
            way /= np.linalg.norm(way)
            found = slope(problem, way, step)
            pairs.append(
                (entry_of((), float(gradient @ way), found, step, bounds), partial(np.multiply, way, step))
            )
            made += evaluations
            watch(made, 1 + evaluations * directions * len(shapes))
        tensors.append(judged(name, shapes[name], pairs, partial(_at_kink, problem)))
    return _report(problem, program, "backprop", second, loss, made, tensors)


def _report(
    problem: Problem,
    program: Program,
    first: str,
    second: str,
    loss: float,
    made: int,
    tensors: list[tuple[TensorCheck, Array]],
) -> Report:
    pairs = np.concatenate([values for _, values in tensors])
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(pairs, axis=0)
        cosine = float((pairs[:, 0] / lengths[0]) @ (pairs[:, 1] / lengths[1]))
    found, operations = faults(problem)
    checks, bad = tuple(check for check, _ in tensors), first_bad(program)
    why = bad.why if bad else ""
    return Report(first, second, problem.spec.dtype, loss, made, cosine, checks, operations, found, why)


def _step(method: Method, other: Method, problem: Problem, options: Options) -> float:
    """The step that the difference in question was taken with, 0 if both methods do without one."""
    if method.order is None:
        method = other
    if method.order is None:
        return 0.0
    return method.best_step(problem.spec.dtype) if options.step is None else options.step


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


def _nudge(problem: Problem, i: int, step: float) -> Array:
    nudge = np.zeros(problem.spec.parameters)
    nudge[i] = step * max(1.0, abs(float(problem.parameters[i])))
    return nudge


def _at_kink(problem: Problem, entry: Entry, nudge: Array) -> bool:
    """Whether a kink is to blame: one lies within the nudge, and the complex step, which has none, agrees."""
    if not any(ELEMENTWISE[name].kink for name in problem.spec.activations) or not _flips(problem, nudge):
        return False
    length = float(np.linalg.norm(nudge))
    exact = ALONG["complex-step"][0](problem.in_precision("float64"), nudge / length, 1e-30)
    return abs(entry.first - exact) <= entry.allowed


def _flips(problem: Problem, nudge: Array) -> bool:
    """Whether any function with a kink changes sides between the parameters less, without and plus a nudge."""
    program = problem.program()
    bent = [program.values[op.inputs[0]] for op in program.ops if op.primitive.kink]
    at, sides = program.parameters.copy(), []
    for way in (-1, 0, 1):
        with np.errstate(invalid="ignore"):  # of an infinite parameter
            program.parameters[...] = at + way * nudge
        program.forward()
        sides.append([z > 0 for z in bent])
    return any(
        (left != right).any() for one in (0, 2) for left, right in zip(sides[one], sides[1], strict=True)
    )


__all__ = ["ALONG", "Entry", "Fault", "Report", "TensorCheck", "compare", "compare_along", "faults"]
