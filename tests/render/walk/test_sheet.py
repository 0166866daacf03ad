"""Feature maps, kernels and their gradients as sheets of pictures."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.explain.entries import entry_at
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.walk.tensor import tensor_view
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import select
from tui_backprop.support.format import format_number

LENET = from_preset("lenet")
AXES = [*LENET.network.graph.axes]
CHANNEL = AXES.index("channel of conv 1")


@pytest.fixture(scope="module")
def step_of(snapshots):
    """Return a function that finds the snapshot at the step of an array (W1' after the update)."""

    def of(name, session=LENET, view="picture"):
        steps = snapshots(having(session, view=view))
        return next(each for each in steps if each.step.tensor + "'" * (each.step.kind == "update") == name)

    return of


def texts(snapshot, columns, rows, context=UTF8):
    return [plain(row) for row in tensor_view(snapshot, columns, rows, context)]


@pytest.mark.parametrize(("view", "rows"), [("map", 7), ("picture", 12)])
@pytest.mark.parametrize("channel", range(6))
def test_the_page_has_the_selected_channel(step_of, channel, view, rows):
    snapshot = step_of("p1", select(LENET, CHANNEL, channel), view)
    lines = texts(snapshot, 38, rows)
    assert any(f"▸ p1[{channel}]" in text for text in lines)
    (which,) = re.findall(r"page (\d) of (\d)", lines[-1])
    assert 1 <= int(which[0]) <= int(which[1])


def test_every_channel_is_on_a_page_and_names_are_whole(step_of):
    seen = set()
    for channel in range(6):
        lines = texts(step_of("u1", select(LENET, CHANNEL, channel)), 38, 12)
        seen.update(re.findall(r"u1\[(\d)\]", " ".join(lines)))
    assert seen == set("012345")


@pytest.mark.parametrize("name", ["W2'", "dW1", "u2"])
@pytest.mark.parametrize("rows", [5, 6, 7, 12])
def test_names_of_images_are_never_cut(step_of, name, rows):
    session = select(LENET, AXES.index("channel of conv 1"), 5)
    text = " ".join(texts(step_of(name, session, "map"), 38, rows)[:-1])
    assert "…" not in text


@pytest.mark.parametrize(
    ("name", "pair"), [("dW1", ("W1", "dW1")), ("dp1", ("p1", "dp1")), ("W1'", ("W1'", "dW1"))]
)
def test_gradients_are_beside_their_values(step_of, name, pair):
    kernels = select(LENET, AXES.index("channel of the image"), 0)  # the bias has no such axis
    snapshot = step_of(name, kernels)
    heads = next(text for text in texts(snapshot, 60, 24) if "▸" in text)
    names = re.findall(r"([dWp]+1'?)\[", heads)
    assert names[:2] == [*pair]


def test_the_marked_cell_is_that_of_the_entry(step_of):
    """Of kernels, which are drawn pixel by pixel, two characters wide."""
    snapshot = step_of("dW1")
    _, (*_, row, column) = entry_at(snapshot.graph, snapshot.step, snapshot.unit(snapshot.step.block))
    lines = tensor_view(snapshot, 60, 10, UTF8)
    head = next(i for i, each in enumerate(lines) if "▸" in plain(each))
    for y, each in enumerate(lines[head + 1 : head + 6]):
        start, marks = 0, []
        for text, role in each:
            marks += [(start, len(text))] * (role == "cursor")
            start += len(text)
        wanted = plain(lines[head]).index("▸") + 2 * column
        assert marks[:1] == ([(wanted, 2)] if y == row else [])


def test_signs_are_told_by_glyphs(step_of):
    snapshot = step_of("dW1")
    values = snapshot.iteration.tensor("dW1")[5, 0]
    lines = texts(snapshot, 60, 10)
    head = next(i for i, text in enumerate(lines) if "▸ dW1[5,0]" in text)
    start = lines[head].index("▸ dW1[5,0]")
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            glyph = lines[head + 1 + y][start + 2 * x]
            assert glyph in (UTF8.up if value > 0 else UTF8.down) + UTF8.zero
            if abs(value) == np.abs(snapshot.iteration.tensor("dW1")).max():
                assert glyph in (UTF8.up[-1], UTF8.down[-1])


def legend_of(name, array):
    """Name and extremes of an array, each behind the glyph that has its sign and its size."""
    peak, words = np.abs(array).max(), [name]
    for end, glyphs in ((array.max(), UTF8.up), (array.min(), UTF8.down)):
        level = np.searchsorted([0.08, 0.35, 0.7], abs(end) / peak)
        if level and (end > 0) == (glyphs is UTF8.up):
            words += [f"{glyphs[level - 1]} {format_number(float(end), sign=True)}"]
    return " ".join(filter(None, words))


@pytest.mark.parametrize("size", [(37, 15), (60, 24)])
@pytest.mark.parametrize(
    ("name", "shown"), [("dW1", ["W1", "dW1"]), ("W1'", ["W1'", "dW1"]), ("p1", ["p1"]), ("u1", ["u1"])]
)
def test_the_legend_has_the_extremes_of_each_array_beside_the_glyphs_they_are_drawn_with(
    step_of, name, shown, size
):
    kernels = select(LENET, AXES.index("channel of the image"), 0)  # the bias has no such axis
    snapshot = step_of(name, kernels, "map")
    text = " ".join(" ".join(texts(snapshot, *size)[-3:]).split())
    for each in shown:
        new, now = snapshot.iteration.new, snapshot.iteration.tensor
        array = new[each[:-1]] if each.endswith("'") else now(each)
        array = array[0] if snapshot.graph.per_sample(each.rstrip("'")) else array
        assert legend_of(each if len(shown) > 1 else "", array) in text


def test_no_negative_is_named_where_there_is_none(step_of):
    assert not any("≡" in text or "−" in text for text in texts(step_of("p1", view="map"), 38, 12))
    assert any("≡ −" in text for text in texts(step_of("u1", view="map"), 38, 12))


def test_what_an_entry_is_made_of_has_its_scale_where_there_is_room(step_of):
    snapshot = step_of("u1")
    lines = [" ".join(text.split()) for text in texts(snapshot, 60, 34)]
    assert legend_of("W1", snapshot.iteration.tensor("W1")) in lines[:17]


@pytest.mark.parametrize("rows", [5, 7, 11])
def test_in_few_lines_two_arrays_have_at_least_their_ranges(step_of, rows):
    snapshot = step_of("dW1", view="map")
    for each in ("W1", "dW1"):
        peak = float(np.abs(snapshot.iteration.tensor(each)).max())
        assert f"{each} ±{format_number(peak)}" in texts(snapshot, 37, rows)[-1]


def test_above_a_convolution_are_its_image_its_patch_and_its_kernel(step_of):
    lines = texts(step_of("u1"), 38, 18)
    assert re.search(r"X\[0\] +patch +W1\[2,0\]", lines[1])


def test_max_pooling_names_the_entry_that_won(step_of):
    snapshot = step_of("p1")
    (words,) = (text for text in texts(snapshot, 38, 18) if "largest" in text)
    name, index = entry_at(snapshot.graph, snapshot.step, snapshot.unit(snapshot.step.block))
    won = tuple(map(int, re.findall(r"\d+", words.partition("[")[2])))
    assert snapshot.iteration.tensor("a1")[0][won] == snapshot.iteration.tensor(name)[0][index]


def test_the_input_is_a_digit(step_of):
    lines = texts(step_of("x", view="map"), 40, 16)
    assert sum(text.count("█") for text in lines) > 10
    assert not any("≡" in text for text in lines)


@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
@pytest.mark.parametrize("name", ["X", "u1", "p1", "u2", "dp1", "dW2", "W2'"])
@pytest.mark.parametrize("view", ["map", "picture"])
def test_a_sheet_fits_into_any_room(step_of, name, view, context):
    snapshot = step_of(name, view=view)
    for columns in (1, 7, 20, 38, 60, 120):
        for rows in (1, 2, 3, 5, 8, 17, 30, 50):
            lines = tensor_view(snapshot, columns, rows, context)
            assert len(lines) <= rows
            assert max(map(width, lines)) <= columns
