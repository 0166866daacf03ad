"""The state of one screen: a frozen snapshot that the app passes to every panel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tui_backprop.render.cost_state import CostState
from tui_backprop.render.per_iteration import per_iteration
from tui_backprop.session.session_parts import AUTOMATIC
from tui_backprop.session.state import Session

if TYPE_CHECKING:  # these load numpy, or are slow, and the first paint does not need them
    from tui_backprop.engine.analysis.gradient_flow import Flow
    from tui_backprop.engine.analysis.parameter_detail import ParameterDetail
    from tui_backprop.engine.analysis.ranking import Attribution, Ranked
    from tui_backprop.engine.analysis.value_flow import GraphFlow
    from tui_backprop.engine.explain.step import Step
    from tui_backprop.engine.network.graph import Graph
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.session.training_curve import Learning


@per_iteration
def _unit_with_largest_delta(iteration: Iteration, layer: int) -> int:
    from tui_backprop.engine.explain.receipts import unit_with_largest_delta

    return unit_with_largest_delta(iteration, layer)


@dataclass(frozen=True)
class Activity:
    """Work that goes on by itself: its ``name``, how ``far`` it is, the ``place`` whose keys control it, and its
    ``state`` as the key table names it; ``stale`` if it is about other numbers than those on the screen."""

    name: str
    far: str
    place: str = ""
    state: str = "running"
    stale: bool = False

    @property
    def text(self) -> str:
        """Name and progress: race 12%, race paused 12%, race 12% stale."""
        paused = " paused" if self.state == "paused" else ""
        return f"{self.name}{paused} {self.far}{' stale' if self.stale else ''}"


def share(done: int, of: int) -> str:
    """Format progress in whole percent, rounded down."""
    return f"{100 * done // max(of, 1)}%"


UNKNOWN = "?"  # in place of a number that is hidden


@dataclass(frozen=True)
class Veil:
    """What is hidden: the result of the step, if ``entry`` names the one to predict (else it is empty), and the loss,
    if ``loss`` is True. ``said`` is about the last try, ``hints`` are those that were shown; ``earned`` results were
    predicted, of those ``passed``."""

    entry: str = ""
    loss: bool = False
    said: str = ""
    hints: tuple[str, ...] = ()
    earned: int = 0
    passed: int = 0


@dataclass(frozen=True)
class Snapshot:
    """A session with its iteration, and the steps of its walk; with a ``veil`` while results are predicted."""

    session: Session
    steps: tuple[Step, ...]
    iteration: Iteration
    veil: Veil | None = None

    @property
    def hidden(self) -> bool:
        """True if the result of the step is not shown."""
        return self.veil is not None and bool(self.veil.entry)

    @property
    def graph(self) -> Graph:
        return self.iteration.graph

    @property
    def step(self) -> Step:
        return self.steps[self.session.walk.step]

    @property
    def pieces(self) -> Iterator[tuple[int, Step]]:
        """All equations or operations of the walk, each with the index of its step."""
        return ((step.index, piece) for step in self.steps for piece in step.pieces)

    @cached_property
    def asked(self) -> tuple[str, tuple[int, ...]] | None:
        """The number inspected by its name, if the network has one of that name."""
        from tui_backprop.engine.explain.number import exists

        asked = self.session.inspection.number
        return asked if asked is not None and exists(self.iteration, *asked) else None

    def chosen(self, layer: int) -> int | None:
        """Return the unit of a layer that was selected, or that the inspected number belongs to; a weight has two
        ends."""
        if self.graph.axes:
            return self._asked_entry if layer == self.step.block else None
        if (unit := self.session.walk.unit(layer)) != AUTOMATIC:
            return unit
        if self.asked is None:
            return None
        tensor, index = self.asked
        if not self.graph.layered:
            return self._asked_entry if layer == self.step.block else None
        ends = {self.graph.block(tensor) - i: unit for i, unit in enumerate(reversed(index))}
        return ends.get(layer)

    @property
    def _asked_entry(self) -> int | None:
        """The number of the entry of the step that is inspected by its name."""
        from tui_backprop.engine.explain.entries import place_at

        return place_at(self.graph, self.step, self.asked) if self.asked else None

    @cached_property
    def on_axes(self) -> dict[str, int]:
        """The index that is selected on each axis, of a graph whose values name their axes: of a position, one with a
        target."""
        from tui_backprop.engine.explain.entries import positions
        from tui_backprop.engine.network.axes import POSITION

        axes = enumerate(self.graph.axes)
        found = {axis: i for k, axis in axes if (i := self.session.walk.unit(k)) != AUTOMATIC}
        if POSITION in found:
            found[POSITION] = min(found[POSITION], max(positions(self.iteration) - 1, 0))
        return found

    def unit(self, layer: int) -> int:
        """Return the unit of a layer that is shown: the one chosen, or else the one with the largest |delta|."""
        chosen = self.chosen(layer)
        if chosen is not None:
            return chosen
        if layer == self.step.block and not self.graph.layered:
            return self._largest_entry
        return _unit_with_largest_delta(self.iteration, layer)

    @property
    def units(self) -> int:
        """The number of units to choose from at the step: of a graph without units, of entries."""
        from tui_backprop.engine.explain.entries import entries_at

        return self.graph.width(self.step.block) if self.graph.layered else entries_at(self.graph, self.step)

    @cached_property
    def _largest_entry(self) -> int:
        """The number of the entry of the step with the largest gradient, of those on the selected axes."""
        from tui_backprop.engine.explain.entries import largest_entry, largest_on

        found = largest_on(self.iteration, self.step, self.on_axes) if self.on_axes else None
        return largest_entry(self.iteration, self.step) if found is None else found

    @cached_property
    def number(self) -> tuple[str, tuple[int, ...]]:
        """The number that is shown: the one inspected by its name, or that of the step and its unit."""
        from tui_backprop.engine.explain.number import number_at

        return self.asked or number_at(self.iteration, self.step, self.unit(self.step.block))

    @property
    def place(self) -> tuple[int, int]:
        """The layer, 1 .. L, and the unit in it that the shown number belongs to."""
        if self.asked:
            tensor, index = self.weights[0]
            return self.graph.block(tensor), (index or (0,))[-1]
        layer = self.step.block or 1
        return layer, self.unit(layer)

    @cached_property
    def weights(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The one or two parameters along which the loss is shown: the number shown, or the weight with the largest
        gradient into its unit; and the pinned one, or the weight with the next largest."""
        from tui_backprop.engine.explain.number import weights_near

        return weights_near(
            self.iteration,
            self.number,
            self.session.inspection.pinned,
            2 if self.session.inspection.pair else 1,
        )

    @cached_property
    def _made(self) -> dict[tuple[str, int], list[Step]]:
        made: dict[tuple[str, int], list[Step]] = {}
        for step in self.steps[: self.session.walk.step + 1]:
            made.setdefault((step.phase, step.block), []).extend(step.pieces)
        return made

    def made(self, phase: str, layer: int) -> list[Step]:
        """Return the steps of a phase in a layer, up to the current step."""
        return self._made.get((phase, layer), [])

    def reached(self, phase: str, layer: int, kind: str) -> bool:
        """Return True if the walk has reached a step of that kind."""
        return any(step.kind == kind for step in self.made(phase, layer))


