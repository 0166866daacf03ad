"""How commands print: in which characters, and for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tui_backprop.render.draw.context import ASCII, UTF8, RenderContext
from tui_backprop.terminal.capabilities import glyph_set

if TYPE_CHECKING:
    from tui_backprop.render.draw.context import RenderContext


def glyphs_for_stdout(plain: bool) -> RenderContext:
    """Those that its encoding carries; where it is to be ``plain``, those for screen readers."""
    from tui_backprop.render.draw.context import LINEAR

    pass

    return LINEAR if plain else glyphs_for(getattr(sys.stdout, "encoding", None))


def print_json(found: object) -> None:
    """One JSON object in a line."""
    import msgspec

    click.echo(msgspec.json.encode(found))


def glyphs_for(encoding: str | None, chosen: str = "auto") -> RenderContext:
    """The characters ``chosen``, or the full set where the encoding carries them, ASCII elsewhere."""
    return UTF8 if glyph_set(chosen, encoding).value == "utf-8" else ASCII
