"""Views of the array of a step: histogram, pictures, and what all have in common."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.arrays.statistics import summarize
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.array_table import statistics
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.gallery import GalleryLayout, gallery, gallery_layout
from tui_backprop.render.draw.heatmap import signed_picture
from tui_backprop.render.draw.spans import line, plain, width
from tui_backprop.render.walk.tensor import tensor_view
from tui_backprop.session.session_parts import VIEWS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import select

SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
LESSON, XOR = Session(), from_preset("xor")
BATCH = replace(from_preset("lesson"), batch=32, sample=3990)
TWINS = Session(NetworkSpec((2, 3, 2), init="constant:0.5", l2=0.5), "moons", sample=2)


@pytest.mark.parametrize("view", VIEWS)
def test_the_head_line_names_the_view_and_its_key_where_there_is_room(view_of, view):
    (head, *_), _ = view_of(LESSON, view, "W1'", 60)
    assert head.startswith("W1' (784,256)")
    assert head.endswith(f"{view} (v)")
    (head, *_), _ = view_of(LESSON, view, "W1'", 20)
    assert "(v)" not in head


@pytest.mark.parametrize(("view", "words"), [("largest", "first of 32"), ("histogram", "all 32")])
def test_a_batch_names_the_samples_that_are_shown(view_of, view, words):
    lines, iteration = view_of(BATCH, view, "a1")
    assert words in lines[0]
    text = " ".join(lines)
    if view == "histogram":
        assert f"{iteration.tensor('a1').size:,}" in text
    else:
        assert f"a1[{int(iteration.tensor('a1')[0].argmax())}]" in text


def test_the_picture_of_a_gradient_is_the_digit_times_the_delta_of_each_unit(view_of):
    """dW1[:, j] = x δ1[j]: the sample of a batch of 1 appears in every unit, with the sign of its delta."""
    lines, iteration = view_of(LESSON, "picture", "dW1", 60, 32)
    ink = iteration.tensor("x")[0].reshape(28, 28)
    delta = iteration.tensor("δ1")[0]
    names = [text for text in lines if "unit" in text][1:]
    units = [int(unit) for text in names for unit in re.findall(r"unit (\d+)", text)]
    assert units == np.argsort(-np.abs(delta), kind="stable")[: len(units)].tolist()
    assert names[0].startswith(f"▸ unit {units[0]}")
    for at, unit in enumerate(units[:2]):  # side by side
        signs = UTF8.up if delta[unit] > 0 else UTF8.down
        assert set("".join(text[30 * at : 30 * at + 28] for text in lines[2:16])) <= {*signs, "·"}, unit
    assert delta[units[0]] * delta[units[1]] < 0
    first = [text[:28] for text in lines[2:16]]
    assert {UTF8.up[-1], UTF8.down[-1]} & set(
        "".join(first)
    )  # its delta is the largest, so it has the full weight
    there = [i for i, text in enumerate(first) if set(text) - {"·"}]
    rows = np.flatnonzero((ink > 0.08).any(axis=1)) * 14 // 28
    assert (there[0], there[-1]) == pytest.approx((rows[0], rows[-1]), abs=1)


def test_pictures_share_the_scale_in_the_legend(view_of):
    lines, iteration = view_of(LESSON, "picture", "dW1", 60, 32)
    units = [int(unit) for text in lines[1:] for unit in re.findall(r"unit (\d+)", text)]
    every = iteration.tensor("dW1")
    assert every.max() / np.abs(every).max() < 0.7  # it is not drawn at full weight
    assert np.abs(every[:, units]).max() == np.abs(every).max()
    assert f"▒ +{every.max():.3f}  ≡ −{-every.min():.3f}  · near 0  one scale for all" in lines[-1]
    assert "one scale for all" in lines[-1]


def test_the_selected_unit_comes_first_among_the_pictures(snapshots):
    snapshot = next(
        each for each in snapshots(select(having(LESSON, view="picture"), 1, 7)) if each.step.tensor == "dW1"
    )
    lines = [plain(row) for row in tensor_view(snapshot, 50, 27, UTF8)]
    assert re.match(r"▸ unit 7\b", lines[1])


def test_pictures_of_samples_are_named_by_their_place_in_the_data(view_of):
    lines, _ = view_of(BATCH, "picture", "x", 128, 32)
    assert re.findall(r"sample (\d+)", " ".join(lines))[:2] == ["3990", "3991"]


@pytest.mark.parametrize(("session", "name"), [(LESSON, "a1"), (XOR, "dW1")])
def test_an_array_without_pixels_is_shown_as_a_map(view_of, session, name):
    (head, *pictured), _ = view_of(session, "picture", name)
    (_, *mapped), _ = view_of(session, "map", name)
    assert pictured == mapped
    assert head.endswith("map (v)")


def test_a_nan_is_seen_in_a_picture():
    image = np.ones((28, 28))
    image[5, 5] = np.nan
    drawn = "".join(plain(row) for row in signed_picture(image, 14, 28, "text", UTF8, 1.0))
    assert drawn.count("!") == 1


@pytest.mark.parametrize("wanted", [1, 2, 256])
@pytest.mark.parametrize(
    ("rows", "columns"), [(30, 128), (26, 50), (30, 24), (7, 26), (3, 20), (60, 200), (1, 9)]
)
def test_pictures_are_square_to_the_eye_and_fit(rows, columns, wanted):
    plan = gallery_layout((28, 28), wanted, rows, columns)
    assert plan.wide == 2 * plan.deep
    assert plan.wide <= columns
    image = np.ones((28, 28))
    pictures = [(line("unit 12345"), image)] * wanted
    drawn = gallery(pictures, plan, lambda image, r, c: signed_picture(image, r, c, "text", UTF8, 1.0))
    assert max(map(width, drawn)) <= columns
    assert len(drawn) <= max(rows, 2)


def test_a_gallery_of_two_rows_has_its_pictures_in_order_and_two_characters_a_pixel():
    image = np.array([[1.0, 0.0], [0.0, -1.0]])
    pictures = [(line(name), sign * image) for name, sign in (("a", 1.0), ("b", -1.0), ("c", 0.0))]
    drawn = gallery(
        pictures, GalleryLayout(2, 4, 2, 2), lambda image, r, c: signed_picture(image, r, c, "text", UTF8, 1)
    )
    expected = ["a     b", "██··  ≡≡··", "··≡≡  ··██", "c", "····", "····"]
    assert [plain(row).rstrip() for row in drawn] == expected


def test_the_weights_with_the_largest_penalty_are_pictured_by_the_selected_unit_too(view_of):
    session = Session(NetworkSpec((784, 12, 10), l2=0.01))
    lines, _ = view_of(session, "picture", "L")
    if "W1" in lines[0]:
        assert re.match(r"▸ unit \d+", lines[1])
    assert "unit -1" not in " ".join(lines)


@SETS
def test_the_reason_for_a_mark_comes_before_a_shape_in_28_columns(view_of, context):
    for name, unit in (("z1", 239), ("a2", 74), ("dW1", 239), ("W3'", 139), ("δ2", 74)):
        head = view_of(LESSON, "map", name, 28, 8, context)[0][0]
        assert head.replace("the ", "") == f"{context.text(name)}  unit {unit}, largest |{context.delta}|"
        head = view_of(LESSON, "map", name, 60, 8, context)[0][0]
        assert f"6)  unit {unit}, the largest {context.text('|δ|')}" in head
    chosen = having(LESSON, units=(0, 7))
    assert view_of(chosen, "map", "z1", 28, 8, context)[0][0].startswith("z1 (1,256)  unit 7")


@pytest.mark.parametrize(
    ("zeros", "size", "text"),
    [(1, 10_000, "<0.1% zero"), (9999, 10_000, ">99.9% zero"), (3, 1000, "0.3% zero"), (995, 1000, "99.5% zero"),
     (0, 100, ""), (50, 100, "50% zero")],
)  # fmt: skip
def test_the_share_of_zeros_is_none_or_all_only_where_it_is(zeros, size, text):
    values = np.ones(size)
    values[:zeros] = 0
    found = statistics(summarize(values), 200)
    assert (text in found) if text else ("zero" not in found)


def test_a_unit_that_shares_the_largest_delta_is_one_of_several(view_of):
    for name in ("δ1", "δ2", "a1"):
        (head, *_), iteration = view_of(TWINS, "map", name, 78)
        sizes = np.abs(iteration.tensor("δ2" if name == "δ2" else "δ1")[0])
        ties = int((sizes == sizes.max()).sum())
        words = f"unit 0, 1 of {ties} with the largest |δ|" if sizes.any() else "unit 0, every δ is 0"
        assert words in head
        assert ties > 1
    (head, *_), _ = view_of(XOR, "map", "δ1", 78)
    assert ", the largest |δ|" in head
