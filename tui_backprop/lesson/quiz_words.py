"""What is said of answers and results of a quiz, on the screen and in reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tui_backprop.engine.mutants.table import MUTANTS
from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.lesson.posing import Posed
from tui_backprop.lesson.quiz import Course, Next, Outcome, Quiz

LETTERS = "abc"
OUTCOMES: dict[Outcome, str] = {
    "known": "right at once, and sure",
    "unsure": "right at once, but not sure",
    "learned": "missed at first, right later",
    "missed": "to revisit",
    "not asked": "",
}


@dataclass(frozen=True)
class ChapterResult:
    """What came of the questions about a chapter: how many are ``known``, of those ``asked``, and an ``advice``."""

    name: str
    known: int
    asked: int
    advice: str


def worded(posed: Posed, words: Callable[[str], str]) -> Posed:
    """Return a question in which ``words`` were put in place of actions, as by a RenderContext."""
    options = (replace(each, text=words(each.text), about=words(each.about)) for each in posed.options)
    return replace(posed, paragraphs=tuple(map(words, posed.paragraphs)), options=tuple(options))


def place_in(asked: Next) -> str:
    """Say where a question is in the quiz: "question 3 of 8, 2 to come again", or "asked again, 1 more to come"."""
    if asked.number is None:
        return "asked again" + (f", {asked.waiting} more to come" if asked.waiting else "")
    return f"question {asked.number} of {asked.of}" + (
        f", {asked.waiting} to come again" if asked.waiting else ""
    )


def refuting(posed: Posed, chosen: int) -> tuple[str, ...]:
    """Return the sentences that refute a wrong option: the idea, where its number comes from, and why not."""
    option = posed.options[chosen]
    row, mutant = MISCONCEPTIONS[option.misconception], MUTANTS.get(option.misconception)
    origin = (f"{option.text} is what comes out {mutant.about}.",) if posed.question.what and mutant else ()
    return f"No. The idea behind this answer: “{row.idea}”", *origin, option.about or row.refutation


def counted(course: Course, quiz: Quiz) -> dict[Outcome, int]:
    """Count the questions by what came of them, without the outcomes of none."""
    found = [*course.outcomes(quiz).values()]
    return {name: found.count(name) for name in OUTCOMES if name in found}


def results(course: Course, quiz: Quiz) -> tuple[ChapterResult, ...]:
    """Return the result of each chapter that was asked about."""
    titles = {each.number: each.title for each in chapters()}
    outcomes = course.outcomes(quiz)
    found = []
    for number in quiz.chapters:
        own = [outcomes[name] for name in course.names(number, quiz.seed)]
        known = sum(each in ("known", "learned") for each in own)
        found.append(ChapterResult(title_of(number, titles), known, len(own), _advice(own)))
    return tuple(found)


def title_of(chapter: int, titles: dict[int, str]) -> str:
    """Name a chapter: by its number, and its title if it has one."""
    return f"{chapter}. {titles.get(chapter, '')}".strip()


def _advice(own: list[Outcome]) -> str:
    if "missed" in own:
        return "revisit"
    if "not asked" in own:
        return "to be continued" if len({*own}) > 1 else "not asked"
    return "read once more" if "unsure" in own else ""
