"""Break it: a small network with a bug in its backward pass, to be found with the walk, check and blame."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from tui_backprop.session.state import Session
from tui_backprop.support.errors import FileError, reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.keeping import Keeping
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # numpy is imported after the first paint
    from tui_backprop.lesson.bug_hunt import Hunt, Instrument
    from tui_backprop.lesson.hunting import Hunting
    from tui_backprop.tui.screens.hunt import HuntScreen, Wish
    from tui_backprop.tui.screens.text_report import ReportScreen

TOLD = 8.0  # seconds that the keys are named


def _save(hunt: Hunt) -> None:
    from tui_backprop.lesson.hunt_progress import save

    save(hunt)


class BreakIt:
    """Show a network with a bug, note which instruments are used, and judge what is named."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state
        self._hunting: Hunting | None = None
        self._before: Session | None = None  # the learner's own session
        self._since: float | None = None  # when the clock was read last; None while it stands
        self._keeping = Keeping(app, "search for the bug", _save)

    # --- actions -----------------------------------------------------------------------------------------------

    def action_break_it(self) -> None:
        """Begin with a bug, or name the one that is shown."""
        if self._hunting is None:
            self._hunting = self._resumed()
        self._to_bug(self._hunting)
        self._open()

    def _resumed(self) -> Hunting:
        from tui_backprop.lesson.bug_hunt import Hunt
        from tui_backprop.lesson.hunt_progress import SEEDS, last
        from tui_backprop.lesson.hunting import Hunting

        try:
            hunt = last()
        except FileError as error:
            self._app.warn(f"{error.message[:1].upper()}{error.message[1:]}.")
            hunt = None
        if hunt is None:
            return Hunting(Hunt(0))
        return Hunting(Hunt((hunt.seed + 1) % SEEDS) if hunt.over else hunt)

    def _to_bug(self, hunting: Hunting) -> None:
        """Go to the session with the bug, unless it is on the screen."""
        wrong, session = hunting.hunt.bug.wrong_session, self._state.session
        if session.network == wrong.network:
            return
        if not session.network.has_planted_bug:
            self._before = session
        self._state.go(wrong)
        self._app.to_panel("walk")

    def _open(self) -> None:
        from tui_backprop.tui.screens.hunt import HuntScreen

        assert self._hunting is not None
        self._tick()
        screen = HuntScreen(self._hunting, lambda after: self._keep(after, screen), self._app.render_context)
        self._app.open_dialog(screen, self._closed)

    def _keep(self, hunting: Hunting, screen: HuntScreen | None = None) -> None:
        """Take the next state of the search, save it, and show it."""
        self._hunting = hunting
        self._tick()
        self._keeping.keep(self._hunting.hunt)
        if screen is not None:
            screen.show(self._hunting)

    def _closed(self, wish: Wish | None) -> None:
        if wish == "check":
            self._check()
        elif wish == "next":
            self._hunting = None if self._hunting is None else self._next(self._hunting)
            self.action_break_it()
        elif wish == "leave":
            self._hunting = None
            self._state.go(self._before or Session())
            self._app.say(self._app.render_context.words("{break_it} goes on with the bugs"))
        else:
            words = "look for the bug in the walk and in blame ({panel('blame')}); {break_it} names it"
            self._app.say(self._app.render_context.words(words), TOLD)

    def _next(self, hunting: Hunting) -> Hunting:
        from tui_backprop.lesson.bug_hunt import Hunt
        from tui_backprop.lesson.hunt_progress import SEEDS
        from tui_backprop.lesson.hunting import Hunting

        return Hunting(Hunt((hunting.hunt.seed + 1) % SEEDS))

    def close(self) -> None:
        """Save what is not saved yet."""
        self._keeping.close()

    # --- instruments -------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Note the instruments that are used, and let the clock run while the bug is on the screen."""
        if self._hunting is None:
            return
        session = self._state.session
        if not session.network.has_planted_bug:
            self._since = None
            return
        if self._since is None:
            self._since = monotonic()
        if session.walk.step:
            self._use("walk")

    def opening(self, panel: str) -> None:
        """Note that a panel is opened, if it is an instrument."""
        from tui_backprop.lesson.bug_hunt import OPENED

        if self._hunting is None or not self._state.session.network.has_planted_bug:
            return
        for instrument in OPENED:
            if instrument == panel:
                self._use(instrument)

    def _use(self, instrument: Instrument) -> None:
        assert self._hunting is not None
        hunt = self._hunting.hunt.using(instrument)
        if hunt != self._hunting.hunt:
            self._keep(self._hunting.having(hunt))

    def _tick(self) -> None:
        """Add the time since the clock was read last."""
        now = monotonic()
        if self._hunting is not None and self._since is not None:
            self._hunting = replace(self._hunting, hunt=self._hunting.hunt.after(now - self._since))
        self._since = now

    def _check(self) -> None:
        """Check the backward pass, and show the report."""
        from tui_backprop.tui.screens.text_report import ReportScreen

        self._use("check")
        screen = ReportScreen(
            "check", "comparing backprop with central differences …", self._app.render_context
        )
        self._app.open_dialog(screen, lambda _: self._open())
        self._app.in_thread("hunt", self._compare, screen)

    def _compare(self, screen: ReportScreen) -> None:
        from tui_backprop.engine.gradients.check.compare import compare
        from tui_backprop.report.check import check_text

        try:
            assert self._hunting is not None
            bug = self._hunting.hunt.bug
            report = replace(compare(bug.problem), operations=0, faults=())  # which name the layer
            text = partial(check_text, bug.wrong_session, report, self._app.render_context)
        except Exception as error:  # any error is reported in one line
            self._app.call_from_thread(self._app.fail, f"Could not check this: {reason_of(error)}")
            self._app.call_from_thread(screen.dismiss)
        else:
            self._app.call_from_thread(screen.fill, lambda columns: text(columns))
