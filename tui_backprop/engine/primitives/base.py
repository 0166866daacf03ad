"""The definition of a row of the table of primitives.

A primitive computes ``y`` from its inputs ``x``, and has for each input i that a derivative may flow to the
two linear maps of that derivative, J_i = dy/dx_i: the VJP takes a cotangent of y back to one of x_i (reverse
mode, backprop), the JVP takes a tangent of x_i on to one of y (forward mode).

    forward(y, cache, *x)
    vjps[i](x_bar, y_bar, y, cache, *x)      x_bar = y_bar J_i
    jvps[i](y_dot, x_dot, y, cache, *x)      y_dot = J_i x_dot

A rule writes into its first argument, so a pass makes no arrays. ``cache`` is a tuple of arrays, made once by
``room``: what the forward rule saves for the backward rule, and work space.

Shapes: samples are rows. ``a`` (n, fan_in), ``W`` (fan_in, fan_out), ``b`` (fan_out,), ``z`` (n, fan_out).
Tangents may have further axes in front: many tangents, one linear map. Forward rules also run on complex
arrays, branching on the real part, so that the complex step can check them.

Formulas are written once, in field notation, all tokens separated by spaces; ``{0}``, ``{1}`` stand for the
inputs, ``{g}`` for the cotangent of the output, ``{y}`` for the output, ``{v}`` for what the forward rule saved,
if it has a name. The screen shows them, and they determine which arrays a rule reads: the bytes it moves are
counted from them.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size

Cache = Any  # a tuple of arrays; each primitive knows its own, by name where there are several
Rule = Callable[..., None]
Count = Callable[..., int]


def no_room(dtype: np.dtype[Any], *shapes: Shape) -> tuple[Array, ...]:
    """Return the empty cache of a primitive that needs none."""
    return ()


@dataclass(frozen=True, eq=False, repr=False)
class Primitive:
    """One row. Counts take the inputs' shapes: ``flops`` are floating-point operations of the forward rule,
    ``vjp_flops`` of each VJP (the JVP by the same input takes as many), ``macs`` the multiply-accumulates of
    any one of them, if it is a matrix product."""

    name: str
    kind: str  # kind of its steps in the walk
    forward: Rule
    vjps: tuple[Rule, ...]
    jvps: tuple[Rule, ...]
    formula: str
    vjp_formulas: tuple[str, ...]
    flops: Count
    vjp_flops: tuple[Count, ...]
    torch: str  # the forward rule in PyTorch, {0}, {1} for the inputs
    torch_vjps: tuple[str, ...] = ()  # VJPs in PyTorch, where another one may add to theirs
    torch_saved: str = ""  # {v} in PyTorch
    torch_module: str = ""  # the module of PyTorch that keeps input 1 transposed, as its weight
    shape: Callable[..., Shape] = lambda x, *_: x  # of y
    room: Callable[..., Cache] = no_room  # (dtype, *shapes): the cache
    macs: Count = lambda *shapes: 0
    in_place: bool = False  # y may share the memory of input 0
    passes_on: bool = False  # the cotangent of input 0 is that of y, and may share its memory
    by_sample: bool = (
        False  # computes each sample by itself, VJPs by inputs with samples too, and so does its cache
    )
    mixes_samples: bool = False  # an entry of y depends on other samples
    kink: bool = False  # the derivative by input 0 jumps where that is 0
    saves: bool = (
        False  # its VJP reads an array that the forward rule saved, though the formula computes it again
    )
    saved: str = ""  # the field of the cache that formulas call {v}
    short: str = ""  # short form of a long name
    sign: str = ""  # + - * / where that is all it does to its two inputs
    side: Callable[..., Array] | None = None  # (*x): the piece of a piecewise function that each entry is on
    # a row with the same windows whose derivatives are 0 nowhere in them, where its own depend on the numbers
    pattern: Primitive | None = None
    convention: str = ""  # a sentence about its derivative where it has none
    # (i, index, place, *shapes): where in the other input the factor of an entry of input i in y[place] stands
    factor: Callable[..., Shape] | None = None
    # (*shapes) of a product: the terms of each entry of y, and the units that share them
    terms_and_units: Callable[..., tuple[int, int]] = lambda a, b: (a[-1], b[-1] if len(b) > 1 else 1)
    averages: bool = False  # y is a mean: of the entries of input 0, or for a loss of its samples
    detached: bool = False  # no derivative flows to its input: for derivatives, its output is a constant

    @property
    def brief(self) -> str:
        """The name for narrow places."""
        return self.short or self.name

    def moved(self, *shapes: Shape) -> int:
        """Count the numbers read and written by the forward rule, each array once; times the item size it is
        bytes."""
        return self._read(self.formula, shapes) + size(self.shape(*shapes))

    def vjp_moved(self, i: int, *shapes: Shape) -> int:
        """Count the numbers read and written by VJP number ``i``; none if the cotangent is only passed on."""
        if i == 0 and self.passes_on:
            return 0
        return self._read(self.vjp_formulas[i], shapes) + size(shapes[i])

    def _read(self, formula: str, shapes: tuple[Shape, ...]) -> int:
        made = self.shape(*shapes)
        sizes = {str(i): size(shape) for i, shape in enumerate(shapes)}
        sizes |= {"y": size(made), "g": size(made), "v": size(shapes[0])}
        return sum(sizes[field] for field in fields(formula))


def fields(formula: str) -> set[str]:
    """Return the names in braces of a formula."""
    return {field for _, field, _, _ in string.Formatter().parse(formula) if field}


def copy(to: Array, source: Array, *_: object) -> None:
    """Rule of an identity map."""
    if to is not source:
        np.copyto(to, source)
