"""What the terminal can do, found out before the app starts."""

from __future__ import annotations

import codecs
import os
import sys

from tui_backprop.engine.spec import SpecError
from tui_backprop.ui.renderables.glyphs import ASCII, UTF8, Glyphs


def require_terminal() -> None:
    """Raise SpecError unless keys can be read and a screen can be drawn. (Textual reads stdin, draws on stderr;
    without a terminal there it would spin.)"""
    missing = [name for name in ("stdin", "stderr") if not getattr(sys, name).isatty()]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise SpecError(
            "terminal",
            f"{' and '.join(missing)} {verb} not a terminal; for plain text use: backprop-tui trace",
        )
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        raise SpecError("terminal", "TERM=dumb cannot show a screen; for plain text use: backprop-tui trace")


def settle_colours() -> None:
    """Set what Textual and Rich read from the environment when they are imported.

    The palette needs 256 colours, so true colour is not asked for: its codes are nearly twice as long. An
    empty NO_COLOR asks for nothing (no-color.org), but Textual would take it for a yes.
    """
    if not os.environ.get("NO_COLOR"):
        os.environ.pop("NO_COLOR", None)
    if os.environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")


def glyphs_for(encoding: str | None) -> Glyphs:
    """The full set of characters where the encoding carries them, ASCII elsewhere."""
    try:
        return UTF8 if codecs.lookup(encoding or "ascii").name == "utf-8" else ASCII
    except LookupError:
        return ASCII
