"""How a terminal writes: its colors and flags, and the shortest way to tell it of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

SEEN = {4, 7, 9}  # flags that are seen at a blank: underlined, reversed, struck through
OFF = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 7: 27, 9: 29}  # what takes a flag back; 22 takes two


@dataclass(frozen=True)
class Pen:
    """How a terminal writes: codes of foreground and background ("" for its own), and flags such as bold."""

    front: str = ""
    back: str = ""
    flags: frozenset[int] = frozenset()

    @cached_property
    def ground(self) -> object:
        """What is seen of it behind a blank: the background alone, unless a flag draws there too."""
        return self if self.flags & SEEN else self.back

    @lru_cache(maxsize=4096)  # noqa: B019  (pens are few, and one and the same for the same style)
    def told(self, codes: str) -> Pen | None:
        """The pen after a change of style; None if that is not understood."""
        pen = self._told(codes)
        return None if pen is None else KNOWN.setdefault(pen, pen)

    def _told(self, codes: str) -> Pen | None:
        pen, rest = self, iter([int(code or 0) for code in codes.split(";")])
        for code in rest:
            if code == 0:
                pen = Pen()
            elif code in OFF:
                pen = replace(pen, flags=pen.flags | {code})
            elif code in OFF.values():
                pen = replace(pen, flags=frozenset(flag for flag in pen.flags if OFF[flag] != code))
            elif code in (38, 48):
                color = _color(code, rest)
                if not color:
                    return None
                pen = replace(pen, front=color) if code == 38 else replace(pen, back=color)
            elif 30 <= code <= 37 or 90 <= code <= 97 or code == 39:
                pen = replace(pen, front="" if code == 39 else str(code))
            elif 40 <= code <= 47 or 100 <= code <= 107 or code == 49:
                pen = replace(pen, back="" if code == 49 else str(code))
            else:
                return None
        return pen


PLAIN = Pen()
KNOWN: dict[Pen, Pen] = {PLAIN: PLAIN}


def _color(code: int, rest: Iterator[int]) -> str:
    """The rest of a color of 256, or of three parts."""
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
