"""Lines of text in which every piece names its role. All drawing is made of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

Span = tuple[str, str]  # text, role
Line = tuple[Span, ...]

# Roles of a piece of text. A palette has a style for each.
ROLES = (
    "text", "strong", "muted", "faint", "title",
    "forward", "loss", "backward", "update",  # the phases
    "naive", "batched", "spsa", "backprop", "mark", "grid",  # the cost chart
    "cursor", "field", "key", "good", "bad",
)  # fmt: skip


BACKGROUND_ROLES = ("cursor", "field")  # styles with a background: their blanks are visible


def line(*spans: Span | str) -> Line:
    """Make a line from spans; a bare string is plain text. Empty pieces are dropped."""
    return tuple([(span, "text") if isinstance(span, str) else span for span in spans if span and span[0]])


def width(row: Line) -> int:
    """Return the columns that a line takes; every glyph used here is one column wide."""
    return sum([len(text) for text, _ in row])


def plain(row: Line) -> str:
    return "".join(text for text, _ in row)


def cut(text: str, columns: int) -> str:
    """Cut a text to a width, with an ellipsis where something is lost."""
    return text if len(text) <= columns else text[: columns - 1] + "…"


def clip(row: Line, columns: int) -> Line:
    """Cut a line to a width, with an ellipsis where something is lost."""
    if width(row) <= columns:
        return row
    kept: list[Span] = []
    left = max(columns - 1, 0)
    for text, role in row:
        if left <= 0:
            break
        kept.append((text[:left], role))
        left -= len(text)
    return (*kept, ("…", "mark")) if columns > 0 else ()


def option(name: str, chosen: bool) -> Span:
    """Draw one of several options; the chosen one is in brackets, which are visible without color too."""
    return (f"[{name}]", "strong") if chosen else (f" {name} ", "muted")


def first_fitting(columns: int, *rows: Line) -> Line:
    """Return the first of the lines that fits into a width; the last one if none does."""
    return next((row for row in rows if width(row) <= columns), rows[-1])


def flowing(parts: Iterable[Line], columns: int, gap: int = 3) -> list[Line]:
    """Join parts, as many in a line as fit."""
    rows: list[Line] = []
    for part in parts:
        if rows and width(rows[-1]) + gap + width(part) <= columns:
            rows[-1] = line(*rows[-1], " " * gap, *part)
        else:
            rows.append(part)
    return rows


def packed(pieces: Iterable[Sequence[Span]], columns: int, gap: int = 2) -> list[Line]:
    """Join pieces, as many in a line as fit; one that is too wide is cut."""
    return flowing((clip(tuple(piece), columns) for piece in pieces), columns, gap)


@lru_cache(2048)  # most pieces of a picture are the same at the next step
def pad(row: Line, columns: int, align: str = "<") -> Line:
    """Return a line at exactly a width: clipped, or filled with spaces on the right, left (>) or both sides (^)."""
    room = columns - width(row)
    if room <= 0:
        return clip(row, columns)
    left = {"<": 0, ">": room, "^": room // 2}[align]
    return line((" " * left, "text"), *row, (" " * (room - left), "text"))


def beside(left: Sequence[Line], right: Sequence[Line], columns: int, gap: int = 2) -> list[Line]:
    """Put two blocks next to each other; the left one is padded to ``columns``."""
    rows = max(len(left), len(right))
    both = ((left[i] if i < len(left) else (), right[i] if i < len(right) else ()) for i in range(rows))
    return [line(*pad(a, columns), " " * gap, *b) if b else a for a, b in both]


def cut_lines(lines: Sequence[Line], rows: int) -> list[Line]:
    """Return the first lines that fit into so many rows; where some do not, the last one counts them."""
    hidden = len(lines) - rows + 1
    if hidden < 2:
        return [*lines]
    return [*lines[: rows - 1], line((f"{hidden} more lines do not fit", "muted"))][:rows]


def merge(row: Iterable[Span]) -> Line:
    """Join neighbors of one role: fewer changes of style, fewer bytes sent."""
    merged: list[Span] = []
    for text, role in row:
        if merged and merged[-1][1] == role:
            merged[-1] = (merged[-1][0] + text, role)
        elif text:
            merged.append((text, role))
    return tuple(merged)


def fewest_spans(row: Line) -> Line:
    """Return a line that looks the same, in as few pieces as possible: blanks take the role of their neighbors."""
    pieces: list[list[str]] = []
    for text, role in row:
        last = pieces[-1] if pieces else None
        if last and last[1] not in BACKGROUND_ROLES and role not in BACKGROUND_ROLES:
            bare = text.lstrip(" ")
            last[0] += text[: len(text) - len(bare)]
            last[1] = role if last[0].isspace() else last[1]
            text = bare
        if last and last[1] == role:
            last[0] += text
        elif text:
            pieces.append([text, role])
    return tuple((text, role) for text, role in pieces)


FEWER_ROLES = {"strong": "text", "faint": "muted", "mark": "muted", "grid": "muted"}


def fewer_roles(row: Line) -> Line:
    """Return a line without emphasis: fewer roles, for slow connections."""
    return tuple((text, FEWER_ROLES.get(role, role)) for text, role in row)


# What is not torn over two lines where it fits into one: [z3 > 0], layers 1 to 4, layers 1 and 2.
TOGETHER = re.compile(r"(?:\[[^\[\]]{1,24}\]|\blayers? \d+(?: (?:to|and) \d+)?|\S)+")


def wrap(text: str, columns: int, role: str = "text") -> list[Line]:
    """Break a text into lines of at most ``columns``, between words; a longer word is broken, too."""
    if columns <= 0:
        return []
    rows, row = [], ""
    pieces = (found[0] for found in TOGETHER.finditer(text))
    parts = (word for piece in pieces for word in ([piece] if len(piece) <= columns else piece.split()))
    words = (part[i : i + columns] for part in parts for i in range(0, len(part), columns))
    for word in words:
        if row and len(row) + 1 + len(word) > columns:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    return [line((r, role)) for r in [*rows, row]]
