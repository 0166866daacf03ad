"""The cost lab: the time of passes on this machine, and the keys of the cost chart.

The first measurements are short and made in a worker; a sweep and a race keep a core busy for a while, and have
processes of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui_backprop.engine.network.model import Model
from tui_backprop.keys.panel_table import COST_PAGES
from tui_backprop.render.cost_state import CostState
from tui_backprop.session import transitions
from tui_backprop.session.session_parts import LESSON_STEP_INDEX
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.calm import Calm
from tui_backprop.tui.app.race import RaceControl
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.app.sweep import SweepControl
from tui_backprop.tui.panels.cost_page import CostPage
from tui_backprop.tui.widgets.summary import Summary

if TYPE_CHECKING:  # these load numpy
    from tui_backprop.cost.model.cost_model import CostModel

LOOK_AGAIN = 2.0  # seconds without a key after which the first, short measurement is followed by a longer one
MEASUREMENT = "measurement"  # its name in the budget
LEAST_MEMORY, MOST_MEMORY = 32 * 2**20, 128 * 2**20  # bytes that it may use, whatever the budget
TRIES = 4  # longer measurements: of all passes, then of those that were disturbed
NUDGE = 0.25  # decades that a key moves the cursor
DECADES = 3.0, 12.0  # range of the cursor


class CostLab:
    """Measure costs, and show them."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self.cost_model: CostModel | None = None
        self.race = RaceControl(app, state, self.show, lambda: self.cost_model)
        self.sweep = SweepControl(app, state, self._swept_onto, self._add, self.show)
        self._swept: CostModel | None = None  # known to the sweep, or found by it; nothing was measured since
        self._app, self._state, self._calm = app, state, Calm()
        self._measured: Model | None = None  # the network that the machine was measured with
        self._measuring = False
        self._tries = TRIES  # measurements of it that may still follow the first
        self._timer: Timer | None = None  # for the next one

    def close(self) -> None:
        """End all processes: none outlives the app."""
        self._calm.end()
        self.race.close()
        self.sweep.close()

    def show(self) -> None:
        """Pass the known costs to the pages of the cost panel."""
        now = self._state.session
        costs = CostState(
            now.network,
            self.cost_model,
            now.cost.decade,
            now.cost.lesson_clock,
            now.cost.axis,
            now.cost.zoom,
            self.sweep.progress,
            self.race.shown,
        )
        if isinstance(summary := self._app.view("summary"), Summary):
            summary.tell(costs=costs)
        for name in COST_PAGES:
            view = self._app.view(name)
            if isinstance(view, CostPage):
                view.cost(costs)
        self._app.show_activities()

    # --- measuring -----------------------------------------------------------------------------------------

    def measure_once(self) -> None:
        """Have the machine measured with the current network, unless it was."""
        network = self._state.session.network
        if self._measured != network and not self._state.computing and not self._measuring:
            self._measured, self._tries = network, TRIES
            if self._timer is not None:
                self._timer.stop()
            self._begin(partial(self._measure, network, glance=True))

    def action_measure_again(self) -> None:
        """Measure all passes of the current network again now, and then those of others that were disturbed."""
        network = self._state.session.network
        if self.sweep.running or self.race.running:
            self._app.fail("Not measured: a sweep or a race keeps the machine busy")
        elif self.cost_model is not None and self._measured == network and not self._measuring:
            if self._timer is not None:
                self._timer.stop()
            self._tries = TRIES - 1
            self._begin(partial(self._measure, network, glance=False))

    def _begin(self, work: Callable[[], None]) -> None:
        """Measure in a worker: one network at a time, since measurements disturb each other."""
        self._measuring = True
        self._app.in_thread("measure", work)

    def _measure(self, network: Model, glance: bool) -> None:
        from tui_backprop.cost.measure import cache
        from tui_backprop.cost.measure import passes as measure
        from tui_backprop.render.cost import chart  # noqa: F401  (so that drawing finds plotext imported)

        half = self._state.budget.limit // 2
        most = LEAST_MEMORY if glance else max(min(half, MOST_MEMORY), LEAST_MEMORY)

        def measured() -> CostModel:
            seconds = measure.GLANCE if glance else measure.LOOK
            known = cache.load()
            return measure.measure_machine(network, seconds, known, watch=self._between_networks, most=most)

        self._within(most, network, measured)

    def _between_networks(self, done: int, of: int) -> None:
        """Wait while keys come, once there is a measurement to show."""
        if self.cost_model is not None:
            self._calm.wait()

    def _repeat(self, network: Model, cost_model: CostModel) -> None:
        """Measure the disturbed passes again, once."""
        from tui_backprop.cost.measure import passes as measure
        from tui_backprop.cost.measure.again import disturbed, with_points

        def repeated() -> CostModel:
            found = cost_model
            for spec, kinds in disturbed(cost_model).items():
                self._calm.wait()
                if spec.parameters <= measure.SMALL:
                    found = with_points(found, measure.measure(spec, measure.LOOK, kinds))
            return found

        self._within(LEAST_MEMORY, network, repeated)

    def _within(self, most: int, network: Model, measured: Callable[[], CostModel]) -> None:
        """Measure within the budget of memory, and pass on what was found."""
        found = None
        try:
            with self._state.budget.using(MEASUREMENT, most):
                found = measured()
        except MemoryError as error:
            why = f"Could not measure this machine: {reason_of(error)}"
            self._app.call_from_thread(self._app.fail, why)
        self._app.call_from_thread(self._arrived, found, network)

    def _arrived(self, cost_model: CostModel | None, network: Model) -> None:
        """Show a measurement. The first, short one is followed by a longer one, and then, as often as there are tries
        left, by those that were disturbed."""
        from tui_backprop.cost.measure.again import disturbed

        self._measuring = False
        if network != self._state.session.network:
            self.measure_once()
        elif cost_model is not None:
            self.cost_model = cost_model
            self.show()
            if self._tries == TRIES or (self._tries and disturbed(cost_model)):
                self._timer = self._app.set_timer(LOOK_AGAIN, partial(self._look_again, network))

    def _look_again(self, network: Model) -> None:
        self._timer = None
        busy = self.sweep.running or self.race.running or self._measuring
        if busy or network != self._measured or self.cost_model is None:
            return
        first, self._tries = self._tries == TRIES, self._tries - 1
        if first:
            self._begin(partial(self._measure, network, glance=False))
        else:
            self._begin(partial(self._repeat, network, self.cost_model))

    def postpone(self) -> None:
        """Postpone measurements, which would delay keys, until no more are pressed: one that runs goes on then with
        its next network."""
        self._calm.disturb()
        if self._timer:
            self._timer.reset()

    def _swept_onto(self) -> CostModel | None:
        """Return what is known when a sweep starts."""
        self._swept = self.cost_model
        return self.cost_model

    def _add(self, found: CostModel) -> None:
        """Take what a sweep found, prepared for the screen; or add it to what was measured since the sweep began."""
        from tui_backprop.cost.measure.again import with_points

        known = self.cost_model
        if known is self._swept:
            self.cost_model = self._swept = found
        else:
            self.cost_model = with_points(replace(known, probe=found.probe), found.points) if known else found
            self._swept = None

    # --- the chart's keys ----------------------------------------------------------------------------------

    def action_clock(self) -> None:
        self._state.go(transitions.toggle_clock(self._state.session))

    @property
    def _decade(self) -> float:
        """The position of the cursor: log10 of a parameter count."""
        now = self._state.session
        return math.log10(now.network.parameters) if now.cost.decade is None else now.cost.decade

    def _read_at(self, decade: float | None) -> None:
        self._state.go(transitions.set_decade(self._state.session, decade))

    def action_cursor(self, direction: int) -> None:
        """Move by a quarter of a decade; 0: to the current network."""
        to = round(self._decade / NUDGE + direction * 0.5001) * NUDGE
        self._read_at(min(max(to, DECADES[0]), DECADES[1]) if direction else None)

    def action_known_network(self, direction: int) -> None:
        """Move to the next larger known network, or the next smaller one."""
        from tui_backprop.cost.model.landmarks import KNOWN

        sizes = [math.log10(parameters) for _, parameters in KNOWN][::direction]
        to = next((size for size in sizes if direction * (size - self._decade) > 1e-9), None)
        if to is not None:
            self._read_at(to)

    def action_axis(self) -> None:
        self._state.go(transitions.next_axis(self._state.session))

    def action_zoom_chart(self, direction: int) -> None:
        self._state.go(transitions.zoom_chart(self._state.session, direction))

    # --- the step size -------------------------------------------------------------------------------------

    def action_change_step(self, by: int) -> None:
        """Choose a smaller step size (+) or a larger one (-); 0: the lesson's."""
        session = self._state.session
        self._state.go(
            transitions.change_step_index(session, by or LESSON_STEP_INDEX - session.cost.step_index)
        )

    def action_precision(self) -> None:
        self._state.go(transitions.toggle_precision(self._state.session))
