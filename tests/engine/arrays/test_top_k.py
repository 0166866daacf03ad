"""How many entries of an array share the largest magnitude."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.arrays.top_k import count_largest


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([1.0, -3.0, 3.0, 3.0], 3),
        ([[0.5, 0.25], [0.25, 0.125]], 1),
        ([np.nan, 2.0, -2.0], 2),
        ([np.inf, -np.inf, 1.0], 2),
        ([0.0, 0.0], 2),
        ([np.nan, np.nan], 0),
    ],
)
def test_entries_as_large_as_the_largest_are_counted_by_magnitude(values, count):
    assert count_largest(np.array(values)) == count


def test_the_count_is_that_of_a_sorted_list():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.integers(-4, 5, size=rng.integers(1, 30)).astype(np.float32)
        sizes = sorted(map(abs, values.tolist()))
        assert count_largest(values) == sizes.count(sizes[-1])
