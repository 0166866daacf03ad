"""The text of a sample, position by position: what is read, and what should follow."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line
from tui_backprop.render.sample_text import SampleText

LABELS = ("position", "reads", "target")
CELL_COLUMNS = 3


def text_strip(
    text: SampleText, at: int, role: str, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw positions, tokens and targets below each other, with position ``at`` marked; more than fit in a line go on
    below it. Where all do not fit, the lines with that position are the first."""
    label = max(map(len, LABELS))
    each = max((columns - label) // CELL_COLUMNS, 1)
    lines: list[Line] = []
    blocks = -(-len(text.read) // each)
    begin = at // each * each if 4 * blocks > rows else 0
    for first in range(begin, len(text.read), each):
        places = range(first, min(first + each, len(text.read)))
        block = [
            _row(LABELS[0], [str(i) for i in places], at - first, "muted", label),
            _row(LABELS[1], [text.reading[i] for i in places], at - first, role, label),
            _row(LABELS[2], [text.following[i] for i in places], at - first, "text", label),
        ]
        lines += [*([()] if lines else []), *map(context.fit, block)]
    sign = context.text(text.signs[-1])
    return [*lines[: rows - 1], line((f"{sign} boundary, at both ends of a text", "muted"))]


def _row(name: str, cells: Sequence[str], at: int, role: str, label: int) -> Line:
    spans = [(f"{name:<{label}}", "muted")]
    for i, cell in enumerate(cells):
        spans.append((" " * (CELL_COLUMNS - len(cell)), "text"))
        spans.append((cell, "cursor" if i == at else role))
    return line(*spans)
