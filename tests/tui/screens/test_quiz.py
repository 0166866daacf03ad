"""The quiz in the app: by keys alone, at any size, left and taken up again."""

from __future__ import annotations

import pytest

from tests.lesson.taking import COURSE
from tui_backprop.lesson import quiz as quizzes
from tui_backprop.lesson.quiz import Quiz, course
from tui_backprop.lesson.quiz_progress import NAME, load, save
from tui_backprop.session.state import from_preset
from tui_backprop.support.paths import state_folder

SIZES = [(80, 24), (120, 40)]
XOR = from_preset("xor")


@pytest.fixture
def short(monkeypatch):
    """A quiz of three questions."""
    monkeypatch.setattr(quizzes, "course", lambda: COURSE)
    return COURSE


def letters_of(every, quiz):
    """The letters of the right option and of a wrong one of what is asked next."""
    posed = every.next(quiz).posed
    return "abc"[posed.right], "abc"[(posed.right + 1) % 3]


def letters(ui):
    return letters_of(COURSE, ui.app.screen.sitting.quiz)


@pytest.mark.parametrize("size", SIZES)
async def test_all_is_done_on_the_keyboard_and_what_was_missed_comes_again(open_app, short, size):
    async with open_app(XOR, size=size) as ui:
        await ui.press("Q")
        assert "question 1 of 3" in ui.screen
        _, wrong = letters(ui)
        await ui.press(wrong)
        assert "No. The idea behind this answer" in ui.screen
        assert "The answer is" in ui.screen
        await ui.press("enter")
        assert "question 2 of 3, 1 to come again" in ui.screen  # the one that was missed comes again
        await ui.press(letters(ui)[0].upper())
        assert "Right, though you were unsure." in ui.screen
        await ui.press("enter")
        assert "asked again" in ui.screen
        await ui.press(letters(ui)[0], "enter")
        await ui.press("s")
        assert "Skipped." in ui.screen
        await ui.press("enter", letters(ui)[0], "enter")
        assert "Your result" in ui.screen
        assert "missed at first, right later" in ui.screen
        await ui.press("n")
        assert "question 1 of 3" in ui.screen
        assert ui.app.screen.sitting.quiz.seed == 1
        await ui.press("escape")
        assert ui.app.session == XOR


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_shows_the_place_and_the_quiz_goes_on_at_the_same_question(open_app, short, size):
    async with open_app(XOR, size=size) as ui:
        await ui.press("Q", letters_of(COURSE, Quiz(0, COURSE.chapters))[1])
        asked = ui.app.screen.sitting.answered
        await ui.press("g")
        assert len(ui.app.screen_stack) == 1
        assert ui.app.session.network == asked.seen_at.network
        assert ui.focused == asked.seen_at.panel
        assert "Q goes on with the quiz" in ui.keys
        await ui.press("Q")
        assert ui.app.screen.sitting.answered == asked
        assert "No. The idea behind this answer" in ui.screen
        await ui.press("escape", "u")
        assert ui.app.session == XOR


async def test_it_goes_on_where_the_command_left_it_and_the_command_where_it_was_left(open_app, short):
    begun = Quiz(5, (1, 2))
    begun = begun.answering(COURSE.next(begun).posed, None)
    save(begun)
    async with open_app(XOR) as ui:
        await ui.press("Q")
        assert "question 2 of" in ui.screen
        await ui.press(letters(ui)[0])
        await ui.until(lambda: len(load(COURSE).given) == 2, "the answer in the file")
    assert load(COURSE).seed == 5


async def test_an_answer_is_in_the_file_before_the_app_has_ended(open_app, short):
    async with open_app(XOR) as ui:
        await ui.press("Q")
        await ui.pilot.press("a")
        await ui.pilot.press("ctrl+q")
        await ui.until(lambda: not ui.app.is_running, "the end")
    assert len(load(COURSE).given) == 1


async def test_a_resize_in_the_middle_loses_nothing(open_app, short):
    async with open_app(XOR) as ui:
        await ui.press("Q", letters_of(COURSE, Quiz(0, COURSE.chapters))[1])
        before = ui.app.screen.sitting
        for size in ((80, 24), (60, 18), (40, 10), (200, 60)):
            await ui.resize(*size)
        assert ui.app.screen.sitting == before
        assert "The answer is" in ui.screen


async def test_keys_that_are_no_answers_change_nothing(open_app, short):
    async with open_app(XOR) as ui:
        await ui.press("Q", "d", "x", "1", "enter", "n", "g", "D", "delete")
        assert not ui.app.screen.sitting.quiz.given
        await ui.press("a", "b", "C", "s")  # one answer is one answer
        assert len(ui.app.screen.sitting.quiz.given) == 1


async def test_a_file_of_no_use_is_reported_in_one_line_and_a_new_quiz_begins(open_app, short):
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / NAME).write_text("{")
    async with open_app(XOR) as ui:
        await ui.press("Q")
        assert "question 1 of 3" in ui.screen
        assert any("is of no use" in each.message for each in ui.app._notifications)


async def test_what_is_longer_than_the_screen_says_how_much_is_out_of_sight(open_app, monkeypatch):
    every = course()
    longest = next(each for each in every.questions if each.name == "three-uses-by-number")
    monkeypatch.setattr(quizzes, "course", lambda: quizzes.Course((longest,)))
    async with open_app(XOR, size=(60, 18)) as ui:
        await ui.press("Q", letters_of(quizzes.course(), Quiz(0, (longest.chapter,)))[1])
        assert "more lines" in ui.screen
        assert "comes again later." in ui.screen  # the end is what is shown first
        await ui.press(*["up"] * 9)
        assert "question 1 of 1" in ui.screen


@pytest.mark.parametrize("size", SIZES)
async def test_a_chapter_is_chosen_by_a_key_and_the_quiz_that_is_kept_goes_on(open_app, short, size):
    async with open_app(XOR, size=size) as ui:
        await ui.press("Q", "s", "enter", "right")
        kept = ui.app.screen.sitting.saved
        assert ui.app.screen.sitting.quiz == Quiz(0, COURSE.chapters[:1])
        assert "← → chapter" in ui.screen
        await ui.press("right")
        assert ui.app.screen.sitting.quiz.chapters == COURSE.chapters[1:2]
        right, wrong = letters(ui)
        await ui.press(wrong, "left", right)  # no turning while an answer is shown
        assert len(ui.app.screen.sitting.quiz.given) == 1
        await ui.press("escape", "Q")
        assert load(COURSE) == kept == ui.app.screen.sitting.quiz
        await ui.press("left")
        assert ui.app.screen.sitting.quiz.chapters == COURSE.chapters[-1:]
        while COURSE.next(ui.app.screen.sitting.quiz):
            await ui.press(letters(ui)[0], "enter")
        assert "n to the whole quiz" in ui.screen
        await ui.press("n")
        assert ui.app.screen.sitting.quiz == kept
