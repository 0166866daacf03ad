"""The strip of the tour loses no word on any screen."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.keys.remap import remapped
from tui_backprop.keys.table import ROWS, worded
from tui_backprop.lesson.tour import CARDS
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.panels.tour import strip_rows, tour_strip
from tui_backprop.session.presets import PRESETS

HUGE = NetworkSpec((784, 18130, 18130, 18130, 18130, 10))
SIZES = [(60, 18), (60, 24), (80, 24), (100, 30), (119, 40), (120, 40), (200, 60)]
each_card = pytest.mark.parametrize("card", range(len(CARDS)))


def text_of(card, spec, columns, rows, context=UTF8, panel="walk"):
    lines = tour_strip(card, spec, panel, columns, rows, context)
    assert len(lines) == rows
    assert all(width(row) <= columns for row in lines)
    return " ".join(" ".join(plain(row) for row in lines).split())


def test_it_is_short():
    assert 5 <= len(CARDS) <= 7


@each_card
def test_every_word_of_a_card_is_seen_on_every_screen(card):
    for context, size, spec in product((UTF8, ASCII), SIZES, (PRESETS["lesson"].network, HUGE)):
        columns, rows = size[0], strip_rows(*size)
        text = text_of(card, spec, columns, rows, context)
        assert "…" not in text
        assert " ".join(context.words(CARDS[card].press).split()) in text
        assert f"{card + 1}/{len(CARDS)}" in text
        assert "." in text
        assert ", end" in text
        if rows > 1:
            about = CARDS[card].text.replace("{parameters}", f"{spec.parameters:,}")
            assert context.words(about.replace("{passes}", f"{spec.parameters + 1:,}")) in text


@each_card
def test_no_placeholder_is_left(card):
    assert "{" not in text_of(card, PRESETS["xor"].network, 120, 2)


def test_low_screens_lose_one_line_to_it():
    assert [strip_rows(*size) for size in ((60, 18), (60, 20), (80, 24), (120, 40))] == [1, 4, 3, 2]


def test_it_names_the_keys_that_were_chosen():
    other = {"step_on": ("n",), "sample(1)": ("f5",), "tour": ("semicolon",), "panel('cost')": ("K",)}
    context = replace(UTF8, keys=remapped(other))
    texts = [text_of(card, PRESETS["lesson"].network, 120, 2, context) for card in range(len(CARDS))]
    assert "n runs the first operation" in texts[0]
    assert "; next card" in texts[0]
    assert "K shows what it costs" in texts[5]
    assert "F5 shows the next sample" in texts[6]


def test_where_a_key_does_something_else_it_names_the_one_that_leads_back():
    text = text_of(0, PRESETS["lesson"].network, 80, 3, panel="blame")
    assert "2 leads back to the walk" in text
    assert "→" not in text
    assert ", end" in text
    assert "2 leads" not in text_of(4, PRESETS["lesson"].network, 80, 3, panel="cost")


def test_in_the_form_it_names_only_the_key_that_leads_out():
    for columns, rows in ((60, 1), (80, 3), (120, 2)):
        text = text_of(4, PRESETS["lesson"].network, columns, rows, panel="network")
        assert "F3 leads back to the walk" in text
        assert "next" not in text
        assert "ranks" not in text


def test_its_keys_are_no_others_keys():
    (tour,), (end,) = ([key for key in ROWS if key.id == name] for name in ("tour", "end_tour"))
    others = {name for key in ROWS if key not in (tour, end) for name in key.keys.split(",")}
    assert not others & {*tour.keys.split(","), *end.keys.split(",")}
    assert worded("{tour}{end_tour}") == ".,"
