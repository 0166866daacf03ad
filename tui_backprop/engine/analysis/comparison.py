"""The difference between two iterations, of one network or of two that share some tensors."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.arrays.top_k import Top
from tui_backprop.engine.primitives import Array, index_at
from tui_backprop.engine.training.iteration import Iteration

COMPARED_BLOCK = 2**18  # entries compared at a time, so that no second array of their size is needed


@dataclass(frozen=True)
class Change:
    """The change of a tensor: the norm of the difference (``moved``), its ``share`` of the norm before (infinite from
    0), and the entry that changed most: its index, and its value before and after."""

    name: str
    moved: float
    share: float
    index: tuple[int, ...]
    before: float
    after: float

    @property
    def finite(self) -> bool:
        """Return whether the norm of the difference is finite."""
        return isfinite(self.moved)


@dataclass(frozen=True)
class Difference:
    """Two iterations compared: their losses, the changes of tensors of equal shape (parameters, pre-activations, and
    their gradients), and the names of tensors that only one has, or in another shape."""

    losses: tuple[float, float]
    changes: tuple[Change, ...]
    unlike: tuple[str, ...]


def difference(one: Iteration, other: Iteration) -> Difference:
    """Compare one iteration with another."""
    names, others = _compared(one), _compared(other)
    shared = [n for n in names if n in others and one.tensor(n).shape == other.tensor(n).shape]
    changes = tuple(_change(name, one.tensor(name), other.tensor(name)) for name in shared)
    unlike = tuple(name for name in dict.fromkeys((*names, *others)) if name not in shared)
    return Difference((one.loss, other.loss), changes, unlike)


def _compared(iteration: Iteration) -> tuple[str, ...]:
    graph = iteration.graph
    values = (*graph.parameters, *(value.name for value in graph.with_role("pre-activation")))
    return (*values, *map(graph.gradient_of, values))


def _change(name: str, before: Array, after: Array) -> Change:
    with np.errstate(all="ignore"):
        moved, size = norm(after, before), norm(before)
        share = moved / size if size else float("inf") if moved else 0.0
    index = index_at(_most(before.ravel(), after.ravel()), before.shape)
    return Change(name, moved, share, index, float(before[index]), float(after[index]))


def _most(before: Array, after: Array) -> int:
    """The entry that changed most; before all others one whose change is not finite; the first where none did."""
    top = Top(1)
    for start in range(0, len(before), COMPARED_BLOCK):
        part = slice(start, start + COMPARED_BLOCK)
        with np.errstate(all="ignore"):
            top.add(start, np.nan_to_num(after[part].astype(float) - before[part], nan=np.inf))
    return int(top.places[0]) if len(top.places) else 0
