"""Chart of the gradient over depth: the size of delta and dW in each layer, and the broken rules of thumb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, inf, isfinite, log10

from tui_backprop.engine.analysis.gradient_flow import Flow, LayerFlow
from tui_backprop.engine.analysis.health_rules import callouts
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.spans import Line, cut, line, merge, pad, wrap
from tui_backprop.render.panels.flow_verdict import BROKEN_MARK, verdict
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number, format_share

ONE_LINE_COLUMNS = 50  # columns, from which a layer takes one line instead of two
PRECISE_COLUMNS = 70  # columns, from which figures have three digits instead of two
HEAD_ROWS = 3
MOST_BAR_COLUMNS = 32
BAR_NAME_COLUMNS = 3


@dataclass(frozen=True)
class LogScale:
    """A log scale of ``decades`` whole decades, from 10**low on."""

    low: int
    decades: int

    @property
    def ends(self) -> str:
        """Both ends of the scale as text; empty where there is nothing to scale."""
        return f"{_power(self.low)} to {_power(self.low + self.decades)}" if self.decades else ""

    def cells(self, value: float, columns: int) -> int:
        """Length of a bar in cells: 0 for 0 and NaN, at least 1 for any other value."""
        if not value > 0 or not self.decades:
            return 0
        share = (log10(value) - self.low) / self.decades if isfinite(value) else 1.0
        return min(max(round(share * columns), 1), columns)


def _power(exponent: int) -> str:
    """Format a power of ten, which may be beyond the range of floats."""
    return format_number(10.0**exponent, 1) if -5 < exponent < 6 else f"1e{exponent:+03}"


def log_scale(sizes: Sequence[float]) -> LogScale:
    """Return the scale of the sizes that are neither 0 nor infinite, in whole decades."""
    shown = [log10(size) for size in sizes if 0 < size < inf]
    if not shown:
        return LogScale(0, 0)
    low = floor(min(shown))
    return LogScale(low, max(ceil(max(shown)), low + 1) - low)


def scales(report: Flow) -> tuple[LogScale, LogScale]:
    """Return the scales of rms delta and of dW's norm, with equally many decades, so that bar lengths compare."""
    figures = [at.rms for at in report.layers], [at.gradient for at in report.layers]
    shown = [[log10(size) for size in sizes if 0 < size < inf] for sizes in figures]
    lows = [floor(min(sizes, default=0)) for sizes in shown]
    highs = [max(ceil(max(sizes)), low + 1) if sizes else low for sizes, low in zip(shown, lows, strict=True)]
    decades = max(high - low for high, low in zip(highs, lows, strict=True))
    return LogScale(highs[0] - decades, decades), LogScale(highs[1] - decades, decades)


