"""Histograms: what the bars stand for, what is said in words, and that nothing sticks out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.engine.arrays.statistics import distribute
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.histogram import MOST_BAR_ROWS, histogram, regrouped
from tui_backprop.render.draw.spans import ROLES, plain, width
from tui_backprop.support.format import format_number

EXPLORE = settings(derandomize=True, deadline=None, max_examples=60)
SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
NORMAL = np.random.default_rng(0).normal(size=3000)


def drawn(array, columns=50, rows=27, context=UTF8):
    return [plain(row) for row in histogram(distribute(np.asarray(array)), columns, rows, "forward", context)]


def bars_of(lines):
    """The lines above the axis."""
    return lines[: next(i for i, text in enumerate(lines) if "─" in text)]


@SETS
@EXPLORE
@given(
    values=st.lists(st.floats(allow_nan=True, width=32), min_size=1, max_size=80),
    columns=st.integers(20, 130),
    rows=st.integers(1, 40),
)
def test_a_histogram_never_exceeds_its_columns_and_rows(context, values, columns, rows):
    lines = histogram(distribute(np.array(values, np.float32)), columns, rows, "forward", context)
    assert 1 <= len(lines) <= rows
    for row in lines:
        assert width(row) <= columns
        assert {role for _, role in row} <= set(ROLES)
        if context.plain:
            assert plain(context.fit(row)).isascii()
            assert "?" not in plain(context.fit(row))


@EXPLORE
@given(
    values=st.lists(st.floats(-9, 9, width=32).filter(bool), min_size=2, max_size=200),
    most=st.integers(2, 60),
)
def test_regrouping_loses_no_entry_and_mixes_no_signs(values, most):
    array = np.array(values, np.float32)
    bins = distribute(array).bins
    counts, first, each = regrouped(bins, most)
    assert len(counts) <= most
    assert counts.sum() == len(array)
    if array.min() < 0 < array.max():
        assert counts[:-first].sum() == (array < 0).sum()
    for i in range(len(counts)):  # the same entries between the edges, but for what rounding puts across one
        low, high = (bins.origin + (first + j) * each for j in (i, i + 1))
        near = 1e-9 * np.abs(array).max()
        assert ((array >= low + near) & (array < high - near)).sum() <= counts[i]
        assert counts[i] <= ((array >= low - near) & (array < high + near)).sum()


@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
def test_heights_are_in_proportion_to_counts(context):
    array = np.repeat([-1.0, 1.0, 2.0], [30, 15, 60])
    lines = drawn(array, 50, 27, context)
    full = context.ramp[-1] if context.plain else "█"
    bars = lines[:MOST_BAR_ROWS]
    heights = {sum(full == text[x : x + 1] for text in bars) for x in range(50)} - {0}
    assert heights == {MOST_BAR_ROWS, MOST_BAR_ROWS // 2, MOST_BAR_ROWS // 4}
    assert any("tallest bar 60 entries, linear scale" in text for text in lines)


def test_where_most_bars_would_not_be_seen_the_scale_is_logarithmic_and_says_so():
    array = np.concatenate([np.full(100_000, 0.01), np.arange(1, 200)])
    assert any("tallest bar 100,00" in text and "log10 scale" in text for text in drawn(array))
    assert any("linear scale" in text for text in drawn(NORMAL))


@SETS
def test_a_single_entry_far_off_is_seen(context):
    lines = drawn(np.append(np.linspace(0.01, 1, 10_000), 50.0), 50, 27, context)
    lowest = lines[next(i for i, text in enumerate(lines) if context.left * 5 in text) - 1]
    assert lowest.rstrip()[-1] == (context.ramp[1] if context.plain else lowest.rstrip()[-1])
    assert len(lowest.rstrip()) > 40


def test_zero_has_a_line_of_its_own_over_its_label():
    lines = drawn(NORMAL)
    bars = bars_of(lines)
    at = bars[0].index("│")
    assert all(text[at] == "│" for text in bars)
    ends = lines[len(bars) + 1]
    assert ends[at] == "0"
    assert ends.startswith("−")
    assert ends.rstrip()[-5] == "+"


def test_where_zero_is_not_inside_no_line_stands_for_it():
    assert not any("│" in text for text in drawn(100 + NORMAL))


@pytest.mark.parametrize("array", [NORMAL, np.abs(NORMAL), -np.abs(NORMAL), 100 + NORMAL, NORMAL[:7]])
@pytest.mark.parametrize("columns", [12, 38, 50])
def test_the_ends_of_the_axis_are_the_smallest_and_the_largest_entry(array, columns):
    lines = drawn(array, columns)
    smallest, *_, largest = lines[len(bars_of(lines)) + 1].split()
    assert (smallest, largest) == tuple(
        format_number(float(n), sign=True) for n in (array.min(), array.max())
    )


def test_ends_that_are_nearly_equal_are_told_apart():
    lines = drawn(1 + 1e-7 * NORMAL)
    left, right = lines[len(bars_of(lines)) + 1].split()
    assert left != right


def test_exact_zeros_and_nan_are_counted_in_words_and_not_drawn():
    array = np.concatenate([np.zeros(50), NORMAL[:47], [np.nan, np.inf, -np.inf]])
    text = " ".join(drawn(array))
    assert "not drawn: 50 exact zeros (50%), 1 NaN (1%), 2 infinite (2%)" in " ".join(text.split())
    assert "not drawn" not in " ".join(drawn(NORMAL))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(256), "All entries are 0."),
        (np.full(8, 1.5), "All entries are +1.50."),
        ([2.5], "The one entry is +2.50."),
        ([2.5, np.nan], "The one finite entry is +2.50."),
        ([2.5, 2.5, np.inf], "All finite entries are +2.50."),
        ([np.nan, np.inf], "No entry is a finite number."),
    ],
)
def test_where_no_two_entries_differ_a_sentence_says_so(array, words):
    assert drawn(array)[0] == words


def test_the_median_has_a_mark_and_the_quartiles_a_heavy_line():
    array = np.concatenate([np.linspace(1, 2, 26), np.linspace(2, 3, 25), np.linspace(8, 9, 50)])
    lines = drawn(array, 60, 10)
    axis = next(text for text in lines if "─" in text)
    axis = axis[: axis.rindex("─") + 1]
    first, last = (
        float(end) for end in lines[lines.index(next(t for t in lines if "─" in t)) + 1].split()[:2]
    )
    at = [(q - first) / (last - first) * len(axis) for q in np.quantile(array, [0.25, 0.5, 0.75])]
    heavy = [i for i, glyph in enumerate(axis) if glyph in "━◆"]
    assert (heavy[0], axis.index("◆"), heavy[-1]) == pytest.approx(at, abs=1)


def test_statistics_are_those_of_the_array():
    cells = " ".join(" ".join(drawn(NORMAL)).split())
    for words in (
        "entries 3,000", "zeros 0%", f"mean {NORMAL.mean():+.4f}".replace("-", "−"),
        f"std dev {NORMAL.std():.3f}", f"norm {np.linalg.norm(NORMAL):.1f}", f"max +{NORMAL.max():.2f}",
        f"◆ median {np.median(NORMAL):+.4f}".replace("-", "−"), f"━ 75% +{np.quantile(NORMAL, 0.75):.3f}",
    ):  # fmt: skip
        assert words in cells, words


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1.0, 1e30])
def test_bars_are_the_same_at_every_scale(scale):
    values = (NORMAL * 100).round()
    assert bars_of(drawn((values * scale).astype(np.float64))) == bars_of(drawn(values))
    assert len(bars_of(drawn((values * scale).astype(np.float32)))) == MOST_BAR_ROWS
