"""A model in which one rule is wrong, which runs wherever a model runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

from tui_backprop.engine.mutants.mutant import RuleMutant
from tui_backprop.engine.mutants.site import Site
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model, TrainingSettings

DEFAULT_LR = 0.1  # of the update that follows, for the mutant that updates too early


def mutate(
    graph: Graph, mutant: RuleMutant, lr: float = DEFAULT_LR, at: tuple[str, ...] | None = None
) -> Graph:
    """Return a graph of the same values in which a rule is wrong: wherever it occurs, or in the operations that
    compute the values ``at``."""
    ops = (
        op if at is not None and op.output not in at else mutant.wrong(Site(graph, op, lr)) or op
        for op in graph.ops
    )
    return replace(graph, ops=tuple(ops))


@lru_cache(maxsize=64)
def _graph(model: Model, mutant: RuleMutant, lr: float, at: tuple[str, ...] | None) -> Graph:
    return mutate(model.graph, mutant, lr, at)


@dataclass(frozen=True)
class MutantModel:
    """A model whose backward pass has a wrong rule: wherever it occurs, or in the operations that compute the values
    ``at``. All else is that of the model."""

    model: Model
    mutant: RuleMutant
    lr: float = DEFAULT_LR
    at: tuple[str, ...] | None = None

    @property
    def graph(self) -> Graph:
        return _graph(self.model, self.mutant, self.lr, self.at)

    @property
    def has_planted_bug(self) -> bool:
        """Whether its backward pass is wrong on purpose: it is."""
        return True

    @property
    def no_token(self) -> str:
        """Why a session of it has no token."""
        return "a session with a planted bug has none; it would open as a healthy one"

    @property
    def healthy(self) -> Model:
        """The model without the wrong rule."""
        return self.model

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def changed(self, **settings: Any) -> Self:
        return replace(self, model=self.model.changed(**settings))

    def to_inputs(self, wanted: bool) -> Self:
        return replace(self, model=self.model.to_inputs(wanted))

    def with_training_settings(self, settings: TrainingSettings) -> Self:
        return replace(self, model=self.model.with_training_settings(settings))

    def in_precision(self, dtype: str) -> Self:
        return replace(self, model=self.model.in_precision(dtype))

    def at_inference(self) -> Self:
        return replace(self, model=self.model.at_inference())
