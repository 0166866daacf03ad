"""The walk panel fits its room at every step, in both sets of characters, and says what it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.presets import PRESETS
from tui_backprop.session import Session, after_update, from_preset, select
from tui_backprop.ui.renderables.bars import layers_text, sample_text, status
from tui_backprop.ui.renderables.glyphs import ASCII, UTF8
from tui_backprop.ui.renderables.spans import ROLES, plain, width
from tui_backprop.ui.renderables.timeline import timeline
from tui_backprop.ui.renderables.walk import caption_of, walk_panel

SIZES = [(58, 13), (78, 21), (48, 36), (104, 56), (40, 10)]
SETS = pytest.mark.parametrize("glyphs", [UTF8, ASCII], ids=["utf-8", "ascii"])
AT_SIZES = pytest.mark.parametrize(("columns", "rows"), SIZES)

ODD = {
    "one layer": Session(NetworkSpec((784, 10))),
    "no bias": Session(NetworkSpec((784, 30, 10), bias=False)),
    "fifty layers": Session(NetworkSpec((2, *(3,) * 49, 2), "tanh"), "moons"),
    "one by one": Session(NetworkSpec((1, 1), loss="mse"), "sine"),
    "wide": Session(NetworkSpec((2, 5000, 2)), "moons", batch=3),
    "diverged": after_update(
        after_update(Session(NetworkSpec((2, 8, 3), dtype="float64", loss="mse"), "spiral", lr=1e30))
    ),
    "no numbers left": after_update(
        after_update(after_update(Session(NetworkSpec((2, 8, 3), loss="mse"), "spiral", lr=1e30)))
    ),
}
SESSIONS = {name: from_preset(name) for name in PRESETS} | ODD


def some(moments):
    """Every step of a walk, or of a long one every tenth."""
    return moments if len(moments) < 100 else moments[::10]


@SETS
@AT_SIZES
@pytest.mark.parametrize("name", SESSIONS)
def test_the_panel_never_exceeds_its_columns_and_rows(moments, name, columns, rows, glyphs):
    for moment in some(moments(SESSIONS[name])):
        drawn = walk_panel(moment, columns, rows, glyphs)
        assert 1 <= len(drawn) <= rows
        for row in drawn:
            assert width(row) <= columns, (moment.step.index, plain(row))


@SETS
@pytest.mark.parametrize("name", SESSIONS)
def test_the_panel_is_drawn_in_known_roles_and_in_the_characters_of_its_set(moments, name, glyphs):
    for moment in some(moments(SESSIONS[name])):
        drawn = walk_panel(moment, 104, 56, glyphs)
        text = "".join(map(plain, drawn))
        assert text.isprintable()
        assert {role for row in drawn for _, role in row} <= set(ROLES)
        if glyphs.plain:
            assert text.isascii()
            assert text.count("?") <= caption_of(moment).count("?")  # a character without a plain form is a ?


@pytest.mark.parametrize("name", PRESETS)
def test_a_large_panel_shows_formula_cost_and_tensor_of_every_step(moments, name):
    for moment in moments(from_preset(name)):
        text = "\n".join(plain(row) for row in walk_panel(moment, 104, 56, UTF8))
        assert moment.step.tensor in text
        assert ("cost " in text) == bool(moment.step.flops)
        assert ("reused " in text) == bool(moment.step.reused)
        for word in caption_of(moment).split():
            assert word in text


def test_the_selected_unit_is_the_one_of_the_arithmetic(moments):
    moment = moments(select(from_preset("lesson"), 1, 7))[1]
    text = "\n".join(plain(row) for row in walk_panel(moment, 104, 56, UTF8))
    assert "= z1[7]" in text


@pytest.mark.parametrize("name", SESSIONS)
def test_captions_have_their_figures_put_in(moments, name):
    for moment in moments(SESSIONS[name]):
        assert "{" not in caption_of(moment)


def test_a_caption_of_a_network_without_biases_adds_none(moments):
    for moment in moments(ODD["no bias"]):
        assert "bias" not in caption_of(moment)


@SETS
@pytest.mark.parametrize("columns", [40, 58, 104])
@pytest.mark.parametrize("name", ["lesson", "fifty layers"])
def test_the_timeline_has_one_mark_which_never_goes_back(moments, name, columns, glyphs):
    steps = moments(SESSIONS[name])[0].steps
    marks = []
    for step in steps:
        names, bar = timeline(steps, step.index, columns, glyphs)
        assert max(width(names), width(bar)) <= columns
        text = plain(bar)
        (at,) = [i for i, c in enumerate(text) if c == glyphs.here]
        marks.append(at)
    assert marks == sorted(marks)


@SETS
@pytest.mark.parametrize("columns", [20, 40, 58, 80, 120, 200])
@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("speed", [None, 2.0])
def test_the_status_line_fits(moments, name, columns, glyphs, speed):
    moment = moments(SESSIONS[name])[-1]
    for shown in (moment, None):
        row = status(SESSIONS[name], shown, speed, columns, glyphs)
        assert width(row) <= columns
        assert not glyphs.plain or plain(row).isascii()


def test_samples_are_named_with_their_label_or_their_range(moments):
    lesson = from_preset("lesson")
    label = int(moments(lesson)[0].taken.tensor("t")[0].argmax())
    assert sample_text(lesson, moments(lesson)[0]) == f'digits 0, a "{label}"'
    assert sample_text(replace(lesson, sample=3998, batch=4), None).startswith("digits 3998 ")


@pytest.mark.parametrize(
    ("layers", "text"), [((784, 10), "784·10"), ((2, *(3,) * 10, 2), "2·3×10·2"), ((7, 7), "7·7")]
)
def test_layers_are_folded_where_they_are_many(layers, text):
    assert layers_text(layers, 20) == text
