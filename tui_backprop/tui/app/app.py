"""The app: it creates the parts, and only it knows all of them.

An action turns the session into the next one; the panels show what follows from it. What takes time (an iteration, a
measurement) runs in a worker thread, and the screen stays as it is until the result arrives."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import Worker, WorkerFailed, WorkerState

from tui_backprop.engine.training.memory import CHECKPOINT_MEGABYTES
from tui_backprop.keys.panel_table import PANEL_ROWS
from tui_backprop.keys.table import action_always
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.session.setting_changes import applied_words
from tui_backprop.session.state import Session
from tui_backprop.support.errors import reason_of
from tui_backprop.terminal.driver import SlowLine
from tui_backprop.tui.app.activities import Activities
from tui_backprop.tui.app.background_queries import BackgroundQueries
from tui_backprop.tui.app.bookmarks import Bookmarks
from tui_backprop.tui.app.command_palette import CommandList
from tui_backprop.tui.app.copying import Copying
from tui_backprop.tui.app.cost_lab import CostLab
from tui_backprop.tui.app.edits import Edits
from tui_backprop.tui.app.ending import Ending
from tui_backprop.tui.app.global_actions import General
from tui_backprop.tui.app.hunt import BreakIt
from tui_backprop.tui.app.inspection import Inspection
from tui_backprop.tui.app.key_queue import KeyQueue
from tui_backprop.tui.app.lesson import Lesson
from tui_backprop.tui.app.memory_guard import MemoryGuard
from tui_backprop.tui.app.misclassified import Misclassified
from tui_backprop.tui.app.navigation import Navigation
from tui_backprop.tui.app.panel_focus import Panels
from tui_backprop.tui.app.playback import Playback
from tui_backprop.tui.app.predict import PredictControl
from tui_backprop.tui.app.quit import Quit
from tui_backprop.tui.app.quiz import QuizControl
from tui_backprop.tui.app.ranking import Ranking
from tui_backprop.tui.app.resume import Earlier, Resume
from tui_backprop.tui.app.second_derivatives import SecondDerivatives
from tui_backprop.tui.app.services import AppServices
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.app.text import TextControl
from tui_backprop.tui.app.training import TrainingControl
from tui_backprop.tui.bindings import actions_of, app_bindings
from tui_backprop.tui.messages import Applied
from tui_backprop.tui.textual_fixes import go_on_without_memory, release_removed_widgets, steady
from tui_backprop.tui.theme import CHOICES, FILTERS, PRINTABLE, TEXTUAL_THEMES
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.form import NetworkPanel
from tui_backprop.tui.widgets.frame import Frame
from tui_backprop.tui.widgets.screen_bars import KeyBar, StatusBar, TabBar
from tui_backprop.tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from tui_backprop.session.autosave import Saver

NO_THREAD = "no thread can be started; end other processes, and try again"
SENT = 0.015  # seconds after which the first paint has been sent


class BackpropApp(AppServices):
    """Step through a session. ``context`` has the characters that the terminal can show, ``memory`` the bytes for
    earlier iterations; each session is passed to the ``saver``, so that it can be resumed later; ``themes`` are those
    to choose from; ``earlier`` reads the sessions before, of which one is offered. The ``lesson`` begins with a
    ``chapter`` or step by its number, or where it was left."""

    CSS_PATH = "styles.tcss"
    TITLE = "backprop-tui"
    AUTO_FOCUS = "#walk-view"
    ENABLE_COMMAND_PALETTE = False  # it has its own
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-wide"), (116, "-broad"), (150, "-vast")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (18, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()

    def __init__(
        self,
        session: Session,
        context: RenderContext,
        memory: int = CHECKPOINT_MEGABYTES * 2**20,
        saver: Saver | None = None,
        theme: str = "dark",
        lesson: bool = False,
        themes: Sequence[str] = CHOICES,
        earlier: Earlier | None = None,
        chapter: str = "",
    ) -> None:
        super().__init__()
        release_removed_widgets()
        go_on_without_memory()
        self.render_context = context
        self._with_lesson = lesson
        self._create_parts(session, memory, saver, themes, earlier, chapter)
        for each in TEXTUAL_THEMES:
            self.register_theme(each)
        # Set without a change event, which would parse all styles a second time before the first paint.
        self.set_reactive(BackpropApp.theme, theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def _create_parts(
        self,
        session: Session,
        memory: int,
        saver: Saver | None,
        themes: Sequence[str],
        earlier: Earlier | None,
        chapter: str,
    ) -> None:
        """Create the parts, each with what it needs, and let Textual find their actions."""
        self.state = state = AppState(self, self, session, memory, saver)
        self.panels = Panels(
            self,
            self,
            state.keep,
            self._opening,
            lambda place: self.activities.state_of(place),
            self.lacks,
            lambda: (self.session.network.part, self.session.network.unit),
        )
        self.navigation = Navigation(self, state)
        self.playback = Playback(self, state, self.navigation)
        self.training = TrainingControl(self, state, lambda: self.cost_lab.postpone())
        self.cost_lab = CostLab(self, state)
        self.hunt, self.quiz = BreakIt(self, state), QuizControl(self, state)
        self.inspection = Inspection(self, state, self.training)
        self.ranking = Ranking(self, state)
        self.queries = BackgroundQueries(self, state, self.panels, self.ranking.update)
        self.lesson = Lesson(self, self, state, chapter)
        self.resume = Resume(self, state, None if self._with_lesson else earlier, self.panels.show_keys)
        self.commands = CommandList(self, self, self.panels, self.lesson, themes)
        work = [
            lambda: self.cost_lab.race.activity,
            lambda: self.cost_lab.sweep.activity,
            lambda: self.training.activity,
            self.reading,
        ]
        self.activities = Activities(self, [*work, lambda: state.activity], self.panels.show_keys)
        self.ending = Ending(self)
        self.memory_guard = MemoryGuard(self, state.budget, self.ending)
        self.quitting = Quit(self, self, Activities(self, work, lambda: None))
        searching, self.predicting = Misclassified(self, state), PredictControl(self, state)
        text = TextControl(self, state)
        self.key_queue = KeyQueue(
            self, (state, self.ranking, searching, text, self.lesson), self.quitting.quits, self.say
        )
        actions = actions_of(
            state, self.panels, self.navigation, self.playback, self.training, self.cost_lab,
            self.cost_lab.race, self.cost_lab.sweep, self.inspection, self.ranking, self.lesson, self.commands,
            self.quitting, Bookmarks(self, state), Edits(self, state, self.ranking), searching, text,
            General(self, self), self.resume, Copying(self, self, state, self.panels),
            self.quiz, SecondDerivatives(self, state), self.predicting, self.hunt,
        )  # fmt: skip
        for name, action in actions.items():
            setattr(self, name, action)

    def _opening(self, panel: str) -> None:
        """Tell the parts that a panel is opened."""
        self.ranking.opening(panel)
        self.hunt.opening(panel)

    # --- starting and ending -------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        # Textual sets these classes at the first resize, after the first paint; set now, they cost no second layout.
        for size, points in zip(
            self.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True
        ):
            self.screen.add_class([name for least, name in points or [] if least <= size][-1])
        self.screen.set_class(self.render_context.plain, "plain")
        yield StatusBar(self.render_context)
        yield TabBar(self.render_context)
        with Horizontal(id="panels"):
            if self._with_lesson:
                yield self.lesson.strip()
            yield NetworkPanel(self.session, self.render_context)
            for name, classes in (("walk", "current lit"), ("cost", "")):
                with Frame(name, PANEL_ROWS[name].title).add_class(*classes.split()):
                    yield self.panels.create(name)
                    yield from self.panels.create_summary(self.size) if name == "walk" else ()
        yield KeyBar(self.render_context)
        yield TooSmall()

    def get_default_screen(self) -> Screen[object]:
        return steady(super().get_default_screen())

    def on_load(self) -> None:
        self.ending.heed_signals()

    def on_mount(self) -> None:
        # After ctrl+z and fg everything is redrawn: the shell has used the screen.
        self.app_resume_signal.subscribe(self, lambda app: self.refresh(layout=True))
        self.panels.show_keys()
        self.show()
        if self.session.panel != "walk":
            self.to_panel(self.session.panel)
        self.call_after_refresh(self.set_timer, SENT, self._begin)
        self.ending.mounted()

    def _begin(self) -> None:
        """Begin to compute after the first paint, which nothing here may delay."""
        if not gc.isenabled():  # objects created so far live as long as the app
            gc.freeze()
            gc.enable()
        self.state.compute()
        self.resume.offer()
        self.lesson.begin()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return (*(FILTERS.get(self.theme) or super().get_line_filters()), PRINTABLE)

    def _handle_exception(self, error: Exception) -> None:
        """End the app; where memory ran out with one line, since a traceback would take more of it."""
        if isinstance(error, MemoryError):
            self.ending.failed(reason_of(error))
        else:
            super()._handle_exception(error)

    @property
    def fault(self) -> Exception | None:
        """The error of the program that ended the app."""
        return self._exception

    def _print_error_renderables(self) -> None:
        """Print nothing: what is said at the end, the command line says."""
        self._exit_renderables.clear()

    def on_unmount(self) -> None:
        self.cost_lab.close()
        for part in (self.lesson, self.hunt, self.quiz):
            part.close()
        self.state.close()

    # --- events --------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if not event.is_forwarded and (await self._done_at_once(event) or self.key_queue.holds(event)):
            return
        if isinstance(event, events.Key):
            if event.key == "escape" and self._notifications:
                self.clear_notifications()  # in addition to its other effects
            if await self.quitting.handles(event):
                return
        await super().on_event(event)

    async def _done_at_once(self, event: events.Event) -> bool:
        """Run the action of a key that waits for nothing; return True if there is one."""
        if not isinstance(event, events.Key) or event.is_printable:
            return False
        action = action_always(event.key, self.render_context.keys)
        return bool(action) and await self.run_action(action)

    async def on_resize(self, event: events.Resize) -> None:
        await self.panels.resized(event.size)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.panels.focused(event)

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """Say that no thread can be started, which leaves everything as it is; any other error ends the app."""
        error = event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            return
        if isinstance(error, MemoryError):
            self.memory_guard.ran_out(error)
            return
        if not isinstance(error, RuntimeError) or "start new thread" not in str(error):
            self._handle_exception(WorkerFailed(error))
        elif event.worker.group == "iteration":
            self.state.fail_to_compute(NO_THREAD)
        else:
            self.fail(f"{NO_THREAD[:1].upper()}{NO_THREAD[1:]}")

    @on(SlowLine)
    def _slow_line(self) -> None:
        """Draw less from now on."""
        self.render_context = replace(self.render_context, sparse=True)
        for canvas in self.query(Canvas):
            canvas.use(self.render_context)
        self.say("slow line: less is drawn (--no-sparse draws everything)")

    @on(Applied)
    def _applied(self, event: Applied) -> None:
        words = applied_words(self.state.session, event.session)
        self.state.go(event.session)
        if words:
            undo = self.render_context.key("undo")
            self.say(f"{words}; {undo} undoes it")
