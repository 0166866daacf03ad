"""The values of a graph without layers, each with its formula, its number and its gradient, as the walk reaches
them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.engine.explain.formulas import equation
from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.alignment import on_the_point
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, cut, line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number

LEAST_FORMULA_COLUMNS = 6
GAP = "  "
PARAMETER, FIXED = "parameter", "fixed"


@dataclass(frozen=True)
class ValueRow:
    """A value: its name, and how it comes about, as a formula or in a word."""

    name: str
    formula: str
    given: bool


@lru_cache(maxsize=16)
def value_rows(graph: Graph) -> tuple[ValueRow, ...]:
    """All values in forward order: parameters and what is fixed, then what the operations compute."""
    given = [
        ValueRow(value.name, PARAMETER if value.is_parameter else FIXED, True)
        for value in graph.values
        if value.is_parameter or value.name in graph.data
    ]
    made = [ValueRow(op.output, tidy(equation(graph, (Visit(op),))[0][op.output]), False) for op in graph.ops]
    return (*given, *made)


def value_table(snapshot: Snapshot, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw a head and at most ``rows - 1`` values, those around the step's; single numbers as they are, arrays by
    their norm."""
    graph, step = snapshot.graph, snapshot.step
    all_rows = value_rows(graph)
    now = {graph.value_of(piece.tensor) for piece in step.pieces}
    done = frozenset(visit for each in snapshot.steps[: step.index + 1] for visit in each.visits)
    made = {visit.writes for visit in done if visit.of is None}
    at = max((i for i, row in enumerate(all_rows) if row.name in now), default=0)
    shown = all_rows[_first(at, len(all_rows), rows - 1) :][: rows - 1]
    numbers = [
        _number(snapshot.iteration, row.name, True) if row.given or row.name in made else "" for row in shown
    ]
    gradients = [_gradient(snapshot, row.name, done) for row in shown]
    columns_of = [on_the_point([context.text(text) for text in each]) for each in (numbers, gradients)]
    wide = [
        max(len(title), *map(len, each))
        for title, each in zip(("value", "gradient"), columns_of, strict=True)
    ]
    named = max(len(context.text(row.name)) for row in all_rows)
    room = max(columns - named - 3 - sum(wide) - 2 * len(GAP), LEAST_FORMULA_COLUMNS)
    head = line((f"{'':<{named + 3 + room}}{GAP}{'value':>{wide[0]}}{GAP}{'gradient':>{wide[1]}}", "muted"))
    return [
        head,
        *(
            line(
                (f"{context.text(row.name):<{named}}", "cursor" if row.name in now else "strong"),
                (" = " if not row.given else "   ", "muted"),
                (f"{cut(context.text(row.formula), room):<{room}}", "muted" if row.given else "text"),
                (f"{GAP}{number:>{wide[0]}}", "forward"),
                (f"{GAP}{gradient:>{wide[1]}}", "backward"),
            )
            for row, number, gradient in zip(shown, *columns_of, strict=True)
        ),
    ]


def _first(at: int, total: int, room: int) -> int:
    """Return the first row that is shown."""
    return min(max(at - room // 2, 0), max(total - room, 0))


def _number(iteration: Iteration, name: str, sign: bool) -> str:
    array = iteration.tensor(name)
    return (
        format_number(float(array), sign=sign)
        if array.ndim == 0
        else f"|{format_number(iteration.summary(name).norm)}|"
    )


def _gradient(snapshot: Snapshot, name: str, done: frozenset[Visit]) -> str:
    """Format the gradient of a value, once all its terms are there; of the loss, 1."""
    graph = snapshot.graph
    visits = graph.visits_of.get(name, ())
    if visits and all(visit in done for visit in visits):
        return _number(snapshot.iteration, graph.gradient_of(name), True)
    some = [visit for visit in visits if visit in done]
    if some:
        return _number(snapshot.iteration, graph.written(some[-1]), True)
    begun = name == graph.loss and any(visit.of is not None for visit in done)
    return format_number(1.0, sign=True) if begun else ""
