"""The step size page: the error of three methods against the step h, on logarithmic axes, and their values at one h.

Imports plotext, so this module is imported after the first paint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tui_backprop.cost.model.landmarks import LESSON_STEP
from tui_backprop.engine.gradients.quotient import Quotient
from tui_backprop.engine.gradients.step_size import STEP_METHODS, StepCurve, StepSweep
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.log_axis import left_out_mark, role_of
from tui_backprop.render.draw.plotting import blank, painted, printed
from tui_backprop.render.draw.spans import Line, beside, first_fitting, line, wrap
from tui_backprop.support.format import format_number

FLOOR = -17.0  # the decade at which an error of 0 is drawn
TOP = 3.0
BESIDE, WORDS = 68, 38  # least columns of the page with the text beside the chart, columns of the text
LEAST_CHART = 8  # rows


@dataclass(frozen=True)
class MethodStyle:
    """The name, letter and color of a method."""

    name: str
    letter: str
    role: str


# Letters and colors are those of the cost chart.
_STYLES = (
    MethodStyle("naive", "n", "naive"),
    MethodStyle("central", "2", "batched"),
    MethodStyle("complex", "c", "update"),
)
STYLES = dict(zip(STEP_METHODS, _STYLES, strict=True))
DIGITS = {"float32": 12, "float64": 17}  # significant digits, enough to repeat a subtraction
AS_GOOD = 30.0  # an error up to this many times the least one counts as equally good


def step_size_lines(
    sweep: StepSweep, step: float, precision: str, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw at most ``rows`` lines: the chart, and the values at the step nearest to ``step``."""
    at = sweep.nearest(step)
    if columns >= BESIDE:
        left = columns - WORDS - 2
        drawn = _chart(sweep, at, precision, left, rows - 1, context)
        words = readout(sweep, at, precision, WORDS, rows - 1, context)
        return beside([legend(sweep, precision, left, context), *drawn], [(), *words], left)[:rows]
    words = readout(sweep, at, precision, columns, max(rows - 2 - LEAST_CHART, 6), context)
    drawn = _chart(sweep, at, precision, columns, rows - len(words) - 1, context)
    return [legend(sweep, precision, columns, context), *drawn, *words][:rows]


def legend(sweep: StepSweep, precision: str, columns: int, context: RenderContext) -> Line:
    """Explain the lines, the mark of the best step in theory, and that of a kink if there is one; as much as fits."""
    methods = [(f"{style.name} {style.letter}  ", style.role) for style in STYLES.values()]
    letters = [(f"{style.letter}  ", style.role) for style in STYLES.values()]
    mark = (context.text("◇"), "strong")
    kinks = any(flip for method in STEP_METHODS for flip in sweep.rows[method, precision].flips)
    kink = [("  x", "loss"), (" kink", "muted")] if kinks else []
    return first_fitting(
        columns,
        line(*methods, mark, (" best in theory", "muted"), *kink),
        line(*methods, mark, (" theory", "muted"), *kink),
        line(*letters, mark, (" best in theory", "muted"), *kink),
        line(*letters, mark, (" theory", "muted"), *kink),
        line(*letters),
    )


