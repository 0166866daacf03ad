"""How commands print: in which characters, and for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tui_backprop.ui.renderables.glyphs import Glyphs


def glyphs_for_stdout(plain: bool) -> Glyphs:
    """Those that its encoding carries; where it is to be ``plain``, those for screen readers."""
    from tui_backprop.ui.renderables.glyphs import LINEAR
    from tui_backprop.ui.terminal import glyphs_for

    return LINEAR if plain else glyphs_for(getattr(sys.stdout, "encoding", None))


def print_json(found: object) -> None:
    """One JSON object in a line."""
    import msgspec

    click.echo(msgspec.json.encode(found))
