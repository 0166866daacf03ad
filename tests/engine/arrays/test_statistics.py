"""Arrays in brief: statistics, and a small version that keeps what is largest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.data.samples import cut
from tui_backprop.engine.arrays.statistics import SUMMARY_COLUMNS, SUMMARY_ROWS, pool, summarize
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration


def test_statistics_are_those_of_the_whole_array():
    array = np.array([[3.0, -4.0, 0.0], [0.0, 0.0, 12.0]])
    brief = summarize(array)
    assert (brief.size, brief.low, brief.high, brief.norm, brief.bad) == (6, -4, 12, 13, 0)
    assert brief.mean == pytest.approx(11 / 6)
    assert brief.zeros == pytest.approx(0.5)


@pytest.mark.parametrize(("value", "bad"), [(np.nan, 1), (np.inf, 1), (-np.inf, 1), (1e30, 0)])
def test_entries_that_are_no_number_are_counted(value, bad):
    assert summarize(np.array([1.0, value, 2.0])).bad == bad
    assert summarize(np.array(value)).bad == bad


def test_a_vector_is_kept_and_a_large_matrix_is_pooled():
    assert summarize(np.arange(5000.0)).small.shape == (5000,)
    assert summarize(np.ones((3, 1000))).small.shape == (3, SUMMARY_COLUMNS)
    assert summarize(np.ones((1000, 3))).small.shape == (SUMMARY_ROWS, 3)


@settings(derandomize=True, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    seed=st.integers(0, 2**32),
)
def test_pooling_keeps_the_largest_magnitude_and_its_sign(height, width, rows, columns, seed):
    values = np.random.default_rng(seed).normal(size=(height, width))
    pooled = pool(values, rows, columns)
    assert pooled.shape == (min(height, rows), min(width, columns))
    largest = values.flat[np.abs(values).argmax()]
    assert largest in pooled
    assert np.isin(pooled, values).all()


@settings(derandomize=True, deadline=None)
@given(at=st.integers(0, 399), shape=st.sampled_from([(20, 20), (400, 1), (1, 400), (2, 200)]))
def test_pooling_hides_no_nan_and_no_infinity(at, shape):
    for bad in (np.nan, np.inf, -np.inf):
        values = np.full(400, 1e300)
        values[at] = bad
        pooled = pool(values.reshape(shape), 3, 5)
        assert np.count_nonzero(~np.isfinite(pooled)) == 1
        assert np.array_equal(pooled[~np.isfinite(pooled)], [bad], equal_nan=True)


def test_nan_wins_over_infinity():
    assert np.isnan(pool(np.array([[np.inf, np.nan, -np.inf]]), 1, 1)).all()


def test_a_pass_summarizes_parameters_before_and_after_the_update():
    spec = NetworkSpec((2, 3, 2), dtype="float64")
    batch = cut(spec, "moons", 0, 2)
    iteration = run_iteration(spec, Update(batch.x, batch.t, 0.1), TrainingState(0, initial_parameters(spec)))
    assert iteration.summary("W1").high == iteration.tensor("W1").max()
    assert iteration.summary("W1", updated=True).high == iteration.new["W1"].max()
    assert iteration.summary("L").low == iteration.loss
    assert iteration.summary("W1") is iteration.summary("W1")
