"""The function explorer: a unit's activation with its slope, and the loss along one weight or over two of them.

plotext takes 0.1 s to import, so this module is imported after the first paint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite

import numpy as np

from tui_backprop.engine.analysis.loss_slices import ActivationCurve, Slice, activation_curve
from tui_backprop.engine.network.graph_values import entry_name
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.line_chart import Chart, ChartMarks, limits, marks_of
from tui_backprop.render.draw.loss_surface import lowest_and_highest, shades_legend, surface
from tui_backprop.render.draw.spans import Line, beside, flowing, line, wrap
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number

SIDE_BY_SIDE_COLUMNS, STACKED_ROWS = (
    72,
    26,
)  # columns from which both halves stand side by side; rows from which one is below the other
LEAST_CHART_ROWS, ROOMY_CHART_ROWS = (
    4,
    7,
)  # rows of a chart: no fewer, and so many at least where it is not beside its words
LEAST_CHART_COLUMNS = 16  # columns of a chart beside its words, at least
RANGE_MARGIN = 0.04  # of a curve's range, above and below it
VISIBLE_RATIO = 32  # a move is seen on a chart whose range is less than so many times as long
UNIT_STEPS = ("affine", "normalization", "activation", "delta", "normalization delta")  # kinds of steps

# What f' does to the gradient that comes back to a unit, by its size: that much or less, and the words.
SLOPE_WORDS = (
    (0.0, "zero slope: no gradient passes back"),
    (0.25, "the gradient fades here: × {}"),
    (0.95, "the gradient shrinks here: × {}"),
    (1.05, "the gradient passes unchanged: × {}"),
    (float("inf"), "the gradient grows here: × {}"),
)


@dataclass(frozen=True)
class ChartWithWords:
    """A chart in (columns, rows), if there is one, and the words above and (in so many columns) below it."""

    head: list[Line]
    chart: Callable[[int, int], list[Line]] | None
    words: Callable[[int], list[Line]]
    aside: int = 30  # columns of the words where they stand beside the chart

    def height(self, columns: int) -> int:
        """Rows that are not the chart's."""
        return len(self.head) + len(self.words(columns))

    def lines(self, columns: int, rows: int) -> list[Line]:
        """At most ``rows`` lines: the chart above its words, or beside them where that would leave it squat."""
        room = rows - self.height(columns)
        left, high = columns - self.aside - 2, rows - len(self.head)
        if (
            self.chart
            and room < ROOMY_CHART_ROWS
            and left >= LEAST_CHART_COLUMNS
            and high >= LEAST_CHART_ROWS
        ):
            return [*self.head, *beside(self.chart(left, high), self.words(self.aside), left)][:rows]
        chart = self.chart(columns, room) if self.chart and room >= LEAST_CHART_ROWS else []
        return [*self.head, *chart, *self.words(columns)][:rows]


