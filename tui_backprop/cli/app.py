"""Open the app: on the network and data of the options, on the last session, or on that of a token."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from dataclasses import replace

from tui_backprop.cli.settings import Settings
from tui_backprop.cli.streams import say
from tui_backprop.session.state import Session


def open_app(session: Session, chosen: Settings, *, again: bool = False) -> None:
    """Open the app on a session; unless it was saved before (``again``), the session that was saved last is offered.
    At the end, print how to come back. Raises TerminalError if there is no terminal, SystemExit when the app ends."""
    from tui_backprop.cli.output import glyphs_for
    from tui_backprop.terminal.setup import (
        require_terminal,
        set_color_variables,
        set_motion_variables,
        theme_for,
    )
    from tui_backprop.terminal.web import VARIABLE, in_browser

    served = in_browser(os.environ)
    if not served:
        os.environ.pop(VARIABLE, None)  # Textual would take an empty name for a driver
        require_terminal()
    gc.disable()  # until the first paint: there is nothing to collect before that that
    set_color_variables(chosen.color)
    set_motion_variables(chosen.motion)
    from tui_backprop.session.autosave import Saver
    from tui_backprop.terminal.capabilities import link
    from tui_backprop.terminal.driver import diffing_driver
    from tui_backprop.terminal.web import web_driver
    from tui_backprop.tui.app.app import BackpropApp
    from tui_backprop.tui.app.first_run import tour_wanted
    from tui_backprop.tui.theme import CHOICES

    encoding = "utf-8" if served else sys.stderr.encoding
    glyphs = replace(glyphs_for(encoding, chosen.glyphs), sparse=bool(chosen.sparse))
    if chosen.keys:
        from tui_backprop.keys.remap import remapped

        glyphs = replace(glyphs, keys=remapped(chosen.keys))
    saver = Saver()
    app = BackpropApp(
        session,
        glyphs,
        chosen.memory * 2**20,
        saver,
        theme_for(chosen.theme, chosen.color),
        tour_wanted(chosen.tour),
        [name for name in CHOICES if theme_for(name, chosen.color) == name],
        None if again else _earlier(),
    )
    app.set_keymap(chosen.keymap)
    if served:
        app.driver_class = web_driver(app.driver_class)
    else:
        remote = link(os.environ).value == "ssh"
        app.driver_class = diffing_driver(app.driver_class, remote=remote, report_slow=chosen.sparse is None)
    app.run(mouse=chosen.mouse)
    if saver.trouble:
        say(f"backprop-tui: {saver.trouble}")
    elif saver.saved is not None:
        say(how_to_continue(saver.saved))
    raise SystemExit(app.return_code or 0)


def how_to_continue(session: Session) -> str:
    """Return the line that says how to come back to a session."""
    return f"backprop-tui --resume continues at iteration {session.t:,}, step {session.walk.step}"


def _earlier() -> str | None:
    """Return the text of the session that was saved last, if it can be read."""
    from tui_backprop.session.autosave import read

    with suppress(OSError):
        return read()
    return None
