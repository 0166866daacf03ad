"""What is different in another pass, against plain numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.analysis import comparison as module
from tui_backprop.engine.analysis.comparison import difference
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

PLAIN = NetworkSpec((3, 4, 2), "tanh", dtype="float64")


def names_of(spec):
    values = [*spec.graph.parameters, *(f"z{k}" for k in range(1, spec.depth + 1))]
    return values + [spec.graph.gradient_of(name) for name in values]


def by_name(found):
    return {change.name: change for change in found.changes}


def nudged(calculus, changes, spec=PLAIN, batch=2):
    """A pass, and one with other parameters: ``changes`` are the flat places and what is put there."""
    given = calculus.problem(spec, batch)
    other = given.parameters.copy()
    for at, value in changes.items():
        other[at] = value
    return calculus.take(given), calculus.take(replace(given, parameters=other))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("block", [3, 2**18])
def test_every_tensor_is_compared_by_its_norm_and_by_the_entry_that_changed_most(
    calculus, monkeypatch, block, dtype
):
    monkeypatch.setattr(module, "COMPARED_BLOCK", block)
    spec = replace(calculus.everything, dtype=dtype)
    given = calculus.problem(spec, 2)
    one, other = calculus.take(given), calculus.take(given, iterations=4)
    found = difference(one, other)
    assert found.losses == (one.loss, other.loss)
    assert found.unlike == ()
    assert [change.name for change in found.changes] == names_of(spec)
    for change in found.changes:
        before, after = (np.asarray(iteration.tensor(change.name), float) for iteration in (one, other))
        assert change.moved == pytest.approx(np.linalg.norm(after - before), rel=1e-12)
        assert change.share == pytest.approx(change.moved / np.linalg.norm(before), rel=1e-12)
        assert change.moved > 0
        sizes = {index: abs(entry) for index, entry in np.ndenumerate(after - before)}
        assert change.index == max(sizes, key=sizes.get)
        assert (change.before, change.after) == (before[change.index], after[change.index])


def test_a_pass_does_not_differ_from_itself(calculus):
    iteration = calculus.take(calculus.problem(PLAIN, 2))
    again = calculus.take(calculus.problem(PLAIN, 2))
    for found in (difference(iteration, iteration), difference(iteration, again)):
        assert {(c.moved, c.share, max(c.index)) for c in found.changes} == {(0.0, 0.0, 0)}
        assert all(c.before == c.after for c in found.changes)
        assert found.losses == (iteration.loss, iteration.loss)


def test_one_weight_that_changed_is_found_and_nothing_before_it_moved(calculus):
    at = 3 * 4 + 4 + 5  # W2[2, 1]
    one, other = nudged(calculus, {at: 7.0})
    found = by_name(difference(one, other))
    assert (found["W2"].index, found["W2"].after) == ((2, 1), 7.0)
    assert found["W2"].before == one.tensor("W2")[2, 1]
    assert found["W2"].moved == pytest.approx(abs(7.0 - found["W2"].before))
    assert [found[name].moved for name in ("W1", "b1", "z1", "b2")] == [0.0] * 4
    assert min(found[name].moved for name in ("z2", "δ2", "δ1", "dW1", "dW2")) > 0


def test_there_and_back_is_as_far(calculus):
    one, other = nudged(calculus, {0: 2.0, 20: -1.0})
    there, back = by_name(difference(one, other)), by_name(difference(other, one))
    for name, change in there.items():
        assert back[name].moved == change.moved
        assert (back[name].index, back[name].before, back[name].after) == (
            change.index,
            change.after,
            change.before,
        )


def test_from_zero_the_share_is_infinite_and_of_nothing_to_nothing_it_is_zero(calculus):
    given = calculus.problem(PLAIN, 2)
    zero = replace(given, parameters=np.zeros_like(given.parameters))
    found = by_name(difference(calculus.take(zero), calculus.take(given)))
    assert found["W1"].share == float("inf")
    assert found["W1"].moved == pytest.approx(np.linalg.norm(given.parameters[:12]))
    still = by_name(difference(calculus.take(zero), calculus.take(zero)))
    assert still["W1"].share == still["dW1"].share == 0.0


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_became_no_number_is_the_entry_that_changed_most(calculus, wrong):
    at = 3 * 4 + 4 + 5
    one, other = nudged(calculus, {at: wrong, 0: 1e6})
    found = by_name(difference(one, other))
    assert found["W2"].index == (2, 1)
    np.testing.assert_equal(found["W2"].after, wrong)
    assert not np.isfinite(found["W2"].moved)
    assert not np.isfinite(found["W2"].share)
    assert found["W1"].index == (0, 0)
    assert found["W1"].after == 1e6
    alone = by_name(difference(*nudged(calculus, {at: wrong})))
    assert alone["W2"].index == (2, 1)


def test_passes_full_of_nan_are_compared(calculus):
    given = calculus.problem(PLAIN, 2)
    bad = calculus.take(replace(given, x=np.full_like(given.x, np.nan)))
    for pair in ((bad, bad), (bad, calculus.take(given)), (calculus.take(given), bad)):
        found = by_name(difference(*pair))
        assert np.isnan(found["z1"].moved)
        assert found["W1"].moved == 0


@pytest.mark.parametrize("entries", [1e200, 1e-200])
def test_squares_that_no_float_holds_are_no_matter(calculus, entries):
    spec = NetworkSpec((2, 2), "tanh", "mse", dtype="float64", bias=False)
    one, other = nudged(calculus, dict.fromkeys(range(4), entries), spec)
    zero, _ = nudged(calculus, {}, spec)
    base = calculus.take(replace(calculus.problem(spec, 2), parameters=np.zeros(4)))
    assert by_name(difference(base, other))["W1"].moved == pytest.approx(2 * entries, rel=1e-12)
    assert np.isfinite(by_name(difference(one, zero))["W1"].moved)


def test_what_only_one_of_them_has_or_in_another_shape_is_named(calculus):
    one = calculus.take(calculus.problem(PLAIN, 2))
    wider = calculus.take(calculus.problem(replace(PLAIN, layers=(3, 5, 2)), 2))
    found = difference(one, wider)
    assert set(by_name(found)) == {"b2", "z2", "db2", "δ2"}
    assert set(found.unlike) == {"W1", "b1", "W2", "z1", "dW1", "db1", "dW2", "δ1"}
    deeper = difference(one, calculus.take(calculus.problem(replace(PLAIN, layers=(3, 4, 4, 2)), 2)))
    assert {"W3", "b3", "z3", "δ3", "W2"} < set(deeper.unlike)
    assert {"W1", "b1", "z1", "δ1"} < set(by_name(deeper))
    bare = difference(one, calculus.take(calculus.problem(replace(PLAIN, bias=False), 2)))
    assert set(bare.unlike) == {"b1", "b2", "db1", "db2"}
    batch = difference(one, calculus.take(calculus.problem(PLAIN, 3)))
    assert set(batch.unlike) == {"z1", "z2", "δ1", "δ2"}
    for each in (found, deeper, bare, batch):
        assert len(set(each.unlike)) == len(each.unlike)


def test_two_networks_with_nothing_in_common_are_compared_by_their_losses_alone(calculus):
    one = calculus.take(calculus.problem(NetworkSpec((2, 3), bias=False), 1))
    other = calculus.take(calculus.problem(NetworkSpec((4, 5), bias=False), 2))
    found = difference(one, other)
    assert found.changes == ()
    assert found.unlike == ("W1", "z1", "dW1", "δ1")
    assert found.losses == (one.loss, other.loss)
