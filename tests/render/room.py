"""What must hold of lines that are drawn for a room: a check that names every fault."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import fields

from tui_backprop.render.draw.context import ASCII, RenderContext
from tui_backprop.render.draw.spans import ROLES, Line, Span, plain, width

SEEN = ("faint", "grid")  # roles of strokes and bars: need not be read, only be there
CUT = ("…", "mark")  # what ``clip`` leaves where a line was too long


class StrictContext(RenderContext):
    """The plain set of characters, in which a character without a plain form is an error in place of a "?"."""

    def text(self, text: str) -> str:
        plain_text = super().text(text)
        assert plain_text.count("?") == text.count("?"), f"a character without a plain form: {text!r}"
        return plain_text


STRICT_ASCII = StrictContext(**{field.name: getattr(ASCII, field.name) for field in fields(ASCII)})


def faults(
    lines: Sequence[Line], columns: int, rows: int, context: RenderContext, whole: bool = False
) -> list[str]:
    """Name what is wrong with lines for (columns, rows): too many or none, too wide, in an unknown role, with a
    control character, a wide or a combining one, words in a tone for strokes, not in ASCII where ``context`` asks for
    it; where ``whole``, cut."""
    found = [] if 1 <= len(lines) <= rows else [f"{len(lines)} lines in {rows} rows"]
    for y, row in enumerate(lines):
        text = plain(row)
        wrong = {
            f"{width(row)} columns in {columns}": width(row) > columns,
            "an unknown role": not {role for _, role in row} <= set(ROLES),
            "a control character": not text.isprintable(),
            "a character that is not one column wide": any(map(_wide, text)),
            "words in a tone that is not for reading": not context.plain and any(map(_unreadable, row)),
            "not ASCII": context.plain and not text.isascii(),
            "cut": whole and row[-1:] in ((CUT,), (("~", "mark"),)),
        }
        found += [f"line {y}: {what}: {text!r}" for what, is_so in wrong.items() if is_so]
    return found


def _unreadable(span: Span) -> bool:
    """Letters and digits say something: they are in a role whose contrast is that of text (see tests of themes)."""
    return span[1] in SEEN and any(character.isalnum() for character in span[0])


def _wide(character: str) -> bool:
    return bool(unicodedata.combining(character)) or unicodedata.east_asian_width(character) in "WF"
