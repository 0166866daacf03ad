"""Maps of arrays: what is largest is seen, signs are read without color, and nothing sticks out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.heatmap import (
    fold,
    heatmap,
    largest,
    mean_pool,
    picture,
    rows_of_glyphs,
    thumbnail,
)
from tui_backprop.render.draw.spans import plain, width

EXPLORE = settings(derandomize=True, deadline=None)
SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])


def texts(*arguments, **keywords):
    return [plain(row) for row in heatmap(*arguments, **keywords)]


def numbered(n):
    """1, -2, 3, -4 ...: every entry of another size, signs in turn."""
    return np.arange(1, n + 1) * np.where(np.arange(n) % 2, -1.0, 1.0)


@SETS
@EXPLORE
@given(
    shape=st.one_of(st.tuples(st.integers(1, 300)), st.tuples(st.integers(1, 30), st.integers(1, 30))),
    rows=st.integers(1, 20),
    columns=st.integers(1, 40),
    select=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_a_map_never_exceeds_its_columns_and_rows(context, shape, rows, columns, select, seed):
    values = np.random.default_rng(seed).normal(size=shape)
    drawn = heatmap(values, rows, columns, "forward", context, seed % shape[-1] if select else None)
    assert 1 <= len(drawn) <= rows
    assert all(1 <= width(row) <= columns for row in drawn)


@EXPLORE
@given(n=st.integers(1, 300), rows=st.integers(1, 20), columns=st.integers(1, 40))
def test_a_folded_vector_fits_and_keeps_every_entry_or_the_largest_of_each_cell(n, rows, columns):
    values = numbered(n)
    cells, each = fold(values, rows, columns)
    assert cells.shape[0] <= rows
    assert cells.shape[1] <= columns
    assert (each == 1) == (n <= rows * columns)
    flat = cells.ravel()
    for i in range(0, n, each):
        block = values[i : i + each]
        assert flat[i // each] == block[np.abs(block).argmax()]
    assert not flat[-(-n // each) :].any()


def test_a_map_with_room_for_every_entry_shows_every_entry_and_stays_in_its_room():
    for rows, columns in product(range(1, 6), range(1, 20)):
        for n in range(1, rows * columns + 1):
            drawn = texts(np.ones(n), rows, columns, "forward", UTF8)
            assert "".join(drawn).replace(" ", "") in ("█" * n, "██" * n), (n, rows, columns)
            assert max(map(len, drawn)) <= columns, (n, rows, columns)
            assert len(drawn) <= rows


@EXPLORE
@given(n=st.integers(2, 300), rows=st.integers(2, 20), columns=st.integers(2, 40), data=st.data())
def test_the_selected_unit_of_a_vector_is_the_one_cell_that_is_marked(n, rows, columns, data):
    unit = data.draw(st.integers(0, n - 1))
    values = np.zeros(n)
    values[unit] = 1.0
    drawn = heatmap(values, rows, columns, "forward", UTF8, unit)
    marked = [text for row in drawn for text, role in row if role == "cursor"]
    assert len(marked) == 1
    assert set(marked[0]) == {"█"}  # the cell with the one entry that is not zero


@pytest.mark.parametrize("unit", [0, 57, 99])
def test_the_selected_unit_of_a_matrix_is_a_column_that_stands_out(unit):
    values = np.zeros((30, 100))
    values[:, unit] = 1.0
    for row in heatmap(values, 5, 20, "forward", UTF8, unit):
        (marked,) = [text for text, role in row if role == "strong"]
        assert marked == "█"


def test_the_selected_column_of_a_pooled_matrix_is_found_by_the_full_width():
    rows = heatmap(np.zeros((4, 20)), 4, 20, "forward", UTF8, 999, width=1000)
    assert [role for _, role in rows[0]] == ["forward", "strong"]


@SETS
def test_size_is_weight_and_sign_is_shape(context):
    values = np.array([[1.0, 0.5, 0.1, 0.01, 0.0, -0.01, -0.1, -0.5, -1.0]])
    (row,) = rows_of_glyphs(values, context, 1.0)
    weak, middle, strong = context.up
    minus_weak, minus_middle, minus_strong = context.down
    zero = context.zero
    assert row == strong + middle + weak + 3 * zero + minus_weak + minus_middle + minus_strong
    assert len({*context.up, *context.down, zero, "!"}) == 8


@SETS
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e30])
def test_what_is_no_number_is_shown_as_such(context, scale):
    (row,) = rows_of_glyphs(np.array([[np.nan, np.inf, -np.inf]]), context, scale)
    assert row == "!" + context.up[-1] + context.down[-1]


def test_one_nan_in_a_large_map_is_seen():
    values = np.random.default_rng(0).normal(size=(300, 300))
    values[123, 45] = np.nan
    assert "".join(texts(values, 8, 20, "forward", UTF8)).count("!") == 1
    assert "".join(texts(values.ravel(), 8, 20, "forward", UTF8)).count("!") == 1


@pytest.mark.parametrize("values", [np.zeros(9), np.zeros((3, 3))])
def test_a_map_of_zeros_is_drawn_as_zeros(values):
    assert set("".join(texts(values, 5, 9, "forward", UTF8))) == {"·"}


@pytest.mark.parametrize(
    ("value", "glyph"), [(1e-30, "█"), (-5.0, "≡"), (0.0, "·"), (np.nan, "!"), (np.inf, "█")]
)
def test_a_single_value_is_one_cell(value, glyph):
    assert texts(np.array([value]), 5, 9, "forward", UTF8) == [glyph]


@pytest.mark.parametrize(
    ("values", "size"),
    [([1.0, -3.0], 3), ([np.nan, 2.0], 2), ([np.inf, -2.0], 2), ([np.nan], 0), ([-np.inf], 0), ([], 0)],
)
def test_the_scale_of_a_map_is_its_largest_finite_magnitude(values, size):
    assert largest(np.array(values)) == size


@SETS
@EXPLORE
@given(rows=st.integers(1, 30), columns=st.integers(1, 60), seed=st.integers(0, 99))
def test_a_picture_never_exceeds_its_columns_and_rows(context, rows, columns, seed):
    image = np.random.default_rng(seed).uniform(size=(28, 28))
    for draw in (picture, thumbnail):
        drawn = draw(image, rows, columns, "forward", context)
        assert 1 <= len(drawn) <= rows
        assert all(width(row) <= columns for row in drawn)
        assert not context.plain or all(plain(row).isascii() for row in drawn)


def test_a_picture_is_blank_where_there_is_no_ink_and_full_where_there_is():
    image = np.zeros((28, 28))
    image[:, 14:] = 1
    assert [plain(row) for row in picture(image, 2, 4, "forward", UTF8)] == ["  ██", "  ██"]


def test_a_digit_in_14_rows_shows_each_of_its_pixels():
    image = np.zeros((28, 28))
    image[3, 5] = image[4, 6] = image[10:12, 7] = 1
    drawn = [plain(row) for row in picture(image, 14, 28, "forward", UTF8)]
    assert [len(row) for row in drawn] == [28] * 14
    assert (drawn[1][5], drawn[2][6], drawn[5][7]) == ("▄", "▀", "█")
    assert "".join(drawn).count(" ") == 14 * 28 - 3


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (5, 3), (28, 28), (40, 40)])
def test_the_mean_of_a_pooled_image_is_the_mean_of_its_blocks(rows, columns):
    image = np.random.default_rng(0).uniform(size=(28, 28))
    pooled = mean_pool(image, rows, columns)
    assert pooled.shape == (min(rows, 28), min(columns, 28))
    last = image[
        (pooled.shape[0] - 1) * 28 // pooled.shape[0] :, (pooled.shape[1] - 1) * 28 // pooled.shape[1] :
    ]
    assert pooled[-1, -1] == pytest.approx(last.mean())