def curves_panel(
    snapshot: Snapshot, found: Slice | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """At most ``rows`` lines: the selected unit's function, and the slice of the loss that was ``found``, as far as
    it has come (None while nothing has). Where there is room for one of them only, it is the one that the
    current step is about."""
    with np.errstate(all="ignore"):  # where training has diverged, inf and NaN are what there is to show
        drawn = _drawn(snapshot, found, columns, rows, context)
    return fitted(drawn, columns, rows, context)


def _drawn(
    snapshot: Snapshot, found: Slice | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    if columns >= SIDE_BY_SIDE_COLUMNS and rows < columns // 2:
        left = (columns - 3) // 2
        right = columns - 3 - left
        one, other = activation_chart(snapshot, left, context), slice_chart(snapshot, found, right, context)
        return beside(one.lines(left, rows), other.lines(right, rows), left, 3)
    if rows >= STACKED_ROWS:
        one, other = (
            activation_chart(snapshot, columns, context),
            slice_chart(snapshot, found, columns, context),
        )
        charts = rows - 1 - one.height(columns) - other.height(columns)
        above = one.lines(columns, one.height(columns) + charts // (2 if other.chart else 1))
        return [*above, (), *other.lines(columns, rows - 1 - len(above))]
    if snapshot.step.kind in UNIT_STEPS:
        return activation_chart(snapshot, columns, context).lines(columns, rows)
    return slice_chart(snapshot, found, columns, context).lines(columns, rows)


# --- the function of a unit -------------------------------------------------------------------------------


def activation_chart(snapshot: Snapshot, columns: int, context: RenderContext) -> ChartWithWords:
    """f and f' of the unit whose number is looked at."""
    (layer, unit), marks = snapshot.place, marks_of(context)
    curve = activation_curve(snapshot.iteration, layer, unit, 2 * columns)
    z, linear = curve.of[0], layer == snapshot.graph.depth
    numbers = [
        line((f"{curve.of}[{curve.unit}] ", "muted"), format_number(curve.at)),
        line(
            (marks.here, "strong"),
            (marks.sample, "forward"),
            (f" f({z}) ", "muted"),
            format_number(curve.value),
        ),
        line(
            (marks.other, "strong"),
            (marks.dots, "backward"),
            (f" f'({z}) ", "muted"),
            format_number(curve.slope_at),
        ),
    ]
    head = [line((f"{curve.name}, layer {layer}, unit {curve.unit}", "title"))]
    if snapshot.session.batch > 1:
        head.append(line((f"sample {snapshot.session.sample:,}", "muted")))
    caption = "the output layer is linear: f(z) = z" if linear else slope_words(curve.slope_at)

    def words(columns: int) -> list[Line]:
        return [*flowing(numbers, columns), *wrap(caption, columns, "muted")]

    return ChartWithWords(flowing(head, columns), partial(_function_chart, curve, marks), words)


def slope_words(slope: float) -> str:
    """The effect of a slope on the gradient that passes back through it."""
    if not isfinite(slope):
        return "z is not finite, so neither is its gradient"
    words = next(words for most, words in SLOPE_WORDS if abs(slope) <= most).format(format_number(slope))
    return f"{words}, with its sign flipped" if slope < 0 else words


def _function_chart(curve: ActivationCurve, marks: ChartMarks, columns: int, rows: int) -> list[Line]:
    ends = float(curve.x[0]), float(curve.x[-1])
    low, high = limits(curve.f)
    height = limits([low, high, *curve.slope], RANGE_MARGIN)
    chart = Chart(columns, rows, ends, height, ([0.0, *ends], [0.0, high, 1.0, low]))
    chart.curve(curve.x, curve.f, "forward", marks.curve)
    chart.dotted(curve.x, curve.slope, "backward", marks.dots)
    chart.draw([curve.at], [curve.slope_at], "strong", marks.other)
    chart.draw([curve.at], [curve.value], "strong", marks.here)
    return chart.lines()


# --- the loss along weights -------------------------------------------------------------------------------


def slice_chart(
    snapshot: Snapshot, found: Slice | None, columns: int, context: RenderContext
) -> ChartWithWords:
    """The loss along one weight or over two, where they stand, and where the coming update takes them."""
    if found is None:
        caption = "evaluating the loss with this weight moved, all others fixed …"
        return ChartWithWords(
            [line(("loss along a weight", "title"))], None, partial(wrap, caption, role="muted")
        )
    marks, names = marks_of(context), [entry_name(*weight) for weight in found.weights]
    gradient = ", ".join(format_number(each, 4 - len(names), sign=True) for each in found.gradient)
    if len(names) == 1:
        title = [line((f"loss along {names[0]}", "title"))]
        legend = [
            line((f"{marks.sample} loss {format_number(found.loss, 4)}", "loss")),
            *wrap(f"{marks.dots} gradient {gradient}", columns, "backward"),
        ]
        chart = partial(_loss_chart, found, marks, context)
    else:
        title = flowing(
            (line((f"loss: {names[0]} across,", "title")), line((f"{names[1]} up", "title"))), columns, 1
        )
        legend = [
            shades_legend(found, context),
            *wrap(f"{marks.dots} against gradient {gradient}", columns, "backward"),
        ]
        chart = partial(surface, found, marks, context, _is_visible(found))

    def words(columns: int) -> list[Line]:
        return [*_table(found, columns, marks, context), *_note(snapshot, found, columns)]

    return ChartWithWords(flowing([*title, *legend], columns), chart, words, 30 if len(names) == 1 else 36)


def _note(snapshot: Snapshot, found: Slice, columns: int) -> list[Line]:
    """What is held fixed along the slice; until the slice is complete, its progress."""
    if found.done < found.losses.size:
        return [line((f"evaluated: {found.done} of {found.losses.size} points …", "muted"))]
    edge = "lowest at the edge, still falling; " if _lowest_at_edge(found) else ""
    total = snapshot.iteration.spec.parameters
    return wrap(
        f"{edge}in double precision, other weights fixed; the update moves all {total:,}", columns, "muted"
    )


def _lowest_at_edge(found: Slice) -> bool:
    """Check whether the lowest loss evaluated is at an end of the slice, and so no minimum."""
    if not found.lowest or found.lowest[1] >= found.base:
        return False
    ends = zip(found.lowest[0], found.values, strict=True)
    return any(place in (float(values[0]), float(values[-1])) for place, values in ends)


def _table(found: Slice, columns: int, marks: ChartMarks, context: RenderContext) -> list[Line]:
    """Points of the slice, a row for each: the weights, how the loss changes, the loss. Where that is too wide, with
    fewer digits, and then without the last columns."""
    update = marks.coming if _is_visible(found) else _direction(found, context)
    rows: list[tuple[str, str, Sequence[float], float]] = [  # label, role, place, change of the loss
        (f"{marks.here} now", "text", found.here, 0.0),
        (f"{marks.dots} 1st-order", "backward", found.updated, found.predicted_change),
        (f"{update} updated", "update", found.updated, found.actual_change),
    ]
    if found.lowest and found.lowest[1] < found.base:  # else it is where they stand
        place, least = found.lowest
        rows.append(
            ("  at edge" if _lowest_at_edge(found) else "  lowest", "text", place, least - found.base)
        )
    heads = ["", *(["weight"] if len(found.weights) == 1 else ["across", "up"]), "change", "loss"]
    for digits in (3, 2):
        cells = [heads]
        for label, _, where, change in rows:
            signed = [format_number(each, digits, sign=True) for each in (*where, change)]
            cells.append([label, *signed, format_number(found.base + change, digits + 1)])
        fields = [max(map(len, column)) + (i > 0) for i, column in enumerate(zip(*cells, strict=True))]
        if sum(fields) <= columns:
            break
    while sum(fields) > columns and len(fields) > 2:
        fields.pop()
    return [
        line(
            *(
                (f"{text:<{n}}" if i == 0 else f"{text:>{n}}", role)
                for i, (text, n) in enumerate(zip(row, fields, strict=False))
            )
        )
        for row, role in zip(cells, ["muted", *(row[1] for row in rows)], strict=True)
    ]


def _is_visible(found: Slice) -> bool:
    """Check whether the update is long enough to be seen on a chart."""
    return any(
        abs(new - old) * VISIBLE_RATIO > float(values[-1] - values[0])
        for new, old, values in zip(found.updated, found.here, found.values, strict=True)
    )


def _direction(found: Slice, context: RenderContext) -> str:
    """The direction of an update of one weight that is too short to be seen; blank for two weights."""
    by = found.updated[0] - found.here[0] if len(found.weights) == 1 else 0
    return context.on if by > 0 else context.back if by < 0 else " "


def _loss_chart(
    found: Slice, marks: ChartMarks, context: RenderContext, columns: int, rows: int
) -> list[Line]:
    """The change of the loss along a weight, with the tangent given by the gradient."""
    (x,), (here,), (new,) = found.values, found.here, found.updated
    low, high = (each - found.base for each in lowest_and_highest(found))
    ends = float(x[0]), float(x[-1])
    ticks = [here, *ends], [0.0, high, low]
    chart = Chart(columns, rows, ends, limits([low, high, 0.0], RANGE_MARGIN), ticks, sign=True)
    along = np.linspace(*ends, 2 * columns)
    chart.curve(x, found.losses - found.base, "loss", marks.curve)
    chart.dotted(along, found.gradient[0] * (along - here), "backward", marks.dots)
    if _is_visible(found):
        chart.draw([new], [found.actual_change], "update", marks.coming)
    elif new != here:
        beside_it = 1.3 * (ends[1] - ends[0]) / (chart.inner - 1)
        chart.draw(
            [here + (beside_it if new > here else -beside_it)], [0.0], "update", _direction(found, context)
        )
    chart.draw([here], [0.0], "strong", marks.here)
    return chart.lines()
