"""The quiz: what is asked, in which order and with which numbers, and what is known at the end."""

from __future__ import annotations

import re
from dataclasses import replace
from math import prod

import pytest

from tests.lesson.taking import COURSE, FRESH, asked, take
from tui_backprop.engine.explain.walk import walk
from tui_backprop.lesson.posing import pose
from tui_backprop.lesson.question import Place, questions, read_questions
from tui_backprop.lesson.quiz import Given, held
from tui_backprop.lesson.quiz_words import place_in
from tui_backprop.session.share_token import decode, encode

NUMBER = COURSE.by_name["one-number"]


def test_questions_come_chapter_by_chapter_and_one_whose_numbers_agree_is_left_out():
    assert asked(take(FRESH, "rrr")) == ["one-words", "one-number", "two-words", "end"]


def test_what_was_missed_comes_again_at_the_start_of_the_next_block():
    assert asked(take(FRESH, "rwrr")) == ["one-words", "one-number", "one-number", "two-words", "end"]
    assert asked(take(FRESH, "wsrrr")) == [
        "one-words",
        "one-number",
        "one-words",
        "two-words",
        "one-number",
        "end",
    ]


def test_what_was_skipped_comes_again_once_at_the_end():
    everything = ["one-words", "one-number", "two-words"]
    assert asked(take(FRESH, "ssssss")) == [*everything, *everything, "end"]
    assert asked(take(FRESH, "rsrs")) == [*everything, "one-number", "end"]
    assert [COURSE.next(take(FRESH, "s" * n)).last for n in range(6)] == [False] * 3 + [True] * 3


def test_what_was_missed_in_the_last_block_comes_once_more():
    assert asked(take(FRESH, "rrww")) == ["one-words", "one-number", "two-words", "two-words", "end"]
    assert asked(take(FRESH, "wrwrw")) == [
        "one-words",
        "one-number",
        "one-words",
        "two-words",
        "one-words",
        "end",
    ]


@pytest.mark.parametrize(
    ("marks", "where", "left"),
    [
        ("", "question 1 of 3", 3),
        ("r", "question 2 of 3", 2),
        ("w", "question 2 of 3, 1 to come again", 3),
        ("ws", "asked again, 1 more to come", 3),
        ("wsr", "question 3 of 3, 1 to come again", 2),
        ("wsw", "question 3 of 3, 2 to come again", 3),
        ("wsrr", "asked again", 1),
        ("sss", "asked again, 2 more to come", 3),
        ("ssss", "asked again, 1 more to come", 2),
        ("rrw", "asked again", 1),
    ],
)
def test_the_number_of_questions_stays_and_what_comes_again_is_said_apart(marks, where, left):
    following = COURSE.next(take(FRESH, marks))
    assert (place_in(following), following.left) == (where, left)


def test_one_chapter_can_be_asked_about():
    assert asked(take(replace(FRESH, chapters=(2,)), "wr")) == ["two-words", "two-words", "end"]


def shown(seed, times=0):
    return [option.text for option in pose(NUMBER, seed, times).options]


def test_numbers_and_their_order_depend_on_the_seed_and_on_how_often_it_was_asked():
    assert shown(0) == shown(0)
    assert shown(0) != shown(1)
    assert shown(0) != shown(0, 1)
    orders = {pose(COURSE.by_name["one-words"], seed).right for seed in range(12)}
    assert orders == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_the_right_option_is_the_number_of_the_live_network(seed):
    from tui_backprop.session.replay import Replay

    posed = pose(NUMBER, seed)
    name = posed.paragraphs[0].split()[2].rstrip(",")  # dW1[0,1]
    index = tuple(map(int, name.partition("[")[2].rstrip("]").split(",")))
    gradient = Replay(0).take(posed.session).program.cotangents["W1"][index]
    assert posed.session.network.seed == seed
    assert float(posed.options[posed.right].text.replace("−", "-")) == pytest.approx(gradient, rel=0.005)
    assert len({option.text for option in posed.options}) == 3


def test_a_question_that_comes_again_without_another_entry_is_asked_as_before():
    assert pose(COURSE.by_name["one-words"], 3, 7) is not None


def test_figures_are_those_of_the_state_that_the_question_is_about():
    posed = pose(COURSE.by_name["two-words"], 0)
    assert posed.options[posed.right].text == "335,114."


