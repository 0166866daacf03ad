"""The palette in the form that Textual's widgets and styles.tcss use."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter, NoColor
from textual.theme import Theme

from tui_backprop.tui.colors import GROUNDS, LOOKS, THEMES

FAINT, PAINTED = 8, 7  # bright black and white: in the palette they stand for dim and reversed text


def _theme(name: str) -> Theme:
    grounds = {ground: values[THEMES.index(name)] for ground, values in GROUNDS.items()}
    accents = {role: _color(look) for role, look in LOOKS[name].items()}
    own = grounds["background"] == "ansi_default"  # the terminal's own colors
    return Theme(
        name=name,
        primary=accents["forward"],
        secondary=accents["backward"],
        warning=accents["backward"],
        error=accents["loss"],
        success=accents["update"],
        accent=accents["backward"],
        foreground=grounds["foreground"],
        background=grounds["background"],
        surface=grounds["surface"],
        panel=grounds["surface"],
        dark=name != "light",
        ansi=own,
        variables={
            **{name: grounds[name] for name in ("border", "border-blurred", "field", "veil")},
            "text-muted": grounds["muted"],
            "ansi-background": "ansi_default",  # Textual requires these two in every theme
            "ansi-foreground": "ansi_default",
            **{f"block-cursor-{kind}foreground": grounds["foreground"] for kind in ("", "blurred-")},
            **{f"block-cursor-{kind}background": grounds["cursor"] for kind in ("", "blurred-")},
            **{f"block-cursor-{kind}text-style": "bold" for kind in ("", "blurred-")},
            **{f"scrollbar{kind}": grounds["border-blurred"] for kind in ("", "-hover", "-active")},
            **{f"scrollbar-background{kind}": grounds["surface"] for kind in ("", "-hover", "-active")},
            "scrollbar-corner-color": grounds["surface"],
        },
    )


def _color(look: Style) -> str:
    """Return a style's color in Textual's notation."""
    return "ansi_default" if look.color is None else Color.from_rich_color(look.color).hex


CHOICES = tuple(
    name for name in THEMES if name != "colorless"
)  # what is without color is not a matter of taste
TEXTUAL_THEMES = tuple(_theme(name) for name in THEMES)


class Unpainted(LineFilter):
    """Dims and reverses text. No stylesheet can dim a border, none of the sixteen colors is fainter than text in
    every scheme (in Solarized, bright black is the background), and Textual loses "reverse" before a list's cursor is
    drawn. So what is bright black in a stylesheet is drawn dim here, and what is on white is drawn in reverse."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(text, style and _unpainted(style), control) for text, style, control in segments]


@lru_cache(1024)
def _unpainted(style: Style) -> Style:
    if style.color is not None and style.color.number == FAINT:
        style += Style(color="default", dim=True)
    if style.bgcolor is not None and style.bgcolor.number == PAINTED:
        style += Style(color="default", bgcolor="default", reverse=True, dim=False)
    return style


FILTERS: dict[str, tuple[LineFilter, ...]] = {
    "terminal": (Unpainted(),),
    "colorless": (Unpainted(), NoColor()),
}


class Printable(LineFilter):
    """Replaces control characters, wherever a text comes from: none reaches the terminal as part of one."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(text.isprintable() for text, _, _ in segments):
            return segments
        return [Segment(printable_cells(text), style, control) for text, style, control in segments]


def printable_cells(text: str) -> str:
    """Replace what is not printable by a character of the same width."""
    return "".join(c if c.isprintable() else "?" * cell_len(c) for c in text)


PRINTABLE = Printable()
