"""A course of a few questions, and learners who take it."""

from __future__ import annotations

from tui_backprop.lesson.question import read_questions
from tui_backprop.lesson.quiz import Course, Quiz

ONE = """
## one-words

Which is right?

- [x] This one.
- [ ] `too-inaccurate` That one.
- [ ] `too-small-to-see` The other one.

## one-number
ask: gradient W1

What is {entry}, if {parameter} is {value}?

- [x] `value`
- [ ] `no-slope`
- [ ] `loss-as-seed`
- [ ] `sum-not-mean`

## one-never
ask: gradient W1

What is {entry}?

- [x] `value`
- [ ] `no-penalty`
- [ ] `no-dropout-mask`
"""
TWO = """
## two-words

How many parameters?

- [x] {parameters}.
- [ ] `backprop-is-descent` None.
- [ ] `backprop-is-approximate` Some.

place: step delta
"""
COURSE = Course((*read_questions("01-one.md", ONE), *read_questions("02-two.md", TWO)))
FRESH = Quiz(0, (1, 2))


def take(quiz, *marks, course=COURSE):
    """Answer questions in turn: "r" right, "u" right but unsure, "w" wrong, "v" wrong and unsure, "s" skipped."""
    for mark in "".join(marks):
        posed = course.next(quiz).posed
        wrong = next(i for i, option in enumerate(posed.options) if not option.right)
        chosen = None if mark == "s" else posed.right if mark in "ru" else wrong
        quiz = quiz.answering(posed, chosen, mark in "rw")
    return quiz


def asked(quiz, course=COURSE):
    """The names of what was asked so far, and of the next question."""
    following = course.next(quiz)
    return [*(each.question for each in quiz.given), following.posed.question.name if following else "end"]
