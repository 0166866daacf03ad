"""Charts of a training run: the loss of each batch with its mean, and the accuracy.

Imports plotext, so this module is imported after the first paint.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_backprop.data.split import TRAINING, VALIDATION
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.log_axis import LeftOut, LogAxis, left_out, left_out_mark, role_of
from tui_backprop.render.draw.plotting import blank, draw_curve, painted, printed
from tui_backprop.render.draw.spans import (
    Line,
    Span,
    cut,
    line,
    packed,
)
from tui_backprop.session.setting_changes import SettingChange
from tui_backprop.session.training_curve import Learning, Score, smoothed, thinned
from tui_backprop.support.format import MINUS, format_number

MEANS_PER_RUN = 25  # the moving mean spans this part of the losses: it shows the trend
LOG_SCALE_DECADES = 2  # a span of more is drawn on a log scale
LOG_FLOOR = 1e-12  # times the largest loss: where a log scale begins at the lowest
UPDATE_LOSS, LOSS = "update loss", "loss"
RECALLED = ", read back at {n} points"  # the scores of another run of the program
ALSO_TRAINED_ON = " (also trained on)"
VALIDATION_ROLE = "strong"  # of the marks of samples held out
PART_MARKS = (("•", "×"), ("o", "x"))  # of the training samples and of those held out; in ASCII
MARK_COLUMNS = 3
LEAST_FIGURE_ROWS = 3  # rows of the chart itself
LABEL_COLUMNS = 6  # columns of the numbers on the left: both charts begin in one column
LEAST_TICK_GAP = 8  # columns between two numbers below


@dataclass(frozen=True)
class IterationAxis:
    """The shared axis of both charts: iterations from ``start`` to ``end``, the one of the walk, the width, and the
    ``changes`` of settings on it."""

    start: int
    end: int
    here: int
    columns: int
    context: RenderContext
    changes: Sequence[SettingChange] = ()

    @property
    def inside(self) -> bool:
        """Check whether the walk is at (or right after) an iteration that is drawn."""
        return self.start <= self.here <= self.end

    @property
    def marks(self) -> list[int]:
        """Iterations labeled below: both ends, and that of the walk if there is room."""
        apart = (self.end - self.start) * LEAST_TICK_GAP / max(self.columns - LABEL_COLUMNS, 1)
        between = self.start + apart <= self.here <= self.end - apart
        return [self.start, *[self.here] * between, self.end]


def loss_chart(learning: Learning, frame: IterationAxis, rows: int, scale: bool = True) -> list[Line]:
    """Draw a heading, and the batch losses with their moving mean; at least one loss is finite. Where samples are
    held out, the losses on those and on the training samples are marked, too. Losses that the axis cannot show are
    marked at its ends and counted. Without ``scale`` the iterations are labeled below another chart."""
    losses, columns, plain = learning.losses, frame.columns, frame.context.plain
    held_out = [score for score in learning.scores if score.validation]
    span = max(learning.done // MEANS_PER_RUN, 1)
    every = np.concatenate([losses, _losses(held_out), _losses(validation_of(held_out))])
    axis = _log_axis(every)
    missing = left_out(losses, axis)
    about = LOSS if held_out else UPDATE_LOSS
    pieces: list[Sequence[Span]] = [((f"{about}, log10" if axis else about, "muted"),)]
    each = (". " if plain else "⠂ ", "mark"), ("each", "muted")
    if span > 1:
        pieces.append((("* " if plain else "⠒ ", "loss"), (f"mean of {span:,}", "muted")))
    if frame.inside:
        pieces.append((("│ ", "mark"), ("here", "muted")))
    pieces[1:1] = [_part_names(frame.context, "loss")] if held_out else []
    if span > 1 and len(packed([*pieces, each], columns)) == 1:
        pieces.insert(1, each)
    heading = _heading(
        pieces, [kind.words(frame.context) for kind in missing], columns, rows - LEAST_FIGURE_ROWS
    )

    finite = every[np.isfinite(every)]
    low, high = float(finite.min() if axis is None else np.log10(axis.low)), float(finite.max())
    high = high if axis is None else math.log10(high)
    rows -= len(heading)
    figure = _figure(frame, rows, low, high, scale)
    # In each column the smallest and the largest loss are drawn.
    curves = [(losses, thinned(losses, 2 * columns), "mark", "." if plain else "braille")]
    if span > 1:
        mean = smoothed(losses, span)
        curves.append((mean, thinned(mean, columns), "loss", "*" if plain else "braille"))
    for values, places, role, marker in curves:
        y = values[places] if axis is None else axis.places(values[places])
        _draw(figure, learning.first + places, y, role, marker)
    if held_out:
        training, validation = _losses(held_out), _losses(validation_of(held_out))
        if axis is not None:
            training, validation = axis.places(training), axis.places(validation)
        _mark_parts(figure, held_out, training, validation, "loss", frame)
    for kind in missing:
        _mark(figure, kind, learning.first, frame, high if kind.top and high > low else low + kind.top)
    _label(figure, _log_ticks(low, high, rows + 1) if axis else _ticks(low, high, rows + 1))
    return [*heading, *printed(figure)]


def _log_axis(losses: Array) -> LogAxis | None:
    """Return a logarithmic axis for losses that span more than LOG_SCALE_DECADES, else None."""
    finite = losses[np.isfinite(losses)]
    positive = finite[finite > 0]
    if not len(positive) or float(finite.max()) <= 10**LOG_SCALE_DECADES * float(positive.min()):
        return None
    return LogAxis(max(float(positive.min()), LOG_FLOOR * float(finite.max())))


def _heading(
    pieces: Sequence[Sequence[Span]], missing: Sequence[Sequence[Span]], columns: int, most: int
) -> list[Line]:
    """Draw a line of pieces, as many as fit, and what is left out: in that line if all fits, else in lines of its
    own, at most ``most`` in all."""
    together = packed([*pieces, *missing], columns)
    if len(together) == 1 or not missing:
        return together[:1]
    first, counts = packed(pieces, columns)[:1], packed(missing, columns)
    return [*first, *counts] if len(counts) < most else counts[: max(most, 1)]


def _mark(figure: Any, kind: LeftOut, first: int, frame: IterationAxis, y: float) -> None:
    """Mark the iterations of values that are left out, one in each column."""
    at = first + np.flatnonzero(kind.mask)
    columns = (at - frame.start) * frame.columns // max(frame.end - frame.start, 1)
    x = at[np.unique(columns, return_index=True)[1]].astype(float).tolist()
    marker = painted(left_out_mark(frame.context, kind.top), role_of(kind.top))
    figure.draw(figure.signal(x, [y] * len(x), marker=marker))


def accuracy_chart(
    scores: Sequence[Score], part: str, recalled: int, frame: IterationAxis, rows: int
) -> list[Line]:
    """A heading, and the accuracy on a ``part`` of the samples, 0 to 100%, with a gap where nothing is predicted. The
    first ``recalled`` scores are marked as points: the curve was not recorded between them."""
    figure = _figure(frame, rows - 1, 0, 100, True)
    x = np.array([score.t for score in scores], float)
    y = _accuracies(scores)
    if held_out := validation_of(scores):
        _mark_parts(figure, scores, 100 * y, 100 * _accuracies(held_out), "update", frame)
    else:
        _draw(figure, x, 100 * y, "update", "*" if frame.context.plain else "braille")
    if recalled:
        points = painted("o" if frame.context.plain else "•", "update")
        figure.draw(figure.signal(x[:recalled].tolist(), (100 * y[:recalled]).tolist(), marker=points))
    _label(figure, [(0, "0%"), (100, "100%"), *[(50.0, "50%")] * (rows >= 7)])
    if held_out:
        pieces = [(("accuracy", "muted"),), _part_names(frame.context, "update")]
        return [*packed(pieces, frame.columns)[:1], *printed(figure)]
    about = RECALLED.format(n=recalled) if recalled else ALSO_TRAINED_ON
    the = "" if part.startswith("all") else "the "
    headings = (
        f"accuracy on {the}{part} samples{about}",
        f"accuracy, {part}{about}",
        f"accuracy{about}" if recalled else f"accuracy, {part}",
    )
    heading = next((text for text in headings if len(text) <= frame.columns), cut("accuracy", frame.columns))
    return [line((heading, "muted")), *printed(figure)]


def validation_of(scores: Sequence[Score]) -> list[Score]:
    """Return the scores on the samples held out, where there are any."""
    return [score.validation for score in scores if score.validation]


def _losses(scores: Sequence[Score]) -> Array:
    """Return the losses, shape (n,)."""
    return np.array([score.loss for score in scores], float)


def _accuracies(scores: Sequence[Score]) -> Array:
    """Return the accuracies, shape (n,); NaN where nothing is predicted."""
    return np.array([np.nan if score.unpredicted == 1 else score.accuracy for score in scores], float)


def _part_names(context: RenderContext, role: str) -> Sequence[Span]:
    """Draw the marks of both parts, with their names."""
    dot, cross = PART_MARKS[context.plain]
    return (f"{dot} ", role), (f"{TRAINING} ", "muted"), (f"{cross} ", VALIDATION_ROLE), (VALIDATION, "muted")


def _mark_parts(
    figure: Any, scores: Sequence[Score], training: Array, validation: Array, role: str, frame: IterationAxis
) -> None:
    """Mark the values on the training samples and on those held out where they were computed, at most once every
    MARK_COLUMNS: nothing is known of the iterations between."""
    x = np.array([score.t for score in scores], float)
    columns = (x - frame.start) * frame.columns // (max(frame.end - frame.start, 1) * MARK_COLUMNS)
    first = np.unique(columns, return_index=True)[1]
    dot, cross = PART_MARKS[frame.context.plain]
    for y, mark, of in ((training, dot, role), (validation, cross, VALIDATION_ROLE)):
        places = first[np.isfinite(y[first])]
        if len(places):
            figure.draw(figure.signal(x[places].tolist(), y[places].tolist(), marker=painted(mark, of)))


def _figure(frame: IterationAxis, rows: int, low: float, high: float, scale: bool) -> Any:
    """Return a figure with its limits, the iterations below (with ``scale``), and a line at the iteration of the
    walk."""
    figure = blank(frame.columns, rows)
    x, y = figure.ruler("x"), figure.ruler("y")
    x.lim(frame.start, max(frame.end, frame.start + 1))
    y.lim(low, high if high > low else low + 1)
    marks = frame.marks if scale else []
    x.ticks(marks, [f"{mark:,}" for mark in marks])
    for axis, side, shown in (("y", "right", False), ("x", "upper", False), ("x", "lower", scale)):
        figure.axes(shown, axis=axis, side=side)
    bars = [(each.t, painted(change_mark(frame.context), "update")) for each in frame.changes]
    if frame.inside:
        bars.append((frame.here, painted("|" if frame.context.plain else "│", "mark")))
    heights = np.linspace(low, high if high > low else low + 1, 2 * rows).tolist()
    for t, glyph in bars:
        figure.draw(figure.signal([float(t)] * len(heights), heights, marker=glyph))
    return figure


def change_mark(context: RenderContext) -> str:
    """Return the mark of an iteration at which a setting changed."""
    return ":" if context.plain else "┊"


def _draw(figure: Any, x: Array, y: Array, role: str, marker: str) -> None:
    """Draw a line with gaps where ``y`` is not finite."""
    draw_curve(figure, x, y, np.isfinite(y), painted(marker, role))


def _label(figure: Any, ticks: Sequence[tuple[float, str]]) -> None:
    figure.ruler("y").ticks([at for at, _ in ticks], [f"{name:>{LABEL_COLUMNS}}" for _, name in ticks])


def _ticks(low: float, high: float, rows: int) -> list[tuple[float, str]]:
    """Return round numbers in a range, at least three rows apart."""
    if not high > low:
        return [(low, format_number(low))]
    least = (high - low) * 3 / max(rows, 3)
    unit = 10.0 ** math.floor(math.log10(least))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= least)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [(i * step, f"{i * step:.4g}".replace("-", MINUS)) for i in range(first, last + 1)]


def _log_ticks(low: float, high: float, rows: int) -> list[tuple[float, str]]:
    """Return powers of ten in a range of exponents, at least two rows apart."""
    step = math.ceil((high - low) * 2 / max(rows, 2))
    exponents = [k for k in range(math.ceil(low), math.floor(high) + 1) if k % step == 0]
    return [(k, f"1e{k}".replace("-", MINUS) if k else "1") for k in exponents]
