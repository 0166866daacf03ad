"""The number panel: one number, how it and its gradient are computed, and its line in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from tui_backprop.engine.explain.number import Number, Origin, number_of
from tui_backprop.engine.explain.pytorch import transposed_entry
from tui_backprop.engine.explain.zero_gradient import OWN, ZeroGradient, zero_gradients
from tui_backprop.engine.network.graph import Graph
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.number_titles import title_lines
from tui_backprop.render.draw.spans import Line, cut_lines, line, wrap
from tui_backprop.render.draw.statements import statement_lines
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.equation import equations, formula_with_shapes, receipt
from tui_backprop.support.format import format_number

LABEL_COLUMNS, NUMBER_COLUMNS = 10, 12  # columns of a label, and of a number
NO_GRADIENT = (
    "none: it is a constant",
    "none: no derivative of the loss flows to it",
)  # of a value, a parameter
TERM_COUNTS = (6, 3, 2, 1)  # of a long sum, as room allows


def number_panel(
    snapshot: Snapshot, larger: tuple[int, int, int] | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the selected number. ``larger`` counts the larger gradients, in its layer and in all layers, and
    those as large in all layers (None while they are being counted, and for what is no parameter)."""
    tensor, index = snapshot.number
    silent = [context.text(_zero_words(zero)) for zero in zero_gradients(snapshot.iteration, tensor, index)]
    best: list[Line] = []
    for best in _drawings(snapshot, larger, silent, columns, context):
        if len(best) <= rows:
            break
    if len(best) > rows:
        best = [row for row in best if row]
    return [context.fit(row) for row in cut_lines(best, rows)]


def _drawings(
    snapshot: Snapshot,
    larger: tuple[int, int, int] | None,
    silent: Sequence[str],
    columns: int,
    context: RenderContext,
) -> Iterator[list[Line]]:
    """Draw the number in ever fewer lines: without air, with fewer terms, and only then without the update."""
    for updated, terms in product((True, False), TERM_COUNTS):
        found = number_of(snapshot.iteration, *snapshot.number, terms)
        shown = found if updated else replace(found, moved=None)
        for air in (True, False):
            yield _panel(snapshot, shown, larger, silent, columns, context, air)


def brief_figures(snapshot: Snapshot, columns: int, context: RenderContext) -> list[Line]:
    """Draw the name of the selected number, its value and its gradient."""
    tensor, index = snapshot.number
    found = number_of(snapshot.iteration, tensor, index, 1)
    rows = title_lines(snapshot.session, snapshot.iteration, found.tensor, found.index, columns, context)
    rows += _figure("value", found.value, "forward", "", columns)
    if found.gradient is not None:
        rows += _figure("gradient", found.gradient, "backward", "", columns)
    if found.updated is not None:
        rows += _figure("after", found.updated, "update", "", columns)
    return rows


def _zero_words(zero: ZeroGradient) -> str:
    """a1[13] is 0, because z1[13] = −0.310 < 0: relu is inactive"""
    side = " < 0" if zero.at < 0 else ""
    because = f", because {zero.of} = {format_number(zero.at)}{side}" if zero.of else ""
    samples = f" {zero.samples}" if zero.samples else ""
    if zero.name == OWN:
        return f"{zero.why}{samples}{because}"
    return f"{zero.name} is 0{samples}{because}{': ' + zero.why if zero.why else ''}"


def _panel(
    snapshot: Snapshot,
    found: Number,
    larger: tuple[int, int, int] | None,
    silent: Sequence[str],
    columns: int,
    context: RenderContext,
    air: bool,
) -> list[Line]:
    graph = snapshot.graph
    sample = "" if found.is_parameter or snapshot.iteration.batch == 1 else " of the first sample"
    title = title_lines(
        snapshot.session, snapshot.iteration, found.tensor, found.index, columns, context, sample
    )
    blocks = [
        [*title, *_figures(snapshot, found, larger, silent, columns)],
        _origin(graph, found.computed, found.tensor, "how it is computed", "forward", columns, context),
        _origin(
            graph,
            found.differentiated,
            graph.gradient_of(graph.value_of(found.tensor)),
            "how its gradient is computed",
            "backward",
            columns,
            context,
        ),
        _origin(graph, found.moved, found.tensor, "how it is updated", "update", columns, context),
        _torch(snapshot, found, columns, context, air),
    ]
    lines: list[Line] = []
    for block in filter(None, blocks):
        lines += [()] * (air and bool(lines))
        lines += block
    return lines


