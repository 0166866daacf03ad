"""What is drawn of an iteration is remembered as long as the walk stays in it, and no longer."""

from __future__ import annotations

import gc
from weakref import ref

from tui_backprop.render.per_iteration import per_iteration


class Numbers:
    """An iteration."""


def test_a_result_is_computed_once_for_an_iteration_and_its_arguments():
    calls = []
    drawn = per_iteration(lambda iteration, *given: calls.append(given) or (iteration, given))
    first, second = Numbers(), Numbers()
    assert drawn(first, 1) == drawn(first, 1) == (first, (1,))
    assert drawn(first, 2) == (first, (2,))
    assert calls == [(1,), (2,)]
    assert drawn(second, 1) == (second, (1,))
    assert drawn(first, 1) == (first, (1,))
    assert calls == [(1,), (2,), (1,), (1,)]


def test_an_iteration_is_not_kept_alive():
    drawn = per_iteration(lambda iteration, name: len(name))
    iteration = Numbers()
    drawn(iteration, "a1")
    gone = ref(iteration)
    del iteration
    gc.collect()
    assert gone() is None
