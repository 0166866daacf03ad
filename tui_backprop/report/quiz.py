"""The quiz as plain text: a question, what is said about an answer, the result; and the result for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.lesson.posing import Posed
from tui_backprop.lesson.question import FORMULA, Option, Place
from tui_backprop.lesson.quiz import Course, Given, Next, Quiz, held
from tui_backprop.lesson.quiz_words import LETTERS, OUTCOMES, counted, place_in, refuting, results, worded
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.rows import BLANK, Column, Fact, Forms, Row, Sentence, Table, text_of
from tui_backprop.session.share_token import encode

COLUMNS = 80
INDENT = 2


def introduction_text(context: RenderContext) -> str:
    """Say how to answer."""
    how = "Answer a, b or c; if you are unsure, a?, b? or c?. Type s to skip, q to quit."
    return text_of([Sentence(how)], context, COLUMNS)


def question_text(following: Next, context: RenderContext) -> str:
    """Write a question with its options."""
    posed = worded(following.posed, context.words)
    rows: list[Row] = [Sentence(place_in(following).capitalize())]
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
    posed = worded(posed, context.words)
    right = posed.options[posed.right]
    if chosen is None:
        return text_of([Sentence("Skipped.")], context, COLUMNS)
    option = posed.options[chosen]
    if option.right:
        return text_of([Sentence(f"Right. {option.about}".strip())], context, COLUMNS)
    rows: list[Row] = [
        *map(Sentence, refuting(posed, chosen)),
        BLANK,
        Sentence(f"The answer is {LETTERS[posed.right]}) {right.text} {right.about}".strip()),
    ]
    place = posed.place(chosen)
    return text_of([*rows, *(_link(posed, place) if place else ())], context, COLUMNS)


def _link(posed: Posed, place: Place) -> Iterator[Row]:
    """Name the command that opens the app where one can see it, in a line of its own."""
    yield Sentence(f"See it: backprop-tui --open {encode(posed.session_at(place))}")


def result_text(course: Course, quiz: Quiz, context: RenderContext) -> str:
    """Say what is known and what to revisit, from what was done."""
    rows: list[Row] = [Sentence("Result"), BLANK]
    rows.append(
        Table(
            (Column("", "left"), Column("questions"), Column("", "left", "what it means")),
            tuple((name, str(count), OUTCOMES[name]) for name, count in counted(course, quiz).items()),
        )
    )
    rows += [BLANK, _chapters(course, quiz), *_ideas(quiz)]
    return text_of(rows, context, COLUMNS)


def _chapters(course: Course, quiz: Quiz) -> Table:
    cells = ((each.name, f"{each.known} of {each.asked}", each.advice) for each in results(course, quiz))
    return Table((Column("chapter", "left"), Column("known"), Column("", "left", "advice")), tuple(cells))


def _ideas(quiz: Quiz) -> Iterator[Row]:
    ideas = held(quiz)
    if ideas:
        yield BLANK
        yield Sentence("Ideas to look at again")
    for name, sure in ideas:
        row = MISCONCEPTIONS[name]
        yield BLANK
        yield Sentence(f"“{row.idea}”{' You marked it as sure.' if sure else ''}")
        yield Sentence(row.refutation, INDENT)


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
