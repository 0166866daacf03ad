"""The outputs at one position of a text: tokens ranked by their logit, probability or gradient."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.heatmap import largest
from tui_backprop.render.draw.spans import Line, beside, line
from tui_backprop.render.sample_text import SampleText
from tui_backprop.render.walk.outputs import LABEL_MARK, PREDICTED_MARK
from tui_backprop.support.format import format_number

NUMBER_COLUMNS = 9
LEAST_COLUMNS, GAP = 30, 2  # of a column of tokens, and between two columns
MOST_BAR_COLUMNS = 24


def letter_ranking(
    text: SampleText,
    values: Array,
    at: int,
    predicted: int,
    role: str,
    columns: int,
    rows: int,
    context: RenderContext,
) -> list[Line]:
    """Draw the ``values`` of all tokens at position ``at``, the largest first, in at most ``rows`` lines: the
    target and the token that is ``predicted`` are marked, and shown whatever their rank."""
    target = text.follows[at]
    before = text.reading[: at + 1]
    head = line(
        (f"position {at}", "strong"), (f" of {len(text.read)}, after ", "muted"), (context.text(before), role)
    )
    down = max(rows - 2, 1)
    across = max((columns + GAP) // (LEAST_COLUMNS + GAP), 1)
    across = min(across, -(-len(values) // down))
    numbers = np.nan_to_num(values, nan=np.inf)
    signed = bool((values < 0).any())
    order = np.argsort(-(np.abs(numbers) if role == "backward" else numbers), kind="stable").tolist()
    shown = _with_marked(order, {target, predicted}, down * across)
    wide = (columns + GAP) // across - GAP
    peak, bar = largest(values) or 1.0, min(wide - NUMBER_COLUMNS - 6, MOST_BAR_COLUMNS)
    marks = {predicted: (PREDICTED_MARK, "bad"), target: (LABEL_MARK, "good")}

    def entry(token: int) -> Line:
        mark, look = marks.get(token, (" ", "text"))
        full = round(min(abs(float(numbers[token])) / peak, 1) * bar) if bar > 0 else 0
        number = f"{format_number(float(values[token]), sign=signed):>{NUMBER_COLUMNS}}"
        spans = [(f"{mark} {text.signs[token]}", look), (f" {number} ", role), (context.done * full, "faint")]
        return context.fit(line(*spans))

    entries = [entry(token) for token in shown]
    lines = entries[:down]
    for i in range(1, -(-len(entries) // down)):
        lines = beside(lines, entries[i * down : (i + 1) * down], i * (wide + GAP) - GAP, GAP)
    hidden = len(values) - len(shown)
    legend = f"{LABEL_MARK} target  {PREDICTED_MARK} predicted" + (f"  {hidden} not shown" if hidden else "")
    return [context.fit(head), *lines, line((context.text(legend), "muted"))][:rows]


def _with_marked(order: list[int], marked: set[int], most: int) -> list[int]:
    """Return at most so many tokens in their order, the marked ones among them."""
    kept = {
        *[token for token in order if token in marked],
        *[t for t in order if t not in marked][: most - len(marked)],
    }
    return [token for token in order if token in kept][:most]
