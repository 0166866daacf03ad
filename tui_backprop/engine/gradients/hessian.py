"""Second derivatives of a loss: Hessian-vector products, and the whole Hessian, column by column.

The product H v is the JVP of the VJP (forward over reverse; Pearlmutter 1994): the parameters get the tangent v, and
forward and backward pass are run once with tangents beside all values and cotangents. The tangents are carried in the
imaginary parts, times a factor so small that its square vanishes (Squire and Trapp 1998): each rule of the table then
is a rule for values and tangents, exact to round-off. Piecewise functions stay on the pieces of the pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tui_backprop.engine.gradients.branches import Branches
from tui_backprop.engine.gradients.problem import COMPLEX, Problem
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.support.errors import InputError
from tui_backprop.support.running_clock import running_clock

MOST_PARAMETERS = 50  # of a whole Hessian: it has their square of entries
TANGENT = {"float32": 1e-15, "float64": 1e-100}  # scale of tangents in imaginary parts
SMALLER, SAME = 2.0**-20, 1e-3  # a second scale, and the relative difference that shows a singular point
METHOD = "JVP of the VJP (forward over reverse), one for each column and one as a check"

Watch = Callable[[int, int], None]  # (columns done, of how many)


@dataclass(frozen=True, eq=False)
class Hessian:
    """The second derivatives of a loss by its parameters, (P, P) in the order of ``names``, with the ``gradient``
    (P,). ``kind`` says what they are: "exact" to round-off, or "not finite" in some entry.

    ``asymmetry`` is the largest difference between an entry and its mirror image, which only round-off makes;
    ``passes`` counts pairs of a forward and a backward pass with tangents, ``seconds`` is the time measured."""

    names: tuple[str, ...]
    matrix: Array
    gradient: Array
    kind: Literal["exact", "not finite"]
    asymmetry: float
    passes: int
    flops: int
    seconds: float
    method: str = METHOD

    @property
    def eigenvalues(self) -> Array:
        """The eigenvalues of its symmetric part, in ascending order; NaN where an entry is not finite."""
        if self.kind != "exact":
            return np.full(len(self.names), np.nan)
        return np.linalg.eigvalsh((self.matrix + self.matrix.T) / 2)


class HessianProduct:
    """The map from a vector v (P,) to H v, at the parameters of a problem; tangents are carried at a ``scale``."""

    def __init__(self, problem: Problem, scale: float | None = None) -> None:
        self._program = problem.program(dtype=COMPLEX[problem.spec.dtype])
        self._branches = Branches(problem)
        self._at = self._program.parameters.copy()
        self._scale = scale or TANGENT[problem.spec.dtype]

    @property
    def flops(self) -> int:
        """Floating-point operations of one product: both passes, each with the tangents, at twice the cost."""
        return 2 * pass_flops(self._program)

    @np.errstate(all="ignore")
    def __call__(self, vector: Array) -> Array:
        """Return H v. Raises ValueError for a vector of another shape than (P,)."""
        vector = np.asarray(vector, float)
        if vector.shape != self._at.shape:
            raise ValueError(f"the vector has shape {vector.shape}; expected {self._at.shape}")
        self._program.parameters[...] = self._at + 1j * self._scale * vector
        self._branches.forward(self._program)
        return self._program.backward().imag.astype(float) / self._scale


def hessian(problem: Problem, watch: Watch = lambda done, of: None) -> Hessian:
    """Compute the whole Hessian. Raises InputError for more than MOST_PARAMETERS parameters; ``watch`` may raise to
    cancel."""
    count = problem.spec.parameters
    if count > MOST_PARAMETERS:
        raise InputError(
            "hessian", f"{count:,} parameters have {count**2:,} second derivatives; at most {MOST_PARAMETERS}"
        )
    if problem.spec.graph.by_name[problem.spec.graph.loss].shape:
        raise InputError(
            "hessian", "the last statement is an array; a Hessian is that of one number, as of sum(...)"
        )
    product, columns = HessianProduct(problem), []
    with running_clock() as clock:
        before = clock()
        for n, direction in enumerate(np.eye(count), 1):
            columns.append(product(direction))
            watch(n, count)
        seconds = clock() - before
    matrix = np.stack(columns, axis=1)
    _mark_singular(problem, matrix)
    gradient = _gradient(problem)
    finite = bool(np.isfinite(matrix).all() and np.isfinite(gradient).all())
    with np.errstate(all="ignore"):
        asymmetry = float(np.abs(matrix - matrix.T).max())
    return Hessian(
        entry_names(problem),
        matrix,
        gradient,
        "exact" if finite else "not finite",
        asymmetry,
        count + 1,
        (count + 1) * product.flops,
        seconds,
    )


@np.errstate(all="ignore")
def _gradient(problem: Problem) -> Array:
    program = problem.program()
    program.forward()
    return program.backward().astype(float)


def _mark_singular(problem: Problem, matrix: Array) -> None:
    """Make the second derivatives NaN where there are none, as of x^1.5 at 0: there, what is found depends on the
    scale of the tangents. One product at another scale shows whether any does."""
    count = len(matrix)
    again = HessianProduct(problem, SMALLER * TANGENT[problem.spec.dtype])
    direction = np.linspace(1, 2, count)
    with np.errstate(all="ignore"):
        bound = SAME * (np.abs(matrix) @ direction)
        if (np.abs(again(direction) - matrix @ direction) <= bound).all():
            return
        for i, unit in enumerate(np.eye(count)):
            column = again(unit)
            matrix[~(np.abs(column - matrix[:, i]) <= SAME * np.abs(matrix[:, i])), i] = np.nan


def entry_names(problem: Problem) -> tuple[str, ...]:
    """Return the names of all parameters, entry by entry: w, M[0,1]."""
    return tuple(entry_name(*problem.spec.graph.parameter_at(i)) for i in range(problem.spec.parameters))


def pass_flops(program: Program) -> int:
    """Count the floating-point operations of a forward and a backward pass."""
    visits = (*program.graph.forward_visits, *program.graph.backward_visits)
    return sum(visit.costs(program.shapes)[1] for visit in visits)
