"""The questions: at least three a chapter, with options that are alike to the eye and differ in the idea."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.lesson.posing import pose
from tui_backprop.lesson.question import questions
from tui_backprop.render.draw.context import ASCII

MOST_UNLIKE = 1.6  # the longest option of a question, in lengths of the shortest
WORDS = [each for each in questions() if each.what is None]
IN_WORDS = pytest.mark.parametrize("question", WORDS, ids=lambda each: each.name)
EACH = pytest.mark.parametrize("question", questions(), ids=lambda each: each.name)


def filled(question):
    return pose(question, seed=0)


def sentences(text):
    return re.split(r"(?<=[.?!:])\s+", text)


def test_every_chapter_has_three_questions_or_more():
    counts = Counter(each.chapter for each in questions())
    assert set(counts) == {each.number for each in chapters()}
    assert min(counts.values()) >= 3


def test_the_question_of_the_source_comes_first_in_its_chapter():
    first = next(each for each in questions() if each.chapter == 3)
    assert first.name == "why-not-perturb"
    assert [option.misconception for option in first.options] == ["", "too-inaccurate", "too-small-to-see"]


@IN_WORDS
def test_no_option_stands_out_by_its_length(question):
    lengths = [len(each.text) for each in filled(question).options]
    assert max(lengths) / min(lengths) < MOST_UNLIKE


def test_the_right_option_is_not_always_the_longest_or_the_shortest():
    places = Counter()
    for question in WORDS:
        lengths = sorted((len(each.text), each.right) for each in filled(question).options)
        places.update(place for place, (_, right) in enumerate(lengths) if right)
    assert max(places.values()) <= 0.6 * len(WORDS)


@IN_WORDS
def test_no_two_options_say_nearly_the_same(question):
    words = [set(re.findall(r"[\w.']+", each.text.lower())) for each in filled(question).options]
    assert all(len(one & other) < 0.75 * min(len(one), len(other)) for one, other in combinations(words, 2))


@EACH
def test_a_question_can_be_posed_and_is_short(question):
    posed = filled(question)
    assert posed is not None
    text = " ".join(posed.paragraphs)
    assert "{" not in text + "".join(each.text + each.about for each in posed.options)
    assert len(text.split()) <= 60
    assert ASCII.text(text).isascii()


@EACH
def test_every_wrong_option_is_a_misconception_that_a_place_refutes(question):
    posed = filled(question)
    for at, option in enumerate(posed.options):
        if option.misconception:
            assert option.misconception in MISCONCEPTIONS
        assert posed.place(at) is not None


@EACH
def test_the_place_of_a_question_exists_in_its_state(question):
    posed = filled(question)
    place = posed.place(posed.right)
    session = posed.session_at(place)
    assert session.panel == place.panel
    assert not place.step or session.walk.step > 0


def test_no_sentence_is_there_twice():
    counts = Counter(
        sentence
        for question in WORDS
        for text in (
            *question.paragraphs,
            *(part for each in question.options for part in (each.text, each.about)),
        )
        for sentence in sentences(text)
        if len(sentence.split()) > 4
    )
    assert [sentence for sentence, times in counts.items() if times > 1] == []
