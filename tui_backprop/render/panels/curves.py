"""The function explorer: a unit's activation with its slope, and the loss along one weight or over two of them.

plotext takes 0.1 s to import, so this module is imported after the first paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from tui_backprop.engine.analysis.loss_slices import Slice
from tui_backprop.engine.analysis.operation_curves import ENTRY_BY_ENTRY
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.line_chart import Chart, ChartMarks, limits, marks_of
from tui_backprop.render.draw.loss_surface import lowest_and_highest, shades_legend, surface
from tui_backprop.render.draw.spans import Line, beside, flowing, line, wrap
from tui_backprop.render.panels.function_chart import (
    RANGE_MARGIN,
    ChartWithWords,
    activation_chart,
    shown_curve,
)
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number

SIDE_BY_SIDE_COLUMNS, STACKED_ROWS = (
    72,
    26,
)  # columns from which both halves stand side by side; rows from which one is below the other
VISIBLE_RATIO = 32  # a move is seen on a chart whose range is less than so many times as long
UNIT_STEPS = ("affine", "normalization", "activation", "delta", "normalization delta")  # kinds of steps


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
    if not snapshot.graph.layered and shown_curve(snapshot, 2 * columns) is None:
        return slice_chart(snapshot, found, columns, context).lines(columns, rows)
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
    if snapshot.step.kind in UNIT_STEPS or snapshot.step.kind.removesuffix(" vjp") in ENTRY_BY_ENTRY:
        return activation_chart(snapshot, columns, context).lines(columns, rows)
    return slice_chart(snapshot, found, columns, context).lines(columns, rows)


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
    if not snapshot.graph.layered:
        return wrap(f"{edge}in double precision, all else fixed", columns, "muted")
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
