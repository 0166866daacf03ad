"""Predict, then reveal: what a learner expects of an entry of a step, before it is shown.

A prediction is a sign, a shape or a value. A wrong value is told from the idea that leads to it. Hints come in three
grades; where the number was shown, nothing is earned."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

from tui_backprop.engine.arrays.types import Shape
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.mutants.answers import Answers, Diagnosis, close
from tui_backprop.engine.mutants.mutant import Asked
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.lesson.misconceptions import told
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import format_number
from tui_backprop.support.validation import quoted

Sign = Literal[-1, 0, 1]
SIGNS: dict[str, Sign] = {"+": 1, "positive": 1, "-": -1, "−": -1, "negative": -1, "zero": 0}
SIGN_WORDS: dict[Sign, str] = {1: "positive", 0: "zero", -1: "negative"}
_LENGTHS = r"[1-9]\d{0,8}(?:\s*[,x×]\s*[1-9]\d{0,8})"
SHAPE = re.compile(rf"[(\[]\s*{_LENGTHS}*\s*,?\s*[)\]]|{_LENGTHS}+")  # (4, 3), (4,), 4x3
THOUSANDS = re.compile(r"[-−+]?\d{1,3}(,\d{3})+(\.\d*)?")  # a number such as 1,000
HINTS = 3  # where to look, the formula, the number
DIGITS = 3
EXAMPLES = "a value such as -0.0371, a shape such as 4x3, or a sign: + or -"


@dataclass(frozen=True)
class Guess:
    """What a learner predicts: one of the three is given."""

    sign: Sign | None = None
    shape: Shape | None = None
    value: float | None = None


@dataclass(frozen=True)
class Judged:
    """Whether a guess is right, what is said about it, and the misconceptions that it may come from."""

    right: bool
    said: str
    misconceptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """The state of one prediction: whether it was made rightly, the number of tries, and of the hints shown."""

    right: bool = False
    tries: int = 0
    hints: int = 0

    def trying(self, judged: Judged) -> Prediction:
        """Count a try; once one was right, nothing changes."""
        return self if self.right else replace(self, right=judged.right, tries=self.tries + 1)

    def hinted(self) -> Prediction:
        """Show one more hint, if there is one."""
        return self if self.right else replace(self, hints=min(self.hints + 1, HINTS))

    @property
    def earned(self) -> bool:
        """Return True if the answer was right before the number was shown."""
        return self.right and self.hints < HINTS


def read_guess(text: str) -> Guess:
    """Read a guess as it was typed. Raises InputError, which says what would be one."""
    typed = text.strip().lower()
    if typed in SIGNS:
        return Guess(sign=SIGNS[typed])
    shape = SHAPE.fullmatch(typed)
    thousands = THOUSANDS.fullmatch(typed)
    if shape and not thousands:
        return Guess(shape=tuple(map(int, re.findall(r"\d+", typed))))
    try:
        value = float((typed.replace(",", "") if thousands else typed).replace("−", "-"))
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise InputError("prediction", f"{quoted(text)} is no prediction; type {EXAMPLES}")
    return Guess(value=value)


def asked_of(answers: Answers, step: Step, index: tuple[int, ...]) -> Asked | None:
    """Return what is asked for where an entry of a step's result is to be predicted; None if the result is neither a
    gradient nor an update, for which there are no wrong ideas in the table."""
    value, what, _ = answers.iteration.graph.tensors[step.tensor]
    if step.phase == "update":
        return Asked("updated", value, index)
    return Asked("gradient", value, index) if what == "gradient" else None


def number_of(answers: Answers, step: Step, index: tuple[int, ...]) -> float:
    """Return the number to predict."""
    iteration = answers.iteration
    array = iteration.new[step.tensor] if step.phase == "update" else iteration.tensor(step.tensor)
    return float(array[index])


def judge(answers: Answers, step: Step, index: tuple[int, ...], guess: Guess) -> Judged:
    """Judge a guess about an entry of the result of a step."""
    if guess.shape is not None:
        return _judge_shape(dict(step.operands)[step.tensor], guess.shape)
    number = number_of(answers, step, index)
    if guess.sign is not None:
        sign: Sign = 1 if number > 0 else -1 if number < 0 else 0
        right = sign == guess.sign
        return Judged(right, "Right." if right else f"It is not {SIGN_WORDS[guess.sign]}.")
    assert guess.value is not None
    if close(guess.value, number):
        return Judged(True, "Right.")
    asked = asked_of(answers, step, index)
    found = answers.diagnose(asked, guess.value) if asked else Diagnosis(False, ())
    if found.mutants:
        return Judged(False, told(found), tuple(mutant.name for mutant in found.mutants))
    return Judged(False, _near(guess.value, number))


def _judge_shape(right: Shape, guess: Shape) -> Judged:
    if guess == right:
        return Judged(True, "Right.")
    if guess == right[::-1]:
        transposed = ("transposed-gradient",)
        return Judged(False, "That is the transpose.", transposed if len(right) == 2 else ())
    if len(guess) != len(right):
        return Judged(
            False, f"It has {len(right)} {'axis' if len(right) == 1 else 'axes'}, not {len(guess)}."
        )
    return Judged(False, "The number of axes is right, but not their lengths.")


def _near(guess: float, number: float) -> str:
    """Say in which way a value is wrong that follows from no idea of the table."""
    if close(guess, -number):
        return "Only the sign is wrong."
    if guess and number and guess * number < 0:
        return "The sign is wrong, and the size."
    return (
        "The value is too large in size." if abs(guess) > abs(number) else "The value is too small in size."
    )


def hints(answers: Answers, step: Step, index: tuple[int, ...], shown: int) -> tuple[str, ...]:
    """Return the hints that were shown: where to look, the formula, the number."""
    read = _read(step)
    where = f"Look at {_listed(read)}." if read else "It is given; nothing computes it."
    number = format_number(number_of(answers, step, index), DIGITS)
    every = where, step.formula, f"{entry_name(step.tensor, index)} = {number}"
    return every[:shown]


def _read(step: Step) -> list[str]:
    """List what the result of a step is computed from: of several equations, what is in its own."""
    others = [name for name, _ in step.operands if name != step.tensor]
    equations = re.split(r", (?=\S+ [=←])", step.formula)
    own = [each for each in equations if each.split()[0] == step.tensor]
    made = {each.split()[0] for each in equations}
    if not own or not made.intersection(others):
        return others
    return [
        name for name in others if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", own[0])
    ]


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
