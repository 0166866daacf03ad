"""Open the app: on the network and data of the options, on the last session, or on that of a token."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui_backprop.cli.settings import Settings
from tui_backprop.cli.streams import say
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError
from tui_backprop.support.exit_codes import DONE

if TYPE_CHECKING:
    from tui_backprop.session.autosave import Saver
    from tui_backprop.tui.app.app import BackpropApp
    from tui_backprop.tui.app.resume import Earlier

STDIN = 0
THREADS = 3  # of the app: one writes, one reads, one computes
LAST_SAVE = 0.2  # seconds for the session, when the terminal is gone


def open_app(session: Session, chosen: Settings, *, again: bool = False, chapter: str = "") -> None:
    """Open the app on a session; unless it was saved before (``again``), the session that was saved last is offered.
    The lesson begins with a ``chapter`` or step by its number, or where it was left. At the end, print how to come
    back. Raises TerminalError if there is no terminal, the error of a fault, SystemExit when the app ends."""
    from tui_backprop.session.autosave import Saver, earlier
    from tui_backprop.terminal.hangup import HangupWatch
    from tui_backprop.terminal.setup import require_terminal
    from tui_backprop.terminal.web import VARIABLE, in_browser

    served, saver = in_browser(os.environ), Saver()
    watch = HangupWatch(STDIN, partial(saver.close, LAST_SAVE))
    if not served:
        os.environ.pop(VARIABLE, None)  # Textual would take an empty name for a driver
        require_terminal()
        watch.start()
    _require_threads()
    gc.disable()  # until the first paint: there is nothing to collect before that
    app = _app_on(session, chosen, saver, served, None if again else earlier, chapter)
    watch.leave = app.ending.terminal_gone
    app.run(mouse=chosen.mouse, loop=asyncio.new_event_loop())  # a loop that at its end waits for no threads
    if saver.waits:
        from tui_backprop.cli.progress import progress

        with progress("bytes hashed, to keep the session") as shown:
            saver.finish(shown)
    for line in _last_words(saver, app.ending.reason, served):
        say(line)
    if app.fault is not None:
        raise app.fault
    raise SystemExit(app.return_code or DONE)


def _require_threads() -> None:
    """Raise InputError where the app would end in the middle of its start."""
    from tui_backprop.support.starting import StartError, require_threads

    try:
        require_threads(THREADS)
    except StartError as error:
        raise InputError("process limit", f"{error}; the app needs {THREADS}; end other processes") from None


def _app_on(
    session: Session, chosen: Settings, saver: Saver, served: bool, earlier: Earlier | None, chapter: str = ""
) -> BackpropApp:
    """Create the app, with a driver for the terminal or, if ``served``, for a browser."""
    from tui_backprop.terminal.setup import set_color_variables, set_motion_variables, theme_for

    set_color_variables(chosen.color)
    set_motion_variables(chosen.motion)
    from tui_backprop.cli.output import glyphs_for
    from tui_backprop.terminal.capabilities import link
    from tui_backprop.terminal.driver import diffing_driver
    from tui_backprop.terminal.web import web_driver
    from tui_backprop.tui.app.app import BackpropApp
    from tui_backprop.tui.app.first_run import lesson_wanted
    from tui_backprop.tui.theme import CHOICES

    encoding = "utf-8" if served else sys.stderr.encoding
    glyphs = replace(glyphs_for(encoding, chosen.glyphs), sparse=bool(chosen.sparse))
    if chosen.keys:
        from tui_backprop.keys.remap import remapped

        glyphs = replace(glyphs, keys=remapped(chosen.keys))
    app = BackpropApp(
        session,
        glyphs,
        chosen.memory * 2**20,
        saver,
        theme_for(chosen.theme, chosen.color),
        lesson_wanted(chosen.lesson),
        [name for name in CHOICES if theme_for(name, chosen.color) == name],
        earlier,
        chapter,
    )
    app.set_keymap(chosen.keymap)
    if served:
        app.driver_class = web_driver(app.driver_class)
    else:
        remote = link(os.environ).value == "ssh"
        app.driver_class = diffing_driver(app.driver_class, remote=remote, report_slow=chosen.sparse is None)
    return app


def _last_words(saver: Saver, reason: str, served: bool) -> Iterator[str]:
    """Yield what is said when the app has ended; whoever used a browser has no command line."""
    if saver.trouble:
        yield f"backprop-tui: {saver.trouble}"
    elif saver.saved is not None and not served:
        yield how_to_continue(saver.saved)
    if reason:
        yield f"backprop-tui: {reason}"


def how_to_continue(session: Session) -> str:
    """Return the line that says how to come back to a session."""
    return f"backprop-tui --resume continues at iteration {session.t:,}, step {session.walk.step}"
