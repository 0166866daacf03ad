"""The values of a graph without layers, each with its formula, its number and its gradient, as the walk reaches
them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.arrays.types import Array
from tui_backprop.engine.explain.formulas import equation
from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.value import Value
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.alignment import on_the_point
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, cut, line
from tui_backprop.render.sample_text import labels_text
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number

LEAST_FORMULA_COLUMNS = 6
LEAST_NAME_COLUMNS, NAMES_SHARE = 12, 3  # of longer names, the end is shown: at most a third of the columns
GAP = "  "
TITLES = ("value", "gradient")
NORM, NORM_BRIEF = "|..| Euclidean norm", "|..| norm"
AFTER = "after"  # title of the updated parameters
SO_FAR = " …"  # after a gradient that more terms are added to
PARAMETER, FIXED, INPUT, TARGET, LABEL = "parameter", "fixed", "input", "target", "label"
SHORT = {PARAMETER: "param."}  # where there is little room


@dataclass(frozen=True)
class ValueRow:
    """A value: its name, and how it comes about, as a formula or in a word."""

    name: str
    formula: str
    given: bool


@lru_cache(maxsize=16)
def value_rows(graph: Graph) -> tuple[ValueRow, ...]:
    """All values in forward order: those that are given, then what the operations compute."""
    given = [
        ValueRow(value.name, _given(graph, value), True)
        for value in graph.values
        if value.is_parameter or value.name in graph.data
    ]
    made = [ValueRow(op.output, tidy(equation(graph, (Visit(op),))[0][op.output]), False) for op in graph.ops]
    return (*given, *made)


def _given(graph: Graph, value: Value) -> str:
    """Say what a value is that no operation computes: a parameter, what each sample brings, or a fixed number."""
    if value.is_parameter:
        return PARAMETER
    if value.name not in graph.fed:
        return FIXED
    return INPUT if value.role == "input" else LABEL if value.classes and not value.padded else TARGET


def value_table(snapshot: Snapshot, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw a head and at most ``rows - 1`` values, those around the step's; single numbers as they are, arrays by
    their norm; at the update, parameters before and after it. The head says how many others there are above and
    below."""
    graph = snapshot.graph
    all_rows, now = value_rows(graph), {graph.value_of(piece.tensor) for piece in snapshot.step.pieces}
    at = max((i for i, row in enumerate(all_rows) if row.name in now), default=0)
    first = min(max(at - (rows - 1) // 2, 0), max(len(all_rows) - rows + 1, 0))
    shown = all_rows[first:][: rows - 1]
    reached = Reached(snapshot)
    columns_of = [reached.number, reached.gradient, *[reached.after] * reached.updating]
    heads = [*TITLES, *[AFTER] * reached.updating]
    cells = [[cell(row) for row in shown] for cell in columns_of]
    texts = [on_the_point([context.text(text) for text, _ in each]) for each in cells]
    wide = [max(len(title), *map(len, each)) for title, each in zip(heads, texts, strict=True)]
    abouts = [about_row(row, snapshot.session, snapshot.iteration) for row in shown]
    most = max(columns // NAMES_SHARE, LEAST_NAME_COLUMNS)
    named = min(max(len(context.text(row.name)) for row in all_rows), most)
    room = max(columns - named - 3 - sum(wide) - len(wide) * len(GAP), LEAST_FORMULA_COLUMNS)
    beyond = _beyond(first, len(all_rows) - first - len(shown))
    if any(text.startswith("|") for each in texts for text in each):
        notes = f"{beyond}  {NORM}".strip(), f"{beyond}  {NORM_BRIEF}".strip(), NORM_BRIEF
        beyond = next((note for note in notes if len(note) <= named + 3 + room), beyond)
    titles = "".join(f"{GAP}{title:>{n}}" for title, n in zip(heads, wide, strict=True))
    lines = [line((f"{cut(beyond, named + 3 + room):<{named + 3 + room}}{titles}", "muted"))]
    for i, row in enumerate(shown):
        numbers = [
            (f"{GAP}{text[i]:>{n}}", cell[i][1]) for text, n, cell in zip(texts, wide, cells, strict=True)
        ]
        lines.append(
            line(
                (
                    f"{end_of(context.text(row.name), named):<{named}}",
                    "cursor" if row.name in now else "strong",
                ),
                (" = " if not row.given else "   ", "muted"),
                (f"{formula_in(context.text(abouts[i]), room):<{room}}", "muted" if row.given else "text"),
                *numbers,
            )
        )
    return lines


def about_row(row: ValueRow, session: Session, iteration: Iteration) -> str:
    """Return how a value comes about; of labels and tokens that are given, themselves."""
    return (labels_text(session, iteration, row.name) if row.given else "") or row.formula


def end_of(name: str, columns: int) -> str:
    """Cut a name to a width, with an ellipsis for its beginning."""
    return name if len(name) <= columns else "…" + name[len(name) - columns + 1 :]


def formula_in(text: str, columns: int) -> str:
    """Fit a formula, or the word in place of one, into so many columns."""
    return text if len(text) <= columns else cut(SHORT.get(text, text), columns)


def _beyond(above: int, below: int) -> str:
    """Say how many rows are above and below those shown."""
    parts = [f"{mark} {count}" for mark, count in (("↑", above), ("↓", below)) if count]
    return f"{' '.join(parts)} more" if parts else ""


class Reached:
    """What the walk has computed by the current step: numbers, each with its role."""

    def __init__(self, snapshot: Snapshot) -> None:
        steps = snapshot.steps[: snapshot.step.index + 1]
        self._session = snapshot.session
        self._iteration, self._graph, self._step = snapshot.iteration, snapshot.graph, snapshot.step
        self._done = frozenset(visit for step in steps for visit in step.visits)
        self._made = {visit.writes for visit in self._done if visit.of is None}
        self.updating = self._step.kind == "update"

    def number(self, row: ValueRow) -> tuple[str, str]:
        """Return the value of a row, once it is computed: of a token its letter; nothing of labels that are given,
        which stand in place of the formula."""
        if self._graph.by_name[row.name].classes:
            made = row.name in self._made
            return (labels_text(self._session, self._iteration, row.name) if made else ""), "forward"
        there = row.given or row.name in self._made
        return (_number(self._iteration.tensor(row.name)) if there else ""), "forward"

    def after(self, row: ValueRow) -> tuple[str, str]:
        """Return a parameter as updated."""
        updated = row.name in self._graph.trained
        return (_number(self._iteration.new[row.name]) if updated else ""), "update"

    def gradient(self, row: ValueRow) -> tuple[str, str]:
        """Return the gradient of a value, marked until all its terms are there; of the loss, 1."""
        graph = self._graph
        visits = graph.visits_of.get(row.name, ())
        some = [visit for visit in visits if visit in self._done]
        if some:
            whole = len(some) == len(visits)
            text = _number(self._iteration.tensor(graph.written(some[-1])))
            return (text, "backward") if whole else (text + SO_FAR, "muted")
        begun = row.name == graph.loss and any(visit.of is not None for visit in self._done)
        return (format_number(1.0, sign=True) if begun else ""), "backward"


def _number(array: Array) -> str:
    """Format a single number with its sign, an array by its norm: |1.26|."""
    if array.size == 1:
        return format_number(array.item(), sign=True)
    return f"|{format_number(norm(array))}|"
