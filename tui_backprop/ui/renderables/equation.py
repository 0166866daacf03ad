"""The operation of a step: its formula with the shapes below, and one unit's arithmetic as a receipt."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from tui_backprop.engine.trace import Step
from tui_backprop.engine.worked import Row
from tui_backprop.ui.renderables.glyphs import UTF8, Glyphs
from tui_backprop.ui.renderables.numbers import MINUS, fixed, number
from tui_backprop.ui.renderables.spans import Line, Span, line

NAME = re.compile(r"(?:δ|d[Wb]|[zaWb])\d+|(?<![\w'])[xpLt](?=ᵀ|[^\w(]|$)")
LARGE = 1e6  # values from here on are written with an exponent
MOST_DECIMALS = 9
SIGNS = {"+": " ", "-": MINUS, "*": "×", "/": "÷", "=": "="}


def shape_text(shape: tuple[int, ...]) -> str:
    """(1,256); a bias is (256,), a single number has no shape."""
    return f"({','.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else "number"


def formula_with_shapes(step: Step, columns: int, glyphs: Glyphs = UTF8) -> list[Line]:
    """The formula, and below each name the shape of its array: two lines, or pairs of them where the formula
    is too long for one. A second equation starts a pair of its own rather than be torn."""
    shapes = dict(step.operands)
    rows: list[list[tuple[Span, Span]]] = [[]]
    for part in re.split(r"(?<=,) (?=\S+ (?:=|←))", step.formula):
        tokens = list(_tokens(part, shapes, step.phase, glyphs))
        if rows[-1] and _wide(rows[-1]) + _wide(tokens) > columns:
            rows.append([])
        for token in tokens:
            if rows[-1] and _wide([*rows[-1], token]) - 1 > columns:
                rows.append([])
            rows[-1].append(token)
    return [line(*(pair[i] for pair in row)) for row in rows for i in (0, 1)]


def _wide(pairs: Sequence[tuple[Span, Span]]) -> int:
    return sum(len(above[0]) for above, _ in pairs)


def _tokens(
    formula: str, shapes: dict[str, tuple[int, ...]], phase: str, glyphs: Glyphs
) -> Iterator[tuple[Span, Span]]:
    """The pieces of an equation, each with the shape that stands below it, both as wide as the wider one."""
    shown: set[str] = set()
    for i, token in enumerate(formula.split(" ")):
        found = NAME.search(token)
        name = found.group() if found else ""
        shape = shape_text(shapes[name]) if name in shapes and name not in shown else ""
        shown.add(name)
        text = glyphs.text(token)
        wide = max(len(text), len(shape))
        role = phase if i == 0 else "strong" if name in shapes else "text"
        yield (text.center(wide) + " ", role), (shape.center(wide) + " ", "muted")


def decimals_for(rows: Sequence[Row]) -> int | None:
    """Decimals that give every result three significant digits, and what is subtracted two; None where that
    is more decimals than can be read."""
    wanted = {"=": 2, "-": 1}
    needed = [
        wanted[row.sign] - math.floor(math.log10(abs(row.value)))
        for row in rows
        if row.sign in wanted and row.value and math.isfinite(row.value)
    ]
    most = max(2, *needed) if needed else 2
    return most if most <= MOST_DECIMALS else None


def receipt(rows: Sequence[Row], columns: int, role: str, glyphs: Glyphs = UTF8) -> list[Line]:
    """Rows aligned on the decimal point. The row of remaining terms is what makes the shown sum exact."""
    decimals = decimals_for(rows)
    texts = [number(row.value, sign=row.sign not in "*/") for row in rows]
    if decimals is not None:
        values = [_shown(row, decimals) for row in rows]
        _settle(rows, values, decimals)
        texts = [v if isinstance(v, str) else fixed(v, decimals) for v in values]
    texts = [glyphs.text(text) for text in texts]
    labels = [glyphs.text(row.label) for row in rows]
    factors = [glyphs.text(" × ".join(number(f) for f in row.factors)) for row in rows]
    wide = max(len(t) for t in texts)
    label_wide = max(map(len, labels))
    factor_wide = max(map(len, factors))
    show_factors = factor_wide > 0 and 2 + label_wide + 2 + factor_wide + 2 + wide <= columns
    label_wide = max(min(label_wide, columns - 4 - wide), 1)
    lines = []
    for row, label, text, factor in zip(rows, labels, texts, factors, strict=True):
        result = row.sign == "="
        middle = f"  {factor:>{factor_wide}}" if show_factors else ""
        label = label if len(label) <= label_wide else label[: label_wide - 1] + "…"
        lines.append(
            line(
                (f"{glyphs.text(SIGNS[row.sign])} ", "muted"),
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
