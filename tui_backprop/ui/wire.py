"""What goes to the terminal, in fewer bytes: of a change of style only what is different, of moves of the cursor only
the last.

Textual gives each piece of a line its whole style, and takes it back behind it: half of what a step writes. A
terminal keeps its style until told otherwise, so this keeps account of it, and leaves out what it knows already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

PIECE = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m|(?P<move>\x1b\[\d+;\d+H)|(?P<line>\r\n)|(?P<frame>\x1b\[\?2026[hl])|\x1b"
)  # the last but one begins and ends a frame: no style or place matters to that
OFF = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 7: 27, 9: 29}  # what takes a flag back; 22 takes two


@dataclass(frozen=True)
class Pen:
    """How a terminal writes: codes of foreground and background ("" for its own), and flags such as bold."""

    front: str = ""
    back: str = ""
    flags: frozenset[int] = frozenset()

    def told(self, codes: str) -> Pen | None:
        """The pen after a change of style; None if that is not understood."""
        pen, rest = self, iter([int(code or 0) for code in codes.split(";")])
        for code in rest:
            if code == 0:
                pen = Pen()
            elif code in OFF:
                pen = replace(pen, flags=pen.flags | {code})
            elif code in OFF.values():
                pen = replace(pen, flags=frozenset(flag for flag in pen.flags if OFF[flag] != code))
            elif code in (38, 48):
                colour = _colour(code, rest)
                if not colour:
                    return None
                pen = replace(pen, front=colour) if code == 38 else replace(pen, back=colour)
            elif 30 <= code <= 37 or 90 <= code <= 97 or code == 39:
                pen = replace(pen, front="" if code == 39 else str(code))
            elif 40 <= code <= 47 or 100 <= code <= 107 or code == 49:
                pen = replace(pen, back="" if code == 49 else str(code))
            else:
                return None
        return pen


def _colour(code: int, rest: Iterator[int]) -> str:
    """The rest of a colour of 256, or of three parts."""
    kind = next(rest, None)
    count = {5: 1, 2: 3}.get(kind or 0, 0)
    parts = [part for _, part in zip(range(count), rest, strict=False)]
    return ";".join(map(str, (code, kind, *parts))) if count and len(parts) == count else ""


@lru_cache(maxsize=4096)
def change(now: Pen, wanted: Pen) -> str:
    """The shortest way to tell a terminal."""
    if now == wanted:
        return ""
    dropped = {OFF[flag] for flag in now.flags - wanted.flags}
    kept = {flag for flag in now.flags if OFF[flag] not in dropped}
    parts = [*map(str, sorted(dropped)), *map(str, sorted(wanted.flags - kept))]
    if now.front != wanted.front:
        parts.append(wanted.front or "39")
    if now.back != wanted.back:
        parts.append(wanted.back or "49")
    anew = ["" if wanted == Pen() else "0", *map(str, sorted(wanted.flags)), wanted.front, wanted.back]
    texts = (";".join(parts), ";".join(filter(None, anew)))
    return f"\x1b[{min(texts, key=len)}m"


class Wire:
    """Shortens what is written, keeping account of the terminal's pen between calls."""

    def __init__(self) -> None:
        self._now: Pen | None = Pen()  # None: not known
        self._wanted = Pen()
        self._move = ""  # of the cursor, not sent yet

    def short(self, data: str) -> str:
        """The same to the eye. Where anything but text, style and moves comes, all is settled before."""
        sent: list[str] = []
        at = 0
        for piece in PIECE.finditer(data):
            if piece.start() > at:
                self._settle(sent)
                sent.append(data[at : piece.start()])
            at = piece.end()
            codes = piece["style"]
            if piece["move"]:
                self._move = piece["move"]
            elif piece["line"]:
                self._move += piece["line"]
            elif piece["frame"]:
                sent.append(piece["frame"])
            elif codes is not None and (pen := self._wanted.told(codes)) is not None:
                self._wanted = pen
            else:
                self._settle(sent)
                sent.append(piece.group())
                if codes is not None:  # a style that is not understood: from here on nothing is known
                    self._now = None
        if at < len(data):
            self._settle(sent)
            sent.append(data[at:])
        return "".join(sent)

    def _settle(self, sent: list[str]) -> None:
        """Send the move and the change of style that are due."""
        if self._move:
            sent.append(self._move)
            self._move = ""
        if self._now is None:
            sent.append("\x1b[0m" + change(Pen(), self._wanted))
        elif self._now != self._wanted:
            sent.append(change(self._now, self._wanted))
        self._now = self._wanted
