"""The app: owns the Session, and is the only file that knows all parts.

A key turns the Session into the next one; the panels are handed what follows from it. What takes time (a
pass, a measurement) runs in a worker thread, and the last screen stays until its result arrives.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.filter import LineFilter

from tui_backprop.engine.training.memory import MEGABYTES
from tui_backprop.keys.table import bar
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.view_state import Snapshot, steps_of
from tui_backprop.session.state import Session
from tui_backprop.session.undo import UndoHistory
from tui_backprop.support.errors import UserError
from tui_backprop.terminal.driver import SlowLine
from tui_backprop.tui.app.action_text import action_words
from tui_backprop.tui.app.base import Change
from tui_backprop.tui.app.command_palette import Everything
from tui_backprop.tui.app.cost_lab import Lab
from tui_backprop.tui.app.edits import Fixing
from tui_backprop.tui.app.misclassified import Readings
from tui_backprop.tui.app.navigation import Steering
from tui_backprop.tui.app.quit import Leaving
from tui_backprop.tui.app.tour import Touring
from tui_backprop.tui.app.training import Trainer
from tui_backprop.tui.bindings import app_bindings
from tui_backprop.tui.messages import Applied
from tui_backprop.tui.panels.cost import CostView
from tui_backprop.tui.panels.walk import WalkView
from tui_backprop.tui.theme import FILTERS, TEXTUAL_THEMES
from tui_backprop.tui.widgets.bars import KeyBar, StatusBar, TabBar
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.form import NetworkPanel
from tui_backprop.tui.widgets.frame import Frame
from tui_backprop.tui.widgets.too_small import TooSmall

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.session.autosave import Saver

SENT = 0.015  # seconds after which the first paint has gone out


class BackpropApp(Leaving, Everything, Touring, Steering, Readings, Trainer, Fixing, Lab):
    """Steps through a Session. ``glyphs`` is the set of characters that the terminal can show, ``memory`` the bytes
    that may be kept for going back in time; each session is given to the ``saver``, to be resumed later."""

    CSS_PATH = "styles.tcss"
    TITLE = "backprop-tui"
    AUTO_FOCUS = "#walk-view"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-tiny"),
        (60, "-narrow"),
        (100, "-wide"),
        (116, "-broad"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-flat"),
        (18, "-short"),
        (30, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()

    def __init__(
        self,
        session: Session,
        context: RenderContext,
        memory: int = MEGABYTES * 2**20,
        saver: Saver | None = None,
        theme: str = "dark",
        tour: bool = False,
    ) -> None:
        super().__init__(memory)
        self._saver, self._troubled, self._tour = saver, False, tour
        self.history = UndoHistory(session)
        self.render_context = context
        self._waiting: list[Callable[[], None]] = []  # keys pressed before a network's first pass was there
        for each in TEXTUAL_THEMES:
            self.register_theme(each)
        # Set as if it had always been so: a change would have all styles read twice before the first paint.
        self.set_reactive(BackpropApp.theme, theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def compose(self) -> ComposeResult:
        # Textual sets these classes at the first resize, after the first paint; set now, nothing is laid out twice.
        for size, points in zip(
            self.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True
        ):
            self.screen.add_class([name for least, name in points or [] if least <= size][-1])
        self.screen.set_class(self.render_context.plain, "plain")
        yield StatusBar(self.render_context)
        yield TabBar(self.render_context)
        with Horizontal(id="panels"):
            yield NetworkPanel(self.session, self.render_context)
            with Frame("walk", "walk").add_class("current", "lit"):
                yield WalkView(self.render_context)
            with Frame("cost", "cost of one gradient"):
                yield CostView(self.render_context)
        if self._tour:
            yield self.tour_strip()
        yield KeyBar(self.render_context)
        yield TooSmall()

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(name, self.exit)
        # After ctrl+z and fg all is drawn again: the shell's screen was there.
        self.app_resume_signal.subscribe(self, lambda app: self.refresh(layout=True))
        self.query_one(KeyBar).show(bar("walk", self.render_context.keys))
        self.show()
        if self.session.panel != "walk":
            self.to_panel(self.session.panel)
        self.call_after_refresh(self.set_timer, SENT, self._begin)

    def _begin(self) -> None:
        """After the first paint, which nothing of this may hold up."""
        if not gc.isenabled():  # what was made until now stays as long as the app
            gc.freeze()
            gc.enable()
        self._compute()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return FILTERS.get(self.theme) or super().get_line_filters()

    def on_unmount(self) -> None:
        self.end_processes()
        if self._saver is not None:
            self._saver.close()

    # --- state: one value, and what follows from it -------------------------------------------------------

    @property
    def session(self) -> Session:
        return self.history.now

    def go(self, session: Session) -> None:
        self._turn(self.history.go(session))

    def _turn(self, history: UndoHistory) -> None:
        if history is not self.history:
            self.history = history
            self.keep()
            self._follow()

    @property
    def placed(self) -> Session:
        """The session, with the panel that has the keys."""
        return replace(self.session, panel=self._panel)

    def keep(self) -> None:
        """Have the session kept; if that does not work, say so once."""
        if self._saver is not None:
            self._saver.save(self.placed)
            if self._saver.trouble and not self._troubled:
                self._troubled = True
                self.notify(self._saver.trouble, severity="warning", markup=False)

    def _follow(self) -> None:
        """Show the session if its numbers are there; have them computed if not."""
        now = self.snapshot
        if now is not None and now.session.pass_key == self.session.pass_key:
            self.snapshot = self._snapshot(now.iteration)
            self.show()
        elif not self._computing:
            self._compute()

    def _snapshot(self, iteration: Iteration) -> Snapshot:
        """The session, with the numbers of a pass."""
        return Snapshot(self.session, steps_of(self.session), iteration)

    def _compute(self) -> None:
        self._computing = True
        self._take(self.session)

    @work(thread=True, group="pass")
    def _take(self, session: Session) -> None:
        try:
            iteration = self._replay.take(session)
            iteration.prepare()
        except Exception as error:  # whatever it is, it is said in one line, and the last good screen stays
            self.call_from_thread(self._failed, f"{type(error).__name__}: {error}")
        else:
            self.call_from_thread(self._arrived, Snapshot(session, steps_of(session), iteration))

    def _failed(self, why: str) -> None:
        self._computing = False
        self._waiting.clear()
        if self.snapshot is None:
            self.exit(return_code=1, message=f"backprop-tui: the first pass failed: {why}")
        else:
            self.notify(f"This pass failed ({why}); the last one stays.", severity="error", markup=False)
            self.go(self.snapshot.session)

    def _arrived(self, snapshot: Snapshot) -> None:
        self._computing = False
        self.follow_training(self.snapshot, snapshot)
        self.snapshot = snapshot
        if snapshot.session.network == self.session.network:
            waiting, self._waiting = self._waiting, []
            for action in waiting:
                action()
        self._follow()
        self.measure_once(self.session.network)

    def show(self) -> None:
        self.put_off_measuring()
        shown = self.session
        if self.snapshot is not None and self.snapshot.session.pass_key != shown.pass_key:
            shown = self.snapshot.session  # its numbers stay until those of the session are there
        self.query_one(StatusBar).show(shown, self.snapshot, self.speed)
        self.query_one(NetworkPanel).show(self.session, self.snapshot)
        self.refresh_panels()

    def refresh_panels(self) -> None:
        self.show_costs()
        self.show_training()
        self.answer()
        self.follow_tour()

    # --- keys ---------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and event.key == "escape" and self._notifications:
            self.clear_notifications()  # beside what it does elsewhere
        await super().on_event(event)

    def move(self, change: Change) -> None:
        snapshot = self.snapshot
        if snapshot is None or snapshot.session.network != self.session.network:
            self._waiting.append(lambda: self.move(change))
        else:
            self.go(change(self.session, self._snapshot(snapshot.iteration)))

    def action_undo(self) -> None:
        back = self.history.undo()
        self.say(f"undone: {action_words(back.now, self.session) or 'nothing'}")
        self._turn(back)

    def action_redo(self) -> None:
        on = self.history.redo()
        self.say(f"done again: {action_words(self.session, on.now) or 'nothing'}")
        self._turn(on)

    def action_token(self) -> None:
        """Show a token of what is on the screen, and send it to the clipboard."""
        from tui_backprop.session.share_token import encode

        try:
            token = encode(self.placed)
        except UserError as error:
            self.notify(f"No token: {error.message}", severity="error", markup=False)
            return
        self.copy_to_clipboard(token)
        title = "sent to the clipboard, where the terminal lets it; for --open (esc closes this)"
        self.notify(token, title=title, timeout=20, markup=False)

    def action_help(self) -> None:
        from tui_backprop.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.render_context, self._panel))
        self.follow_tour(helped=True)

    def action_redraw_all(self) -> None:
        """Draw all anew, whatever stands on the screen."""
        again = getattr(self._driver, "draw_again", self.refresh)  # a driver of tests has none
        again()

    @on(SlowLine)
    def _slow_line(self) -> None:
        """From now on draw little."""
        self.render_context = replace(self.render_context, sparse=True)
        for canvas in self.query(Canvas):
            canvas.use(self.render_context)
        self.say("the line is slow: less is drawn (--no-sparse draws all)")

    @on(Applied)
    def _applied(self, event: Applied) -> None:
        self.go(event.session)