@dataclass(frozen=True)
class BlameState:
    """A ranking of parameters by blame (None while it is computed), and the detail of one of them (None, or that of
    another parameter, while it is computed)."""

    session: Session
    iteration: Iteration
    ranked: Ranked | None = None
    detail: ParameterDetail | None = None

    @property
    def rank(self) -> int:
        """The cursor's position in the ranking."""
        return min(self.session.inspection.rank, max(len(self.ranked or ()) - 1, 0))

    @property
    def chosen(self) -> Attribution | None:
        """The parameter that is shown: the one asked for, or the one under the cursor."""
        from tui_backprop.engine.analysis.ranking import named

        asked = self.session.inspection.number
        found = named(self.iteration, self.session.inspection.measure, *asked) if asked else None
        return found or (self.ranked[self.rank] if self.ranked else None)


@dataclass(frozen=True, eq=False)
class Findings:
    """What the panels know, for a summary of those that are not on the screen: of a snapshot, its ranking and its
    gradient flow; costs; the training curve. Each is None while it is computed. ``aside`` is the panel beside the
    walk."""

    aside: str = ""
    snapshot: Snapshot | None = None
    blame: BlameState | None = None
    flow: Flow | GraphFlow | None = None
    costs: CostState | None = None
    learning: Learning | None = None
