"""Chart of the gradient over a graph without layers: its size at each value, from what is given to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

from tui_backprop.engine.analysis.value_flow import GraphFlow, ValueFlow
from tui_backprop.render.draw.alignment import on_the_point
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.spans import Line, cut, first_fitting, line, wrap
from tui_backprop.render.panels.flow import LogScale, log_scale
from tui_backprop.render.panels.time_flow import time_flow_lines, time_verdict
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.value_table import value_rows
from tui_backprop.support.format import format_number

MOST_BAR_COLUMNS, LEAST_BAR_COLUMNS = 48, 8
FORMULAS_COLUMNS = 60  # columns from which the formulas of the values are shown
MOST_FORMULA_COLUMNS = 28
MOST_NAME_COLUMNS = 16
LEAST_ROWS = 4  # of the values: their heads, one value, and how many are left out
LEAST_CHART_ROWS = 5  # of the values, below those of steps in time
MOST_NAMED = 6  # gradients that are 0
GAP = "  "
DIRECTIONS = (
    "the gradient flows up, from the loss to what is given",
    "the gradient flows up from the loss",
)
POINTER = "▸ "


def value_flow_panel(
    snapshot: Snapshot, report: GraphFlow | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the panel in at most ``rows`` lines: a bar for each value, those of the current step marked, and below
    them what stands out. ``report`` is None while it is computed."""
    if report is None:
        return fitted(
            wrap("computing the gradient of each value …", columns, "muted"), columns, rows, context
        )
    below = [(), *time_verdict(report, columns, context), *value_verdict(report, columns, context)]
    room = rows - len(below)
    steps = time_flow_lines(snapshot, report, columns, room, context)
    left = room - len(steps) - bool(steps)
    chart = _Chart(snapshot, report, columns, context)
    values = [] if steps and left < LEAST_CHART_ROWS else chart.drawn(max(left, LEAST_ROWS))
    return fitted([*steps, *[()] * bool(steps and values), *values, *below], columns, rows, context)


def value_verdict(report: GraphFlow, columns: int, context: RenderContext) -> list[Line]:
    """Say what stands out: the first value that is not finite, gradients that are 0, or the range of all."""
    if report.bad:
        return wrap(context.text(report.bad.why), columns, "bad")
    zero = report.zero
    lines = []
    if zero:
        more = f" and {len(zero) - MOST_NAMED} more" if len(zero) > MOST_NAMED else ""
        lines += wrap(context.text(f"zero gradient: {', '.join(zero[:MOST_NAMED])}{more}"), columns, "text")
    sized = [each for each in report.values if each.rms]
    small, large = (pick(sized, key=lambda each: each.rms) for pick in (min, max))
    (least, most) = (f"{each.gradient} {format_number(each.rms)}" for each in (small, large))
    words = f"smallest {least}, largest {most}"
    return [*lines, *wrap(context.text(words), columns, "muted")]


@dataclass(frozen=True)
class _Chart:
    """Values as bars and figures, in forward order."""

    snapshot: Snapshot
    report: GraphFlow
    columns: int
    context: RenderContext

    def drawn(self, rows: int) -> list[Line]:
        """Draw a head, as many values as fit around those of the step, and how many are left out."""
        values, graph = self.report.values, self.snapshot.graph
        now = {graph.value_of(piece.tensor) for piece in self.snapshot.step.pieces}
        room = rows - 2 if len(values) <= rows - 2 else rows - 3
        at = max((i for i, each in enumerate(values) if each.value in now), default=0)
        first = min(max(at - room // 2, 0), max(len(values) - room, 0))
        shown = values[first : first + room]
        lines = [*self._heads(shown), *self._rows(shown, now)]
        left = len(values) - len(shown)
        return lines if not left else [*lines, line((f"{left} of {len(values)} values left out", "muted"))]

    @property
    def _names(self) -> int:
        names = (len(self.context.text(each.gradient)) for each in self.report.values)
        return min(max(names, default=1), MOST_NAME_COLUMNS)

    @cached_property
    def _formulas(self) -> dict[str, str]:
        """How each value comes about, where there is room to say so."""
        if self.columns < FORMULAS_COLUMNS:
            return {}
        rows = value_rows(self.snapshot.graph)
        named = max((len(row.name) for row in rows), default=0)
        return {row.name: f"{row.name:<{named}} {'  ' if row.given else '= '}{row.formula}" for row in rows}

    @cached_property
    def _about(self) -> int:
        """Columns of the formulas, with the gap behind them."""
        formulas = [len(self.context.text(text)) for text in self._formulas.values()]
        return min(max(formulas), MOST_FORMULA_COLUMNS) + len(GAP) if formulas else 0

    def _bar(self, figures: Sequence[str]) -> int:
        """Columns of a bar."""
        others = len(POINTER) + self._names + self._about + 2 * len(GAP) + max(map(len, figures))
        return min(max(self.columns - others, LEAST_BAR_COLUMNS), MOST_BAR_COLUMNS)

    @property
    def _scale(self) -> LogScale:
        return log_scale([each.rms for each in self.report.values])

    def _figures(self, shown: Sequence[ValueFlow]) -> list[str]:
        return on_the_point([self.context.text(format_number(each.rms)) for each in shown])

    def _formula(self, each: ValueFlow) -> str:
        if not self._about:
            return ""
        text = cut(self.context.text(self._formulas[each.value]), self._about - len(GAP))
        return f"{text:<{self._about}}"

    def _heads(self, shown: Sequence[ValueFlow]) -> list[Line]:
        single = all(not self.snapshot.graph.by_name[each.value].shape for each in self.report.values)
        what = "|gradient|" if single else "gradient rms"
        lead = " " * (len(POINTER) + self._names + len(GAP) + self._about)
        ends = f", log {self._scale.ends}" if self._scale.decades else ""
        return [
            first_fitting(self.columns, *(line((words, "muted")) for words in DIRECTIONS)),
            line((cut(f"{lead}{what}{ends}", self.columns), "muted")),
        ]

    def _rows(self, shown: Sequence[ValueFlow], now: set[str]) -> list[Line]:
        figures = self._figures(shown)
        names, bar, wide = self._names, self._bar(figures), max(map(len, figures))
        lines = []
        for each, figure in zip(shown, figures, strict=True):
            here, full = each.value in now, self.context.done * self._scale.cells(each.rms, bar)
            role = "strong" if here else "text"
            name = cut(self.context.text(each.gradient), names)
            lines.append(
                line(
                    (POINTER if here else " " * len(POINTER), "strong"),
                    (f"{name:<{names}}{GAP}", role),
                    (self._formula(each), "muted"),
                    (f"{full:<{bar}}{GAP}", "backward"),
                    (f"{figure:>{wide}}", role if isfinite(each.rms) else "bad"),
                )
            )
        return lines
