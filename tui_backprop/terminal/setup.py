"""What the terminal can do, found out before the app starts."""

from __future__ import annotations

import os
import sys
from functools import cache

from tui_backprop.support.errors import TerminalError
from tui_backprop.terminal.capabilities import ENVIRONMENT, colors, moves, theme

# Resets what the app sets in a terminal: mouse, focus and paste reports, the alternate screen, the hidden cursor.
RESET_COMMAND = r"printf '\033[?1000;1002;1003;1004;1006;1015;2004;1049l\033[?25h'"


def require_terminal() -> None:
    """Raise TerminalError unless keys can be read and a screen can be drawn. (Textual reads stdin, draws on stderr;
    without a terminal there it would spin.)"""
    missing = [name for name in ("stdin", "stderr") if not getattr(sys, name).isatty()]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise TerminalError(
            "terminal",
            f"{' and '.join(missing)} {verb} not a terminal; for plain text use: backprop-tui trace",
        )
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        raise TerminalError(
            "terminal", "TERM=dumb cannot show a screen; for plain text use: backprop-tui trace"
        )


def settle_colors(chosen: str = "auto") -> None:
    """Set what Textual and Rich read from the environment when they are imported: for the colors ``chosen``, or
    those that the terminal is found to have.

    The palette needs 256 colors, so true color is not asked for: its codes are nearly twice as long. An
    empty NO_COLOR asks for nothing (no-color.org), but Textual would take it for a yes.
    """
    for name, value in ENVIRONMENT[colors(chosen, os.environ).value].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def theme_for(chosen: str, color: str = "auto") -> str:
    """The name of the theme ``chosen``, or of the one that fits the terminal and the colors chosen."""
    return theme(chosen, colors(color, os.environ).value, os.environ).value


def settle_motion(chosen: bool | None) -> None:
    """Nothing glides or fades where that was chosen, or where the terminal comes over SSH; and there fewer frames are
    made. Textual reads both when it is imported."""
    if moves(chosen, os.environ).value == "no":
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        os.environ.setdefault("TEXTUAL_FPS", "20")


@cache
def erases() -> bool:
    """Whether the terminal erases cells in the color that it writes with: as its description says (bce, ech)."""
    try:
        import curses

        curses.setupterm(fd=sys.__stderr__.fileno() if sys.__stderr__ else 2)
        return curses.tigetflag("bce") > 0 and bool(curses.tigetstr("ech"))
    except (ImportError, OSError, ValueError, curses.error):
        return False
