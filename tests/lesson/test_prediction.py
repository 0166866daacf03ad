"""Predictions of a step: how they are read, judged and diagnosed; hints in three grades."""

from __future__ import annotations

import pytest

from tests.engine.mutants.networks import dense
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.mutants.answers import Answers
from tui_backprop.engine.mutants.mutant import Asked
from tui_backprop.lesson.prediction import (
    HINTS,
    Guess,
    Judged,
    Prediction,
    hints,
    judge,
    number_of,
    read_guess,
)
from tui_backprop.support.errors import InputError

ITERATION = dense((3, 4, 2), "tanh", "binary-cross-entropy")
ANSWERS = Answers(ITERATION)
STEPS = {(step.phase, step.tensor): step for step in walk(ITERATION.spec, 3)}
DELTA, WEIGHTS = STEPS["backward", "δ1"], STEPS["backward", "dW1"]


@pytest.mark.parametrize(
    ("typed", "guess"),
    [
        ("+", Guess(sign=1)),
        (" Negative ", Guess(sign=-1)),
        ("zero", Guess(sign=0)),
        ("−", Guess(sign=-1)),
        ("0", Guess(value=0.0)),
        ("12", Guess(value=12.0)),
        ("1,000", Guess(value=1000.0)),
        ("-1,000.5", Guess(value=-1000.5)),
        ("-0.0371", Guess(value=-0.0371)),
        ("−3.7e-2", Guess(value=-0.037)),
        ("4x3", Guess(shape=(4, 3))),
        ("4 × 3", Guess(shape=(4, 3))),
        ("(4, 3)", Guess(shape=(4, 3))),
        ("[4,3]", Guess(shape=(4, 3))),
        ("(3,)", Guess(shape=(3,))),
        ("(3)", Guess(shape=(3,))),
    ],
)
def test_a_guess_is_a_sign_a_shape_or_a_value(typed, guess):
    assert read_guess(typed) == guess


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "0.03.1",
        "nan",
        "inf",
        "1e999",
        "4x",
        "4,",
        "0,0371",
        "()",
        "(4, 3",
        "x4y",
        "up",
        "\x00",
        "9" * 400,
    ],
)
def test_what_is_no_guess_is_refused_in_one_line(typed):
    with pytest.raises(InputError) as error:
        read_guess(typed)
    assert "type a value such as" in error.value.message
    assert error.value.message.isprintable()
    assert len(error.value.message) < 200


@pytest.mark.parametrize("step", STEPS.values(), ids=lambda step: f"{step.phase} {step.tensor}")
def test_the_number_of_every_step_is_judged_right_as_it_is_shown(step):
    shape = dict(step.operands)[step.tensor]
    index = tuple(0 for _ in shape)
    number = number_of(ANSWERS, step, index)
    for text in (f"{number:.3g}", f"{number!r}"):
        assert judge(ANSWERS, step, index, Guess(value=float(text))).right
    sign = (number > 0) - (number < 0)
    for guess in (-1, 0, 1):
        judged = judge(ANSWERS, step, index, Guess(sign=guess))
        assert judged.right == (guess == sign)
    assert judge(ANSWERS, step, index, Guess(shape=shape)).right


def test_a_wrong_value_is_told_from_the_idea_behind_it():
    wrong = ANSWERS.wrong(Asked("gradient", "z1", (1, 2)))["no-slope"]
    judged = judge(ANSWERS, DELTA, (1, 2), Guess(value=float(f"{wrong:.3g}")))
    assert not judged.right
    assert judged.misconceptions == ("no-slope",)
    assert judged.said.startswith("This is what comes out without the slope f'(z).")


def test_a_wrong_update_is_told_too():
    step = STEPS["update", "W1"]
    wrong = ANSWERS.wrong(Asked("updated", step.tensor, (1, 2)))["ascent"]
    assert "ascent" in judge(ANSWERS, step, (1, 2), Guess(value=wrong)).misconceptions


def test_a_value_of_no_known_idea_is_compared():
    number = number_of(ANSWERS, DELTA, (1, 2))
    assert judge(ANSWERS, DELTA, (1, 2), Guess(value=number * 7.77)).said == "The value is too large in size."
    assert judge(ANSWERS, DELTA, (1, 2), Guess(value=number / 7.77)).said == "The value is too small in size."
    assert (
        judge(ANSWERS, DELTA, (1, 2), Guess(value=number * -7.77)).said == "The sign is wrong, and the size."
    )
    forward = STEPS["forward", "z1"]
    z = number_of(ANSWERS, forward, (0, 0))
    assert judge(ANSWERS, forward, (0, 0), Guess(value=-z)).said == "Only the sign is wrong."


def test_a_wrong_shape_is_compared():
    assert judge(ANSWERS, WEIGHTS, (0, 0), Guess(shape=(4, 3))) == Judged(
        False, "That is the transpose.", ("transposed-gradient",)
    )
    assert judge(ANSWERS, WEIGHTS, (0, 0), Guess(shape=(3,))).said == "It has 2 axes, not 1."
    assert judge(ANSWERS, WEIGHTS, (0, 0), Guess(shape=(3, 5))).said == (
        "The number of axes is right, but not their lengths."
    )


def test_hints_say_where_to_look_then_the_formula_then_the_number():
    assert hints(ANSWERS, WEIGHTS, (0, 1), 0) == ()
    where, formula, number = hints(ANSWERS, WEIGHTS, (0, 1), HINTS)
    assert where == "Look at δ1 and x."
    assert formula == "dW1 = xᵀ δ1, db1 = Σ δ1"
    assert number.startswith("dW1[0,1] = ")
    assert hints(ANSWERS, DELTA, (0, 1), 1) == ("Look at δ2, W2 and a1.",)
    assert hints(ANSWERS, STEPS["loss", "L"], (), 1) == ("Look at z2 and t.",)


def test_what_was_shown_earns_nothing():
    right, wrong = Judged(True, "Right."), Judged(False, "No.")
    assert Prediction().trying(wrong).trying(right).earned
    assert Prediction().hinted().hinted().trying(right).earned
    assert not Prediction().hinted().hinted().hinted().hinted().trying(right).earned
    assert not Prediction().trying(wrong).earned
    done = Prediction().trying(right)
    assert done.hinted() == done.trying(wrong) == done
