"""The clock of the cost panel: what passes take on this machine, measured in a worker."""

from __future__ import annotations

from functools import partial

from textual import on, work
from textual.timer import Timer

from tui_backprop import session as moves
from tui_backprop.cost.model import Machine
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.ui.base import Base
from tui_backprop.ui.messages import CursorMoved
from tui_backprop.ui.moment import Costs
from tui_backprop.ui.widgets.cost import CostView

LOOK_AGAIN = 2.0  # seconds without a key after which the first, short measurement is followed by a longer one


class Clock(Base):
    """The part of the app that knows how long things take."""

    machine: Machine | None = None
    _measured: NetworkSpec | None = None  # the network that the machine was measured with
    _look: Timer | None = None

    def measure_once(self, network: NetworkSpec) -> None:
        """Have the machine measured with a network, unless it was."""
        if self._measured != network and not self._computing:
            self._measured = network
            self._measure(network, glance=True)

    @work(thread=True, group="measure")
    def _measure(self, network: NetworkSpec, glance: bool) -> None:
        from tui_backprop.cost.measure import GLANCE, LOOK, measure_machine
        from tui_backprop.ui.renderables import chart  # noqa: F401  (so that drawing finds plotext loaded)

        self.call_from_thread(
            self._timed, measure_machine(network, GLANCE if glance else LOOK), network, glance
        )

    def _timed(self, machine: Machine, network: NetworkSpec, glance: bool) -> None:
        """Show what a measurement found; after a glance, look longer when the start is over."""
        if network == self._measured:
            self.machine = machine
            self.show_costs()
            if glance:
                self._look = self.set_timer(LOOK_AGAIN, partial(self._look_again, network))

    def _look_again(self, network: NetworkSpec) -> None:
        self._look = None
        self._measure(network, glance=False)

    def show_costs(self) -> None:
        now = self.session
        self.query_one(CostView).show(Costs(now.network, self.machine, now.decade, now.lesson_clock))

    def put_off_measuring(self) -> None:
        """A longer measurement would make keys wait: it comes when none are pressed."""
        if self._look:
            self._look.reset()

    def action_clock(self) -> None:
        self.go(moves.other_clock(self.session))

    @on(CursorMoved)
    def _cursor_moved(self, event: CursorMoved) -> None:
        self.go(moves.read_cost_at(self.session, event.decade))