def test_a_question_leads_to_a_place_in_its_state():
    posed = pose(COURSE.by_name["two-words"], 0)
    assert posed.place(0) == Place("walk", "delta")
    there = posed.session_at(Place("walk", "delta"))
    assert (there.network, there.panel) == (posed.session.network, "walk")
    assert there.walk.step > 0
    wrong = pose(COURSE.by_name["one-words"], 0)
    places = {option.misconception: wrong.place(i) for i, option in enumerate(wrong.options)}
    assert places == {"": None, "too-inaccurate": Place("step_size"), "too-small-to-see": Place("blame")}


def test_what_came_of_each_question():
    quiz = take(FRESH, "uwrr")
    assert COURSE.outcomes(quiz) == {"one-words": "unsure", "one-number": "learned", "two-words": "known"}
    assert COURSE.outcomes(take(FRESH, "s")) == {
        "one-words": "missed", "one-number": "not asked", "two-words": "not asked",
    }  # fmt: skip


def test_ideas_that_were_held_for_sure_come_first():
    quiz = replace(
        FRESH,
        given=(
            Given("a", "x", False),
            Given("b", "x", False),
            Given("c", "y"),
            Given("d", "z"),
            Given("e", "z"),
        ),
    )
    assert held(quiz) == (("z", True), ("y", True), ("x", False))


def test_answers_that_do_not_belong_to_a_quiz_are_seen():
    quiz = take(FRESH, "rwr")
    assert COURSE.fits(quiz)
    assert not COURSE.fits(replace(quiz, given=quiz.given[1:]))
    assert not COURSE.fits(replace(quiz, given=(Given("one-words", "no-slope"),)))
    assert not COURSE.fits(replace(quiz, given=(Given("one-never"),)))
    assert not COURSE.fits(replace(quiz, chapters=(7,)))


def test_the_words_can_give_the_numbers_that_an_answer_is_worked_out_from():
    (question,) = read_questions(
        "01-one.md",
        """
## by-hand
on: xor batch=1
ask: gradient W1

{entry}, {parameter}, {value}, {gradient}; {deltas}; {factors}; {loss_before}, {loss_moved}; {parameters}; {step_on}

- [x] `value`
- [ ] `no-slope`
- [ ] `loss-as-seed`
""",
    )
    posed = pose(question, 0)
    (words,) = posed.paragraphs
    entries, deltas, factors, losses, parameters, key = words.split("; ")
    assert re.fullmatch(r"dW1\[\d,\d\], W1\[\d,\d\], [−\d.]+, [−\d.]+", entries)
    assert "," not in deltas  # one sample
    numbers = [float(each.replace("−", "-")) for each in re.findall(r" = ([−\d.e]+)", factors)]
    gradient = float(entries.rpartition(" ")[2].replace("−", "-"))
    assert prod(numbers) == pytest.approx(gradient, rel=0.02)
    before, moved = map(float, losses.split(", "))
    assert (moved - before) / 1e-4 == pytest.approx(gradient, rel=0.05)
    assert (parameters, key) == ("9", "{step_on}")


def test_every_question_of_the_lesson_can_be_posed_with_any_seed():
    for question in questions():
        for seed in range(4 if question.what else 1):
            posed = pose(question, seed)
            assert posed is not None, question.name
            assert len({option.text for option in posed.options}) == 3, question.name


def test_a_question_about_several_uses_gives_the_terms_that_its_answer_adds_up():
    (question,) = (each for each in questions() if each.name == "three-uses-by-number")
    for seed in range(3):
        posed = pose(question, seed)
        terms = re.search(r"contribute ([\d.]+), ([\d.]+) and ([\d.]+) to", posed.paragraphs[-1])
        numbers = {option.misconception: float(option.text) for option in posed.options}
        one, two, three = map(float, terms.groups())
        wanted = {"": one + two + three, "last-path-only": one, "first-path-only": three,
                  "counted-twice": one + two + 2 * three}  # fmt: skip
        assert numbers == pytest.approx({name: wanted[name] for name in numbers}, rel=0.01)


def test_every_option_that_is_wrong_leads_to_a_place_that_a_token_opens():
    for question in questions():
        posed = pose(question, 0)
        for place in {posed.place(i) for i in range(3)} - {None}:
            there = posed.session_at(place)
            assert there.panel == place.panel, question.name
            assert decode(encode(there)) == there, question.name
            if place.step:
                steps = walk(there.network, there.batch, there.optimizer, there.walk.grain)
                assert steps[there.walk.step].kind == place.step, question.name
