"""The distribution of an array: bins, quartiles and moments against numpy's own, and what is largest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.data.samples import cut
from tui_backprop.engine.arrays.statistics import (
    BINS,
    STATISTICS_BLOCK,
    Bins,
    distribute,
    largest_entries,
    summarize,
)
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training import iteration as iteration_module
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

EXPLORE = settings(derandomize=True, deadline=None)
RNG = np.random.default_rng(0)
ARRAYS = {
    "normal": RNG.normal(size=1000),
    "rectified": np.maximum(RNG.normal(size=(40, 50)), 0),
    "mostly zero": np.where(RNG.random(5000) < 0.9, 0, RNG.normal(size=5000)),
    "all negative": -np.abs(RNG.normal(size=77)) - 0.1,
    "far from zero": 100 + RNG.normal(size=500),
    "hardly different": 1 + 1e-12 * RNG.normal(size=500),
    "an outlier": np.append(RNG.normal(size=999), 1e9),
    "several blocks": RNG.normal(size=2 * STATISTICS_BLOCK + 17).astype(np.float32),
    "constant": np.full(9, -3.25),
    "zeros": np.zeros((3, 4)),
    "one entry": np.array([[2.5]]),
    "a scalar": np.array(0.125),
    "two entries": np.array([-1.0, 3.0]),
    "tiny": np.array([1e-40, -3e-40, 2e-40, 0], np.float32),
    "huge": np.array([1e37, -3e38, 2e38, 0, 5.0], np.float32),
}
EACH = pytest.mark.parametrize("name", ARRAYS)


def counted_one_by_one(array, bins):
    """How many entries that are not 0 are between the edges of each bin."""
    counts = np.zeros(len(bins.counts), int)
    for value in array.ravel().astype(float):
        if value:
            counts[int(np.floor((value - bins.origin) / bins.width)) - bins.first] += 1
    return counts


@EACH
def test_quartiles_mean_spread_and_norm_are_those_of_numpy(name):
    array = ARRAYS[name].astype(float)
    found = distribute(ARRAYS[name])
    at_most = 1e-12 * np.abs(array).max()
    np.testing.assert_allclose(found.quartiles, np.quantile(array, [0.25, 0.5, 0.75]), 1e-6, at_most)
    np.testing.assert_allclose([found.low, found.high], [array.min(), array.max()], 0)
    assert found.mean == pytest.approx(array.mean(), rel=1e-9, abs=at_most)
    assert found.spread == pytest.approx(array.std(), rel=1e-3, abs=at_most)
    assert found.norm == pytest.approx(np.linalg.norm(array), rel=1e-9)
    assert summarize(ARRAYS[name]).norm == pytest.approx(found.norm, rel=1e-5)


@EACH
def test_every_entry_is_in_one_bin_or_is_a_zero(name):
    array = ARRAYS[name]
    found = distribute(array)
    assert found.zeros == array.size - np.count_nonzero(array)
    assert found.bins.counts.min() >= 0
    assert found.bins.counts.sum() + found.zeros == found.size == array.size
    assert len(found.bins.counts) <= 2 * BINS + 2


@pytest.mark.parametrize("name", ["normal", "rectified", "all negative", "far from zero", "tiny"])
def test_bins_hold_what_is_between_their_edges(name):
    array, bins = ARRAYS[name], distribute(ARRAYS[name]).bins
    expected = counted_one_by_one(array, bins)
    assert (
        np.abs(np.cumsum(expected - bins.counts)).max() <= 1
    )  # the unit of measure may round across an edge
    assert np.count_nonzero(expected != bins.counts) <= len(array) / 20


@EXPLORE
@given(
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=60),
    zeros=st.integers(0, 40),
    seed=st.integers(0, 99),
)
def test_no_negative_entry_is_counted_above_zero_and_none_is_lost(values, zeros, seed):
    array = np.random.default_rng(seed).permutation(np.array([*values, *([0.0] * zeros)], np.float32))
    found = distribute(array)
    np.testing.assert_allclose(
        found.quartiles, np.quantile(array.astype(float), [0.25, 0.5, 0.75]), 1e-9, 1e-9 * np.abs(array).max()
    )
    assert found.bins.counts.sum() == np.count_nonzero(array)
    if array.min() < 0 < array.max():
        assert found.bins.origin == 0
        below = found.bins.counts[: -found.bins.first].sum()
        assert below == np.count_nonzero(array < 0)


def test_what_is_no_finite_number_is_counted_and_left_out():
    array = np.array([np.nan, 1.0, np.inf, 0.0, -np.inf, 3.0, np.nan])
    found = distribute(array)
    assert (found.size, found.zeros, found.nans, found.infinite) == (7, 1, 2, 2)
    assert (found.low, found.high, found.mean) == (0, 3, pytest.approx(4 / 3))
    assert found.quartiles == pytest.approx((0.5, 1, 2))
    assert found.bins.counts.sum() == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_array_without_a_finite_number_has_a_distribution_too(bad):
    found = distribute(np.full(5, bad))
    assert found.nans + found.infinite == 5
    assert np.isnan(found.quartiles).all()
    assert found.bins.counts.sum() == 0


def test_squares_out_of_range_spoil_nothing():
    array = np.array([3e300, -4e300])
    found = distribute(array)
    assert (found.norm, summarize(array).norm) == (pytest.approx(5e300), pytest.approx(5e300))
    assert found.spread == pytest.approx(3.5e300)
    assert summarize(np.array([3e-40, 4e-40], np.float32)).norm == pytest.approx(5e-40, rel=1e-3)


def test_a_value_is_put_into_the_bin_on_its_side_of_an_edge():
    bins = Bins(0.0, 0.5, -2, np.zeros(0))
    assert bins.places(np.array([-1.0, -0.5, -1e-20, 0.0, 0.49, 0.5])).tolist() == [0, 1, 1, 2, 2, 3]


@EXPLORE
@given(size=st.integers(1, 300), most=st.integers(1, 20), seed=st.integers(0, 999))
def test_the_largest_entries_come_by_size_and_the_earlier_of_equals_first(size, most, seed):
    array = np.random.default_rng(seed).integers(-5, 6, size).astype(float)
    top = largest_entries(array, most)
    order = [i for i in np.argsort(-np.abs(array), kind="stable") if array[i]][:most]
    assert top.places.tolist() == order
    assert top.values.tolist() == array[order].tolist()


def test_the_largest_entries_are_found_across_blocks():
    array = np.zeros((3, STATISTICS_BLOCK))
    array[2, 5], array[0, 7], array[1, STATISTICS_BLOCK - 1] = -9.0, 9.0, np.inf
    array[1, 0] = np.nan
    assert largest_entries(array, 3).places.tolist() == [
        2 * STATISTICS_BLOCK - 1,
        7,
        2 * STATISTICS_BLOCK + 5,
    ]


@pytest.fixture
def iteration():
    spec = NetworkSpec((2, 3, 2), dtype="float64")
    batch = cut(spec, "moons", 0, 2)
    return run_iteration(spec, Update(batch.x, batch.t, 0.1), TrainingState(0, initial_parameters(spec)))


def test_a_pass_has_the_distribution_of_a_tensor_and_of_what_the_update_made(iteration):
    assert iteration.distribution("W1").high == iteration.tensor("W1").max()
    assert iteration.distribution("W1", updated=True).high == iteration.new["W1"].max()
    assert iteration.distribution("δ1").size == 6
    assert iteration.distribution("W1") is iteration.distribution("W1")


def test_what_is_large_is_counted_ahead_of_time_where_it_is_asked_for_and_what_is_small_is_not(
    iteration, monkeypatch
):
    monkeypatch.setattr(iteration_module, "LARGE_ARRAY", 5)
    made = []
    monkeypatch.setattr(iteration_module, "distribute", lambda array: made.append(array.shape) or array)
    iteration.prepare()
    assert made == []
    assert iteration.distributed("b1")
    assert not iteration.distributed("dW1")
    iteration.distribute()
    assert made == [(2, 3), (2, 3), (3, 2), (3, 2)]
    assert iteration.distributed("dW1")
    assert iteration.distributed("W2", updated=True)
