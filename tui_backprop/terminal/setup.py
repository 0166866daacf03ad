"""Preparations before the app starts: the terminal is checked, and the environment set for Textual."""

from __future__ import annotations

import os
import sys
from functools import cache

from tui_backprop.support.errors import TerminalError
from tui_backprop.support.exit_codes import HANGUP
from tui_backprop.terminal.capabilities import COLOR_VARIABLES, colors, motion, theme
from tui_backprop.terminal.hangup import lost_terminal

STDIN = 0
# Resets what the app sets in a terminal, and nothing else: the kitty keyboard protocol (while the alternate screen is
# still shown, which has its own), mouse, focus and paste reports, the alternate screen, line wrapping, the cursor.
RESET_COMMAND = r"printf '\033[<u\033[?1000;1003;1004;1006;1015;2004;1049l\033[?7;25h'"


def require_terminal() -> None:
    """Raise TerminalError unless keys can be read and a screen can be drawn. (Textual reads stdin and draws on
    stderr; if they are no terminals, it runs in a busy loop.) Raises SystemExit if the terminal is already gone."""
    if lost_terminal(STDIN):
        raise SystemExit(HANGUP)
    missing = [name for name in ("stdin", "stderr") if not getattr(sys, name).isatty()]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise TerminalError(
            "terminal",
            f"{' and '.join(missing)} {verb} not a terminal; for plain text use: backprop-tui trace",
        )
    term = os.environ.get("TERM", "")
    if term in ("dumb", ""):
        wrong = "TERM=dumb cannot show a screen" if term else "TERM is not set, try TERM=xterm-256color"
        raise TerminalError("terminal", f"{wrong}; for plain text use: backprop-tui trace")


def set_color_variables(chosen: str = "auto") -> None:
    """Set the environment variables that Textual and Rich read when they are imported, for the colors ``chosen`` or
    those that the terminal has.

    An empty NO_COLOR means nothing (no-color.org), but Textual would turn colors off for it.
    """
    for name, value in COLOR_VARIABLES[colors(chosen, os.environ).value].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def theme_for(chosen: str, color: str = "auto") -> str:
    """Name the theme for a choice of theme and of color."""
    return theme(chosen, colors(color, os.environ).value, os.environ).value


def set_motion_variables(chosen: bool | None) -> None:
    """Turn animations off and draw fewer frames if that was chosen, or over SSH. Textual reads both variables when it
    is imported."""
    if motion(chosen, os.environ).value == "no":
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        os.environ.setdefault("TEXTUAL_FPS", "20")


@cache
def erases_with_background() -> bool:
    """Look up in terminfo if the terminal can erase cells and fills them with the current background (bce, ech)."""
    try:
        import curses
    except ImportError:  # some builds of Python lack it
        return False
    try:
        curses.setupterm(fd=sys.__stderr__.fileno() if sys.__stderr__ else 2)
        return curses.tigetflag("bce") > 0 and bool(curses.tigetstr("ech"))
    except (OSError, ValueError, curses.error):
        return False
