"""Each operation by itself: its VJPs and JVPs against the complex step of its own forward rule."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.gradients.check.report import Fault
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array

COMPLEX_STEP = 1e-30  # of the complex step
RELATIVE_TOLERANCE = 1e-9  # of a sum, relative to the sum of its absolute terms
ROUND_OFF = 1e-14  # slopes this small are round-off, such as 1 − a² of a saturated tanh


def faults(problem: Problem, seed: int = 0) -> tuple[tuple[Fault, ...], int, int]:
    """Return the rules that are not the derivative of their operation's forward rule, at the values of the problem's
    own pass, in double precision; the number of operations, and of those whose derivative overflows, so that its
    rules cannot be checked."""
    program = problem.in_precision("float64").program()
    program.forward()
    generator = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        by = program.graph.differentiable.union(program.graph.fed)
        found = [_faults_of(op, program, by, generator) for op in program.ops]
    overflowed = sum(each is None for each in found)
    return tuple(fault for each in found for fault in each or ()), len(program.ops), overflowed


def _faults_of(
    op: Op, program: Program, by: frozenset[str], generator: np.random.Generator
) -> list[Fault] | None:
    """Return the faults of an operation in its derivatives ``by`` some values, None if it cannot be checked."""
    row, found = op.primitive, []
    x = [program.values[name] for name in op.inputs]
    if row.in_place:  # input 0 has been written over; any other values do as well
        x[0] = generator.normal(size=x[0].shape)
    y, cache = np.empty(row.shape(*(a.shape for a in x))), row.room(np.dtype(float), *(a.shape for a in x))
    row.forward(y, cache, *x)
    for i, (vjp, jvp) in enumerate(zip(row.vjps, row.jvps, strict=True)):
        if op.inputs[i] not in by:
            continue  # such as the exponent of a square, by which there may be no derivative
        u, v = generator.normal(size=y.shape), generator.normal(size=x[i].shape)
        wanted = _complex_jvp(op, x, i, v) * u
        if not np.isfinite(wanted).all():
            return None
        least = ROUND_OFF * float(np.linalg.norm(u) * np.linalg.norm(v))
        x_bar, y_dot = np.empty(x[i].shape), np.empty(y.shape)
        vjp(x_bar, np.asarray(u), y, cache, *x)
        jvp(y_dot, v, y, cache, *x)
        for rule, terms in (("vjp", np.multiply(x_bar, v, out=v)), ("jvp", y_dot * u)):
            difference = abs(terms.sum() - wanted.sum())
            allowed = RELATIVE_TOLERANCE * max(np.abs(terms).sum(), np.abs(wanted).sum()) + least
            if not difference <= allowed:
                found.append(
                    Fault(row.name, op.block, rule, op.inputs[i], float(terms.sum()), float(wanted.sum()))
                )
    return found


def _complex_jvp(op: Op, x: list[Array], i: int, v: Array) -> Array:
    """Compute the operation's own complex step: Im f(x + ihv) / h."""
    moved = [a.astype(complex) if a.dtype.kind == "f" else a for a in x]
    moved[i].imag = COMPLEX_STEP * v
    shapes = [a.shape for a in x]
    y = np.empty(op.primitive.shape(*shapes), complex)
    op.primitive.forward(y, op.primitive.room(np.dtype(complex), *shapes), *moved)
    return y.imag / COMPLEX_STEP
