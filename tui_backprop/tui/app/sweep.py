"""The sweep, which measures networks of every size in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_backprop.render.view_state import Activity
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.polling import Polling
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # these load numpy
    from tui_backprop.cost.measure.sweep import Progress
    from tui_backprop.cost.model.cost_model import CostModel
    from tui_backprop.cost.race.subprocess_generator import SubprocessGenerator


class SweepControl:
    """Start and stop a sweep, whose measurements are added to those ``known`` when it starts. What it finds is passed
    to ``measured``; ``changed`` is called when there is progress to show."""

    def __init__(
        self,
        app: AppContext,
        state: AppState,
        known: Callable[[], CostModel | None],
        measured: Callable[[CostModel], None],
        changed: Callable[[], None],
    ) -> None:
        self.progress: Progress | None = None
        self._app, self._state = app, state
        self._known, self._measured, self._changed = known, measured, changed
        self._process: SubprocessGenerator | None = None
        self._polling = Polling(app, self._look)

    @property
    def running(self) -> bool:
        """Return True while networks are measured."""
        return self._process is not None

    @property
    def activity(self) -> Activity | None:
        """The sweep, while it runs."""
        if self._process is None:
            return None
        found = self.progress
        return Activity("sweep", f"{found.done}/{found.of}" if found else "0%", "cost")

    def action_sweep(self) -> None:
        """Measure networks of every size; or stop."""
        if self._process is not None:
            self._end("stopped")
            return
        from tui_backprop.cost.model.network_shape import shape_of

        if not shape_of(self._state.session.network).grows:
            self._app.fail(f"No sweep: this {self._state.session.network.noun} has no larger ones to measure")
            return
        from tui_backprop.cost.measure.sweep import sweep_onto
        from tui_backprop.cost.race.subprocess_generator import SubprocessGenerator

        try:
            process = SubprocessGenerator(sweep_onto, self._state.session.network, self._known())
        except OSError as error:
            self._app.fail(f"No sweep: {error}")
            return
        self._process, self.progress = process, None
        self._polling.start()
        self._changed()

    def _look(self) -> bool:
        """Show what was measured since the last poll."""
        if self._process is None:
            return False
        for progress in self._process.received():
            self.progress = progress
            if progress.cost_model.points:
                self._measured(progress.cost_model)
        if self._process.over:
            why, found = self._process.why, self.progress
            if found is not None and found.cost_model.points and not why:
                self._app.in_thread("store", self._store, found.cost_model)
            if why:
                self._app.fail(f"The sweep ended early: {why}")
            self._end(why)
        self._changed()
        return self.running

    def _store(self, cost_model: CostModel) -> None:
        from tui_backprop.cost.measure import cache

        cache.store(cost_model)

    def _end(self, why: str) -> None:
        self.close()
        if why and self.progress is not None:
            self.progress = replace(self.progress, now=None, ended=why)
        self._changed()

    def close(self) -> None:
        """End the process of the sweep."""
        if self._process is not None:
            self._process.close()
            self._process = None
