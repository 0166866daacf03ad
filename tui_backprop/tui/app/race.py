"""The race of a numerical method against backpropagation, which runs in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_backprop.engine.training.memory import check_check_memory
from tui_backprop.render.cost_state import RaceGradients, ShownRace
from tui_backprop.render.view_state import Activity, Snapshot, share
from tui_backprop.session import transitions
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError, reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.polling import Polling
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # these load numpy
    from tui_backprop.cost.model.cost_model import CostModel
    from tui_backprop.cost.race.race import Race, RaceStatus

RACE = "race"  # its name in the budget


class RaceControl:
    """Start, pause and cancel a race; ``changed`` is called when its status changes, ``costs`` returns what is
    known of what passes cost."""

    def __init__(
        self,
        app: AppContext,
        state: AppState,
        changed: Callable[[], None],
        costs: Callable[[], CostModel | None],
    ) -> None:
        self.status: RaceStatus | None = None
        self._app, self._state, self._changed = app, state, changed
        self._costs = costs
        self._costs_then: CostModel | None = None  # known when the race started
        self._race: Race | None = None
        self._gradients: RaceGradients | None = None
        self._raced: Session | None = None  # the session whose gradient it computes
        self._polling = Polling(app, self._look)

    @property
    def running(self) -> bool:
        """Return True while a race runs or is paused."""
        return self.status is not None and self.status.going

    @property
    def activity(self) -> Activity | None:
        """The race, while it runs or is paused."""
        if self.status is None or not self.status.going:
            return None
        state = "paused" if self.status.state == "paused" else "running"
        return Activity(
            "race", share(self.status.evaluations, self.status.of), "race", state, bool(self.stale)
        )

    @property
    def stale(self) -> tuple[str, ...]:
        """Name what has changed, if the race is about another gradient than that of the current session."""
        return self._state.session.gradient_changes(self._raced) if self._raced else ()

    @property
    def shown(self) -> ShownRace | None:
        """The race, if it runs, or has ended and is about the current network."""
        if self.status is None or self._raced is None:
            return None
        if not self.running and self._raced.network != self._state.session.network:
            return None
        return ShownRace(self.status, self._raced, self._gradients, self.stale, self._costs_then)

    # --- actions ---------------------------------------------------------------------------------------------

    def action_race_method(self) -> None:
        """Choose the next numerical method, while no race runs."""
        from tui_backprop.cost.race.race import RACE_METHODS

        if not self.running:
            self.status = None
            self._state.go(transitions.next_race_method(self._state.session, RACE_METHODS))
            self._changed()

    def action_race(self) -> None:
        """Start, pause or resume the race."""
        if self._race is not None and self.status is not None and self.status.going:
            if self.status.state == "paused":
                self._race.resume()
            else:
                self._race.pause()
            self._update()
        else:
            self._state.move(self._start, numbers=True)

    def action_cancel_race(self) -> None:
        if self._race is not None and self.running:
            self._race.cancel()
            self._update()

    # --- the process -----------------------------------------------------------------------------------------

    def _start(self, session: Session, snapshot: Snapshot) -> Session:
        from tui_backprop.cost.race.race import Race
        from tui_backprop.engine.gradients.methods import Problem

        try:
            check_check_memory(session.network, session.batch, every=True)
        except UserError as error:
            self._app.fail(f"No race: {error.message}")
            return session
        iteration = snapshot.iteration
        self.close()
        problem = Problem(
            iteration.spec,
            *iteration.data,
            iteration.program.parameters,
            iteration.before.t,
        )
        try:
            self._race = Race(problem, session.cost.method, exact=iteration.program.gradient)
        except MemoryError as error:
            self._app.fail(f"No race: {reason_of(error)}")
            return session
        self._state.budget.use(RACE, self._race.bytes)
        self._raced, self._gradients, self._costs_then = session, None, self._costs()
        self._race.start()
        self._state.keep()  # a session that is resumed later shows the race again
        self._update()
        self._polling.start()
        return session

    def _look(self) -> bool:
        running = self.running
        try:
            if running:
                self._update()
        except MemoryError as error:
            self.close()
            self.status = None
            self._app.fail(f"The race ended early: {reason_of(error)}")
            self._changed()
        return self.running and running

    def _update(self) -> None:
        """Show the status."""
        if self._race is None:
            return
        from tui_backprop.render.cost.race import race_gradients

        self.status = self._race.status()
        view = self._app.view("race")
        # While the page is hidden, only the result matters: it is shown later.
        if (view is not None and view.size) or not self.running:
            self._gradients = race_gradients(self._race, self.status.done)
        self._changed()

    def close(self) -> None:
        """End the process of the race."""
        if self._race is not None:
            self._race.close()
            self._race = self._gradients = None
            self._state.budget.use(RACE, 0)
