"""The entries that a check compares."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.gradients.problem import Problem
from tui_backprop.engine.primitives import Array


def chosen_entries(problem: Problem, guide: Array, entries: int | None, seed: int) -> Array:
    """Return indices of the flat vector: all, or for each tensor those with the largest gradient and random ones."""
    if entries is None:
        return problem.positions
    generator = np.random.default_rng(seed)
    chosen = []
    for place in problem.spec.graph.trained.values():
        count = place.stop - place.start
        if count <= entries:
            chosen.append(np.arange(place.start, place.stop))
        else:
            part = np.nan_to_num(np.abs(guide[place]))
            top = np.argpartition(part, -(entries // 2))[count - entries // 2 :]
            anywhere = generator.choice(count, size=entries, replace=False)
            others = anywhere[~np.isin(anywhere, top)][: entries - len(top)]
            chosen.append(place.start + np.sort(np.concatenate([top, others])))
    return np.concatenate(chosen)
