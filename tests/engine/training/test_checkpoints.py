"""States of a training run kept within a budget: what stays, and how far back the nearest one is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.engine.training.checkpoints import MOST_STATES, Checkpoints

ENTRIES = 4
BYTES = 2 * ENTRIES * 8  # of one state below


def state(t):
    return np.full(ENTRIES, float(t)), np.full(ENTRIES, -float(t))


def filled(limit, iterations):
    kept = Checkpoints(limit)
    for t in iterations:
        kept.keep(t, state(t))
    return kept


def longest_replay(kept):
    """The most iterations to replay, from the state before, to reach any iteration up to the newest."""
    gaps = np.diff(kept.iterations)
    return int(gaps.max()) - 1 if len(gaps) else 0


def test_all_states_stay_while_there_is_room():
    kept = filled(10 * BYTES, range(10))
    assert kept.iterations == tuple(range(10))
    assert kept.bytes == 10 * BYTES


def test_the_nearest_state_is_the_latest_at_or_before():
    kept = filled(1000, (0, 5, 9))
    for asked, found in ((0, 0), (4, 0), (5, 5), (8, 5), (9, 9), (10**30, 9)):
        t, (w, v) = kept.nearest(asked)
        assert t == found
        assert w.tolist() == [found] * ENTRIES
        assert v.tolist() == [-found] * ENTRIES
    assert kept.nearest(-1) is None
    assert Checkpoints(1000).nearest(0) is None


def test_what_is_kept_is_a_read_only_copy():
    w = np.arange(3.0)
    kept = Checkpoints(1000)
    kept.keep(0, (w,))
    w[:] = 7
    (copy,) = kept.nearest(0)[1]
    assert copy.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        copy[0] = 1
    assert w.flags.writeable


def test_copies_have_the_bytes_shape_and_precision_they_had():
    arrays = (np.array([-0.0, np.nan, 1e-45], "float32"), np.ones((2, 3)), np.array(3))
    kept = Checkpoints(1000)
    kept.keep(0, arrays)
    for copy, array in zip(kept.nearest(0)[1], arrays, strict=True):
        assert (copy.dtype, copy.shape, copy.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_keeping_an_iteration_again_replaces_its_state():
    kept = filled(1000, (0, 1, 2))
    kept.keep(1, (np.zeros(1),))
    assert kept.iterations == (0, 1, 2)
    assert kept.nearest(1)[1][0].shape == (1,)
    assert kept.bytes == 2 * BYTES + 8


@pytest.mark.parametrize("room", [0, 1, 2, 3, 5, 17])
def test_the_limit_holds_and_the_first_and_the_newest_stay(room):
    kept = Checkpoints(room * BYTES)
    for t in range(200):
        kept.keep(t, state(t))
        assert kept.bytes <= max(room, 2) * BYTES
        assert kept.bytes == len(kept.iterations) * BYTES
        assert kept.iterations[0] == 0
        assert kept.iterations[-1] == t


def test_a_limit_below_one_state_keeps_what_it_must():
    assert filled(0, range(1)).iterations == (0,)
    assert filled(0, range(2)).iterations == (0, 1)
    assert filled(0, range(50)).iterations == (0, 49)


@pytest.mark.parametrize("room", [3, 4, 5, 8, 13, 40])
def test_going_back_replays_fewer_than_twice_the_iterations_by_the_states(room):
    kept = Checkpoints(room * BYTES)
    for t in range(1, 1001):
        kept.keep(t - 1, state(t - 1))
        if t > room:
            assert longest_replay(kept) < 2 * (t - 1) / (room - 1)


@pytest.mark.parametrize("room", [2, 3, 4, 5, 8, 13, 40])
def test_keeping_only_what_is_due_leaves_the_bound_and_copies_few_states(room):
    kept, copies = Checkpoints(room * BYTES), 0
    kept.keep(0, state(0))
    for t in range(1, 1001):
        if kept.due(t):
            kept.keep(t, state(t))
            copies += 1
        last = kept.iterations[-1]
        if last > room > 2:
            assert max(longest_replay(kept), t - last) < 2 * t / (room - 1)
    assert copies <= room * (1 + np.log2(1000 / room))


def test_no_state_is_due_twice():
    kept = filled(10 * BYTES, (0, 4))
    assert [t for t in range(6) if kept.due(t)] == [1, 2, 3, 5]
    assert Checkpoints(0).due(0)


def test_the_bound_has_teeth_dropping_the_oldest_exceeds_it(monkeypatch):
    monkeypatch.setattr(Checkpoints, "_closest", lambda kept: (2, kept.iterations[1]))
    assert longest_replay(filled(8 * BYTES, range(1000))) > 2 * 999 / 7


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 9), max_size=150), st.integers(3, 20))
def test_the_bound_holds_for_states_kept_now_and_then(steps, room):
    iterations = [0, *np.cumsum(steps).tolist()]
    kept = filled(room * BYTES, iterations)
    sparsest = max(steps, default=1)
    assert longest_replay(kept) < max(sparsest, 2 * iterations[-1] / (room - 1))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 60), max_size=150), st.integers(0, 12))
def test_states_kept_in_any_order_are_found_in_theirs(iterations, room):
    kept = filled(room * BYTES, iterations)
    assert list(kept.iterations) == sorted(set(kept.iterations))
    assert set(kept.iterations) <= set(iterations)
    assert {min(iterations), max(iterations)} <= set(kept.iterations) if iterations else not kept.iterations
    assert kept.bytes == BYTES * len(kept.iterations) <= BYTES * max(room, 2)
    for asked in range(61):
        found = kept.nearest(asked)
        before = [i for i in kept.iterations if i <= asked]
        assert (found[0] if found else None) == (before[-1] if before else None)
        assert found is None or found[1][0][0] == found[0]


def test_small_states_are_counted_too():
    kept = filled(10**9, range(MOST_STATES + 100))
    assert len(kept.iterations) == MOST_STATES
    assert longest_replay(kept) < 2 * (MOST_STATES + 99) / (MOST_STATES - 1)


def test_another_course_drops_what_came_after():
    kept = filled(1000, range(10))
    kept.drop_after(6)
    assert kept.iterations == tuple(range(7))
    assert kept.bytes == 7 * BYTES
    kept.drop_after(-1)
    assert (kept.iterations, kept.bytes) == ((), 0)


def test_finding_the_one_to_drop_stays_cheap_however_long_it_goes_on():
    kept = filled(10**9, range(20 * MOST_STATES))
    assert len(kept.iterations) == MOST_STATES
    assert len(kept._gaps) <= 8 * MOST_STATES + 4
