"""The table of the computation graph: a row for each operation, with what is known of it at the current step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tui_backprop.cost.accounting.operation_times import RuleKey, Timing, rule_of
from tui_backprop.engine.analysis.visit_norms import written_norm
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.primitives import Shape
from tui_backprop.render.draw.alignment import on_the_point
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, cut, line, merge
from tui_backprop.render.panels.graph_rows import (
    NODE_MARK,
    GraphRow,
    graph_rows,
)
from tui_backprop.render.panels.operation_detail import (
    passes_on,
    sum_line,
)
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.equation import shape_text
from tui_backprop.support.format import format_number

NUMBER_COLUMNS = 8  # columns of a number
LEAST_NAME_COLUMNS = 8  # columns of an operation's name at least
STATE_MARKS = {"": ("○", "faint"), "forward": ("●", "forward"), "backward": ("◆", "backward")}


@dataclass(frozen=True)
class GraphState:
    """The state of the walk from which the cells of the table are filled."""

    snapshot: Snapshot
    timing: Timing | None
    context: RenderContext

    @cached_property
    def done(self) -> frozenset[RuleKey]:
        """The rules that the walk has run."""
        steps = self.snapshot.steps[: self.snapshot.session.walk.step + 1]
        return frozenset(rule_of(visit) for step in steps for visit in step.visits)

    @cached_property
    def current(self) -> tuple[Visit, ...]:
        """The visits at the cursor; without those that only hand on what they got, where there are others."""
        visits, graph = self.snapshot.step.visits, self.snapshot.graph
        return tuple(visit for visit in visits if not passes_on(graph, visit)) or visits

    @cached_property
    def graded(self) -> frozenset[str]:
        """The values whose gradient is complete."""
        graph = self.snapshot.graph
        if not any(of is not None for _, of in self.done):
            return frozenset()
        return graph.differentiable - {v.writes for v in graph.backward_visits if rule_of(v) not in self.done}

    def made(self, row: GraphRow) -> bool:
        return row.op is None or (row.value, None) in self.done

    def has_gradient(self, row: GraphRow) -> bool:
        return row.value in self.graded

    def state(self, row: GraphRow) -> str:
        """The pass that reached an operation last: forward, backward, or empty."""
        if row.op and any((row.value, i) in self.done for i in range(len(row.op.primitive.vjps))):
            return "backward"
        return "forward" if self.made(row) else ""

    def here(self, row: GraphRow) -> bool:
        """Check whether the cursor is on a row."""
        if row.readers:
            return any(rule_of(visit) in map(rule_of, row.terms) for visit in self.current)
        if row.op is None:
            return self.snapshot.step.kind == "input"
        return any(visit.op.output == row.value for visit in self.current)

    def norm(self, row: GraphRow) -> str:
        """The norm of the value that an operation computes."""
        found = (
            self.snapshot.iteration.summary(row.value).norm
            if row.op is None
            else written_norm(self.snapshot.iteration, Visit(row.op))
        )
        return "…" if found is None else format_number(found)

    def gradient(self, row: GraphRow) -> str:
        """The norm of the derivative of the loss by what an operation makes."""
        return self._norm(row.gradient) if row.op else ""

    def gradients(self, row: GraphRow) -> str:
        """The norms of the gradients of the parameters that enter here, as far as they are complete."""
        names = [self.snapshot.graph.gradient_of(p) for p in row.leaves if p in self.graded]
        return "  ".join(f"{name} {self._norm(name)}" for name in names)

    def _norm(self, name: str) -> str:
        return format_number(self.snapshot.iteration.summary(name).norm)


Text = Callable[[GraphRow, Mapping[str, Shape]], str]


@dataclass(frozen=True)
class GraphColumn:
    """A column of the table and its role: a ``text`` that is the same at every step, or a cell of ``numbers``,
    shown once it is ``known``. Single numbers are ``aligned`` on the point."""

    title: str
    role: str
    text: Text | None = None
    numbers: Callable[[GraphState, GraphRow], str] = lambda look, row: ""
    known: Callable[[GraphState, GraphRow], bool] = lambda look, row: True
    aligned: bool = True

    def cell(self, look: GraphState, row: GraphRow) -> str:
        if row.readers:
            return ""
        made = (
            self.text(row, look.snapshot.iteration.program.shapes) if self.text else self.numbers(look, row)
        )
        return _fitted(made, look.context)


def _seconds(took: Callable[[Timing, str], float]) -> Callable[[GraphState, GraphRow], str]:
    """A cell with microseconds, empty where nothing is run."""

    def cell(look: GraphState, row: GraphRow) -> str:
        seconds = took(look.timing, row.value) if look.timing and row.op else 0.0
        return format_number(1e6 * seconds) if seconds else ""

    return cell


GRAPH_COLUMNS = {
    "operation": GraphColumn("operation", "text", lambda row, _: _name(row)),
    "reads": GraphColumn("reads", "muted", lambda row, _: ", ".join(row.op.inputs) if row.op else ""),
    "makes": GraphColumn("makes", "strong", lambda row, _: f"→ {row.value}"),
    "made": GraphColumn("", "strong", lambda row, _: row.value),
    "shape": GraphColumn("shape", "muted", lambda row, shapes: shape_text(shapes[row.value])),
    "value": GraphColumn("|value|", "forward", numbers=GraphState.norm, known=GraphState.made),
    "name": GraphColumn("", "backward", lambda row, _: row.gradient, known=GraphState.has_gradient),
    "grad": GraphColumn("|grad|", "backward", numbers=GraphState.gradient, known=GraphState.has_gradient),
    "parameters": GraphColumn("parameters", "backward", numbers=GraphState.gradients, aligned=False),
    "forward": GraphColumn("forward µs", "muted", numbers=_seconds(Timing.forward)),
    "backward": GraphColumn("backward µs", "muted", numbers=_seconds(Timing.backward)),
}
# The first that fits is taken.
_LAYOUTS = (
    "operation reads makes shape value name grad parameters forward backward",
    "operation reads makes shape value name grad forward backward",
    "operation reads makes value name grad forward backward",
    "operation reads makes value name grad",
    "operation made value name grad",
    "operation made value grad",
)
TABLE_LAYOUTS = tuple(tuple(layout.split()) for layout in _LAYOUTS)


def _name(row: GraphRow) -> str:
    return row.op.primitive.brief if row.op else "input"


@lru_cache(maxsize=8192)
def _fitted(text: str, context: RenderContext) -> str:
    return context.text(text)


def fit_cached(row: Line, context: RenderContext) -> Line:
    """Fit a line to the characters of ``context``; most of its pieces are in the cache from the step before."""
    return tuple((_fitted(text, context), role) for text, role in row) if context.plain else row


@lru_cache(maxsize=64)
def _width(key: str, graph: Graph, batch: int, context: RenderContext) -> int:
    """Columns that a column of the table needs in any row at any step, so that nothing moves as the walk goes on."""
    column, rows = GRAPH_COLUMNS[key], [row for row in graph_rows(graph) if not row.readers]
    if column.text:
        shapes = graph.shapes(batch)
        needed = max(len(context.text(column.text(row, shapes))) for row in rows)
    elif column.aligned:
        needed = NUMBER_COLUMNS
    else:  # a name and a number each
        names = [[context.text(graph.gradient_of(leaf)) for leaf in row.leaves] for row in rows]
        needed = max(sum(len(name) + 1 + NUMBER_COLUMNS + 2 for name in each) - 2 for each in names)
    return max(needed, len(context.text(column.title)))


def _layout(look: GraphState, room: int) -> tuple[dict[str, int], str]:
    """The columns of the table with their widths, and the blanks between two."""
    iteration, wide = look.snapshot.iteration, {}
    for layout in TABLE_LAYOUTS:
        keys = [key for key in layout if look.timing or key not in ("forward", "backward")]
        wide = {key: _width(key, iteration.graph, iteration.batch, look.context) for key in keys}
        for gap in ("  ", " "):
            if sum(wide.values()) + len(gap) * (len(keys) - 1) <= room:
                return wide, gap
    others = sum(wide.values()) - wide["operation"] + len(wide) - 1
    return wide | {"operation": max(room - others, LEAST_NAME_COLUMNS)}, " "


def _aligned(texts: Sequence[str], columns: int) -> list[str]:
    """Numbers with their points below each other, or where that takes too much room, all to the right."""
    padded = on_the_point(texts)
    fits = all(len(text) <= columns for text in padded)
    return [f"{text:>{columns}}" for text in (padded if fits else texts)]


def _cells(look: GraphState, rows: Sequence[GraphRow], key: str, columns: int) -> list[Span]:
    """A column, blank in the rows that the walk has not reached."""
    column = GRAPH_COLUMNS[key]
    texts = [column.cell(look, row) for row in rows]
    if column.aligned and not column.text:
        texts = _aligned(texts, columns)
    shown = [text if column.known(look, row) else "" for text, row in zip(texts, rows, strict=True)]
    return [(f"{cut(text, columns):<{columns}}", column.role) for text in shown]


def graph_table(look: GraphState, shown: Sequence[GraphRow], columns: int) -> list[Line]:
    """A head line, and a line for each row shown."""
    lanes = max(len(row.lanes) for row in graph_rows(look.snapshot.graph))
    wide, gap = _layout(look, columns - lanes - 2)
    titles = [
        f"{_fitted(GRAPH_COLUMNS[key].title, look.context):{'<' if GRAPH_COLUMNS[key].text else '>'}{columns}}"
        for key, columns in wide.items()
    ]
    lines = [line((" " * (lanes + 2) + gap.join(titles), "muted"))]
    cells = [_cells(look, shown, key, w) for key, w in wide.items()]
    for row, *spans in zip(shown, *cells, strict=True):
        lead = _lead(look, row, lanes)
        if row.readers:
            done = sum(rule_of(term) in look.done for term in row.terms)
            room = columns - lanes - 2
            text = sum_line(
                look.snapshot.iteration, row.value, row.readers, row.terms, done, room, look.context
            )
            spans = [(text[0][0], "cursor"), *text[1:]] if look.here(row) else text
            lines.append(merge((*lead, *spans)))
            continue
        (name, role), *others = spans
        bare = name.rstrip()
        role = "cursor" if look.here(row) else role if look.state(row) or row.op is None else "muted"
        spans = [(bare, role), (name[len(bare) :], "text"), *((gap + text, look_) for text, look_ in others)]
        lines.append(merge((*lead, *spans)))
    return lines


def _lead(look: GraphState, row: GraphRow, lanes: int) -> list[Span]:
    """The cursor, and the lanes with the mark of the operation in them."""
    backward = look.snapshot.step.phase == "backward"
    pointer = ("▴" if backward else "▾") if look.here(row) else " "
    mark, role = STATE_MARKS[look.state(row)]
    head: Span = (mark, role) if row.lanes.startswith(NODE_MARK) else (row.lanes[:1], "muted")
    return [(pointer, "strong"), head, (row.lanes[1:].ljust(lanes), "muted")]
