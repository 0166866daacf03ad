"""The strip of the lesson loses no word on any screen."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tui_backprop.keys.remap import remapped
from tui_backprop.keys.table import ROWS
from tui_backprop.lesson.attempt import Attempt, place_numbered, places
from tui_backprop.lesson.figures import fill
from tui_backprop.lesson.progress import Progress
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.panels.lesson import OTHER, lesson_lines, page_count, view_of
from tui_backprop.session.state import from_preset

STRIPS = [(60, 6), (60, 7), (80, 8), (100, 11), (115, 14), (42, 27), (42, 37), (42, 57)]
ONE = (80, 8)
EVERY = list(places())
OWN = ("lesson", "lesson_step(1)", "lesson_step(-1)", "chapters")


def view(number, progress=Progress(), now=None, met=False):
    place = place_numbered(number)
    start = place.step.start.session
    attempt = Attempt(place, start)
    text = tuple((each.kind, fill(each.text, start)) for each in place.step.paragraphs)
    attempt = attempt.having_met(replace(start, panel="blame")) if met else attempt
    return view_of(attempt, progress, text, fill(place.step.action, start), now or start)


def pages(shown, size=ONE, context=UTF8):
    """The text of each page, words only."""
    found = []
    for page in range(page_count(shown, *size, context)):
        lines = lesson_lines(shown, page, *size, context)
        assert len(lines) == size[1]
        assert all(width(row) <= size[0] for row in lines)
        found.append(" ".join(" ".join(plain(row) for row in lines).split()))
    return found


def words(text, context):
    return context.words(text).split()


@pytest.mark.parametrize("place", EVERY, ids=lambda each: each.number)
def test_every_word_of_a_step_is_seen_on_every_screen(place):
    usual = view(place.number)
    for context, size, shown in product((UTF8, ASCII), STRIPS, (usual, replace(usual, note=OTHER))):
        found = pages(shown, size, context)
        for page in found:  # what to do is in sight on each
            assert " ".join(words(shown.action, context)) in page
            assert all(f" {word}" in page for word in ("back", "list", "hide"))
        seen = " ".join(found)
        assert "…" not in seen
        every = " ".join(text for _, text in shown.text)
        assert not {*words(every, context)} - {*seen.split()}


def test_the_words_stay_in_order_from_page_to_page():
    found = pages(view("2.2"), (60, 6))
    at = [
        next(i for i, page in enumerate(found) if words in page)
        for words in ("Picture a", "Your job", "matters.")
    ]
    assert at == sorted(at)
    assert len(found) > 1


@pytest.mark.parametrize("place", EVERY, ids=lambda each: each.number)
def test_beside_the_app_a_step_is_one_page(place):
    assert page_count(view(place.number), 42, 37, UTF8) == 1


def test_it_says_how_the_learner_stands_and_what_the_next_key_does():
    step = "driving/run-the-first-operation"
    cases = [
        (view("0.1"), "○ to do", ". skip"),
        (view("0.1", met=True), "● done", ". next"),
        (view("0.1", Progress(done=frozenset({step}))), "● done", ". next"),
        (view("0.8"), "step 8 of 8", ". next chapter"),
        (view("8.1"), "page 1/2", ". more"),
    ]
    for shown, standing, key in cases:
        first, *_ = pages(shown)
        assert standing in first
        assert key in first


def test_the_steps_of_the_chapter_are_listed_where_there_is_room():
    step = "driving/run-the-first-operation"
    (page,) = pages(view("0.2", Progress(done=frozenset({step}), skipped=frozenset())), (42, 37))
    assert "● Run the first operation ◆ Look at one unit ○ Go forward to the loss" in page
    assert "Go forward to the loss" not in pages(view("0.2"), (42, 20))[0]


def test_it_names_the_keys_that_were_chosen():
    context = replace(UTF8, keys=remapped({"step_on": ("w",), "lesson_step(1)": ("f5",), "lesson": ("K",)}))
    (page,) = pages(view("0.1"), context=context)
    assert "Press w to run" in page
    assert "F5 skip" in page
    assert "K hide" in page


def test_a_key_stands_out_without_the_comma_behind_it():
    rows = lesson_lines(view("0.7"), 0, *ONE, UTF8)
    assert ("/", "key") in [span for row in rows for span in row]


def test_in_the_form_it_names_only_the_key_that_leads_out():
    for size in STRIPS:
        (*_, last) = pages(replace(view("0.1"), panel="network"), size)
        assert "F3 leads back to the walk" in last
        assert "skip" not in last
        assert "hide" not in last


def test_on_another_network_it_says_so():
    (page,) = pages(view("0.1", now=from_preset("xor")))
    assert "about another network" in page
    assert "another network" not in pages(view("0.1"))[0]


def test_its_keys_are_no_others_keys():
    own = [key for key in ROWS if key.id in OWN]
    names = {name for key in own for name in key.keys.split(",")}
    others = {name for key in ROWS if key not in own for name in key.keys.split(",")}
    assert len(own) == len(OWN)
    assert not names & others


def test_only_a_step_before_another_one_leads_on():
    steps = [*places()]
    words = [view_of(Attempt(place, place.step.start.session), Progress(), (), "", place.step.start.session).onward
             for place in steps]  # fmt: skip
    assert words[-1] == ""
    ends = [place.index == len(place.chapter.steps) - 1 for place in steps[:-1]]
    assert words[:-1] == ["next chapter" if end else "next" for end in ends]
