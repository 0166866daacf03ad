"""Text for screen readers and braille lines: one fact a line, in words and ASCII; nothing stands side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui_backprop.render.draw.context import LINEAR, RenderContext
from tui_backprop.report.columns import columns

ENDLESS = 10_000  # columns: no line is broken


# What is written short for the eye, and how it is said; the earlier ones first.
SAID = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"universe ages", "ages of the universe"),
        (r"\+-([\d.]+)%", r"within \1%"),
        (r"within ([\d.]+)x", r"within a factor of \1"),
        (r"([\d.])-([\d.]+)x(?!\w)", r"\1 to \2 times"),
        (r"(\d)x(?!\w)", r"\1 times"),
        (r"(\d)/s\b", r"\1 a second"),
        *(
            (rf"(?<![\w.])([\d.,]*\d){short}\b", rf"\1 {word}")
            for short, word in (("k", "thousand"), ("M", "million"), ("B", "billion"), ("T", "trillion"))
        ),
        *(
            (rf"(?<=\d) {short}\b", f" {word}")
            for short, word in (
                ("us", "microseconds"), ("ms", "milliseconds"), ("s", "seconds"), ("min", "minutes"), ("h", "hours"),
                ("kyr", "thousand years"), ("Myr", "million years"), ("Gyr", "billion years"), ("kB", "kilobytes"),
                ("MB", "megabytes"), ("GB", "gigabytes"), ("TB", "terabytes"), ("PB", "petabytes"),
            )
        ),
        (r"(?<![\d.,])1 (micro|milli|)seconds\b", r"1 \1second"),
    )
)  # fmt: skip


def spoken(text: str) -> str:
    """A plain text with its units in words: 63.2 microseconds, 26 thousand, within 6%, 3.32 times."""
    for pattern, words in SAID:
        text = pattern.sub(words, text)
    return text


def told(text: str) -> str:
    """A line whose parts stand in columns as a sentence: what it is about, and after a colon the parts."""
    name, *parts = re.split(r" {2,}", LINEAR.text(text).strip())
    return f"{name}: {', '.join(parts)}" if parts else name


def facts(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table, the first row its heads: a line for each cell, with the row's name and the column's. What has no head
    is more of the cell before it, and a row without a name goes on with the one before."""
    heads, *others = [[re.sub(r" {2,}", ", ", LINEAR.text(cell).strip()) for cell in row] for row in rows]
    lines, name = [], ""
    for first, *cells in others:
        name = (f"{heads[0]} {first}" if first[:1].isdigit() else first) or name
        for head, cell in zip(heads[1:], cells, strict=True):
            if cell and head:
                lines.append(f"{name}, {head}: {cell}")
            elif cell:
                lines[-1] += f", {cell}"
    return lines


def table(rows: Sequence[Sequence[str]], left: Sequence[int], context: RenderContext) -> list[str]:
    """A table, the first row its heads: in columns, or for screen readers in facts."""
    if context.linear:
        return facts(rows)
    return columns([[context.text(cell) for cell in row] for row in rows], left)
