"""The training panel: how the loss went, how many samples are read right, and a picture of what was learned.

Imports plotext, so this module is imported after the first paint.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.plotting import blank, painted, printed
from tui_backprop.render.draw.spans import (
    Line,
    Span,
    beside,
    clip,
    cut,
    first_fitting,
    line,
    option,
    width,
    wrap,
)
from tui_backprop.render.panels.plane import packed, picture_lines, runs
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.decision_boundary import Fit, Plane
from tui_backprop.session.training_curve import Learning, Score, fixed_part, smoothed, thinned
from tui_backprop.support.format import MINUS, format_duration, format_number

HINTS = (  # on how to train and how to go back, as many words as fit
    "{amount(-1)} {amount(1)} choose how much, {start_training} trains,"
    " {iteration(-1)} {iteration(1)} go back in time",
    "{amount(-1)} {amount(1)} how much  {start_training} train  {iteration(-1)} {iteration(1)} back",
    "{amount(-1)} {amount(1)} how much  {start_training} train",
)
BEFORE = (
    "Nothing is trained yet. Here the loss will be drawn, update by update, and for the first {n} samples of"
)
SIDE_BY_SIDE = (
    74  # columns from which the picture stands beside the curves, where the panel is wide to the eye
)
BESIDE_WORDS = 50  # the same while there are no curves
STACKED_ROWS = 18  # rows from which the picture stands below the curves
LEAST_CHART = 5  # rows of a chart with its heading and its axis
SHARE_ROWS = 14  # rows of curves, from which the share read right has a chart of its own
MEANS = 25  # the mean is of one part in so many of the losses: it shows the trend
DECADES = 2  # a span of more is drawn on a log scale
FLOOR = 1e-12  # times the largest loss: on a log scale, what lies below (a loss of 0) is drawn there
TRAINED = " (training goes over these too)"
LABEL = 6  # columns of the numbers on the left: both charts begin in one column
APART = 8  # columns between two numbers below


def training_panel(
    snapshot: Snapshot,
    learning: Learning | None,
    picture: Plane | Fit | None,
    columns: int,
    rows: int,
    context: RenderContext,
) -> list[Line]:
    """At most ``rows`` lines: progress and figures, the curves, and the picture if there is one and it fits."""
    if picture and columns >= max(SIDE_BY_SIDE if learning else BESIDE_WORDS, 2 * rows):
        right = min(2 * rows + 4, columns // 2)
        left = columns - right - 2
        drawn = picture_lines(picture, right, rows, context)
        lines = beside(curves(snapshot, learning, left, rows, context), drawn, left)
    elif picture and rows >= STACKED_ROWS:
        below = picture_lines(picture, columns, rows // 2, context)
        lines = [*curves(snapshot, learning, columns, rows - len(below) - 1, context), (), *below]
    else:
        lines = curves(snapshot, learning, columns, rows, context)
    return fitted(lines, columns, rows, context)


def chooser(amounts: Sequence[str], chosen: int, columns: int) -> Line:
    """How much the next training is: the amounts there are, the chosen one in brackets; as many as fit."""
    options = [option(name, i == chosen) for i, name in enumerate(amounts)]
    first, last = 0, len(options)
    label = "train " if len("train ") + width(tuple(options)) <= columns else ""
    while last - first > 1 and len(label) + width(tuple(options[first:last])) > columns:
        first, last = (first + 1, last) if chosen - first > last - 1 - chosen else (first, last - 1)
    return clip(line((label, "muted"), *options[first:last]), columns)


def hint(columns: int, context: RenderContext) -> Line:
    """The keys of the chooser."""
    return first_fitting(columns, *(line((context.words(words), "muted")) for words in HINTS))


def curves(
    snapshot: Snapshot, learning: Learning | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Words and charts, in at most ``rows`` lines."""
    if learning is None or not (learning.done or learning.going):
        return before(snapshot, columns)[:rows]
    words = [*progress(learning, columns, context), *figures(snapshot, learning, columns)]
    room = rows - len(words)
    if room < LEAST_CHART or learning.done < 2 or not np.isfinite(learning.losses).any():
        return words[:rows]
    here = snapshot.session.t
    frame = Frame(learning.first, learning.first + learning.done, here, columns, context)
    scores = [score for score in learning.scores if score.right is not None]
    below = max(room * 2 // 5, LEAST_CHART) if scores and room >= SHARE_ROWS else 0
    charts = loss_chart(learning, frame, room - below, scale=not below)
    return [
        *words,
        *charts,
        *(share_chart(scores, fixed_part(snapshot.session.data), frame, below) if below else ()),
    ]


# --- words -------------------------------------------------------------------------------------------------


def before(snapshot: Snapshot, columns: int) -> list[Line]:
    """What stands here before anything is trained."""
    data = snapshot.session.data
    what = "how many are read right" if info(data).classes else "their loss"
    words = f"{BEFORE.format(n=f'{fixed_part(data):,}')} {data} {what}."
    return wrap(words, columns, "muted")


def progress(learning: Learning, columns: int, context: RenderContext) -> list[Line]:
    """While it goes on: a bar, the rate, what is left and what ends it. Then: what it took."""
    updates = " update" if learning.done == 1 else " updates"
    rate: list[Sequence[Span]] = [((f"{format_number(learning.rate)}/s", "text"),)] if learning.rate else []
    stop: Sequence[Span] = ((f"{context.key('stop_learning')} stops", "key"),)
    if not learning.going:
        updates += f" in {format_duration(learning.seconds)}" if learning.seconds else ""
        return packed([((f"{learning.done:,}", "strong"), (updates, "muted")), *rate], columns)
    if learning.wanted is None:
        amount: Sequence[Span] = ((f"{learning.done:,}", "strong"), (f"{updates}, until stopped", "muted"))
        return packed([amount, *rate, stop], columns)
    amount = ((f"{learning.done:,}", "strong"), (f" of {learning.wanted:,} updates", "muted"))
    if learning.remaining is not None:
        rate.append(((f"{format_duration(learning.remaining)} left", "text"),))
    room = columns - sum(2 + width(tuple(piece)) for piece in (amount, *rate, stop))
    if room >= 12:
        return packed([amount, bar(learning, min(room, 40), context), *rate, stop], columns)
    room = columns - sum(2 + width(tuple(piece)) for piece in rate)
    return [*packed([amount, stop], columns), *packed([bar(learning, max(room, 4), context), *rate], columns)]


def bar(learning: Learning, columns: int, context: RenderContext) -> Line:
    """How far training has come, as a line of so many columns."""
    full = min(learning.done * columns // max(learning.wanted or 1, 1), columns)
    return line((context.done * full, "update"), (context.left * (columns - full), "faint"))


def figures(snapshot: Snapshot, learning: Learning, columns: int) -> list[Line]:
    """The newest figures, and whether the loss stopped being a number."""
    groups: list[list[Sequence[Span]]] = []
    if learning.last:
        of = (f" of iteration {learning.last.t:,}", "muted")
        groups.append([[*_loss(learning.last.loss), of]])
    if learning.scores:
        last = learning.scores[-1]
        named = (f"first {fixed_part(snapshot.session.data):,}:", "muted")
        share = [] if last.right is None else [(f" {percent(last.right)}", "good"), (" right", "muted")]
        elsewhere = not learning.going and last.t != snapshot.session.t
        at = [[(f"at iteration {last.t:,}", "muted")]] if elsewhere else []
        groups.append([[named, *share], _loss(last.loss), *at])
    lines = [row for group in groups for row in packed(group, columns)]
    if len(lines) == 2:
        lines = packed(lines, columns, gap=4)
    if learning.lost is None:
        return lines
    later = np.isfinite(learning.losses[learning.lost - learning.first :]).any()
    when = f"at iteration {learning.lost:,}" if later else f"from iteration {learning.lost:,} on"
    return [*lines, *wrap(f"The loss is no number {when}.", columns, "bad")]


def _loss(value: float) -> list[Span]:
    return [("loss ", "muted"), (format_number(value), "loss")]


def percent(share: float) -> str:
    """A share to a tenth of a percent; 100% only where it is all of them."""
    return "100%" if share == 1 else f"{min(100 * share, 99.9):.1f}%"


# --- charts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """What both charts share: the iterations from ``start`` to ``end``, that of the walk, and the width."""

    start: int
    end: int
    here: int
    columns: int
    context: RenderContext

    @property
    def inside(self) -> bool:
        """Whether the walk stands in (or right after) an iteration that is drawn."""
        return self.start <= self.here <= self.end

    @property
    def marks(self) -> list[int]:
        """The iterations that are written below: both ends, and where the walk stands if there is room."""
        apart = (self.end - self.start) * APART / max(self.columns - LABEL, 1)
        between = self.start + apart <= self.here <= self.end - apart
        return [self.start, *[self.here] * between, self.end]


def loss_chart(learning: Learning, frame: Frame, rows: int, scale: bool = True) -> list[Line]:
    """A heading, and the batch losses with their mean on top; at least one of them is finite. Without ``scale`` the
    iterations are written below another chart."""
    losses, columns, plain = learning.losses, frame.columns, frame.context.plain
    span = max(learning.done // MEANS, 1)
    finite = losses[np.isfinite(losses)]
    positive = finite[finite > 0]
    log = bool(len(positive)) and float(finite.max()) > 10**DECADES * float(positive.min())
    floor = max(float(positive.min()), FLOOR * float(finite.max())) if log else 0.0

    def scaled(values: Array) -> Array:
        with np.errstate(invalid="ignore"):
            return np.log10(np.maximum(values, floor)) if log else values

    low, high = float(scaled(finite.min())), float(scaled(finite.max()))
    figure = _figure(frame, rows - 1, low, high, scale)
    # A stretch of a column's width is drawn from its smallest to its largest loss.
    places = thinned(losses, 2 * columns)
    _draw(figure, learning.first + places, scaled(losses[places]), "mark", "." if plain else "braille")
    pieces: list[Sequence[Span]] = [(("loss, log10" if log else "loss", "muted"),)]
    if span > 1:
        mean = smoothed(losses, span)
        places = thinned(mean, columns)
        _draw(figure, learning.first + places, scaled(mean[places]), "loss", "*" if plain else "braille")
        pieces.append((("* " if plain else "⠒ ", "loss"), (f"mean of {span:,}", "muted")))
    if frame.inside:
        pieces.append((("│ ", "mark"), ("here", "muted")))
    _label(figure, _log_ticks(low, high, rows) if log else _ticks(low, high, rows))
    return [packed(pieces, columns)[0], *printed(figure)]


def share_chart(scores: Sequence[Score], first: int, frame: Frame, rows: int) -> list[Line]:
    """A heading, and the share of the ``first`` samples that is read right, 0 to 100%."""
    figure = _figure(frame, rows - 1, 0, 100, True)
    x, y = (np.array(part, float) for part in zip(*((s.t, s.right) for s in scores), strict=True))
    _draw(figure, x, 100 * y, "update", "*" if frame.context.plain else "braille")
    _label(figure, [(0, "0%"), (100, "100%"), *[(50.0, "50%")] * (rows >= 7)])
    heading = f"read right, of the first {first:,} samples"
    heading = cut(heading + TRAINED * (len(heading + TRAINED) <= frame.columns), frame.columns)
    return [line((heading, "muted")), *printed(figure)]


def _figure(frame: Frame, rows: int, low: float, high: float, scale: bool) -> Any:
    """A figure with its limits, the iterations below (with ``scale``), and a line where the walk stands."""
    figure = blank(frame.columns, rows)
    x, y = figure.ruler("x"), figure.ruler("y")
    x.lim(frame.start, max(frame.end, frame.start + 1))
    y.lim(low, high if high > low else low + 1)
    marks = frame.marks if scale else []
    x.ticks(marks, [f"{mark:,}" for mark in marks])
    for axis, side, shown in (("y", "right", False), ("x", "upper", False), ("x", "lower", scale)):
        figure.axes(shown, axis=axis, side=side)
    if frame.inside:
        heights = np.linspace(low, high if high > low else low + 1, 2 * rows).tolist()
        bar_glyph = painted("|" if frame.context.plain else "│", "mark")
        figure.draw(figure.signal([float(frame.here)] * len(heights), heights, marker=bar_glyph))
    return figure


def _draw(figure: Any, x: Array, y: Array, role: str, marker: str) -> None:
    """A line with gaps where it is no number."""
    for stretch in runs(np.isfinite(y)):
        signal = figure.signal(x[stretch].tolist(), y[stretch].tolist(), marker=painted(marker, role))
        figure.draw(signal.lines() if stretch.stop - stretch.start > 1 else signal)


def _label(figure: Any, ticks: Sequence[tuple[float, str]]) -> None:
    figure.ruler("y").ticks([at for at, _ in ticks], [f"{name:>{LABEL}}" for _, name in ticks])


def _ticks(low: float, high: float, rows: int) -> list[tuple[float, str]]:
    """Round numbers in a range, no nearer than three rows to each other."""
    if not high > low:
        return [(low, format_number(low))]
    least = (high - low) * 3 / max(rows, 3)
    unit = 10.0 ** math.floor(math.log10(least))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= least)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [(i * step, f"{i * step:.4g}".replace("-", MINUS)) for i in range(first, last + 1)]


def _log_ticks(low: float, high: float, rows: int) -> list[tuple[float, str]]:
    """Powers of ten in a range of exponents, no nearer than two rows to each other."""
    step = math.ceil((high - low) * 2 / max(rows, 2))
    exponents = [k for k in range(math.ceil(low), math.floor(high) + 1) if k % step == 0]
    return [(k, f"1e{k}".replace("-", MINUS) if k else "1") for k in exponents]