def _figures(
    snapshot: Snapshot,
    found: Number,
    larger: tuple[int, int, int] | None,
    silent: Sequence[str],
    columns: int,
) -> list[Line]:
    rows = _figure("value", found.value, "forward", "", columns)
    if found.gradient is None:
        return [*rows, *_figure_words("gradient", NO_GRADIENT[found.is_parameter], columns)]
    parameters = snapshot.session.network.parameters
    place = ""
    if found.is_parameter and found.gradient != 0:
        place = "counting …" if larger is None else _place(larger[1], larger[2], parameters)
    rows += _figure("gradient", found.gradient, "backward", place, columns)
    if silent:
        rows += wrap(f"zero gradient: {'; '.join(silent)}", columns)
    if found.updated is not None:
        moves = found.updated - found.value
        moved = (
            f"the update moves it {format_number(moves, sign=True)}" if moves else "unchanged by the update"
        )
        rows += _figure("after", found.updated, "update", moved, columns)
    return rows


def _place(larger: int, equal: int, parameters: int) -> str:
    """Name the rank of a gradient, or the ranks that it shares with equal ones."""
    ranks = f"{larger + 1:,}" if equal < 2 else f"tied for {larger + 1:,} to {larger + equal:,}"
    return f"{ranks} of {parameters:,} by size"


def _figure(label: str, value: float, role: str, note: str, columns: int) -> list[Line]:
    """Draw a number with a note after it, or below it where the note is too long."""
    row = line(
        (f"{label:<{LABEL_COLUMNS}}", "muted"),
        (f"{format_number(value, 6, sign=True):>{NUMBER_COLUMNS}}", role),
    )
    if LABEL_COLUMNS + NUMBER_COLUMNS + 2 + len(note) <= columns:
        return [line(*row, (f"  {note}" if note else "", "muted"))]
    indent = max(min(LABEL_COLUMNS, columns - len(note)), 0)
    return [row, *(line(" " * indent, *below) for below in wrap(note, columns - indent, "muted"))]


def _figure_words(label: str, words: str, columns: int) -> list[Line]:
    """Draw words in place of a number."""
    rows = wrap(words, columns - LABEL_COLUMNS)
    return [line((f"{'' if i else label:<{LABEL_COLUMNS}}", "muted"), *row) for i, row in enumerate(rows)]


def _origin(
    graph: Graph,
    origin: Origin | None,
    name: str,
    title: str,
    role: str,
    columns: int,
    context: RenderContext,
) -> list[Line]:
    """Draw the formula with shapes, the formula in numbers, and what is reused of the forward pass."""
    if origin is None:
        return []
    step = origin.step
    parts = [part.rstrip(",") for part in equations(step)]
    own = [part for part in parts if part.partition(" ")[0] == name]
    if own and {part.partition(" ")[0] for part in parts} <= dict(step.operands).keys():
        step = replace(step, formula=own[0])  # without those of other parameters, computed in the same step
    rows = [line((title, "muted")), *formula_with_shapes(graph, step, columns, context)]
    rows += receipt(origin.rows, columns, role, context)
    if step.reused:
        names = ", ".join(step.reused)
        rows.append(line(("reused  ", "muted"), (names, "forward"), (" from the forward pass", "muted")))
    return rows


def _torch(
    snapshot: Snapshot, found: Number, columns: int, context: RenderContext, air: bool
) -> Sequence[Line]:
    """Draw the number and its gradient in PyTorch, one statement per line; without ``air``, as many as fit in one."""
    parts = [part for text in found.torch for part in text.split("; ")]
    if not parts:  # of an input, which no line computes
        return []
    parts = parts if air else ["; ".join(parts)]
    rows = [line(("in PyTorch", "muted"))]
    rows += [line(row) for part in parts for row in statement_lines(part, columns)]
    elsewhere = transposed_entry(snapshot.graph, found.tensor, found.index)
    return [*rows, *wrap(context.text(elsewhere), columns, "muted")] if elsewhere else rows
