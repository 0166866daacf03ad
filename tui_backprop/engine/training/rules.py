"""What the iterations of training run by: the network and the optimizer, which may change on the way."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.engine.network.model import Model
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots


@dataclass(frozen=True)
class Rules:
    """What an iteration runs by: the network, the optimizer, and the iteration at which that optimizer ``began``.
    As in PyTorch, a new optimizer starts with slots of 0, and counts its updates from 0."""

    spec: Model
    optimizer: OptimizerSpec
    began: int = 0

    def new_slots(self, parameters: Array) -> dict[str, Array]:
        """Return the slots of the optimizer where it begins."""
        return new_slots(self.optimizer, len(parameters), parameters.dtype)
