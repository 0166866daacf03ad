"""The chapters are read as they are written, every name in them means something, and they are short."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tui_backprop.lesson.chapter import chapter_numbered, chapters, read_chapter, slug
from tui_backprop.lesson.figures import ACTIONS, fill
from tui_backprop.render.draw.context import ASCII, LINEAR, UTF8
from tui_backprop.render.draw.spans import wrap
from tui_backprop.support.errors import InputError

STEPS = [(chapter, step) for chapter in chapters() for step in chapter.steps]
EACH_STEP = pytest.mark.parametrize(
    ("chapter", "step"), STEPS, ids=[f"{chapter.number}-{step.name}" for chapter, step in STEPS]
)
GOOD = "# Title\n\nabout: A sentence.\nstart: xor\n\n## A step\n\nWords.\n\ndo: Press {step_on}.\ncheck: stepped\n"


def texts(step):
    """The words and formulas of a step, with the figures of its own network."""
    found = [step.title, *(each.text for each in step.paragraphs), step.action]
    return [fill(text, step.start.session) for text in found]


def sentences(text):
    return [each.strip() for each in re.split(r"(?<=[.?!])\s+(?=[A-Z{])", text) if each.strip()]


def prose():
    for chapter, step in STEPS:
        words = [each.text for each in step.paragraphs if each.kind == "words"]
        yield from ((chapter, each) for text in (*words, step.action) for each in sentences(text))
    yield from ((chapter, chapter.about) for chapter in chapters())


def test_the_chapters_are_numbered_from_0_to_13():
    assert [each.number for each in chapters()] == list(range(14))
    assert len({each.name for each in chapters()}) == 14
    assert len({each.title for each in chapters()}) == 14


def test_chapters_1_to_7_leave_three_minutes_of_twenty_for_questions():
    assert sum(each.seconds for each in chapters()[1:8]) <= 17 * 60


@EACH_STEP
def test_every_name_in_a_step_means_something(chapter, step):
    for text in texts(step):
        for context in (UTF8, ASCII, LINEAR):
            shown = context.words(text)
            assert "{" not in shown
            assert "?" not in shown or "?" in text or "help" in text  # no glyph is lost in ASCII
            assert context is UTF8 or shown.isascii()


@EACH_STEP
def test_a_step_is_short(chapter, step):
    words = [each for each in step.paragraphs if each.kind == "words"]
    assert 1 <= len(words) <= 3
    assert sum(len(each.text.split()) for each in words) <= 75
    assert len(step.action.split()) <= 26
    assert all(len(sentence.split()) <= 30 for each in words for sentence in sentences(each.text))
    assert bool(step.action) >= bool(step.check)


@EACH_STEP
def test_formulas_and_code_fit_beside_the_app(chapter, step):
    for each in step.paragraphs:
        if each.kind != "words":
            shown = ASCII.text(fill(each.text, step.start.session))
            assert max(map(len, shown.split("\n"))) <= 66


@EACH_STEP
@pytest.mark.parametrize(("columns", "rows"), [(78, 14), (38, 18)])
def test_a_step_fits_a_panel(chapter, step, columns, rows):
    used = 1 + len(wrap(UTF8.words(fill(step.action, step.start.session)), columns))
    for each in step.paragraphs:
        text = UTF8.words(fill(each.text, step.start.session))
        used += 1 + (len(wrap(text, columns)) if each.kind == "words" else text.count("\n") + 1)
    assert used <= rows


def test_names_of_steps_are_unique_in_their_chapter():
    for chapter in chapters():
        assert len(set(chapter.ids())) == len(chapter.steps) > 4


def test_no_sentence_is_there_twice():
    counts = Counter(sentence for _, sentence in prose() if "Press" not in sentence)
    assert [sentence for sentence, times in counts.items() if times > 1] == []


def test_no_sentence_begins_with_a_key():
    first = [re.match(r"\{([^{}]+)\}", sentence) for _, sentence in prose()]
    assert [found[1] for found in first if found and found[1] in ACTIONS] == []


def test_the_symbols_of_the_update_rule_are_named():
    text = " ".join(
        each.text for chapter in chapters()[1:4] for step in chapter.steps for each in step.paragraphs
    )
    for name in ("w is a parameter", "L the loss", "α (alpha) is the learning rate", "ε (epsilon)", "∂L/∂w"):
        assert name in text


def test_a_chapter_is_found_by_its_number():
    assert chapter_numbered("3").title == "The naive way"
    with pytest.raises(InputError, match="there is no chapter 14; choose 0 to 13"):
        chapter_numbered("14")
    with pytest.raises(InputError, match='"three" is not'):
        chapter_numbered("three")


def test_the_text_of_a_step_is_read():
    text = GOOD.replace(
        "Words.", "Words\nthat go on.\n\n    a = b\n    c = d\n\n```python\nx = 1\n\ny = 2\n```"
    )
    (step,) = read_chapter("03-some.md", text).steps
    assert [(each.kind, each.text) for each in step.paragraphs] == [
        ("words", "Words that go on."),
        ("formula", "a = b\nc = d"),
        ("code", "x = 1\n\ny = 2"),
    ]
    assert (step.name, step.action, step.check) == ("a-step", "Press {step_on}.", "stepped")
    assert not step.fresh


def test_a_step_keeps_the_start_of_the_one_before():
    text = GOOD + "start: lesson\n\n## Another\n\nWords.\n"
    first, second = read_chapter("03-some.md", text).steps
    assert (first.start, first.fresh) == (second.start, True)
    assert second.start.session.data == "digits"
    assert not second.fresh


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("check: stepped", "check: steped", "03-some.md: A step: there is no check steped"),
        ("start: xor", "start: xo", '03-some.md: .*invalid value "xo"'),
        ("start: xor", "start: xor laers=2,1", "03-some.md: .*a start has no field laers"),
        ("start: xor", "start: xor layers=two", "03-some.md: .*'two'"),
        ("start: xor", "start: xor layers=3,1", "03-some.md: .*xor has 2 inputs"),
        ("# Title", "# The {ratio}x", "03-some.md: a title has no figures or keys: The {ratio}x"),
        ("## A step", "## Press {step_on}", "03-some.md: a title has no figures or keys: Press {step_on}"),
        ("A sentence.", "It is {ratio}x.", "03-some.md: about: has no figures or keys: It is {ratio}x."),
        ("start: xor\n", "", "03-some.md: a chapter begins with"),
        ("do: Press {step_on}.", "do: Press {step_on}.\ndo: Wait.", "03-some.md: A step: more than one do"),
    ],
)
def test_a_mistake_in_a_chapter_names_the_place(old, new, message):
    with pytest.raises(InputError, match=message):
        read_chapter("03-some.md", GOOD.replace(old, new))


def test_a_title_becomes_a_name():
    assert slug("This neuron's f, g and x") == "this-neurons-f-g-and-x"
