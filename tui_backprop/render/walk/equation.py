"""The formula of a step with the shapes of its arrays, and its receipt."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tui_backprop.engine.explain.receipts import ReceiptRow
from tui_backprop.engine.explain.receipts.sums import sums
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.graph import Graph
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, Span, cut, line
from tui_backprop.render.view_state import UNKNOWN
from tui_backprop.support.format import MINUS, format_fixed, format_number

EXPONENT_FROM = 1e6  # values from here on are written with an exponent
MOST_DECIMALS = 9
EXTRA_DECIMALS = 2  # additional decimals, where a sum of terms that are all shown would not add up as rounded
COLUMN_GAP = "  "  # between the columns of a receipt, where there is room
TIMES_SIGN = re.compile(" ([·×]) ")  # the blanks can be removed
TWICE_BRACKETED = re.compile(r"\((\([^()]*\))\)")
SIGNS = {
    "+": " ",
    "-": " ",
    ",": " ",
    "*": "×",
    "/": "÷",
    "=": "=",
    "≠": "≠",
}  # a subtracted term is shown as a negative summand
LABEL_ROLES = {"=": "strong", "≠": "bad"}


def shape_text(shape: tuple[int, ...]) -> str:
    """Format a shape: (1,256), (256,); a single number is a "scalar"."""
    return f"({','.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else "scalar"


def equations(step: Step) -> list[str]:
    """Split a formula into its equations."""
    return re.split(r"(?<=,) (?=\S+ (?:=|←))", step.formula)


def main_equation(graph: Graph, step: Step, asked: str = "") -> int:
    """Return the index of the equation that an update comes to: that of the parameter ``asked`` for, or else of the
    first parameter that it changes."""
    changed = [each.split(" ")[0] for each in equations(step)]
    if asked in changed:
        return changed.index(asked)
    return next((i for i, name in enumerate(changed) if name in graph.parameters), len(changed) - 1)


def formula_with_shapes(
    graph: Graph,
    step: Step,
    columns: int,
    context: RenderContext = UTF8,
    first: int = 0,
    shaped: bool = True,
    end: int | None = None,
) -> list[Line]:
    """Render the formula from its equation ``first`` on, up to ``end``, and (if ``shaped``, and some are arrays) the
    shape of each array below its name: two lines, or several pairs for a long formula (lines without a name are
    single). An equation that does not fit behind another one starts a new pair."""
    operands = step.operands if shaped and any(shape for _, shape in step.operands) else ()
    shapes = {name: shape for name, shape in operands if graph.role(name) != "constant"}
    rows: list[list[tuple[Span, Span]]] = [[]]
    for part in equations(step)[first:end]:
        tokens = list(_tokens(part, shapes, step.phase, context))
        if rows[-1] and _wide(rows[-1]) + _wide(tokens) > columns:
            rows.append([])
        for group in _bracketed(tokens, columns):
            if rows[-1] and _wide([*rows[-1], *group]) - 1 > columns:
                rows.append([])
            rows[-1] += group
    pairs = [_trimmed(line(*(pair[i] for pair in row))) for row in rows for i in (0, 1)]
    return [row for i, row in enumerate(pairs) if i % 2 == 0 or any(text.strip() for text, _ in row)]


def _bracketed(tokens: Sequence[tuple[Span, Span]], columns: int) -> list[Sequence[tuple[Span, Span]]]:
    """Group the tokens within brackets, such as [z2 > 0], where they fit into one line."""
    groups: list[list[tuple[Span, Span]]] = []
    depth = 0
    for token in tokens:
        text = token[0][0]
        if depth > 0 and _wide([*groups[-1], token]) - 1 <= columns:
            groups[-1].append(token)
        else:
            groups.append([token])
        depth += sum(text.count(c) for c in "([") - sum(text.count(c) for c in ")]")
    return list(groups)


def _trimmed(row: Line) -> Line:
    """Remove the trailing blank."""
    return line(*row[:-1], (row[-1][0].rstrip(), row[-1][1])) if row else row


def _wide(pairs: Sequence[tuple[Span, Span]]) -> int:
    return sum(len(above[0]) for above, _ in pairs)


def _tokens(
    formula: str, shapes: dict[str, tuple[int, ...]], phase: str, context: RenderContext
) -> Iterator[tuple[Span, Span]]:
    """Yield the tokens of an equation, each with the shape below its name, padded to the same width."""
    shown: set[str] = set()
    pattern = _names(tuple(shapes))
    for i, token in enumerate(formula.split(" ")):
        found = pattern.search(token) if shapes else None
        name = found[0] if found else ""
        shape = shape_text(shapes[name]) if name and name not in shown else ""
        shown.add(name)
        text, before = context.text(token), context.text(token[: found.start()] if found else "")
        wide = max(len(text), len(shape))
        text = text.center(wide)
        middle = len(text) - len(text.lstrip()) + len(before) + len(context.text(name)) // 2
        left = min(max(middle - len(shape) // 2, 0), wide - len(shape))
        role = phase if i == 0 else "strong" if name else "text"
        yield (text + " ", role), ((" " * left + shape).ljust(wide) + " ", "muted")


@lru_cache(maxsize=512)
def _names(known: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern that finds these names in formulas, but no function of the same name: t(x)."""
    longest_first = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    return re.compile(rf"(?<![\w'])(?:{longest_first})(?=[ᵀ²³]|[^\w(]|$)")


