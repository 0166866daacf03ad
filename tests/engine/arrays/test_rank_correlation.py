"""Spearman's rank correlation."""

from __future__ import annotations

import math

import pytest

from tui_backprop.engine.arrays.rank_correlation import rank_correlation, ranks


def test_equal_values_share_the_mean_of_their_ranks():
    assert ranks([3.0, 1.0, 3.0, 2.0, 3.0]).tolist() == [3, 0, 3, 1, 3]


def test_only_the_order_counts():
    assert rank_correlation([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, -100]) == pytest.approx(-1)


def test_without_ties_it_is_the_formula_of_squared_differences():
    a, b = [1, 2, 3, 4, 5], [2, 1, 4, 3, 5]  # differences of ranks: 1, 1, 1, 1, 0
    assert rank_correlation(a, b) == pytest.approx(1 - 6 * 4 / (5 * 24))


def test_with_ties_it_is_pearsons_of_the_mean_ranks():
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(math.sqrt(3) / 2)


def test_equal_numbers_have_no_correlation():
    assert math.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))
