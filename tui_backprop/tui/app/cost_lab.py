"""The cost lab: the time of passes on this machine, and the keys of the cost chart.

The first measurements are short and made in a worker; a sweep and a race keep a core busy for a while, and have
processes of their own."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.keys.panel_table import COST_PAGES
from tui_backprop.render.view_state import CostState
from tui_backprop.session import transitions
from tui_backprop.session.session_parts import LESSON_STEP_INDEX
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.race import RaceControl
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.app.sweep import SweepControl
from tui_backprop.tui.panels.cost_page import CostPage
from tui_backprop.tui.widgets.summary import Summary

if TYPE_CHECKING:  # these load numpy
    from tui_backprop.cost.model.cost_model import CostModel

LOOK_AGAIN = 2.0  # seconds without a key after which the first, short measurement is followed by a longer one
MEASUREMENT, LEAST_MEMORY = "measurement", 32 * 2**20  # its name in the budget; bytes that it uses at least
NUDGE = 0.25  # decades that a key moves the cursor
DECADES = 3.0, 12.0  # range of the cursor


class CostLab:
    """Measure costs, and show them."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self.cost_model: CostModel | None = None
        self.race = RaceControl(app, state, self.show)
        self.sweep = SweepControl(app, state, self._add, self.show)
        self._app, self._state = app, state
        self._measured: NetworkSpec | None = None  # the network that the machine was measured with
        self._measuring = False
        self._timer: Timer | None = None  # for the longer measurement

    def close(self) -> None:
        """End all processes: none outlives the app."""
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
            self._measured = network
            if self._timer is not None:
                self._timer.stop()
            self._begin(network, glance=True)

    def _begin(self, network: NetworkSpec, *, glance: bool) -> None:
        """Measure in a worker: one network at a time, since measurements disturb each other."""
        self._measuring = True
        self._app.in_thread("measure", self._measure, network, glance)

    def _measure(self, network: NetworkSpec, glance: bool) -> None:
        from tui_backprop.cost.measure import cache
        from tui_backprop.cost.measure import passes as measure
        from tui_backprop.render.cost import chart  # noqa: F401  (so that drawing finds plotext imported)

        found, budget = None, self._state.budget
        most = min(measure.most_memory(glance), max(budget.limit // 2, LEAST_MEMORY))
        using = max(most, LEAST_MEMORY)
        try:
            with budget.using(MEASUREMENT, using):
                seconds = measure.GLANCE if glance else measure.LOOK
                found = measure.measure_machine(network, seconds, cache.load(), most=most)
        except MemoryError as error:
            why = f"Could not measure this machine: {reason_of(error)}"
            self._app.call_from_thread(self._app.fail, why)
        self._app.call_from_thread(self._arrived, found, network, glance)

    def _arrived(self, cost_model: CostModel | None, network: NetworkSpec, glance: bool) -> None:
        """Show a measurement; after a short one, schedule a longer one."""
        self._measuring = False
        if network != self._state.session.network:
            self.measure_once()
        elif cost_model is not None:
            self.cost_model = cost_model
            self.show()
            if glance:
                self._timer = self._app.set_timer(LOOK_AGAIN, partial(self._look_again, network))

    def _look_again(self, network: NetworkSpec) -> None:
        self._timer = None
        if not self.sweep.running and not self.race.running and not self._measuring:
            self._begin(network, glance=False)

    def postpone(self) -> None:
        """Postpone the longer measurement, which would delay keys, until no more are pressed."""
        if self._timer:
            self._timer.reset()

    def _add(self, found: CostModel) -> None:
        """Add the measurements of a sweep."""
        from tui_backprop.cost.measure.sweep import with_points

        self.cost_model = with_points(self.cost_model, found) if self.cost_model else found

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
