"""The lesson beside the live app: one step at a time, and whether the check has seen its action done.

Nothing goes on by itself. Chapters and figures are loaded and computed in workers, after the first paint.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App

from tui_backprop.session.state import Session
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.lesson_progress import KeptProgress
from tui_backprop.tui.app.panel_focus import ZOOMED
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.widgets.lesson import LessonStrip

if TYPE_CHECKING:  # imported only if there is a lesson: a start without one does not wait for it
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.lesson.attempt import Attempt, Place
    from tui_backprop.lesson.progress import Progress
    from tui_backprop.render.panels.lesson import Text

OPEN = "lesson-open"  # class of the screen while the lesson is shown
LOADING, CHECKING = "lesson", "lesson-check"  # worker groups
NOTICE = 5.0  # seconds that it is said that the state is another one


class Lesson:
    """Show the lesson, and follow what is done in the app. ``first`` is the number of the step to begin with, where
    one was asked for."""

    def __init__(self, app: AppContext, screen: App[None], state: AppState, first: str = "") -> None:
        self._app, self._screen, self._state, self._first = app, screen, state, first
        self._strip: LessonStrip | None = None
        self._progress = KeptProgress(app)
        self._attempt: Attempt | None = None
        self._text: tuple[Text, ...] = ()  # of the step, with its figures
        self._due: Callable[[], object] | None = None  # what is done as soon as the chapters are loaded
        self._measuring = False
        self._asked: Session | None = None  # the session that the check has looked at last

    @property
    def attempt(self) -> Attempt | None:
        """The step that the learner is at."""
        return self._attempt

    @property
    def shown(self) -> bool:
        """True while the lesson is on the screen."""
        first = self._screen.screen_stack[:1]
        return any(screen.has_class(OPEN) and not screen.has_class(ZOOMED) for screen in first)

    @property
    def waits(self) -> bool:
        """True while a lesson that is shown has not begun: the next key may already be for its first step."""
        return self.shown and not self._progress.loaded

    def drop_waiting(self) -> None:
        """Forget nothing: what waits is the lesson itself."""

    def strip(self) -> LessonStrip:
        """Return the strip, which is filled when the lesson has begun."""
        self._strip = LessonStrip(self._app.render_context)
        self._screen.screen_stack[0].add_class(OPEN)
        return self._strip

    def begin(self) -> None:
        """Load the chapters and the progress, if the lesson is shown."""
        if self.shown and not self._progress.loaded:
            self._app.in_thread(LOADING, self._load)

    def _load(self) -> None:
        from tui_backprop.lesson.attempt import place_numbered, place_of, places
        from tui_backprop.tui.app.first_run import lesson_seen

        lesson_seen()
        progress, trouble = self._progress.load()
        asked = place_numbered(self._first) if self._first else None
        place = asked or place_of(progress.at) or next(places())
        self._app.call_from_thread(self._loaded, progress, place, trouble)

    def _loaded(self, progress: Progress, place: Place, trouble: str) -> None:
        self._progress.begin(progress, trouble)
        self._begin_step(place)
        due, self._due = self._due, None
        if due is not None:
            due()

    # --- actions -----------------------------------------------------------------------------------------------

    def action_lesson(self) -> None:
        """Show the lesson at the step that it was left at, or hide it."""
        self._show(not self.shown)

    def action_lesson_step(self, by: int) -> None:
        """Turn to the next page of the step, or go to the next step (1); or back (-1). Show the lesson first, if it
        is hidden."""
        if not self.shown:
            self._show(True)
        elif self._attempt is not None and self._strip is not None and not self._strip.turn(by):
            self._go_beside(self._attempt, by)

    def action_chapters(self) -> None:
        """List the chapters, and go to the one that is chosen."""
        if not self._progress.loaded:
            self._load_for(self.action_chapters)
            return
        from tui_backprop.tui.screens.chapters import ChaptersScreen

        self._app.open_dialog(
            ChaptersScreen(self._progress.now, self._progress.keep, self._app.render_context), self._chosen
        )

    def open_chapter(self, number: int) -> None:
        """Go to the first step of a chapter that is not done."""
        if not self._progress.loaded:
            self._load_for(partial(self.open_chapter, number))
            return
        from tui_backprop.lesson.attempt import first_open
        from tui_backprop.lesson.chapter import chapters

        self.open(first_open(chapters()[number], self._progress.now))

    def _load_for(self, then: Callable[[], object]) -> None:
        self._due = then
        self._show(True)

    def _chosen(self, place: Place | None) -> None:
        if place is not None:
            self.open(place)

    # --- showing and hiding ------------------------------------------------------------------------------------

    def _show(self, shown: bool) -> None:
        first = self._screen.screen_stack[0]
        if self._strip is None and shown:
            first.query_one("#panels").mount(self.strip())
        first.set_class(shown, OPEN)
        first.set_class(first.has_class(ZOOMED) and not shown, ZOOMED)
        if not self._progress.loaded:
            self.begin()
        else:
            self._progress.keep(self._progress.now.hiding(not shown))
        if not shown:
            self._app.say(f"{self._app.render_context.key('lesson')} shows the lesson again")
        self._app.call_after_refresh(self._app.refresh_panels)

    # --- from step to step -------------------------------------------------------------------------------------

    def open(self, place: Place) -> None:
        """Go to a step of the lesson, and to the state that it starts from."""
        if not self.shown:
            self._show(True)
        self._start(place)

    def _go_beside(self, attempt: Attempt, by: int) -> None:
        """Go to the next step, or to the previous one; what is not done is skipped."""
        from tui_backprop.lesson.attempt import beside, leave

        if by > 0:
            self._progress.keep(leave(self._progress.now, attempt))
        place = beside(attempt.place, by)
        if place is None:
            chapters = self._app.render_context.key("chapters")
            self._app.say(f"the lesson {'ends' if by > 0 else 'begins'} here; {chapters} lists the chapters")
            self._show_step()
        elif (place if by > 0 else attempt.place).opens:
            self._start(place)
        else:
            self._begin_step(place)

    def _start(self, place: Place) -> None:
        """Set the state that a step starts from, then begin the step; undo returns."""
        start = place.step.start.session
        if self._state.placed == start:
            self._begin_step(place)
            return
        self._attempt = None  # what follows is not done for the step before
        self._state.go(start)
        self._app.to_panel(start.panel)
        undo = self._app.render_context.key("undo")
        self._app.say(f"chapter {place.chapter.number} starts from its own network; {undo} undoes it", NOTICE)
        self._app.call_soon(self._begin_step, place)

    def _begin_step(self, place: Place) -> None:
        """Begin a step in the session as it is."""
        from tui_backprop.lesson.attempt import Attempt

        self._attempt, self._text, self._asked = Attempt(place, self._state.placed), (), None
        self._progress.keep(self._progress.now.going_to(place.id))
        self._app.in_thread(LOADING, self._fill, self._attempt, self._iteration_of(self._attempt.subject))
        self.follow()

    def _iteration_of(self, session: Session) -> Iteration | None:
        """Return the iteration of a session, if it is the one on the screen."""
        snapshot = self._state.snapshot
        known = snapshot is not None and snapshot.session.pass_key == session.pass_key
        return snapshot.iteration if snapshot is not None and known else None

    def _fill(self, attempt: Attempt, iteration: Iteration | None) -> None:
        """Put the figures into the words of a step, in a worker."""
        from tui_backprop.lesson.figures import fill

        session, step = attempt.subject, attempt.place.step
        text = tuple((each.kind, fill(each.text, session, iteration)) for each in step.paragraphs)
        action = fill(step.action, session, iteration)
        self._app.call_from_thread(self._filled, attempt.place, (*text, ("words", action)))

    def _filled(self, place: Place, text: tuple[Text, ...]) -> None:
        if self._attempt is not None and self._attempt.place == place:
            self._text = text
            self._show_step()

    # --- following what is done --------------------------------------------------------------------------------

    def follow(self) -> None:
        """Look if the action of the step was done, and show how it stands."""
        if self._attempt is None:
            return
        now = self._state.placed
        if now != self._asked:
            self._ask(self._attempt, now)
        self._show_step()

    def _ask(self, attempt: Attempt, now: Session) -> None:
        if self._measuring:
            return  # asked when that has an answer
        self._asked = now
        if not attempt.may_be_met(now):
            return
        if attempt.measures:
            self._measuring = True
            self._app.in_thread(CHECKING, self._measure, attempt, now)
        else:
            self._met(attempt, now)

    def _measure(self, attempt: Attempt, now: Session) -> None:
        met = False
        try:
            met = attempt.seen(now, self._state.replay)
        finally:
            self._app.call_from_thread(self._measured, attempt, now, met)

    def _measured(self, attempt: Attempt, now: Session, met: bool) -> None:
        self._measuring = False
        if attempt == self._attempt and met:
            self._met(attempt, now)
        self.follow()

    def _met(self, attempt: Attempt, now: Session) -> None:
        self._attempt = attempt.having_met(now)
        self._progress.keep(self._progress.now.with_done(attempt.place.id))
        self._show_step()

    def _show_step(self) -> None:
        if self._strip is None or self._attempt is None or not self._text:
            return
        from tui_backprop.render.panels.lesson import view_of

        *text, (_, action) = self._text
        self._strip.show(view_of(self._attempt, self._progress.now, tuple(text), action, self._state.placed))

    def close(self) -> None:
        """Save what is not saved yet."""
        self._progress.close()
