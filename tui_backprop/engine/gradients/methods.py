"""The table of methods that compute the gradient of a loss with respect to its parameters.

Backprop is one row. The others need a number of evaluations proportional to the number of parameters, and differ
in the kind of evaluation, in the error due to the step h, and in what they share with backprop: all share the
forward rules; forward mode also shares the slopes of the activations. (The JVPs are checked by themselves.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from tui_backprop.engine.gradients import batched, unbatched
from tui_backprop.engine.gradients.problem import Options, Problem
from tui_backprop.engine.gradients.quotient import Quotient, central_quotient, forward_quotient
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array

GradientRule = Callable[[Array, Problem, Array, float, Options], Iterator[int]]


@dataclass(frozen=True)
class Method:
    """A method for computing a gradient.

    ``count(parameters, probes)`` is the number of evaluations, each of them a ``unit``. ``order`` is the power of
    h in the truncation error, None for a method without a step; ``step(eps)`` is the best h for a precision with
    machine epsilon eps. If a rule ``subtracts`` losses, its round-off grows as h shrinks.
    ``quotient(program, i, h)`` is the difference quotient by parameter i, for methods that take one.
    """

    about: str
    rule: GradientRule
    count: Callable[[int, int], int]
    unit: str
    order: int | None = None
    step: Callable[[float], float] = lambda eps: 0.0
    subtracts: bool = False
    noisy: bool = False
    quotient: Callable[[Program, int, float], Quotient] | None = None

    def best_step(self, dtype: DTypeLike) -> float:
        """Return the best h for parameters of size 1 in a precision; 0 for a method without a step."""
        return self.step(float(np.finfo(dtype).eps))

    def errors(self, eps: float, step: float | None = None) -> tuple[float, float]:
        """About the relative error of a derivative of size 1, with the best step if none is given: first what
        sums of some hundred terms leave and truncation, h^order; then the round-off of a difference, eps / h."""
        h = self.step(eps) if step is None else step
        truncation = min(h, 1.0) ** self.order if self.order else 0.0
        return 64 * eps + truncation, eps / h if self.subtracts else 0.0

    def fill(
        self, out: Array, problem: Problem, indices: Array | None = None, options: Options = Options()
    ) -> Iterator[int]:
        """Fill ``out`` (P,) at ``indices`` (all, if None), and yield the number of evaluations made so far, out of
        ``count(len(indices), probes)``; the work stops when the iteration stops.

        Raises IndexError for an index out of range, ValueError for a step that is not positive.
        """
        parameters = problem.spec.parameters
        where = problem.positions if indices is None else np.asarray(indices)
        if where.size and (where.dtype.kind not in "iu" or not 0 <= where.min() <= where.max() < parameters):
            raise IndexError(f"indices must be integers from 0 to {parameters - 1}")
        where = where.astype(np.intp)
        h = self.best_step(problem.spec.dtype) if options.step is None else options.step
        if self.order is not None and not h > 0:
            raise ValueError(f"the step must be positive, such as 1e-6, not {h:g}")
        return self.rule(out, problem, where, h, options)

    def gradient(self, problem: Problem, indices: Array | None = None, options: Options = Options()) -> Array:
        """Return the derivatives at ``indices`` (all, if None), in that order, in double precision."""
        out = np.zeros(problem.spec.parameters)
        for _ in self.fill(out, problem, indices, options):
            pass
        return out if indices is None else out[indices]


# The best steps balance truncation, h^order, and round-off, eps / h (Nocedal and Wright 2006, section 8.1). The
# complex step has no round-off of that kind.
METHODS: dict[str, Method] = {
    "backprop": Method(
        "one forward and one backward pass",
        unbatched.backprop,
        lambda p, k: 1,
        "forward and backward pass",
    ),
    "forward-difference": Method(
        "perturb one parameter, run the whole forward pass: the naive method",
        unbatched.forward_difference,
        lambda p, k: p + 1,
        "forward pass",
        order=1,
        step=lambda eps: eps ** (1 / 2),
        subtracts=True,
        quotient=forward_quotient,
    ),
    "central-difference": Method(
        "perturb one parameter up and down",
        unbatched.central_difference,
        lambda p, k: 2 * p,
        "forward pass",
        order=2,
        step=lambda eps: eps ** (1 / 3),
        subtracts=True,
        quotient=central_quotient,
    ),
    "complex-step": Method(
        "perturb one parameter along the imaginary axis",
        unbatched.complex_step,
        lambda p, k: p,
        "complex forward pass",
        order=2,
        step=lambda eps: eps**2,
    ),
    "batched-difference": Method(
        "forward differences from the perturbed parameter's layer on, many in one pass",
        batched.batched_difference,
        lambda p, k: p + 1,
        "part of a forward pass",
        order=1,
        step=lambda eps: eps ** (1 / 2),
        subtracts=True,
    ),
    "forward-mode": Method(
        "one JVP for each parameter",
        unbatched.forward_mode,
        lambda p, k: p,
        "JVP",
    ),
    "batched-forward-mode": Method(
        "JVPs from the parameter's layer on, many tangents in one pass",
        batched.batched_forward_mode,
        lambda p, k: p,
        "part of a JVP",
    ),
    "spsa": Method(
        "perturb all parameters at random, twice for each probe: unbiased but noisy",
        unbatched.spsa,
        lambda p, k: 2 * k,
        "forward pass",
        order=2,
        step=lambda eps: eps ** (1 / 3),
        subtracts=True,
        noisy=True,
    ),
}

__all__ = ["METHODS", "Method", "Options", "Problem"]