def flow_panel(
    snapshot: Snapshot, report: Flow | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the panel in at most ``rows`` lines: a chart of the layers, the current one marked, and below it the
    broken rules, or that no rule is broken. ``report`` is None while it is computed."""
    if report is None:
        lines = wrap("computing the gradient of each layer …", columns, "muted")
    else:
        chart = _LayerChart(snapshot, report, columns, context)
        below = verdict(report, columns, rows, HEAD_ROWS + chart.depth * chart.each, context)
        lines = [*chart.drawn(rows - len(below)), *below]
    return fitted(lines, columns, rows, context)


@dataclass(frozen=True)
class _LayerChart:
    """Layers as bars and figures, in forward order. In a narrow panel a layer takes two lines: delta and update to
    weight, then dW and the share of dead or saturated units."""

    snapshot: Snapshot
    report: Flow
    columns: int
    context: RenderContext

    @property
    def depth(self) -> int:
        return len(self.report.layers)

    @property
    def each(self) -> int:
        """Lines per layer."""
        return 1 if self.columns >= ONE_LINE_COLUMNS else 2

    @property
    def digits(self) -> int:
        return 3 if self.columns >= PRECISE_COLUMNS else 2

    @property
    def field(self) -> int:
        """Columns of a figure with the blank before it; a flag or a blank follows."""
        return self.digits + 6

    @property
    def mark(self) -> int:
        """Columns of the mark and the number of a layer."""
        return len(str(self.depth)) + 3

    @property
    def bar(self) -> int:
        """Columns of a bar."""
        if self.each == 2:
            return max(self.columns - self.mark - BAR_NAME_COLUMNS - self.field - 1 - self.units, 1)
        return min((self.columns - self.mark - 3 * (self.field + 1) - self.units - 1) // 2, MOST_BAR_COLUMNS)

    @cached_property
    def units(self) -> int:
        """Columns of the share of dead or saturated units, with its word, a blank before each, and a flag."""
        shares = (at.dead if at.saturated is None else at.saturated for at in self.report.layers)
        return 7 + max(4, *(0 if share is None else len(format_share(share)) for share in shares))

    @cached_property
    def scales(self) -> tuple[LogScale, LogScale]:
        return scales(self.report)

    @cached_property
    def broken(self) -> frozenset[tuple[str, int]]:
        """Figures that break a rule: (field of LayerFlow, layer)."""
        return frozenset((call.rule.column, k) for call in callouts(self.report) for k in call.layers)

    def drawn(self, rows: int) -> list[Line]:
        """Draw the heads, as many layers as fit, and the number of layers left out."""
        here, room = self.snapshot.step.block, rows - HEAD_ROWS
        most = room // self.each
        shown = evenly_spread(self.depth, most if most >= self.depth else (room - 1) // self.each, here)
        lines = [self._direction(), *self._heads()]
        for k in shown:
            lines += self._layer(self.report.layers[k - 1], k == here)
        if len(shown) < self.depth:
            left_out = f"{self.depth - len(shown):,} left out"
            lines.append(line((f"{len(shown)} of {self.depth:,} layers; {left_out}", "muted")))
        return lines

    def _direction(self) -> Line:
        """Draw the direction of the gradient, which is against the order of the lines."""
        first = self.report.first
        between = ["…"] * (self.depth - first > 1) + [f"layer {first}"] * (self.depth > first)
        choices = (
            f"the gradient flows up: {' → '.join(['loss', f'layer {self.depth}', *between])}",
            f"gradient flows up: layer {self.depth} → {first}",
        )
        return line((_longest(self.columns + 1, *map(self.context.text, choices)), "muted"))

    def _heads(self) -> list[Line]:
        """Draw the names of the columns and the range of the bars."""
        rms, norm = f"{self.context.text('δ')} rms", "dW norm"
        delta, gradient = (scale.ends for scale in self.scales)
        if self.each == 2:
            wide = BAR_NAME_COLUMNS + self.bar + self.field + 1
            above = f"{_longest(wide, f'{rms}, log {delta}', f'{self.context.delta} log {delta}'):<{wide}}"
            below = f"{_longest(wide, f'{norm}, log {gradient}', f'dW log {gradient}'):<{wide}}"
            update, units = f"{'update/W':>{self.field}}", " units"
        else:
            wide = self.bar + self.field + 2
            above = f"{f'{rms}, log':<{wide}}{f'{norm}, log':<{wide - 1}}"
            below = f"{delta:<{wide}}{gradient:<{wide - 1}}"
            update, units = f"{'update':>{self.field}}  units", f"{'/weight':>{self.field}}"
        blank = " " * self.mark
        return [line((f"{blank}{above}{update}", "muted")), line((f"{blank}{below}{units}", "muted"))]

    def _layer(self, at: LayerFlow, current: bool) -> list[Line]:
        role = "strong" if current else "text"
        head = line((f"{'▸' if current else '':<2}{at.layer:<{self.mark - 2}}", role))
        delta = (
            self._bar(self.scales[0], at.rms, at.layer, "rms", role) if at.symbol else self._without("none")
        )
        gradient = self._bar(self.scales[1], at.gradient, at.layer, "gradient", role)
        update, units = self._figure(at.ratio, at.layer, "ratio", "update"), self._units(at)
        if at.frozen:
            gradient, update = self._without("frozen"), pad((), self.field + 1)
        if self.each == 1:
            return [merge((*head, *delta, (" ", "text"), *gradient, *update, *units))]
        first, second = ((f"{name:<{BAR_NAME_COLUMNS}}", "muted") for name in (self.context.delta, "dW"))
        return [
            merge((*head, first, *delta, *update)),
            merge((*pad((), self.mark), second, *gradient, *units)),
        ]

    def _bar(self, scale: LogScale, value: float, layer: int, column: str, role: str) -> Line:
        bar = self.context.done * scale.cells(value, self.bar)
        return line((f"{bar:<{self.bar}}", "backward"), *self._figure(value, layer, column, role))

    def _without(self, word: str) -> Line:
        """Draw a word in place of a bar and its number."""
        return line((f"{word:>{self.bar + self.field}} ", "muted"))

    def _figure(self, value: float | None, layer: int, column: str, role: str) -> Line:
        """Right-align a number in its field, with a flag where it breaks a rule."""
        bad = (column, layer) in self.broken or (value is not None and not isfinite(value))
        text = "none" if value is None else format_number(value, self.digits)
        return line((f"{text:>{self.field}}{BROKEN_MARK if bad else ' '}", "bad" if bad else role))

    def _units(self, at: LayerFlow) -> Line:
        """Draw the share of dead or saturated units, where the activation can have them."""
        column, word = ("dead", "dead") if at.saturated is None else ("saturated", "sat.")
        share = at.dead if at.saturated is None else at.saturated
        if share is None:
            return ()
        bad = (column, at.layer) in self.broken
        look = "bad" if bad else "text" if share else "muted"
        return line((f" {word} {format_share(share):>{self.units - 7}}{BROKEN_MARK if bad else ''}", look))


def _longest(columns: int, *choices: str) -> str:
    """Return the first choice shorter than ``columns``, or the last one, cut."""
    return next((text for text in choices if len(text) < columns), cut(choices[-1], columns - 1))


def evenly_spread(depth: int, room: int, here: int) -> list[int]:
    """Choose at most ``room`` (at least one) of the layers 1..depth, evenly spread so that the chart keeps its shape;
    layer ``here`` replaces the nearest."""
    if depth <= room:
        return list(range(1, depth + 1))
    if room < 2:
        return [min(max(here, 1), depth)]
    shown = [1 + round(i * (depth - 1) / (room - 1)) for i in range(room)]
    if here >= 1 and here not in shown:
        inner = range(1, room - 1) if room > 2 else range(room)
        shown[min(inner, key=lambda i: abs(shown[i] - here))] = here
    return shown
