"""The step dial: how wrong a derivative by differences is, against the step h, for one parameter.

A difference subtracts two losses that agree in most of their digits, so its error grows like eps / h as h shrinks;
and it is no tangent, so its error grows with h (forward: h/2 f'', central: h²/6 f''') as h grows. In between lies
its best step: about √eps for a forward difference, eps^(1/3) for a central one (Dennis and Schnabel 1983). The
complex step Im f(x + ih) / h (Squire and Trapp 1998) subtracts nothing, and only has truncation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from tui_backprop.engine.iteration import Pass
from tui_backprop.engine.methods import METHODS, Problem
from tui_backprop.engine.network import parameter_shapes, parameter_slices
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.program import Program

PRECISIONS = ("float32", "float64")
WAYS = ("forward-difference", "central-difference", "complex-step")
LARGEST, EACH, NOTCHES = -1.0, 4, 61  # the first decade, steps a decade, and how many: down to 1e-16
FEW = 5_000_000  # parameters from which on one step a decade is run, and not four

COMPLEX = {"float32": "complex64", "float64": "complex128"}


@dataclass(frozen=True, eq=False)
class Row:
    """A method in a precision: the derivative ``found`` (n,) with each step, how far it is ``off`` (n,), relative to
    the exact one where that is not 0, and the ``best`` step by theory, for parameters and derivatives of size 1."""

    found: Array
    off: Array
    best: float

    @property
    def least(self) -> int:
        """Where it came out best."""
        return int(np.argmin(np.where(np.isfinite(self.off), self.off, np.inf)))


@dataclass(frozen=True)
class Flip:
    """Units whose activation has a kink between the places where a difference is taken: how many, and the first."""

    units: int
    first: str


@dataclass(frozen=True, eq=False)
class Dial:
    """All rows for one parameter: by (method, precision). ``steps`` (n,) fall from 0.1 to 1e-16. ``exact`` is the
    derivative by backprop in double precision, ``checked`` the same by a complex step of 1e-30. ``flips`` are by
    method: for each step what changes sides, None where nothing does."""

    tensor: str
    index: tuple[int, ...]
    steps: Array
    exact: float
    checked: float
    rows: Mapping[tuple[str, str], Row]
    flips: Mapping[str, tuple[Flip | None, ...]]

    @property
    def relative(self) -> bool:
        """Whether errors are relative: the derivative is not 0."""
        return self.exact != 0

    def nearest(self, step: float) -> int:
        """The place of the step nearest to one."""
        return int(np.argmin(np.abs(np.log10(self.steps) - np.log10(step))))


def dial(taken: Pass, tensor: str, index: tuple[int, ...]) -> Dial:
    """The dial for the parameter ``tensor[index]`` of a pass, on the same batch. Takes some 500 passes from that
    parameter's layer on (a quarter of them for large networks). Raises KeyError or IndexError for what is no
    parameter."""
    shape = parameter_shapes(taken.spec)[tensor]
    at = parameter_slices(taken.spec)[tensor].start + int(np.ravel_multi_index(index, shape))
    problem = Problem(
        taken.spec, taken.tensor("x"), taken.tensor("t"), taken.program.parameters, taken.before.t
    )
    every = 1 if taken.spec.parameters < FEW else EACH
    steps = 10.0 ** (LARGEST - np.arange(0, NOTCHES, every) / EACH)
    double = problem.in_precision("float64")
    program = double.program()
    program.forward()
    exact = float(program.backward()[at])
    flips = _flips(program, tensor, at, steps)
    checked = _Nudged(double, tensor, at, "complex128").complex_step(1e-30)
    rows = {}
    for way, precision in product(WAYS, PRECISIONS):
        nudged = _Nudged(
            problem.in_precision(precision), tensor, at, COMPLEX[precision] if way == WAYS[2] else None
        )
        found = np.array([RULES[way](nudged, float(h)) for h in steps])
        with np.errstate(all="ignore"):
            off = np.abs(found - exact) / (abs(exact) or 1.0)
        rows[way, precision] = Row(found, off, METHODS[way].best_step(precision))
    return Dial(tensor, index, steps, exact, checked, rows, flips)


class _Nudged:
    """A program whose loss is asked for with one parameter moved; only what comes after that is run again."""

    def __init__(self, problem: Problem, tensor: str, at: int, dtype: str | None) -> None:
        self.program = problem.program(dtype=dtype)
        self._at, self._start = at, start_of(self.program, tensor)
        self._value = self.program.parameters[at].copy()
        self.base = complex(self.program.forward())

    def loss(self, by: complex) -> tuple[complex, complex]:
        """The loss, and where the parameter came out in its precision, when it is moved so far."""
        self.program.parameters[self._at] = self._value + by
        moved = self.program.parameters[self._at] - self._value
        loss = complex(self.program.forward(self._start))
        self.program.parameters[self._at] = self._value
        return loss, complex(moved)

    def forward_difference(self, h: float) -> float:
        loss, moved = self.loss(h)
        return (loss - self.base).real / (moved.real or h)

    def central_difference(self, h: float) -> float:
        (above, right), (below, left) = self.loss(h), self.loss(-h)
        return (above - below).real / ((right - left).real or 2 * h)

    def complex_step(self, h: float) -> float:
        return self.loss(1j * h)[0].imag / h


RULES = {
    "forward-difference": _Nudged.forward_difference,
    "central-difference": _Nudged.central_difference,
    "complex-step": _Nudged.complex_step,
}


def start_of(program: Program, tensor: str) -> int:
    """The first operation that a parameter goes into."""
    return next(i for i, op in enumerate(program.ops) if tensor in op.inputs)


def _flips(program: Program, tensor: str, at: int, steps: Array) -> dict[str, tuple[Flip | None, ...]]:
    """What has a kink and changes sides when the parameter is moved by each step: up, and up or down."""
    bent = [op.inputs[0] for op in program.ops if op.primitive.kink]
    here = [program.values[name] > 0 for name in bent]
    start, value = start_of(program, tensor), float(program.parameters[at])

    def sides(by: float) -> list[Array]:
        program.parameters[at] = value + by
        program.forward(start)
        return [(program.values[name] > 0) != before for name, before in zip(bent, here, strict=True)]

    found: dict[str, list[Flip | None]] = {WAYS[0]: [], WAYS[1]: [], WAYS[2]: []}
    for h in steps.tolist():
        up = sides(h) if bent else []
        down = sides(-h) if bent else []
        found[WAYS[0]].append(_flip(bent, up))
        found[WAYS[1]].append(_flip(bent, [a | b for a, b in zip(up, down, strict=True)]))
        found[WAYS[2]].append(None)  # real parts stay where they are
    program.parameters[at] = value
    program.forward()
    return {way: tuple(each) for way, each in found.items()}


def _flip(names: list[str], flipped: list[Array]) -> Flip | None:
    """The units that changed sides, for any sample."""
    units = [(name, np.flatnonzero(each.any(axis=0))) for name, each in zip(names, flipped, strict=True)]
    several = [(name, where) for name, where in units if len(where)]
    if not several:
        return None
    name, where = several[0]
    return Flip(sum(len(each) for _, each in several), f"{name}[{where[0]}]")
