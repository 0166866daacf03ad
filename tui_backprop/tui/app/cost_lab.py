"""The cost lab: what passes take on this machine, the chart's cursor, the sweep and the race.

The first measurements are short, and made in a worker; a sweep and a race keep a core busy for a while, and have
processes of their own, which are asked several times a second how they stand.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import work
from textual.timer import Timer

from tui_backprop.cost.model.landmarks import KNOWN
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.training.memory import check_check_memory
from tui_backprop.render.view_state import CostState, Snapshot
from tui_backprop.session import transitions as moves
from tui_backprop.session.parts import LESSON_STEP_INDEX
from tui_backprop.session.state import COST_PAGES, Session
from tui_backprop.support.errors import UserError
from tui_backprop.tui.app.background import Answers
from tui_backprop.tui.panels.cost_page import CostPage

if TYPE_CHECKING:  # these load numpy
    from tui_backprop.cost.measure.sweep import Progress
    from tui_backprop.cost.model.cost_model import CostModel
    from tui_backprop.cost.race.race import Race, RaceStatus
    from tui_backprop.cost.race.subprocess_generator import SubprocessGenerator
    from tui_backprop.render.cost.race import Filling
    from tui_backprop.tui.panels.race import RaceView

LOOK_AGAIN = 2.0  # seconds without a key after which the first, short measurement is followed by a longer one
OFTEN, SELDOM = 0.25, 1.0  # seconds between looking at a race or a sweep; the latter on a slow line
NUDGE = 0.25  # decades that a key moves the cursor
DECADES = 3.0, 12.0


class Lab(Answers):
    """The part of the app that knows how long things take."""

    cost_model: CostModel | None = None
    _measured: NetworkSpec | None = None  # the network that the machine was measured with
    _look: Timer | None = None
    _watch: Timer | None = None
    _sweeping: SubprocessGenerator | None = None
    _progress: Progress | None = None
    _race: Race | None = None
    _standing: RaceStatus | None = None
    _raced: NetworkSpec | None = None

    # --- the clock ----------------------------------------------------------------------------------------

    def measure_once(self, network: NetworkSpec) -> None:
        """Have the machine measured with a network, unless it was."""
        if self._measured != network and not self._computing:
            self._measured = network
            self._measure(network, glance=True)

    @work(thread=True, group="measure")
    def _measure(self, network: NetworkSpec, glance: bool) -> None:
        from tui_backprop.cost.measure import cache
        from tui_backprop.cost.measure import passes as measure
        from tui_backprop.render.cost import chart  # noqa: F401  (so that drawing finds plotext loaded)

        budget = measure.GLANCE if glance else measure.LOOK
        found = measure.measure_machine(network, budget, cache.load())
        self.call_from_thread(self._timed, found, network, glance)

    def _timed(self, cost_model: CostModel, network: NetworkSpec, glance: bool) -> None:
        """Show what a measurement found; after a glance, look longer when the start is over."""
        if network == self._measured:
            self.cost_model = cost_model
            self.show_costs()
            if glance:
                self._look = self.set_timer(LOOK_AGAIN, partial(self._look_again, network))

    def _look_again(self, network: NetworkSpec) -> None:
        self._look = None
        if self._sweeping is None and not self.racing:
            self._measure(network, glance=False)

    def put_off_measuring(self) -> None:
        """A longer measurement would make keys wait: it comes when none are pressed."""
        if self._look:
            self._look.reset()

    def show_costs(self) -> None:
        now = self.session
        standing = self._standing if self._raced == now.network else None
        costs = CostState(
            now.network,
            self.cost_model,
            now.cost.decade,
            now.cost.lesson_clock,
            now.cost.axis,
            now.cost.zoom,
            self._progress,
            standing,
        )
        for name in COST_PAGES:
            view = self.view(name)
            if isinstance(view, CostPage):
                view.cost(costs)

    # --- the chart's keys ---------------------------------------------------------------------------------

    def action_clock(self) -> None:
        self.go(moves.toggle_clock(self.session))

    def action_cursor(self, direction: int) -> None:
        """The next quarter of a decade; 0: the network in hand."""
        now = self.session
        at = math.log10(now.network.parameters) if now.cost.decade is None else now.cost.decade
        to = round(at / NUDGE + direction * 0.5001) * NUDGE
        self.go(moves.set_decade(now, min(max(to, DECADES[0]), DECADES[1]) if direction else None))

    def action_known(self, direction: int) -> None:
        """The next larger known network, or the next smaller one."""
        now = self.session
        at = math.log10(now.network.parameters) if now.cost.decade is None else now.cost.decade
        sizes = [math.log10(parameters) for _, parameters in KNOWN][::direction]
        to = next((size for size in sizes if direction * (size - at) > 1e-9), None)
        if to is not None:
            self.go(moves.set_decade(now, to))

    def action_axis(self) -> None:
        self.go(moves.next_axis(self.session))

    def action_zoom_chart(self, direction: int) -> None:
        self.go(moves.zoom_chart(self.session, direction))

    def action_turn_dial(self, notches: int) -> None:
        by = notches or LESSON_STEP_INDEX - self.session.cost.step_index
        self.go(moves.change_step_index(self.session, by))

    def action_precision(self) -> None:
        self.go(moves.toggle_precision(self.session))

    # --- the sweep ----------------------------------------------------------------------------------------

    def action_sweep(self) -> None:
        """Measure networks of every size; or stop that."""
        if self._sweeping is not None:
            self._end_sweep("stopped")
            return
        from tui_backprop.cost.measure.sweep import sweep
        from tui_backprop.cost.race.subprocess_generator import SubprocessGenerator

        self._sweeping, self._progress = SubprocessGenerator(sweep, self.session.network), None
        self._look_often()

    def _sweep_on(self) -> None:
        """Show what the sweep has found since."""
        if self._sweeping is None:
            return
        from tui_backprop.cost.measure.sweep import with_points

        for progress in self._sweeping.received():
            self._progress = progress
            if progress.cost_model.points:
                self.cost_model = (
                    with_points(self.cost_model, progress.cost_model)
                    if self.cost_model
                    else progress.cost_model
                )
        if self._sweeping.over:
            why, found = self._sweeping.why, self._progress
            if found is not None and found.cost_model.points and not why:
                self._keep(found.cost_model)
            if why:
                self.notify(f"The sweep ended early: {why}", severity="error", markup=False)
            self._end_sweep(why)
        self.show_costs()

    def _end_sweep(self, why: str) -> None:
        from dataclasses import replace

        if self._sweeping is not None:
            self._sweeping.close()
            self._sweeping = None
        if why and self._progress is not None:
            self._progress = replace(self._progress, now=None, ended=why)
        self.show_costs()

    @work(thread=True, group="keep")
    def _keep(self, cost_model: CostModel) -> None:
        from tui_backprop.cost.measure import cache

        cache.store(cost_model)

    # --- the race -----------------------------------------------------------------------------------------

    @property
    def racing(self) -> bool:
        """Whether a race is on its way."""
        return self._standing is not None and self._standing.going

    def action_racer(self) -> None:
        """Another method, while none is on its way."""
        from tui_backprop.cost.race.race import RACERS

        if not self.racing:
            self._standing = None
            self.go(moves.next_race_method(self.session, RACERS))
            self.show_costs()

    def action_race(self) -> None:
        """Start it; pause it; go on."""
        standing = self._standing
        if self._race is not None and standing is not None and standing.going:
            if standing.state == "paused":
                self._race.resume()
            else:
                self._race.pause()
            self._race_on()
        else:
            self.move(self._start_race)

    def _start_race(self, session: Session, snapshot: Snapshot) -> Session:
        from tui_backprop.cost.race.race import Race
        from tui_backprop.engine.gradients.methods import Problem

        try:
            check_check_memory(session.network, session.batch, every=True)
        except UserError as error:
            self.notify(f"No race: {error.message}", severity="error", markup=False)
            return session
        iteration = snapshot.iteration
        if self._race is not None:
            self._race.close()
        problem = Problem(
            iteration.spec,
            iteration.tensor("x"),
            iteration.tensor("t"),
            iteration.program.parameters,
            iteration.before.t,
        )
        self._race = Race(problem, session.cost.method, exact=iteration.program.gradient)
        self._raced = session.network
        self._race.start()
        self.keep()  # whoever left something running wants to find it again
        self._race_on()
        self._look_often()
        return session

    def action_call_off(self) -> None:
        if self._race is not None and self.racing:
            self._race.cancel()
            self._race_on()

    def _race_on(self) -> None:
        """Show how the race stands."""
        if self._race is None:
            return
        self._standing = self._race.standing()
        view = self.view("race")
        # Out of sight only the end matters: it is what is seen later.
        if view is not None and (view.size or not self.racing):
            cast("RaceView", view).fill(self._filling())
        self.show_costs()

    def _filling(self) -> Filling | None:
        from tui_backprop.render.cost.race import filling

        race, standing = self._race, self._standing
        return filling(race, standing.done) if race is not None and standing is not None else None

    # --- both ---------------------------------------------------------------------------------------------

    def _look_often(self) -> None:
        if self._watch is None:
            self._watch = self.set_interval(SELDOM if self.render_context.sparse else OFTEN, self._watched)

    def _watched(self) -> None:
        going = self.racing
        if going:
            self._race_on()
        self._sweep_on()
        if not going and self._sweeping is None and self._watch is not None:
            self._watch.stop()
            self._watch = None

    def end_processes(self) -> None:
        """No process outlives the app."""
        if self._race is not None:
            self._race.close()
            self._race = None
        if self._sweeping is not None:
            self._sweeping.close()
            self._sweeping = None
