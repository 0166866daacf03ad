"""Styles as a terminal keeps them, and the shortest SGR code ("select graphic rendition") from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

VISIBLE_ON_BLANKS = {4, 7, 9}  # flags: underlined, reversed, struck through
RESET_CODES = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 7: 27, 9: 29}  # by flag; 22 resets two


@dataclass(frozen=True)
class SgrStyle:
    """A style: codes of foreground and background ("" for the default), and flags such as 1 (bold)."""

    foreground: str = ""
    background: str = ""
    flags: frozenset[int] = frozenset()

    @cached_property
    def blank_style(self) -> object:
        """The visible part of the style of a blank: the background alone, unless a flag shows there too."""
        return self if self.flags & VISIBLE_ON_BLANKS else self.background

    @lru_cache(maxsize=4096)  # noqa: B019  (styles are few, and interned)
    def apply(self, codes: str) -> SgrStyle | None:
        """Apply the parameters of an SGR code; None if they are not understood. Equal styles are one object."""
        style = self._apply(codes)
        return None if style is None else INTERNED.setdefault(style, style)

    def _apply(self, codes: str) -> SgrStyle | None:
        style, rest = self, iter([int(code or 0) for code in codes.split(";")])
        for code in rest:
            if code == 0:
                style = SgrStyle()
            elif code in RESET_CODES:
                style = replace(style, flags=style.flags | {code})
            elif code in RESET_CODES.values():
                style = replace(
                    style, flags=frozenset(flag for flag in style.flags if RESET_CODES[flag] != code)
                )
            elif code in (38, 48):
                color = _color(code, rest)
                if not color:
                    return None
                style = replace(style, foreground=color) if code == 38 else replace(style, background=color)
            elif 30 <= code <= 37 or 90 <= code <= 97 or code == 39:
                style = replace(style, foreground="" if code == 39 else str(code))
            elif 40 <= code <= 47 or 100 <= code <= 107 or code == 49:
                style = replace(style, background="" if code == 49 else str(code))
            else:
                return None
        return style


DEFAULT_STYLE = SgrStyle()
INTERNED: dict[SgrStyle, SgrStyle] = {DEFAULT_STYLE: DEFAULT_STYLE}


def _color(code: int, rest: Iterator[int]) -> str:
    """Read the rest of a code for one of 256 colors, or for red, green and blue; "" if it is malformed."""
    kind = next(rest, None)
    count = {5: 1, 2: 3}.get(kind or 0, 0)
    parts = [part for _, part in zip(range(count), rest, strict=False)]
    return ";".join(map(str, (code, kind, *parts))) if count and len(parts) == count else ""


@lru_cache(maxsize=4096)
def style_change(now: SgrStyle, wanted: SgrStyle) -> str:
    """Make the shortest code that turns a style into another: resetting single flags, or everything."""
    if now == wanted:
        return ""
    dropped = {RESET_CODES[flag] for flag in now.flags - wanted.flags}
    kept = {flag for flag in now.flags if RESET_CODES[flag] not in dropped}
    parts = [*map(str, sorted(dropped)), *map(str, sorted(wanted.flags - kept))]
    if now.foreground != wanted.foreground:
        parts.append(wanted.foreground or "39")
    if now.background != wanted.background:
        parts.append(wanted.background or "49")
    anew = [
        "" if wanted == SgrStyle() else "0",
        *map(str, sorted(wanted.flags)),
        wanted.foreground,
        wanted.background,
    ]
    texts = (";".join(parts), ";".join(filter(None, anew)))
    return f"\x1b[{min(texts, key=len)}m"
