"""The graph of values without layers: a line for each, with its number and its gradient, and the terms of a gradient
that adds up from several paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tui_backprop.engine.analysis.visit_norms import cheap, written, written_norm
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.alignment import on_the_point
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, cut, line
from tui_backprop.render.panels.graph_rows import NODE_MARK
from tui_backprop.render.panels.operation_detail import rule_text
from tui_backprop.render.panels.value_graph_rows import ValueGraphRow, lane_columns, value_graph_rows
from tui_backprop.render.sample_text import labels_text
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.value_table import about_row, formula_in, value_rows
from tui_backprop.support.format import format_number

STATE_MARKS = {"": ("○", "faint"), "forward": ("●", "forward"), "backward": ("◆", "backward")}
POINTERS = {"forward": "▾", "loss": "▾", "backward": "▴", "update": "▸"}
GAP = "  "
LEAST_FORMULA_COLUMNS = 9
LANES_SHARE = 3  # at most one part in so many of the columns are lanes
VIA, EQUALS = "via ", " = "


@dataclass(frozen=True)
class ValueGraphState:
    """The state of the walk from which the lines of the graph are filled."""

    snapshot: Snapshot
    context: RenderContext

    @cached_property
    def rows(self) -> tuple[ValueGraphRow, ...]:
        """All rows, of blocks that are folded or not."""
        session = self.snapshot.session
        return value_graph_rows(self.snapshot.graph, session.walk.unfolded if session.network.folds else None)

    @cached_property
    def done(self) -> frozenset[Visit]:
        """The visits up to the current step."""
        steps = self.snapshot.steps[: self.snapshot.step.index + 1]
        return frozenset(visit for step in steps for visit in step.visits)

    @cached_property
    def current(self) -> tuple[Visit, ...]:
        """The visits at the cursor."""
        return self.snapshot.step.visits

    @cached_property
    def _written(self) -> frozenset[str]:
        """The values at the cursor: those that are given, computed, or updated there, or whose gradient is; of one
        that is read several times, the cursor is on a term."""
        step, graph = self.snapshot.step, self.snapshot.graph
        if step.kind == "input":
            return frozenset(value.name for value in graph.values if value.name not in graph.by_output)
        if step.phase == "update":
            return frozenset(name for name in graph.parameters if graph.block(name) == step.block)
        several = {row.term for row in self.rows if row.term}.intersection(self.current)
        return frozenset(visit.writes for visit in self.current if visit.of is None or visit not in several)

    def cursor(self, rows: Sequence[ValueGraphRow]) -> int:
        """The row at which the cursor stands: of several, the first of those that no operation belongs to, or the
        last one."""
        here = [i for i, row in enumerate(rows) if self.here(row)]
        return here[-1 if self.current else 0] if here else 0

    def here(self, row: ValueGraphRow) -> bool:
        """Check whether the cursor is on a row, or within its block."""
        if row.inside:
            if self.snapshot.step.kind == "input":  # at what is given, above the blocks
                return False
            written = {visit.writes for visit in self.current}.union(self._written)
            return not written.isdisjoint(row.inside)
        return row.term in self.current if row.term else row.value in self._written

    def made(self, row: ValueGraphRow) -> bool:
        """Check whether the value of a row is known by now."""
        return bool(row.value) and (row.op is None or Visit(row.op) in self.done)

    def graded(self, row: ValueGraphRow) -> bool:
        """Check whether the gradient in a row is known by now: one term of it, or all; of the loss, from the first
        step of the backward pass on."""
        graph = self.snapshot.graph
        if row.term:
            return row.term in self.done
        if row.value == graph.loss:
            return any(visit.of is not None for visit in self.done)
        visits = graph.visits_of.get(row.value, ())
        return bool(visits) and self.done.issuperset(visits)

    def value(self, row: ValueGraphRow) -> str:
        """The number of a row, or the norm of its array; of a token its letter, if it is computed."""
        if row.term or not self.made(row):
            return ""
        if self.snapshot.graph.by_name[row.value].classes:
            return self.labels(row) if row.op else ""
        return _number(self.snapshot.iteration.tensor(row.value))

    def labels(self, row: ValueGraphRow) -> str:
        """The labels or tokens in a row."""
        return labels_text(self.snapshot.session, self.snapshot.iteration, row.value)

    def after(self, row: ValueGraphRow) -> str:
        """The parameter of a row as updated, or its norm."""
        updated = row.value in self.snapshot.graph.trained and not row.term
        return _number(self.snapshot.iteration.new[row.value]) if updated else ""

    @property
    def updating(self) -> bool:
        """Whether the cursor is on the update."""
        return self.snapshot.step.phase == "update"

    def gradient(self, row: ValueGraphRow) -> str:
        """The gradient in a row, or its norm: the term of one path, or the sum of all."""
        if not self.graded(row):
            return ""
        iteration, graph = self.snapshot.iteration, self.snapshot.graph
        if row.term:
            if cheap(iteration, row.term):
                return _number(written(iteration, row.term))
            size = written_norm(iteration, row.term)
            return "…" if size is None else f"|{format_number(size)}|"
        if row.value == graph.loss:
            return format_number(1.0, sign=True)
        return _number(iteration.tensor(graph.gradient_of(row.value))) if row.value in graph.visits_of else ""


def _number(array: Array) -> str:
    """Format a single number with its sign, an array by its norm."""
    if array.ndim == 0:
        return format_number(float(array), sign=True)
    from tui_backprop.engine.arrays.norms import norm

    return f"|{format_number(norm(array))}|"


@dataclass(frozen=True)
class GraphLayout:
    """Columns of the lanes, of names, formulas (0: they stand below, or are left out), of the numbers, and between
    them; ``heads`` are those of the numbers."""

    lanes: int
    names: int
    formulas: int
    numbers: tuple[int, ...]
    heads: tuple[str, ...]
    gap: str

    @property
    def head(self) -> Line:
        """The line above the table."""
        left = 1 + self.lanes + len(self.gap) + self.names + (self.formulas and len(EQUALS) + self.formulas)
        titles = (f"{self.gap}{head:>{n}}" for head, n in zip(self.heads, self.numbers, strict=True))
        return line((f"{'':{left}}{''.join(titles)}", "muted"))


def _layout(
    look: ValueGraphState, heads: Sequence[str], cells: Sequence[Sequence[str]], columns: int, tall: bool
) -> GraphLayout:
    """Fit the table into so many columns: formulas are cut, or left out; then lanes are cut. In a ``tall`` one they
    stand below."""
    graph, context = look.snapshot.graph, look.context
    lanes = min(lane_columns(look.rows), max(columns // LANES_SHARE, 1))
    named = max(len(context.text(row.name)) for row in value_rows(graph))
    numbers = tuple(max(map(len, (head, *column))) for head, column in zip(heads, cells, strict=True))
    for gap in () if tall else (GAP, " "):
        room = columns - 1 - lanes - named - len(EQUALS) - sum(numbers) - (1 + len(numbers)) * len(gap)
        if room >= LEAST_FORMULA_COLUMNS:
            return GraphLayout(lanes, named, min(room, _longest(look)), numbers, tuple(heads), gap)
    paths = [f"{VIA}{row.term.op.output}" for row in look.rows if row.term]
    named = max([named, *(len(context.text(path)) for path in paths)])
    room = columns - 1 - named - sum(numbers) - 1 - len(numbers)
    return GraphLayout(max(min(lanes, room), 1), named, 0, numbers, tuple(heads), " ")


def one_line_each(look: ValueGraphState, columns: int) -> bool:
    """Return whether the formulas of all rows fit behind their names."""
    heads, cells = _numbers(look, look.rows)
    return _layout(look, heads, cells, columns, tall=False).formulas >= _longest(look)


def _numbers(look: ValueGraphState, shown: Sequence[ValueGraphRow]) -> tuple[list[str], list[list[str]]]:
    """The heads of the columns of numbers, and the texts in each; at the update, parameters before and after it."""
    columns = {"value": look.value, "gradient": look.gradient}
    columns |= {"after": look.after} if look.updating else {}
    cells = [on_the_point([look.context.text(text(row)) for row in shown]) for text in columns.values()]
    return [*columns], cells


def value_graph_table(
    look: ValueGraphState, shown: Sequence[ValueGraphRow], columns: int, tall: bool = False
) -> list[Line]:
    """A head line, and a line for each row shown; in a ``tall`` table, another one with its formula."""
    heads, cells = _numbers(look, shown)
    plan = _layout(look, heads, cells, columns, tall)
    lines = [plan.head]
    for i, row in enumerate(shown):
        roles = "forward", "text" if row.term else "backward", "update"
        numbers = [
            (f"{plan.gap}{column[i]:>{n}}", role)
            for column, n, role in zip(cells, plan.numbers, roles, strict=False)
        ]
        if not row.value:
            lines.append(line(*_lead(look, row, plan), (look.context.text(row.title), "muted")))
            continue
        lines.append(line(*_lead(look, row, plan), *_about(look, row, plan), *numbers))
        if tall and (row.op or (not row.term and look.labels(row))):
            lines.append(_below(look, row, plan, columns))
    return lines


def _below(look: ValueGraphState, row: ValueGraphRow, plan: GraphLayout, columns: int) -> Line:
    """The formula of a row, in a line of its own between the lanes that go on."""
    graph, context = look.snapshot.graph, look.context
    about = next(each for each in value_rows(graph) if each.name == row.value)
    formula = (
        rule_text(graph, row.term)
        if row.term
        else row.title or (not row.op and look.labels(row)) or f"= {about.formula}"
    )
    lanes = f" {cut(row.below, plan.lanes):<{plan.lanes}}{plan.gap}"
    return line(
        (f"{lanes}{GAP}", "muted"), (cut(context.text(formula), columns - len(lanes) - len(GAP)), "muted")
    )


def _about(look: ValueGraphState, row: ValueGraphRow, plan: GraphLayout) -> list[Span]:
    """The name of a value and how it comes about; of a term of a gradient, its path."""
    context, here = look.context, look.here(row)
    if row.term:
        path = f"{VIA}{row.term.op.output}"
        if not plan.formulas:
            return _marked(context.text(path), plan.names, here, "muted")
        text = cut(context.text(_path(look, row.term)), plan.formulas)
        return [(" " * (plan.names + len(EQUALS)), "text"), *_marked(text, plan.formulas, here, "muted")]
    name = _marked(context.text(row.value), plan.names, here, "strong")
    if row.title:
        title = cut(context.text(row.title), len(EQUALS) + plan.formulas)
        return [*name, (f" {title:<{len(EQUALS) + plan.formulas - 1}}", "text")] if plan.formulas else name
    if not plan.formulas:
        return name
    about = next(each for each in value_rows(look.snapshot.graph) if each.name == row.value)
    words = about_row(about, look.snapshot.session, look.snapshot.iteration)
    text = formula_in(context.text(words), plan.formulas)
    return [
        *name,
        (" " * len(EQUALS) if about.given else EQUALS, "muted"),
        (f"{text:<{plan.formulas}}", "muted" if about.given else "text"),
    ]


def _marked(text: str, columns: int, here: bool, role: str) -> list[Span]:
    """A text in so many columns, with the cursor on it if that is ``here``."""
    return [(text, "cursor" if here else role), (" " * (columns - len(text)), "text")]


def _longest(look: ValueGraphState) -> int:
    """Columns of the longest formula and path of all rows."""
    graph, context = look.snapshot.graph, look.context
    texts = [row.formula for row in value_rows(graph)]
    texts += [_path(look, row.term) for row in look.rows if row.term]
    texts += [row.title for row in look.rows]
    return max(len(context.text(text)) for text in texts)


def _path(look: ValueGraphState, term: Visit) -> str:
    """The way that a term of a gradient takes, and its rule: via v1: dv1 · x"""
    return f"{VIA}{term.op.output}{GAP}{rule_text(look.snapshot.graph, term)}"


def _lead(look: ValueGraphState, row: ValueGraphRow, plan: GraphLayout) -> list[Span]:
    """The cursor, and the lanes with the mark of the value in them."""
    pointer = look.context.text(POINTERS[look.snapshot.step.phase]) if look.here(row) else " "
    lanes = cut(row.lanes, plan.lanes).ljust(plan.lanes)
    before, node, after = lanes.partition(NODE_MARK)
    state = "backward" if look.graded(row) else "forward" if look.made(row) else ""
    mark = STATE_MARKS[state] if node and not row.term else (node, "muted")
    return [(pointer, "strong"), (before, "muted"), mark, (after, "muted"), (plan.gap, "text")]


def fold(hidden: Sequence[ValueGraphRow], lanes: str, where: str, columns: int) -> Line:
    """The line in place of the rows that are not shown, with the lanes that cross it."""
    values = sum(row.term is None for row in hidden)
    shown = cut(lanes, max(columns // LANES_SHARE, 1))
    return line((f" {shown}{GAP}", "muted"), (f"… {values} value{'s' * (values != 1)} {where}", "muted"))
