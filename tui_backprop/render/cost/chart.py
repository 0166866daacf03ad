"""The cost chart: cost of one gradient by each method against the parameter count, both logarithmic, in plotext.

plotext takes 0.1 s to import, so this module is imported after the first paint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.landmarks import KNOWN, LANDMARKS, TRAINING_STEPS
from tui_backprop.cost.model.methods import COST_METHODS, ESSENTIAL
from tui_backprop.cost.model.network_shape import CostShape
from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.plotting import blank, painted, printed
from tui_backprop.render.draw.spans import Line
from tui_backprop.session.session_parts import ZOOMS

FIRST_DECADE, LAST_DECADE = 3.0, 12.0  # decades of parameters
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NAMES_FROM = 58  # columns from which known networks have their names in the chart, and every method its line
LABEL_COLUMNS = 8  # columns of the labels on the left, at least
NAME_ROWS = 3  # at the bottom, for those names
LETTER = 0.44, 0.09  # position of the first letter along its line, and the distance to the next


@dataclass(frozen=True)
class ChartAxis:
    """A unit of the vertical axis: the function ``of`` a method and a network, its range in decades, named ticks."""

    label: str
    of: Callable[[CostModel, str, CostShape], float]
    low: float
    high: float
    ticks: Sequence[tuple[str, float]] = ()


def _seconds(cost_model: CostModel, method: str, shape: CostShape) -> float:
    return cost_model.gradient(method, shape).middle


CHART_AXES: dict[str, ChartAxis] = {
    "time": ChartAxis("one gradient", _seconds, -6.0, 18.5, LANDMARKS),
    "passes": ChartAxis(
        "time of one gradient, in forward passes",
        lambda cost_model, method, shape: (
            _seconds(cost_model, method, shape) / cost_model.seconds("forward", shape).middle
        ),
        -0.5,
        12.5,
    ),
    "FLOPs": ChartAxis(
        "one gradient, in FLOPs",
        lambda cost_model, method, shape: cost_model.operations(method, shape),
        3.0,
        25.0,
    ),
    "training": ChartAxis(
        f"a training run of {TRAINING_STEPS:,} steps",
        lambda cost_model, method, shape: TRAINING_STEPS * _seconds(cost_model, method, shape),
        -1.0,
        23.5,
        LANDMARKS,
    ),
}


def decades(low: float, high: float, count: int) -> list[float]:
    """Return ``count`` evenly spaced exponents from ``low`` to ``high``."""
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def log(value: float) -> float:
    return math.log10(max(value, 1e-300))


@dataclass(frozen=True)
class ChartWindow:
    """The part of the plane that is drawn: decades of parameters and of their cost."""

    left: float
    right: float
    bottom: float
    top: float


def drawn_methods(columns: int) -> list[str]:
    """Return the methods that are drawn in so many columns, the most important last."""
    names = sorted(COST_METHODS, key=lambda name: COST_METHODS[name].weight)
    return names if columns >= NAMES_FROM else [n for n in names if COST_METHODS[n].weight >= ESSENTIAL]


def window_of(
    costs: CostState, axis: ChartAxis, cost_model: CostModel, columns: int, rows: int
) -> ChartWindow:
    """Return the whole plane, or the part around the cursor when zoomed in, with room for names below."""
    view = _zoomed(costs, axis, cost_model)
    if columns < NAMES_FROM:
        return view
    below = (view.top - view.bottom) * NAME_ROWS / max(rows - 3 - NAME_ROWS, 1)
    return ChartWindow(view.left, view.right, view.bottom - below, view.top)


def _zoomed(costs: CostState, axis: ChartAxis, cost_model: CostModel) -> ChartWindow:
    here = math.log10(costs.network.parameters)
    low = min(FIRST_DECADE, math.floor(here))
    if not costs.zoom:
        return ChartWindow(low, LAST_DECADE, axis.low, axis.high)
    span = ZOOMS[costs.zoom]
    middle = min(max(math.log10(costs.parameters), low + span / 2), LAST_DECADE - span / 2)
    ends = [costs.shape.at(10 ** (middle + side * span / 2)) for side in (-1, 1)]
    found = [log(axis.of(cost_model, method, shape)) for method in COST_METHODS for shape in ends]
    return ChartWindow(middle - span / 2, middle + span / 2, min(found) - 0.3, max(found) + 0.3)


def chart(costs: CostState, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw the chart in ``columns`` x ``rows``: a line for each method, with its letter; measured points, the current
    network, well-known ones, the cursor. A line is dotted beyond the largest measured network. There must be a cost
    model."""
    cost_model = costs.cost_model
    assert cost_model is not None
    axis = CHART_AXES[costs.axis]
    view = window_of(costs, axis, cost_model, columns, rows)
    figure = blank(columns, rows)
    xs = decades(view.left, view.right, max(2 * columns // 5, 8))  # a dot apart from the next
    shapes = [costs.shape.at(10**x) for x in xs]

    def draw(
        x: Sequence[float], y: Sequence[float], role: str, marker: str | Sequence[str], joined: bool = False
    ) -> None:
        """Draw points with one marker, or with one for each."""
        each = [marker] * len(x) if isinstance(marker, str) else marker
        inside = [
            (a, b, m)
            for a, b, m in zip(x, y, each, strict=True)
            if view.bottom <= b <= view.top and view.left <= a <= view.right
        ]
        if inside:
            xs, ys, ms = map(list, zip(*inside, strict=True))
            paint = painted(marker, role) if isinstance(marker, str) else [painted(m, role) for m in ms]
            signal = figure.signal(xs, ys, marker=paint)
            figure.draw(signal.lines() if joined and len(inside) > 1 else signal)

    cursor = math.log10(costs.parameters)
    upright = decades(view.bottom, view.top, rows)
    draw([cursor] * rows, upright, "mark", "|" if context.plain else "│")
    edge = math.log10(cost_model.largest) if cost_model.points else view.right
    letters = []
    for i, name in enumerate(drawn_methods(columns)):
        method = COST_METHODS[name]
        ys = [log(axis.of(cost_model, name, shape)) for shape in shapes]
        solid = [n for n, x in enumerate(xs) if x <= edge]
        dotted = [n for n, x in enumerate(xs) if x > edge]
        look, role = method.marker if context.plain else "braille", method.role
        draw([xs[n] for n in solid], [ys[n] for n in solid], role, look, joined=True)
        draw([xs[n] for n in dotted], [ys[n] for n in dotted], role, look)
        at = min(int((LETTER[0] + i * LETTER[1]) * len(xs)), len(xs) - 1)
        letters.append(([xs[at]], [ys[at]], role, method.letter))
    for letter in letters:
        draw(*letter)
    _points(draw, cost_model, costs, axis, context)
    labels = _labels(axis, view, columns, rows, context)
    if columns >= NAMES_FROM:
        taken = len(labels[0][0]) if labels else 0
        _names(draw, costs, view, columns - taken - 2, rows, context)
    _axes(figure, view, labels, context)
    return printed(figure)


Draw = Callable[..., None]


def _points(
    draw: Draw, cost_model: CostModel, costs: CostState, axis: ChartAxis, context: RenderContext
) -> None:
    """Draw measured passes of backprop, and the current network by backprop and by the naive method."""
    if axis is CHART_AXES["time"]:
        measured = [point for point in cost_model.sound if point.kind == "backprop"]
        x = [math.log10(point.parameters) for point in measured]
        draw(x, [log(point.middle) for point in measured], "backprop", "o" if context.plain else "●")
        if costs.race and (raced := costs.race.naive) is not None:
            there = [math.log10(costs.race.status.parameters)]
            draw(there, [log(raced.on_idle_core)], "naive", "o" if context.plain else "●")
    here = [math.log10(costs.network.parameters)]
    for method in ("naive", "backprop"):
        draw(here, [log(axis.of(cost_model, method, costs.shape))], method, "#" if context.plain else "◆")


def _names(
    draw: Draw, costs: CostState, view: ChartWindow, columns: int, rows: int, context: RenderContext
) -> None:
    """Draw well-known networks: a mark on the axis for each, and above it its name, in the lowest free row. The plane
    takes so many ``columns``."""
    across = (view.right - view.left) / max(columns, 1)
    up = (view.top - view.bottom) / max(rows - 3, 1)
    occupied: list[list[tuple[float, float]]] = [[] for _ in range(NAME_ROWS)]
    marked: list[float] = []
    letters: list[tuple[float, float, str]] = []
    for name, parameters in KNOWN:
        x = math.log10(parameters)
        if parameters == costs.network.parameters or not view.left <= x <= view.right:
            continue
        start = min(x - len(name) * across / 2, view.right - len(name) * across)
        end = start + (len(name) + 1) * across
        free = (row for row in range(NAME_ROWS) if all(end < a or start > b for a, b in occupied[row]))
        row = next(free, None)
        marked.append(x)
        if row is not None:
            occupied[row].append((start, end))
            y = view.bottom + (row + 1) * up
            letters += [(start + (i + 0.5) * across, y, letter) for i, letter in enumerate(name)]
    draw(marked, [view.bottom] * len(marked), "strong", "^" if context.plain else "▴")
    if letters:
        xs, ys, names = zip(*letters, strict=True)
        draw(xs, ys, "mark", names)


def _axes(
    figure: Any, view: ChartWindow, labels: Sequence[tuple[str, float]], context: RenderContext
) -> None:
    """Label decades of parameters below, and the cost on the left."""
    x, y = figure.ruler("x"), figure.ruler("y")
    x.lim(view.left, view.right)
    y.lim(view.bottom, view.top)
    whole = range(math.ceil(view.left), math.floor(view.right) + 1)
    ticks = [k for k in whole if k % 3 == 0 or len(whole) <= 7 or k == whole[0]]
    x.ticks(ticks, [_power(k, context) for k in ticks])
    y.ticks([at for _, at in labels], [name for name, _ in labels])
    y.grid()
    figure.label("parameters", "x")
    figure.axes(False, axis="y", side="right")
    figure.axes(False, axis="x", side="upper")


def _labels(
    axis: ChartAxis, view: ChartWindow, columns: int, rows: int, context: RenderContext
) -> list[tuple[str, float]]:
    """Return the landmarks (or decades) that have a row of their own, padded to one width. Those that would take
    more than a third of the chart are left out."""
    most = max(LABEL_COLUMNS, columns // 3)
    apart = 1.2 * (view.top - view.bottom) / max(rows - 3, 1)
    shown: list[tuple[str, float]] = []
    for name, at in _candidates(axis, view, context):
        there = len(name) <= most and view.bottom <= at <= view.top
        if there and all(abs(at - other) >= apart for _, other in shown):
            shown.append((name, at))
    wide = max([LABEL_COLUMNS, *(len(name) for name, _ in shown)])
    return [(f"{name:>{wide}}", at) for name, at in shown]


def _candidates(axis: ChartAxis, view: ChartWindow, context: RenderContext) -> list[tuple[str, float]]:
    """Return the candidates for labels on the left, the most important first."""
    if not axis.ticks:
        every = range(math.ceil(view.bottom), math.floor(view.top) + 1)
        return [(_power(k, context), float(k)) for step in (6, 3, 1) for k in every if k % step == 0]
    order = (2, 7, 6, 5, 0, 1, 3, 4)
    return [(axis.ticks[i][0], log(axis.ticks[i][1])) for i in order]


def _power(exponent: int, context: RenderContext) -> str:
    return f"1e{exponent}" if context.plain else "10" + str(exponent).translate(SUPERSCRIPT)
