"""The operation of a step: its formula with the shapes below, and one unit's arithmetic as a receipt."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tui_backprop.engine.trace import Step
from tui_backprop.engine.worked import Row
from tui_backprop.ui.renderables.numbers import MINUS, fixed, number
from tui_backprop.ui.renderables.spans import Line, Span, line, width

NAME = re.compile(r"(?:δ|d[Wb]|[zaWb])\d+|(?<![\w'])[xpLt](?![\w(])")
LARGE = 1e6  # values from here on are written with an exponent
SIGNS = {"+": " ", "-": MINUS, "*": "×", "/": "÷", "=": "="}


def shape_text(shape: tuple[int, ...]) -> str:
    """(1,256); a bias is (256,), a single number has no shape."""
    return f"({','.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else "number"


def formula_with_shapes(step: Step, columns: int) -> list[Line]:
    """The formula, and below each name the shape of its array. A formula that is too long for both on one
    line is wrapped at its commas."""
    shapes = dict(step.operands)
    rows: list[Line] = []
    above: list[Span] = []
    below: list[Span] = []
    parts = re.split(r"(?<=,) (?=\S+ (?:=|←))", step.formula)
    for part in parts:
        spans_above, spans_below = _columns(part, shapes, step.phase)
        if above and width(tuple(above)) + 1 + width(tuple(spans_above)) > columns:
            rows += [line(*above), line(*below)]
            above, below = [], []
        above += [*([(" ", "text")] if above else []), *spans_above]
        below += [*([(" ", "text")] if below else []), *spans_below]
    return [*rows, line(*above), line(*below)]


def _columns(formula: str, shapes: dict[str, tuple[int, ...]], phase: str) -> tuple[list[Span], list[Span]]:
    above: list[Span] = []
    below: list[Span] = []
    shown: set[str] = set()
    for token in formula.split(" "):
        found = NAME.search(token)
        name = found.group() if found else ""
        shape = shape_text(shapes[name]) if name in shapes and name not in shown else ""
        shown.add(name)
        wide = max(len(token), len(shape))
        first = not above
        role = phase if first else "strong" if name in shapes else "text"
        above.append((token.center(wide) + " ", role))
        below.append((shape.center(wide) + " ", "muted"))
    return above, below


def decimals_for(rows: Sequence[Row]) -> int:
    """Decimals that give every result three significant digits, and what is subtracted two."""
    wanted = {"=": 2, "-": 1}
    needed = [
        wanted[row.sign] - math.floor(math.log10(abs(row.value)))
        for row in rows
        if row.sign in wanted and row.value and math.isfinite(row.value)
    ]
    return min(max(2, *needed), 9) if needed else 2


def receipt(rows: Sequence[Row], columns: int, role: str) -> list[Line]:
    """Rows aligned on the decimal point. The row of remaining terms is what makes the shown sum exact."""
    decimals = decimals_for(rows)
    values = [_shown(row, decimals) for row in rows]
    _settle(rows, values, decimals)
    texts = [v if isinstance(v, str) else fixed(v, decimals) for v in values]
    wide = max(len(t) for t in texts)
    label_wide = max(len(row.label) for row in rows)
    factors = [" × ".join(number(f) for f in row.factors) for row in rows]
    factor_wide = max(map(len, factors))
    show_factors = factor_wide > 0 and 2 + label_wide + 2 + factor_wide + 2 + wide <= columns
    label_wide = max(min(label_wide, columns - 4 - wide), 1)
    lines = []
    for row, text, factor in zip(rows, texts, factors, strict=True):
        result = row.sign == "="
        middle = f"  {factor:>{factor_wide}}" if show_factors else ""
        label = row.label if len(row.label) <= label_wide else row.label[: label_wide - 1] + "…"
        lines.append(
            line(
                (f"{SIGNS[row.sign]} ", "muted"),
                (f"{label:<{label_wide}}", "strong" if result else "text"),
                (middle, "muted"),
                (f"  {text:>{wide}}", role if result else "text"),
            )
        )
    return lines


def _shown(row: Row, decimals: int) -> float | str:
    """The value as it will be seen: rounded, or written out where it is a factor or not finite."""
    if row.sign in "*/" or not abs(row.value) < LARGE:  # NaN is no number below anything
        return number(row.value, sign=row.sign not in "*/")
    return round(abs(row.value) if row.sign == "-" and row.value > 0 else row.value, decimals)


def _settle(rows: Sequence[Row], values: list[float | str], decimals: int) -> None:
    """Give the rounding error of a long sum to its row of remaining terms, so that what is shown adds up."""
    rest = next((i for i, row in enumerate(rows) if row.label.endswith("more terms")), None)
    plus = [i for i, row in enumerate(rows) if row.sign == "+"]
    if rest is None or not all(isinstance(values[i], float) for i in plus):
        return
    scaled = any(row.sign in "*/" for row in rows)
    total = sum(rows[i].value for i in plus) if scaled else rows[-1].value
    if math.isfinite(total):
        values[rest] = round(total, decimals) - sum(float(values[i]) for i in plus if i != rest)
