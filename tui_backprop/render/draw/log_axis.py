"""Values on a logarithmic axis, and those that it cannot show: they are marked at its ends and counted in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Span
from tui_backprop.support.format import format_number


@dataclass(frozen=True)
class LogAxis:
    """A logarithmic axis that begins at ``low``, a positive number."""

    low: float

    def places(self, values: Array) -> Array:
        """Return decimal logarithms, shape (n,), NaN for values that the axis does not show."""
        with np.errstate(invalid="ignore", divide="ignore"):
            shown = np.isfinite(values) & (values >= self.low)
            return np.where(shown, np.log10(np.where(shown, values, 1.0)), np.nan)


@dataclass(frozen=True)
class LeftOut:
    """Values that a chart leaves out: ``what`` they are, a mask of them, shape (n,), and whether they are marked at
    the ``top``, else at the bottom."""

    what: str
    mask: Array
    top: bool

    def words(self, context: RenderContext) -> tuple[Span, Span]:
        """Return the mark, and how many there are."""
        mark = (f"{left_out_mark(context, self.top)} ", role_of(self.top))
        return mark, (f"{np.count_nonzero(self.mask):,} {self.what}", "muted")


def left_out_mark(context: RenderContext, top: bool) -> str:
    """Return the mark at the top (not a finite number) or at the bottom of an axis (too small for it)."""
    if context.plain:
        return "^" if top else "v"
    return "▴" if top else "▾"


def role_of(top: bool) -> str:
    return "bad" if top else "strong"


def left_out(values: Array, axis: LogAxis | None) -> tuple[LeftOut, ...]:
    """Return the kinds of values that occur and an axis does not show; a linear axis (None) shows every finite
    value."""
    kinds = [("NaN", np.isnan(values), True), ("infinite", np.isinf(values), True)]
    if axis is not None:
        with np.errstate(invalid="ignore"):
            finite = np.isfinite(values)
            small = finite & (values > 0) & (values < axis.low)
            kinds += [
                ("exactly 0", values == 0, False),
                ("negative", finite & (values < 0), False),
                (f"below {format_number(axis.low, 2)}", small, False),
            ]
    return tuple(LeftOut(*kind) for kind in kinds if kind[1].any())
