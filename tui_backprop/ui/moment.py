"""What one screen shows: a frozen snapshot that the app hands to every panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_backprop.cost.model import Machine
from tui_backprop.session import AUTOMATIC, Session

if TYPE_CHECKING:  # these load numpy, which the first paint does without
    from tui_backprop.engine.trace import Step
    from tui_backprop.engine.train import Pass


@dataclass(frozen=True)
class Moment:
    """A session with the pass it stands in, and the steps of its walk."""

    session: Session
    steps: tuple[Step, ...]
    taken: Pass

    @property
    def step(self) -> Step:
        return self.steps[self.session.step]

    def unit(self, layer: int) -> int:
        """The unit of a layer that is shown: the one selected, or the most telling one."""
        from tui_backprop.engine.worked import telling_unit

        unit = self.session.unit(layer)
        return telling_unit(self.taken, layer) if unit == AUTOMATIC else unit

    def reached(self, phase: str, layer: int, kind: str) -> bool:
        """Whether the walk has come to (or past) a step of that kind."""
        return any((s.phase, s.layer, s.kind) == (phase, layer, kind) for s in self.steps[: self.session.step + 1])


@dataclass(frozen=True)
class Costs:
    """What the cost panel shows: the machine's laws (None while it is being measured) and the cursor."""

    session: Session
    here: Machine | None
    lesson: Machine

    @property
    def machine(self) -> Machine | None:
        return self.lesson if self.session.lesson_clock else self.here

    @property
    def parameters(self) -> float:
        """The parameter count under the cursor."""
        decade = self.session.decade
        return float(self.session.network.parameters) if decade is None else 10**decade
