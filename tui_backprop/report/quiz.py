"""The quiz as plain text: a question, what is said about an answer, the result; and the result for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tui_backprop.engine.mutants.table import MUTANTS
from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.lesson.posing import Posed
from tui_backprop.lesson.question import FORMULA, Option, Place
from tui_backprop.lesson.quiz import Course, Given, Next, Outcome, Quiz, held
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.rows import BLANK, Column, Fact, Forms, Row, Sentence, Table, text_of
from tui_backprop.session.share_token import encode

COLUMNS = 80
INDENT = 2
LETTERS = "abc"
OUTCOMES: dict[Outcome, str] = {
    "known": "right at once, and sure",
    "unsure": "right at once, but not sure",
    "learned": "missed at first, right later",
    "missed": "to revisit",
    "not asked": "",
}


def introduction_text(context: RenderContext) -> str:
    """Say how to answer."""
    how = "Answer a, b or c; if you are unsure, a?, b? or c?. Type s to skip, q to quit."
    return text_of([Sentence(how)], context, COLUMNS)


def question_text(following: Next, context: RenderContext) -> str:
    """Write a question with its options."""
    posed = _with_keys(following.posed, context)
    again = ", again" if posed.question.name in following.block.again else ""
    rows: list[Row] = [Sentence(f"Question {following.number} of {following.of}{again}")]
    for paragraph in posed.paragraphs:
        rows.append(BLANK)
        rows += [_line(line) for line in paragraph.split("\n")]
    rows.append(BLANK)
    rows += [_option(*each) for each in zip(LETTERS, posed.options, strict=False)]
    return text_of(rows, context, COLUMNS)


def _line(text: str) -> Sentence:
    return Sentence(text.removeprefix(FORMULA), len(FORMULA) if text.startswith(FORMULA) else 0)


def _option(letter: str, option: Option) -> Row:
    text = option.text
    return Forms((Fact(f"  {letter})", text, columns=5),), (Fact(letter, text),))


def verdict_text(posed: Posed, chosen: int | None, context: RenderContext) -> str:
    """Say whether an answer is right, why, and where one can see it; None for a question that was skipped."""
    posed = _with_keys(posed, context)
    right = posed.options[posed.right]
    if chosen is None:
        return text_of([Sentence("Skipped.")], context, COLUMNS)
    option = posed.options[chosen]
    if option.right:
        return text_of([Sentence(f"Right. {option.about}".strip())], context, COLUMNS)
    rows = [
        *_refuted(option, posed),
        BLANK,
        Sentence(f"The answer is {LETTERS[posed.right]}) {right.text} {right.about}".strip()),
    ]
    place = posed.place(chosen)
    return text_of([*rows, *(_link(posed, place) if place else ())], context, COLUMNS)


def _refuted(option: Option, posed: Posed) -> Iterator[Row]:
    row, mutant = MISCONCEPTIONS[option.misconception], MUTANTS.get(option.misconception)
    yield Sentence(f"No. The idea behind this answer: “{row.idea}”")
    if posed.question.what and mutant:
        yield Sentence(f"{option.text} is what comes out {mutant.about}.")
    yield Sentence(option.about or row.refutation)


def _link(posed: Posed, place: Place) -> Iterator[Row]:
    """Name the command that opens the app where one can see it, in a line of its own."""
    yield Sentence(f"See it: backprop-tui --open {encode(posed.session_at(place))}")


def result_text(course: Course, quiz: Quiz, context: RenderContext) -> str:
    """Say what is known and what to revisit, from what was done."""
    outcomes = course.outcomes(quiz)
    counts = {name: sum(each == name for each in outcomes.values()) for name in OUTCOMES}
    rows: list[Row] = [Sentence("Result"), BLANK]
    rows.append(
        Table(
            (Column("", "left"), Column("questions"), Column("", "left", "what it means")),
            tuple((name, str(count), OUTCOMES[name]) for name, count in counts.items() if count),
        )
    )
    rows += [BLANK, _chapters(course, quiz, outcomes), *_ideas(quiz)]
    return text_of(rows, context, COLUMNS)


def _chapters(course: Course, quiz: Quiz, outcomes: dict[str, Outcome]) -> Table:
    titles = {each.number: each.title for each in chapters()}
    cells = []
    for number in quiz.chapters:
        own = [outcomes[name] for name in course.names(number, quiz.seed)]
        good = sum(each in ("known", "learned") for each in own)
        cells.append((f"{number}. {titles.get(number, '')}".strip(), f"{good} of {len(own)}", _advice(own)))
    return Table((Column("chapter", "left"), Column("known"), Column("", "left", "advice")), tuple(cells))


def _advice(own: list[Outcome]) -> str:
    if "missed" in own:
        return "revisit"
    if "not asked" in own:
        return "to be continued" if len({*own}) > 1 else "not asked"
    return "read once more" if "unsure" in own else ""


def _ideas(quiz: Quiz) -> Iterator[Row]:
    ideas = held(quiz)
    if ideas:
        yield BLANK
        yield Sentence("Ideas to look at again")
    for name, sure in ideas:
        row = MISCONCEPTIONS[name]
        yield BLANK
        yield Sentence(f"“{row.idea}”{' You were sure of it.' if sure else ''}")
        yield Sentence(row.refutation, INDENT)


def _with_keys(posed: Posed, context: RenderContext) -> Posed:
    """Put the keys in force in place of the actions in a question."""
    words = context.words
    options = (replace(each, text=words(each.text), about=words(each.about)) for each in posed.options)
    return replace(posed, paragraphs=tuple(map(words, posed.paragraphs)), options=tuple(options))


# --- for programs ------------------------------------------------------------------------------------------


def quiz_dict(course: Course, quiz: Quiz) -> dict[str, Any]:
    """Return the result as JSON can hold it."""
    outcomes = course.outcomes(quiz)
    return {
        "seed": quiz.seed,
        "chapters": list(quiz.chapters),
        "finished": course.next(quiz) is None,
        "questions": [
            {
                "question": name,
                "chapter": course.by_name[name].chapter,
                "outcome": outcome,
                "answers": [_answer(each) for each in quiz.answers_to(name)],
            }
            for name, outcome in outcomes.items()
        ],
    }


def _answer(given: Given) -> dict[str, Any]:
    return {
        "right": given.right,
        "sure": given.sure,
        "skipped": given.skipped,
        "misconception": given.misconception or None,
    }


def quiz_csv(course: Course, quiz: Quiz) -> str:
    """Return the result as CSV, one line for each answer, and one for each question that was not asked."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    head = "right", "sure", "skipped", "misconception"
    writer.writerow(("seed", "chapter", "question", "outcome", "attempt", *head))
    for row in quiz_dict(course, quiz)["questions"]:
        about = quiz.seed, row["chapter"], row["question"], row["outcome"]
        for attempt, answer in enumerate(row["answers"] or [{}], 1):
            writer.writerow((*about, attempt if answer else 0, *(answer.get(name) for name in head)))
    return made.getvalue()
