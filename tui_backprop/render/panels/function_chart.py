"""The curve of a function at one number, of a unit's activation or of an operation; charts with words beside them.

plotext takes 0.1 s to import, so this module is imported after the first paint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite

from tui_backprop.engine.analysis.loss_slices import ActivationCurve, activation_curve
from tui_backprop.engine.analysis.operation_curves import OperationCurve, operation_curve
from tui_backprop.engine.arrays.types import place_in
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.line_chart import Chart, ChartMarks, limits, marks_of
from tui_backprop.render.draw.spans import Line, beside, flowing, line, wrap
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number

LEAST_CHART_ROWS, ROOMY_CHART_ROWS = (
    4,
    7,
)  # rows of a chart: no fewer, and so many at least where it is not beside its words
LEAST_WORDS, FEW_WORDS = 3, 5  # rows of words that a chart leaves, at least; and where there is room
LEAST_CHART_COLUMNS = 16  # columns of a chart beside its words, at least
RANGE_MARGIN = 0.04  # of a curve's range, above and below it

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
    """A chart in (columns, rows), if there is one, and the words above and (in so many columns) below it. Where there
    is not room for both, the chart leaves out the last words."""

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
        words = self.words(columns)
        if self.chart and room < LEAST_CHART_ROWS and high >= LEAST_CHART_ROWS + LEAST_WORDS:
            room = max(LEAST_CHART_ROWS, min(ROOMY_CHART_ROWS, high - FEW_WORDS))
            words = cut_below(words, high - room)
        chart = self.chart(columns, room) if self.chart and room >= LEAST_CHART_ROWS else []
        return [*self.head, *chart, *words][:rows]


def cut_below(rows: list[Line], most: int) -> list[Line]:
    """Return the first rows, the last of which is marked if more follow."""
    return rows if len(rows) <= most else [*rows[: most - 1], line(*rows[most - 1], (" …", "mark"))]


def activation_chart(snapshot: Snapshot, columns: int, context: RenderContext) -> ChartWithWords:
    """f and f' of the unit whose number is looked at; of a graph without layers, of the operation."""
    if not snapshot.graph.layered:
        return operation_chart(snapshot, columns, context)
    (layer, unit), marks = snapshot.place, marks_of(context)
    curve = activation_curve(snapshot.iteration, layer, unit, 2 * columns)
    linear = layer == snapshot.graph.depth
    name = f"{curve.of}[{curve.unit}]"
    numbers = _numbers(curve, name, (f"f({curve.of[0]})", f"f'({curve.of[0]})"), marks)
    head = [line((f"{curve.name}, layer {layer}, unit {curve.unit}", "title"))]
    if snapshot.session.batch > 1:
        head.append(line((f"sample {snapshot.session.sample:,}", "muted")))
    caption = "the output layer is linear: f(z) = z" if linear else slope_words(curve.slope_at)

    def words(columns: int) -> list[Line]:
        return [*flowing(numbers, columns), *wrap(caption, columns, "muted")]

    return ChartWithWords(flowing(head, columns), partial(_function_chart, curve, marks), words)


def _numbers(curve: ActivationCurve, name: str, made: tuple[str, str], marks: ChartMarks) -> list[Line]:
    """The point at which the function is looked at, its value there and its slope, which are called ``made``."""
    value, slope = made
    return [
        line((f"{name} ", "muted"), format_number(curve.at)),
        line(
            (marks.here, "strong"),
            (marks.sample, "forward"),
            (f" {value} ", "muted"),
            format_number(curve.value),
        ),
        line(
            (marks.other, "strong"),
            (marks.dots, "backward"),
            (f" {slope} ", "muted"),
            format_number(curve.slope_at),
        ),
    ]


def shown_curve(snapshot: Snapshot, points: int) -> OperationCurve | None:
    """The curve of the operation whose number is looked at: the one chosen by its name, or that of the step; None
    where it has none."""
    graph, visits = snapshot.graph, snapshot.step.visits
    if snapshot.asked is None and visits:
        return operation_curve(snapshot.iteration, visits[-1].op, points, visits[-1].of)
    name, index = snapshot.number
    op = graph.by_output.get(name) or graph.readers[name][0]
    same = graph.by_name[op.output].shape == graph.by_name[name].shape
    place = place_in(index, graph.by_name[name].shape) if same else None
    of = None if op.output == name else op.inputs.index(name)
    return operation_curve(snapshot.iteration, op, points, of, place)


def operation_chart(snapshot: Snapshot, columns: int, context: RenderContext) -> ChartWithWords:
    """The operation whose number is looked at, and its derivative."""
    found, marks = shown_curve(snapshot, 2 * columns), marks_of(context)
    assert found is not None  # the caller asks first
    curve = found.curve
    made = context.text(found.output), context.text(f"∂{found.output}/∂{curve.of}")
    numbers = _numbers(curve, context.text(curve.of), made, marks)
    head = [line((context.text(f"{curve.name}: {found.output} over {curve.of}"), "title"))]

    def words(columns: int) -> list[Line]:
        return [
            *flowing(numbers, columns),
            *wrap(context.text(slope_words(curve.slope_at)), columns, "muted"),
        ]

    return ChartWithWords(flowing(head, columns), partial(_function_chart, curve, marks), words)


def slope_words(slope: float) -> str:
    """The effect of a slope on the gradient that passes back through it."""
    if not isfinite(slope):
        return "the slope is not finite, so neither is the gradient"
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