def readout(
    sweep: StepSweep, at: int, precision: str, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Show each method's derivative with this step, then what fits whole: the best steps, what the central difference
    is computed from, an explanation of the chart."""
    found, best = _found(sweep, at, precision, columns), [(), *_best(sweep, precision, columns)]
    quotient = _quotient(sweep.rows[STEP_METHODS[1], precision].quotients[at], precision, columns)
    unshown = _unshown(sweep, precision, columns, context)
    why = [(), *_why(sweep, columns, context)]
    shown, left = [found[:rows]], rows - len(found)
    for section in (best, unshown, quotient, why):
        shown.append(section if len(section) <= left else [])
        left -= len(shown[-1])
    found, best, unshown, quotient, why = shown
    return [*found, *quotient, *best, *unshown, *why]


def _found(sweep: StepSweep, at: int, precision: str, columns: int) -> list[Line]:
    h = float(sweep.steps[at])
    lesson = ", the lesson's" if math.isclose(h, LESSON_STEP, rel_tol=1e-6) else ""
    name = f"dL/d{entry_name(sweep.tensor, sweep.index)}"
    lines = [
        line(("h = ", "muted"), (power(h), "strong"), (f"{lesson}  {precision}", "muted")),
        *wrap(name, columns, "text"),
        line(
            (f"{'backprop':<12}", "backprop"),
            (f"{format_number(sweep.exact, 4, sign=True):>11}", "backward"),
        ),
    ]
    rows = {method: sweep.rows[method, precision] for method in STYLES}
    for method, style in STYLES.items():
        found = format_number(float(rows[method].found[at]), 4, sign=True)
        label, value = (f"{style.name:<8} {style.letter:<3}", style.role), (f"{found:>11}", "text")
        ends = (f"  error {format_number(float(rows[method].off[at]), 2)}", "")
        lines.append(first_fitting(columns, *(line(label, value, (end, "muted")) for end in ends)))
    flip = next((row.flips[at] for row in rows.values() if row.flips[at]), None)
    if flip:
        several = f"{flip.units} units, {flip.first} first" if flip.units > 1 else flip.first
        lines += wrap(f"x a kink lies within the step: {several} changes sides", columns, "bad")
    return lines


def _quotient(quotient: Quotient | None, precision: str, columns: int) -> list[Line]:
    """Show what the central difference is computed from, with all digits that its precision has."""
    if quotient is None:
        return []
    digits = DIGITS[precision]
    rows = (
        ("(w+h) - w", quotient.up),
        ("w - (w-h)", quotient.down),
        ("L(w+h)", quotient.above),
        ("L(w-h)", quotient.below),
    )
    return [line((f"{label:<12}", "muted"), f"{value:.{digits}g}"[: columns - 12]) for label, value in rows]


def _best(sweep: StepSweep, precision: str, columns: int) -> list[Line]:
    """Show the best step of each method, as found and in theory."""
    lines = [line((f"{'best h':<11}{'found':<9}{'theory':<8}error", "muted"))]
    for method, style in STYLES.items():
        row = sweep.rows[method, precision]
        least = float(row.off[row.least])
        off = power(least) if least and math.isfinite(least) else format_number(least)
        found = (
            power(float(sweep.steps[row.least]))
            if method != STEP_METHODS[-1]
            else _any_below(sweep, row, precision)
        )
        theory = power(row.best) if method != STEP_METHODS[-1] else "tiny"
        label = (f"{style.name:<8} {style.letter:<2}", style.role)
        lines.append(line(label, f"{found:<9}", (f"{theory:<8}", "muted"), off))
    return lines


def _any_below(sweep: StepSweep, row: StepCurve, precision: str) -> str:
    """Return the largest step below which the error stays near its least: no smaller step is better than another."""
    good = row.off <= AS_GOOD * max(float(row.off[row.least]), float(np.finfo(precision).eps))
    worse = np.flatnonzero(~good)
    first = int(worse[-1]) + 1 if len(worse) else 0
    return f"≤ {power(float(sweep.steps[min(first, len(sweep.steps) - 1)]))}"


def _why(sweep: StepSweep, columns: int, context: RenderContext) -> list[Line]:
    error = "Relative error" if sweep.relative else "Error"
    words = f"{error}: on the left truncation, h/2 f'' or h²/6 f'''; on the right rounding, eps/h, from the"
    words += " subtraction. The complex step subtracts nothing."
    lines = wrap(context.text(words), columns, "muted")
    if not sweep.relative:
        moves = any(sweep.rows[method, "float64"].found.any() for method in STEP_METHODS)
        why = "errors are absolute" if moves else "this number has no effect on the loss"
        lines += wrap(f"The derivative is 0 here: {why}.", columns, "muted")
    return lines


def _unshown(sweep: StepSweep, precision: str, columns: int, context: RenderContext) -> list[Line]:
    """Count the errors that a logarithmic axis cannot show: 0 at the bottom, and not finite at the top."""
    errors = np.concatenate([sweep.rows[method, precision].off for method in STEP_METHODS])
    zeros, bad = int((errors == 0).sum()), int((~np.isfinite(errors)).sum())
    low, high = (left_out_mark(context, top) for top in (False, True))
    parts = [f"{low} {zeros} of 0"] * (zeros > 0) + [f"{high} {bad} not finite"] * (bad > 0)
    return [(), *wrap(f"Errors not on the axis: {', '.join(parts)}.", columns, "muted")] if parts else []


def power(h: float) -> str:
    """Format a step: 0.0001, 1e-08, 5.6e-03."""
    mantissa, _, exponent = f"{h:.1e}".partition("e")
    if mantissa == "1.0":
        return f"{h:g}" if h >= LESSON_STEP * 0.999 else f"1e{int(exponent)}"
    return f"{mantissa}e{int(exponent)}"


def _chart(
    sweep: StepSweep, at: int, precision: str, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    if rows < 4:
        return []
    x = -np.log10(sweep.steps)  # 1 on the left, 16 on the right: the step falls
    figure = blank(columns, rows)
    tops = [_decades(sweep.rows[method, precision].off) for method in STEP_METHODS]
    top = min(max(float(np.max(each)) for each in tops) + 0.5, TOP)
    floor = max(math.floor(min(float(np.min(each)) for each in tops)) - 1.0, FLOOR) - 0.5

    def draw(xs: Array, ys: Array, role: str, marker: str, joined: bool = False) -> None:
        inside = (ys >= floor) & (ys <= top)
        if inside.any():
            signal = figure.signal(xs[inside].tolist(), ys[inside].tolist(), marker=painted(marker, role))
            figure.draw(signal.lines() if joined and inside.sum() > 1 else signal)

    for place, role in ((-math.log10(LESSON_STEP), "faint"), (float(x[at]), "mark")):
        upright = np.linspace(floor, top, rows * 2)
        draw(np.full(len(upright), place), upright, role, "|" if context.plain else "│")
    for method, ys in zip(STEP_METHODS, tops, strict=True):
        style = STYLES[method]
        draw(x, ys, style.role, style.letter if context.plain else "braille", joined=not context.plain)
    for i, (method, ys) in enumerate(zip(STEP_METHODS, tops, strict=True)):
        style, row = STYLES[method], sweep.rows[method, precision]
        flipped = np.array([flip is not None for flip in row.flips])
        draw(x[flipped], ys[flipped], "loss", "x")
        for mask, top_end in ((row.off == 0, False), (~np.isfinite(row.off), True)):
            at_end = np.full(np.count_nonzero(mask), top if top_end else floor)
            draw(x[mask], at_end, role_of(top_end), left_out_mark(context, top_end))
        best = np.array([-math.log10(row.best)])
        if best[0] <= x[-1]:
            draw(best, np.interp(best, x, ys), "strong", "o" if context.plain else "◇")
        n = 2 + 3 * i
        draw(x[n : n + 1], ys[n : n + 1], style.role, style.letter)
    across, up = figure.ruler("x"), figure.ruler("y")
    across.lim(float(x[0]), float(x[-1]))
    up.lim(floor, top)
    ticks = [1, 4, 8, 12, 16]
    across.ticks(ticks, ["0.1", *(f"1e-{k}" for k in ticks[1:])])
    levels = [
        k for k in range(math.ceil(floor), math.floor(top) + 1) if k % (4 if top - floor > 12 else 2) == 0
    ]
    up.ticks(levels, ["1" if k == 0 else f"1e{k}" for k in levels])
    figure.label("step h", "x")
    figure.axes(False, axis="y", side="right")
    figure.axes(False, axis="x", side="upper")
    return printed(figure)


def _decades(off: Array) -> Array:
    """Return the decimal logarithms of errors; an error of 0 is drawn at the floor, NaN at the top."""
    with np.errstate(all="ignore"):
        found = np.log10(off)
    return np.where(np.isnan(off), TOP, np.clip(found, FLOOR, TOP))
