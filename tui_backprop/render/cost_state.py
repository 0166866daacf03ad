"""What the pages of the cost panel show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_backprop.engine.network.model import Model
from tui_backprop.session.session_parts import AXES
from tui_backprop.session.state import Session

if TYPE_CHECKING:  # these load numpy, or are slow, and the first paint does not need them
    from tui_backprop.cost.measure.sweep import Progress
    from tui_backprop.cost.model.busy_machine import Elapsed
    from tui_backprop.cost.model.cost_model import CostModel
    from tui_backprop.cost.model.network_shape import CostShape
    from tui_backprop.cost.race.race import RaceStatus
    from tui_backprop.engine.primitives import Array


@dataclass(frozen=True, eq=False)
class RaceGradients:
    """Tensors of the exact gradient, of the numeric one so far, and a mask of the entries computed, by name."""

    exact: Mapping[str, Array]
    numeric: Mapping[str, Array]
    there: Mapping[str, Array | bool]


@dataclass(frozen=True)
class ShownRace:
    """The ``status`` of a race, the ``session`` whose gradient it computes, and the ``gradients`` so far (None while
    nobody looks); ``stale`` names what has changed, if the session on the screen has another gradient. ``costs`` were
    known when it started: its projection stays as it was then."""

    status: RaceStatus
    session: Session
    gradients: RaceGradients | None = None
    stale: tuple[str, ...] = ()
    costs: CostModel | None = None

    @property
    def naive(self) -> Elapsed | None:
        """Time that the naive method actually took, if this was a completed race of it."""
        status = self.status
        return status.elapsed if (status.state, status.method) == ("done", "forward-difference") else None


@dataclass(frozen=True)
class CostState:
    """What the cost panel shows: the network, the machine's cost model (None while it is measured), the chart's
    cursor, unit and zoom, the timing used, and the progress of sweep and race. Steps of the walk do not change it."""

    network: Model
    here: CostModel | None
    decade: float | None = None
    lesson_clock: bool = False
    axis: str = AXES[0]
    zoom: int = 0
    sweep: Progress | None = None
    race: ShownRace | None = None

    @property
    def cost_model(self) -> CostModel | None:
        if not self.lesson_clock:
            return self.here
        from tui_backprop.cost.model.cost_model import LESSON

        return LESSON

    @property
    def raced(self) -> Elapsed | None:
        """Time that the naive method actually took for the network under the cursor, if a race of it was
        completed."""
        if self.race is None or self.race.session.network != self.network:
            return None
        return None if self.lesson_clock or self.decade is not None else self.race.naive

    @property
    def shape(self) -> CostShape:
        """The shape of the network."""
        from tui_backprop.cost.model.network_shape import shape_of

        return shape_of(self.network)

    @property
    def parameters(self) -> float:
        """The parameter count under the cursor."""
        return float(self.network.parameters) if self.decade is None else 10**self.decade

    @property
    def at(self) -> CostShape:
        """The shape under the cursor."""
        return self.shape if self.decade is None else self.shape.at(self.parameters)