def decimals_for(rows: Sequence[ReceiptRow]) -> int | None:
    """Decimals for three significant digits of every result and every subtracted term (and two of the largest
    summand, where a divisor below 1 follows); None where that is more than ``MOST_DECIMALS``."""
    wanted = {"=": 2, "-": 2, "≠": 1}
    needed = [
        wanted[row.sign] - math.floor(math.log10(abs(row.value)))
        for row in rows
        if row.sign in wanted and row.value and math.isfinite(row.value)
    ]
    if any(row.sign == "/" and abs(row.value) < 1 for row in rows):
        largest = max((abs(row.value) for row in rows if row.sign == "+"), default=0.0)
        needed += [1 - math.floor(math.log10(largest))] if 0 < largest < math.inf else []
    if not needed:  # the result is 0: the summands have the scale
        summands = [abs(row.value) for row in rows if row.sign == "+" and row.value]
        needed += [2 - math.floor(math.log10(s)) for s in summands if math.isfinite(s)]
    most = max(2, *needed) if needed else 2
    return most if most <= MOST_DECIMALS else None


def receipt(
    rows: Sequence[ReceiptRow], columns: int, role: str, context: RenderContext = UTF8, hidden: bool = False
) -> list[Line]:
    """Render a receipt, each sum aligned on the decimal point. A subtracted term is shown as a negative summand, with
    the minus in its label, so that the column adds up: "−α · dW   −0.00280". Each value is rounded by itself; a sum
    of which all terms are shown gets a few more decimals where it adds up with them. The last result may be
    ``hidden``, and with it what differs from the terms."""
    rows = [row for row in rows if row.sign != "≠"] if hidden else rows
    if not rows:
        return []
    shown = receipt_values(rows)
    rows, texts = [row for row, _ in shown], [context.text(text) for _, text in shown]
    texts[-1] = UNKNOWN if hidden else texts[-1]
    wide = max(len(t) for t in texts)
    labels, factors, gap = _beside(rows, columns - 2 - wide, context)
    label_wide = max(min(max(map(len, labels)), columns - 2 - len(gap) - wide), 1)
    factor_wide = max(map(len, factors))
    lines = []
    for row, label, text, factor in zip(rows, labels, texts, factors, strict=True):
        lines.append(
            line(
                (f"{context.text(SIGNS[row.sign])} ", "muted"),
                (f"{_named(label, label_wide):<{label_wide}}", LABEL_ROLES.get(row.sign, "text")),
                (f"{gap}{factor:>{factor_wide}}" if factor_wide else "", "muted"),
                (f"{gap}{text:>{wide}}", role if row.sign == "=" else LABEL_ROLES.get(row.sign, "text")),
            )
        )
    return lines


