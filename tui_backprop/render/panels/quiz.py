"""The quiz: a question with its options, what is said of an answer, and the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.lesson.posing import Posed
from tui_backprop.lesson.question import FORMULA
from tui_backprop.lesson.quiz import Course, Next, Quiz, held
from tui_backprop.lesson.quiz_words import (
    LETTERS,
    OUTCOMES,
    counted,
    place_in,
    refuting,
    results,
    title_of,
    worded,
)
from tui_backprop.lesson.sitting import Answered, Sitting
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, first_fitting, line, pad, plain, width, wrap

LETTER_COLUMNS = 7  # before an option: the mark of the one chosen, and its letter
MOST_COLUMNS = 72  # of running text
ADVICE_ROLES = {"revisit": "bad", "read once more": "mark"}
OUTCOME_ROLES = {"known": "good", "learned": "good", "missed": "bad"}


def quiz_lines(course: Course, sitting: Sitting, columns: int, context: RenderContext) -> list[Line]:
    """Draw what is shown of a quiz."""
    columns = min(columns, MOST_COLUMNS)
    if sitting.answered:
        return [
            *_question(sitting.answered.asked, columns, context, sitting.answered),
            (),
            *_verdict(sitting.answered, columns, context),
        ]
    asked = course.next(sitting.quiz)
    return _question(asked, columns, context) if asked else _result(course, sitting.quiz, columns)


def quiz_keys(course: Course, sitting: Sitting) -> tuple[str, ...]:
    """Name the keys that work, in the order of their importance."""
    if sitting.answered:
        see = ("g see it in the app",) if sitting.answered.seen_at else ()
        return ("enter goes on", *see, "esc closes")
    if course.next(sitting.quiz):
        return ("a b c sure", "A B C unsure", "s skip", "← → chapter", "esc closes")
    return (
        "n to the whole quiz" if sitting.kept else "n new quiz",
        "← → chapter",
        "↑ ↓ scroll",
        "esc closes",
    )


# --- a question ----------------------------------------------------------------------------------------------


def _question(
    asked: Next, columns: int, context: RenderContext, answered: Answered | None = None
) -> list[Line]:
    posed = worded(asked.posed, context.words)
    lines = [_heading(asked, columns)]
    for paragraph in posed.paragraphs:
        lines.append(())
        for text in paragraph.split("\n"):
            formula = text.startswith(FORMULA)
            lines += [line((text, "text"))] if formula else wrap(text, columns, "strong")
    lines.append(())
    for i, option in enumerate(posed.options):
        lines += _option(i, option.text, posed, columns, answered)
    return lines


def _heading(asked: Next, columns: int) -> Line:
    """Draw the chapter on the left, and where the question is in the quiz on the right."""
    titles = {each.number: each.title for each in chapters()}
    chapter = line((title_of(asked.posed.question.chapter, titles), "title"))
    number = line((place_in(asked), "muted"))
    return first_fitting(columns, line(*pad(chapter, columns - width(number) - 2), "  ", *number), number)


def _option(i: int, text: str, posed: Posed, columns: int, answered: Answered | None) -> Iterator[Line]:
    chosen = answered is not None and answered.chosen == i
    role = "text"
    if answered is not None:
        role = "good" if i == posed.right else "bad" if chosen else "muted"
    head = line(
        (f"  {'▸' if chosen else ' '} ", role), (LETTERS[i], "key" if answered is None else role), "  "
    )
    for n, row in enumerate(wrap(text, columns - LETTER_COLUMNS, role)):
        yield line(*(head if n == 0 else ((" " * LETTER_COLUMNS, "text"),)), *row)


def _verdict(answered: Answered, columns: int, context: RenderContext) -> list[Line]:
    posed, chosen = worded(answered.asked.posed, context.words), answered.chosen
    right = posed.options[posed.right]
    if chosen is None:
        later = "It is not asked again." if answered.asked.last else "It comes again once, at the end."
        return wrap(f"Skipped. {later}", columns, "muted")
    if answered.right:
        head = "Right." if answered.sure else "Right, though you were unsure."
        return _led(head, "good", right.about, columns)
    first, *others = refuting(posed, chosen)
    lines = _led("No.", "bad", first.removeprefix("No.").strip(), columns)
    for sentence in others:
        lines += wrap(sentence, columns)
    answer = f"The answer is {LETTERS[posed.right]}."
    later = "" if answered.asked.last else " The question comes again later."
    return [*lines, (), *_led(answer, "good", f"{right.about}{later}", columns)]


def _led(head: str, role: str, text: str, columns: int) -> list[Line]:
    """Break a text into lines, with its first words in a role of their own."""
    (first, *others) = wrap(f"{head} {text}".strip(), columns)
    return [line((head, role), plain(first)[len(head) :]), *others]


# --- the result ----------------------------------------------------------------------------------------------


def _result(course: Course, quiz: Quiz, columns: int) -> list[Line]:
    lines = [line(("Your result", "title")), ()]
    for name, count in counted(course, quiz).items():
        lines.append(
            line(
                (f"{count:>5}  ", "strong"),
                (f"{name:<11}", OUTCOME_ROLES.get(name, "text")),
                (OUTCOMES[name], "muted"),
            )
        )
    lines += [(), *_chapters(course, quiz, columns), *_ideas(quiz, columns)]
    return lines


def _chapters(course: Course, quiz: Quiz, columns: int) -> list[Line]:
    rows = results(course, quiz)
    wide = min(max((len(each.name) for each in rows), default=0), max(columns - 30, 12))
    lines = [line((f"{'chapter':<{wide}}   {'known':>8}", "muted"))]
    for each in rows:
        role = ADVICE_ROLES.get(each.advice, "muted")
        name = pad(line(each.name), wide)
        lines.append(line(*name, f"   {f'{each.known} of {each.asked}':>8}   ", (each.advice, role)))
    return lines


def _ideas(quiz: Quiz, columns: int) -> list[Line]:
    """List the ideas behind the wrong answers, each with what refutes it."""
    lines: list[Line] = []
    ideas: Sequence[tuple[str, bool]] = held(quiz)
    if ideas:
        lines += [(), line(("Ideas to look at again", "title"))]
    for name, sure in ideas:
        row = MISCONCEPTIONS[name]
        lines += [(), *wrap(f"“{row.idea}”{' You marked it as sure.' if sure else ''}", columns, "strong")]
        lines += [line("  ", *each) for each in wrap(row.refutation, columns - 2)]
    return lines
