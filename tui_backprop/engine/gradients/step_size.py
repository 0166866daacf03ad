"""The error of a finite difference against its step size h, for one parameter.

A difference subtracts two losses that agree in most of their digits, so its round-off grows like eps / h as h
shrinks; its truncation error (forward: h/2 f'', central: h²/6 f''') grows with h. The best step is in between: about
√eps for a forward difference, eps^(1/3) for a central one (Dennis and Schnabel 1983). The complex step
Im f(x + ih) / h (Squire and Trapp 1998) subtracts nothing, and has only truncation error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from tui_backprop.engine.gradients.branches import sides_of
from tui_backprop.engine.gradients.methods import METHODS, Problem
from tui_backprop.engine.gradients.problem import COMPLEX
from tui_backprop.engine.gradients.quotient import Quotient
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

PRECISIONS = ("float32", "float64")
STEP_METHODS = ("forward-difference", "central-difference", "complex-step")
FIRST_DECADE, STEPS_PER_DECADE, STEP_COUNT = (
    -1.0,
    4,
    61,
)  # the first decade, steps a decade, and their number: down to 1e-16
MANY_PARAMETERS = (
    5_000_000  # from this number of parameters on, one step a decade is evaluated instead of four
)

EXACT_STEP = 1e-30  # a complex step this small has no truncation error in double precision


@dataclass(frozen=True)
class KinkCrossing:
    """Units with a kink between the points where a difference is evaluated: their number, and the first of them."""

    units: int
    first: str


@dataclass(frozen=True, eq=False)
class StepCurve:
    """A method in one precision: the derivative ``found`` (n,) with each step, its error ``off`` (n,), relative to
    the exact derivative unless that is 0, and the ``best`` step in theory, for parameters and derivatives of size 1.
    ``flips`` are the units that changed sides in the passes of each derivative, None if no unit did;
    ``quotients`` are the difference quotients, None for the complex step."""

    found: Array
    off: Array
    best: float
    flips: tuple[KinkCrossing | None, ...]
    quotients: tuple[Quotient | None, ...] = ()

    @property
    def least(self) -> int:
        """Index of the step with the least error."""
        return int(np.argmin(np.where(np.isfinite(self.off), self.off, np.inf)))


@dataclass(frozen=True, eq=False)
class StepSweep:
    """The curves of one parameter, by (method, precision). ``steps`` (n,) fall from 0.1 to 1e-16. ``exact`` is the
    derivative by backprop in double precision, ``checked`` the same derivative by a complex step of 1e-30."""

    tensor: str
    index: tuple[int, ...]
    steps: Array
    exact: float
    checked: float
    rows: Mapping[tuple[str, str], StepCurve]

    @property
    def relative(self) -> bool:
        """True if errors are relative, as the derivative is not 0."""
        return self.exact != 0

    def nearest(self, step: float) -> int:
        """Return the index of the step nearest to ``step``, by their logarithms."""
        return int(np.argmin(np.abs(np.log10(self.steps) - np.log10(step))))


def step_sweep(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> StepSweep:
    """Compute the curves of the parameter ``tensor[index]`` of a pass, on the same batch. Needs some 500 passes from
    that parameter's layer on (a quarter of them for large networks). Raises KeyError for a tensor that is not a
    parameter, IndexError for an index out of range."""
    graph = iteration.graph
    at = graph.flat_index(tensor, index)
    every = 1 if iteration.spec.parameters < MANY_PARAMETERS else STEPS_PER_DECADE
    steps = np.array(
        [10.0 ** (FIRST_DECADE - notch / STEPS_PER_DECADE) for notch in range(0, STEP_COUNT, every)]
    )
    with np.errstate(all="ignore"):  # of parameters that are infinite, or too large for single precision
        problem = Problem(
            iteration.spec,
            *iteration.data,
            iteration.program.parameters,
            iteration.before.t,
        )
        double = problem.in_precision("float64")
        exact = _by_backprop(double, at)
        checked = _Perturbed(double, tensor, at, "complex128").complex_step(EXACT_STEP)
        rows = {}
        for method, precision in product(STEP_METHODS, PRECISIONS):
            perturbed = _Perturbed(
                problem.in_precision(precision),
                tensor,
                at,
                COMPLEX[precision] if method == STEP_METHODS[2] else None,
            )
            slopes, flips, quotients = zip(
                *(perturbed.slope(DERIVATIVE_RULES[method], float(h)) for h in steps), strict=True
            )
            found = np.array(slopes)
            off = np.abs(found - exact) / (abs(exact) or 1.0)
            rows[method, precision] = StepCurve(
                found, off, METHODS[method].best_step(precision), flips, quotients
            )
    return StepSweep(tensor, index, steps, exact, checked, rows)


def _by_backprop(problem: Problem, at: int) -> float:
    program = problem.program()
    program.forward()
    return float(program.backward()[at])


class _Perturbed:
    """A program that evaluates its loss with one parameter moved, running only the operations after it again."""

    def __init__(self, problem: Problem, tensor: str, at: int, dtype: str | None) -> None:
        self.program = problem.program(dtype=dtype)
        self._at, self._start = at, start_of(self.program, tensor)
        self._value = self.program.parameters[at].copy()
        self.base = complex(self.program.forward())
        self._piecewise = [op for op in self.program.ops if op.primitive.side]
        self._here = sides_of(self.program)
        self._crossed = [np.zeros(here.shape, bool) for here in self._here]

    def slope(self, rule: DerivativeRule, h: float) -> tuple[float, KinkCrossing | None, Quotient | None]:
        """Return the derivative by a rule, the kinks that it crossed, and its difference quotient if it takes one."""
        self._crossed = [np.zeros(here.shape, bool) for here in self._here]
        found = rule(self, h)
        crossed = _crossing(self.program.graph, self._piecewise, self._crossed)
        return (found.slope, crossed, found) if isinstance(found, Quotient) else (found, crossed, None)

    def loss(self, by: complex) -> tuple[complex, complex]:
        """Return the loss with the parameter moved by ``by``, and the move after rounding in its precision."""
        self.program.parameters[self._at] = self._value + by
        moved = self.program.parameters[self._at] - self._value
        loss, sides = complex(self.program.forward(self._start)), sides_of(self.program)
        self.program.parameters[self._at] = self._value
        for crossed, here, now in zip(self._crossed, self._here, sides, strict=True):
            crossed |= now != here
        return loss, complex(moved)

    def forward_difference(self, h: float) -> Quotient:
        above, up = self.loss(h)
        return Quotient(above.real, self.base.real, up.real, 0.0, up.real or h)

    def central_difference(self, h: float) -> Quotient:
        (above, right), (below, left) = self.loss(h), self.loss(-h)
        divisor = (right - left).real or 2 * h
        return Quotient(above.real, below.real, right.real, -left.real, divisor, True)

    def complex_step(self, h: float) -> float:
        return self.loss(1j * h)[0].imag / h


DerivativeRule = Callable[[_Perturbed, float], Quotient | float]
DERIVATIVE_RULES: dict[str, DerivativeRule] = {
    "forward-difference": _Perturbed.forward_difference,
    "central-difference": _Perturbed.central_difference,
    "complex-step": _Perturbed.complex_step,
}


def start_of(program: Program, tensor: str) -> int:
    """Return the number of the first operation to run again when a parameter moves: the first that reads it, or the
    one before if that one works in place, as a bias is added to the sums in their own memory."""
    at = next(i for i, op in enumerate(program.ops) if tensor in op.inputs)
    while program.ops[at].primitive.in_place:
        at -= 1
    return at


def _crossing(graph: Graph, ops: list[Op], crossed: list[Array]) -> KinkCrossing | None:
    """Return the units that changed sides for any sample, None if no unit did."""
    several = []
    for op, each in zip(ops, crossed, strict=True):
        name = op.inputs[0]
        if len(graph.by_name[name].shape) != each.ndim:  # a number beside an array
            name = op.output
        several += [
            (name, place) for place in np.argwhere(each.any(axis=0) if graph.per_sample(name) else each)
        ]
    if not several:
        return None
    name, place = several[0]
    return KinkCrossing(len(several), entry_name(name, tuple(map(int, place))))
