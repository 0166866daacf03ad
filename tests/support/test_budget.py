"""One account of all that is kept: what was used least recently goes, what is in use stays."""

from __future__ import annotations

from functools import partial

from tui_backprop.support.budget import Budget


def filled(limit, *keys, size=10):
    budget, dropped = Budget(limit), []
    for key in keys:
        budget.keep(key, size, partial(dropped.append, key))
    return budget, dropped


def test_what_was_used_least_recently_is_dropped():
    budget, dropped = filled(30, "a", "b", "c")
    assert (budget.bytes, dropped) == (30, [])
    budget.keep("a", 10, partial(dropped.append, "a"))
    budget.keep("d", 10, lambda: None)
    assert (budget.bytes, dropped) == (30, ["b"])


def test_what_was_used_last_stays_however_large_it_is():
    budget, dropped = filled(30, "a", "b")
    budget.keep("c", 1000, lambda: dropped.append("c"))
    assert (budget.bytes, dropped) == (1000, ["a", "b"])


def test_what_is_in_use_leaves_less_for_what_is_kept():
    budget, dropped = filled(30, "a", "b", "c")
    with budget.using("measurement", 15):
        assert dropped == ["a", "b"]
        assert budget.bytes == 25
        assert (budget.room("states"), budget.room("measurement")) == (15, 30)
    assert budget.bytes == 10
    budget.use("race", 15)
    budget.use("race", 5)
    assert (budget.bytes, dropped) == (15, ["a", "b"])


def test_what_is_forgotten_or_spared_no_longer_counts():
    budget, dropped = filled(30, "a", "b", "c")
    budget.forget("b")
    budget.forget("b")
    assert (budget.bytes, dropped) == (20, [])
    budget.spare()
    assert (budget.bytes, dropped) == (10, ["a"])
