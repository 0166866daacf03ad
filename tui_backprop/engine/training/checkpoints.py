"""Earlier states of a training run within a memory budget; any iteration is restored from one by a short replay."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heappop, heappush

import numpy as np

from tui_backprop.engine.primitives import Array

State = tuple[Array, ...]

MOST_STATES = 512  # states: those of a small network are larger than their arrays


class Checkpoints:
    """States by iteration, within ``limit`` bytes of arrays and MOST_STATES states.

    Beyond that, the state is dropped whose removal leaves the smallest gap. The first state (iteration 0) and the
    newest are never dropped, so a limit smaller than two states is exceeded.

    The bound on a replay, for states kept after every iteration up to T: let K remain of K + 1. The gaps on both
    sides of the K - 1 inner states sum to less than 2T, so the smallest pair, which becomes one gap, is at most
    2T / (K - 1), and no other gap arises. Going back to any iteration replays fewer iterations than that. (If
    states are kept only after every s iterations, a gap can also be s; T is the largest iteration ever reached.)
    Keeping only the states that are ``due`` leaves this bound: half of the smallest pair is at most T / (K - 1).

    Before training continues differently from the states kept, those have to be dropped (``drop_after``).
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._states: dict[int, State] = {}
        self._iterations: list[int] = []  # the same keys, in order
        self._gaps: list[tuple[int, int, int, int]] = []  # heap of (gap, iteration, neighbors), some outdated
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """Bytes of all arrays kept; ``keep`` exceeds it by one state while it runs."""
        return self._bytes

    @property
    def iterations(self) -> tuple[int, ...]:
        """Iterations whose states are kept, in order."""
        return tuple(self._iterations)

    def keep(self, t: int, state: State) -> None:
        """Keep read-only copies of the arrays of a state, replacing those of the same iteration."""
        if t in self._states:
            self._drop(t)
        copies = tuple(np.array(array) for array in state)
        for array in copies:
            array.setflags(write=False)
        self._states[t] = copies
        at = bisect_left(self._iterations, t)
        self._iterations.insert(at, t)
        self._note(at - 1, at, at + 1)
        self._bytes += _size(copies)
        while len(self._states) > 2 and (self._bytes > self.limit or len(self._states) > MOST_STATES):
            self._drop(self._closest()[1])

    def due(self, t: int) -> bool:
        """Return True if the state before iteration ``t`` is to be kept: any, while there is room; then, only if it
        is at least half as far from the one before as the neighbors of the state that would be dropped for it."""
        at = bisect_right(self._iterations, t)
        ahead = t - self._iterations[at - 1] if at else t + 1
        if not self._full:
            return ahead > 0
        return len(self._states) > 2 and 2 * ahead >= self._closest()[0]

    @property
    def _full(self) -> bool:
        states = len(self._states)
        return states >= MOST_STATES or self._bytes * (states + 1) > self.limit * states

    def nearest(self, t: int) -> tuple[int, State] | None:
        """Return the latest kept iteration at or before ``t`` and its state; None if there is none."""
        at = bisect_right(self._iterations, t)
        return (self._iterations[at - 1], self._states[self._iterations[at - 1]]) if at else None

    def drop_after(self, t: int) -> None:
        """Drop the states after an iteration, before training continues from there in another way."""
        for later in self._iterations[bisect_right(self._iterations, t) :]:
            self._drop(later)

    def _closest(self) -> tuple[int, int]:
        """Return the smallest gap between the two neighbors of an inner iteration, and that iteration; the earliest
        of several."""
        if len(self._gaps) > 8 * MOST_STATES:
            self._gaps = []
            self._note(*range(len(self._iterations)))
        while True:
            gap, t, *beside = self._gaps[0]
            at = bisect_left(self._iterations, t)
            if self._iterations[max(at - 1, 0) : at + 2] == [beside[0], t, beside[1]]:
                return gap, t
            heappop(self._gaps)

    def _note(self, *places: int) -> None:
        """Put the gaps around the inner iterations at these places on the heap."""
        for at in places:
            if 0 < at < len(self._iterations) - 1:
                before, t, after = self._iterations[at - 1 : at + 2]
                heappush(self._gaps, (after - before, t, before, after))

    def _drop(self, t: int) -> None:
        self._bytes -= _size(self._states.pop(t))
        at = bisect_left(self._iterations, t)
        del self._iterations[at]
        self._note(at - 1, at)


def _size(state: State) -> int:
    return sum(array.nbytes for array in state)