def receipt_values(rows: Sequence[ReceiptRow]) -> list[tuple[ReceiptRow, str]]:
    """Pair the rows of a receipt, subtracted terms as negative summands, with their values as shown."""
    rows = [_added(row) for row in rows]
    return list(zip(rows, (text for each in sums(rows) for text in _values(each)), strict=True))


def _beside(
    rows: Sequence[ReceiptRow], columns: int, context: RenderContext
) -> tuple[list[str], list[str], str]:
    """Return the labels, the factors, and the gap behind each. In few columns the gap is smaller, and where that
    is not enough the factors are left out, first those that are not a product."""
    labels = [row.label for row in rows]
    products = ["" if row.template else worked(row) for row in rows]
    for factors in ([worked(row) for row in rows], products):
        for gap, sign in ((COLUMN_GAP, r" \1 "), (" ", r"\1")):
            near, far = (
                [context.text(TIMES_SIGN.sub(sign, text)) for text in texts] for texts in (labels, factors)
            )
            if sum(most + len(gap) for texts in (near, far) if (most := max(map(len, texts)))) <= columns:
                return near, far, gap
    return [context.text(label) for label in labels], [""] * len(rows), COLUMN_GAP


def worked(row: ReceiptRow, times: str = " × ") -> str:
    """The arithmetic of a value with its numbers: 0.956 × −0.896, or by its template 1 − (−0.462)²."""
    texts = [format_number(factor) for factor in row.factors]
    if not row.template:
        return times.join(texts)
    bracketed = [f"({text})" if text.startswith(MINUS) else text for text in texts]
    return TWICE_BRACKETED.sub(r"\1", row.template.format(*bracketed))


def _added(row: ReceiptRow) -> ReceiptRow:
    """Turn a subtracted row into a negative summand."""
    if row.sign != "-":
        return row
    first, *more = row.factors or (row.value,)
    return ReceiptRow("-", f"{MINUS}{row.label}", -row.value, (-first, *more) if row.factors else ())


def _named(label: str, columns: int) -> str:
    """Fit a label into a width: "a1[239] = max(0, z1[239])" is shortened to "a1[239]"."""
    return cut(label if len(label) <= columns else label.partition(" = ")[0], columns)


def _values(rows: Sequence[ReceiptRow]) -> list[str]:
    """Format the values of one sum with equally many decimals."""
    least = decimals_for(rows)
    if least is None:
        return [format_number(row.value, sign=row.sign not in "*/") for row in rows]
    most = least if any(row.terms > 1 for row in rows) else min(least + EXTRA_DECIMALS, MOST_DECIMALS)
    for decimals in (*range(least, most + 1), least):
        values = [_shown(row, decimals) for row in rows]
        if _adds_up(rows, values, decimals):
            break
    return [v if isinstance(v, str) else format_fixed(v, decimals) for v in values]


def _adds_up(rows: Sequence[ReceiptRow], values: Sequence[float | str], decimals: int) -> bool:
    """Check whether the values shown add up to the result shown, where they are a plain sum."""
    numbers = [value for value in values if not isinstance(value, str)]
    if any(row.sign == "," for row in rows):
        return True
    if len(numbers) < len(values) or [row.sign for row in rows].count("=") != 1 or rows[-1].sign != "=":
        return True
    return round(sum(numbers[:-1]) - numbers[-1], decimals) == 0


def _shown(row: ReceiptRow, decimals: int) -> float | str:
    """Round the value of a row; format it where it is a factor, too large or not finite."""
    if row.sign in "*/" or not abs(row.value) < EXPONENT_FROM:  # also for NaN
        return format_number(row.value, sign=row.sign not in "*/")
    return round(row.value, decimals)
