"""The array that a step computes, in one of the views: a map with statistics, a histogram, the largest entries, or
pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tui_backprop.engine.arrays.statistics import summarize
from tui_backprop.engine.explain.entries import first_sample
from tui_backprop.engine.network.axes import CLASS, POSITION, TOKEN
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.array_table import (
    NUMBER_COLUMNS,
    all_parameters,
    entries_per_line,
    matrix_row,
    statistics,
    vector_lines,
)
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.gallery import gallery, gallery_layout
from tui_backprop.render.draw.heatmap import extremes, heatmap, largest, picture, signed_picture
from tui_backprop.render.draw.histogram import first_parts, histogram
from tui_backprop.render.draw.spans import Line, clip, line, width
from tui_backprop.render.sample_text import text_of
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.axis_map import AxisArray, axis_map
from tui_backprop.render.walk.equation import shape_text
from tui_backprop.render.walk.largest import largest_view
from tui_backprop.render.walk.letter_ranking import letter_ranking
from tui_backprop.render.walk.outputs import MOST_OUTPUTS, output_lines, outputs_of, rows_for_all
from tui_backprop.render.walk.sheet import sheet
from tui_backprop.render.walk.shown_array import ShownArray, shown_array, shown_summary
from tui_backprop.render.walk.text_strip import text_strip
from tui_backprop.session.session_parts import VIEWS

GAP = 2
AROUND_ROWS, LEAST_ARRAY_ROWS = 6, 8  # lines around the rows of an array, and of one in all


def tensor_view(
    snapshot: Snapshot, columns: int, rows: int, context: RenderContext, given_up: bool = False
) -> list[Line]:
    """Draw the array of the current step in ``rows`` lines, in the view of the session."""
    shown, view = shown_array(snapshot), snapshot.session.walk.view
    impossible = view == "picture" and (shown.image is None or rows < 3)
    draw = DRAW_VIEW["map" if impossible else view]
    key = context.key("view")
    hints = (f"view: {view} ({key})", f"{view} ({key})")
    hints = (f"no pixels: map ({key})", f"map ({key})") if impossible else hints
    name, shape = (shown.label, snapshot.step.phase), (f" {shape_text(shown.values.shape)}", "muted")
    head, bare = (
        _noted(context.fit(row), _which_samples(snapshot, shown, draw), columns)
        for row in (line(name, shape), line(name))
    )
    least = GAP + len(hints[-1])
    if draw is _map or (draw is not _histogram and (shown.row.ndim == 1 or draw is _picture)):
        spare = 0 if view == "map" or width(head) + least > columns else least
        head = _with_why(head, bare, shown.notes, columns - spare, context)
    room = columns - width(head)
    if shown.sheet and draw in (_map, _picture):
        draw = sheet
    elif draw is _map and shown.axes:
        draw = _on_axes
    hint = next((hint.rjust(room) for hint in hints if GAP + len(hint) <= room), "")
    if draw in (_histogram, largest_view) and not snapshot.iteration.distributed(
        shown.name, updated=shown.updated
    ):
        draw = _map if given_up else _counting
    body = draw(snapshot, shown, columns, max(rows - 1, 1), context)
    return [clip(row, columns) for row in (line(*head, (hint, "muted")), *body)][:rows]


def array_rows(snapshot: Snapshot, shown: ShownArray, columns: int) -> int:
    """Return the lines that an array whose axes have names takes in full, with the blank one above it."""
    text = text_of(snapshot.session, snapshot.iteration)
    if text is None or len(shown.axes) < 2:
        return LEAST_ARRAY_ROWS
    array = AxisArray(shown.values, shown.axes, shown.index, snapshot.graph.is_parameter(shown.name))
    return int(array.within(text).values.shape[-2]) + AROUND_ROWS


def _noted(head: Line, choices: Sequence[str], columns: int) -> Line:
    """Return the head with the first note that fits, if one does."""
    note = next((note for note in choices if width(head) + len(note) <= columns), "")
    return line(*head, (note, "muted"))


def _with_why(head: Line, bare: Line, notes: Sequence[str], columns: int, context: RenderContext) -> Line:
    """Return the head with a note that gives the reason, without the shape if needed (it is also below the formula);
    or else with the shortest note."""
    whys = [context.text(text) for note in notes[:-1] for text in (note, note.replace("δ", context.delta))]
    for start in (head, bare):
        if (noted := _noted(start, whys, columns)) != start:
            return noted
    return _noted(head, [context.text(note) for note in notes[-1:]], columns)


def _which_samples(snapshot: Snapshot, shown: ShownArray, draw: DrawArray) -> tuple[str, ...]:
    """Return which samples are shown, unless another line names them."""
    alone = shown.axes and snapshot.graph.per_sample(shown.name)  # the array of the first sample
    samples = snapshot.iteration.batch if alone else shown.samples
    if samples < 2 or draw is _picture:
        return ()
    which = f"  all {samples:,}" if draw is _histogram else f"  first of {samples:,}"
    return f"{which} samples", which


def _map(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw all numbers if they fit, else a map of them or the picture of the sample; then statistics."""
    row, unit, role, room = shown.row, shown.unit, snapshot.step.phase, max(rows - 1, 1)
    legend = ""
    if row.ndim == 2 and row.shape[1] == 1:
        row, unit = row[:, 0], -1
    if shown.samples and shown.image and room >= 5:
        draw = _drawer(snapshot, shown, row, context)
        body = draw(row.reshape(shown.image), room, min(columns, 2 * room))
    elif len(row) <= MOST_OUTPUTS and _by_class(snapshot, shown):
        outputs = outputs_of(snapshot, row)
        if room < rows_for_all(outputs, columns) <= rows:  # without the last line
            return output_lines(outputs, unit, role, columns, rows, context)[0]
        body, legend = output_lines(outputs, unit, role, columns, room, context)
    elif row.ndim == 2 and row.shape[1] * NUMBER_COLUMNS <= columns and row.shape[0] <= room:
        body = [matrix_row(r, unit, role) for r in row]
    elif row.ndim == 1 and -(-len(row) // entries_per_line(columns)) <= room:
        body = vector_lines(row, columns, unit, role)
    elif context.sparse:
        body = []
    else:
        small = shown_summary(snapshot, shown).small if row.ndim == 2 else row
        body = heatmap(small, room, columns, role, context, unit if unit >= 0 else None, row.shape[-1])
    summary = summarize(row) if row.ndim == 1 else shown_summary(snapshot, shown)
    words = statistics(summary, columns - len(legend) - GAP if legend else columns)
    lines = [*body, line(((" " * GAP).join(filter(None, (legend, words))), "muted"))]
    return [*lines, *all_parameters(snapshot, columns, rows - len(lines))]


def _by_class(snapshot: Snapshot, shown: ShownArray) -> bool:
    """Return True of the outputs of a sample and their gradients."""
    graph = snapshot.graph
    if graph.layered:
        return shown.samples > 0 and snapshot.step.block == graph.depth
    return shown.axes == (CLASS,) and graph.per_sample(shown.name)


def _on_axes(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw an array whose axes have names: a text, the ranking of tokens at a position, or a map with labels."""
    text, role, graph = text_of(snapshot.session, snapshot.iteration), snapshot.step.phase, snapshot.graph
    if text is None:
        return _map(snapshot, shown, columns, rows, context)
    if shown.axes == (POSITION, TOKEN):
        at = min(shown.index[0], len(text.read) - 1)
        predicted = int(first_sample(snapshot.iteration, graph.output)[at].argmax())
        return letter_ranking(text, shown.values[at], at, predicted, role, columns, rows, context)
    if shown.axes == (POSITION,):
        return text_strip(text, shown.index[0], role, columns, rows, context)
    if len(shown.axes) < 2:
        return _map(snapshot, shown, columns, rows, context)
    array = AxisArray(shown.values, shown.axes, shown.index, graph.is_parameter(shown.name))
    return axis_map(array, text, role, columns, rows, context)


def _histogram(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the distribution of all entries, of all samples."""
    found = snapshot.iteration.distribution(shown.name, updated=shown.updated)
    return histogram(found, columns, rows, snapshot.step.phase, context)


def _counting(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw a line while a worker counts the entries of a large array."""
    return [line((f"counting {shown.values.size:,} entries …", "muted"))]


def _picture(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw samples, or the weights into some units, as pictures on one scale: the selected unit, then those with the
    largest delta."""
    assert shown.image is not None
    role = snapshot.step.phase
    if shown.samples:
        plan = gallery_layout(shown.image, shown.samples, rows, columns)
        first, part = snapshot.session.sample, snapshot.session.part
        pictures = [
            (line((f"sample {part.after(first, i)}", "muted")), image.reshape(shown.image))
            for i, image in enumerate(shown.values[: plan.most])
        ]
        return gallery(pictures, plan, _drawer(snapshot, shown, shown.values[: plan.most], context))
    plan = gallery_layout(shown.image, shown.values.shape[1], rows - 1, columns)
    units = _units_by_delta(snapshot)[: plan.most]
    weights = shown.values[:, units]
    scale = largest(shown.values)
    pictures = [
        (line((f"▸ unit {unit}" if i == 0 else f"unit {unit}", "muted" if i else "strong")), image)
        for i, (unit, image) in enumerate(zip(units, weights.T.reshape(-1, *shown.image), strict=True))
    ]
    drawn = gallery(pictures, plan, lambda image, r, c: signed_picture(image, r, c, role, context, scale))
    ends = extremes(shown.values, context, scale)
    legend = first_parts(
        (*ends, f"{context.zero} near 0", "one scale for all" if len(units) > 1 else ""), columns
    )
    return [*drawn, line((legend, "muted"))]


def _drawer(
    snapshot: Snapshot, shown: ShownArray, values: Array, context: RenderContext
) -> Callable[[Array, int, int], list[Line]]:
    """Return what draws an image of samples, none of which is below 0, or of their gradients, of both signs."""
    role = snapshot.step.phase
    if snapshot.graph.is_gradient(shown.name):
        scale = largest(values)
        return lambda image, rows, columns: signed_picture(image, rows, columns, role, context, scale)
    return lambda image, rows, columns: picture(image, rows, columns, role, context)


def _units_by_delta(snapshot: Snapshot) -> list[int]:
    """Return the units of the first layer: the selected one, then by the magnitude of their delta."""
    graph, unit = snapshot.graph, snapshot.unit(1)
    by = graph.delta(1) if 1 in graph.blocks_with_delta else graph.output_of(1)
    deltas = snapshot.iteration.tensor(by)[0]
    sizes = np.abs(np.nan_to_num(deltas))
    return [unit, *(other for other in np.argsort(-sizes, kind="stable").tolist() if other != unit)]


DrawArray = Callable[[Snapshot, ShownArray, int, int, RenderContext], list[Line]]
DRAW_VIEW: dict[str, DrawArray] = dict(zip(VIEWS, (_map, _histogram, largest_view, _picture), strict=True))
