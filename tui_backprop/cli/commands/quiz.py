"""``backprop-tui quiz``: the questions of the lesson, on any terminal and over a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tui_backprop.cli.options import file_to_write
from tui_backprop.cli.output import glyphs_for_stdout
from tui_backprop.cli.streams import say, write
from tui_backprop.support.errors import FileError, InputError, WriteError
from tui_backprop.support.format import printable
from tui_backprop.support.validation import quoted, whole_number

if TYPE_CHECKING:
    from tui_backprop.lesson.quiz import Course, Quiz
    from tui_backprop.render.draw.context import RenderContext

PROMPT = "Your answer: "
LONGEST_LINE = 200  # bytes; what is longer is no answer
MOST_BAD = 100  # lines in a row that are no answers, before the input is given up
LARGEST_SEED = 2**31

Mark = (
    Literal["skip", "quit"] | tuple[int, bool]
)  # or the number of an option, and whether the learner is sure


@click.command("quiz")
@click.option("--seed", default=None, metavar="0", help="Seed of numbers and of their order; default 0.")
@click.option("--chapter", metavar="3", help="Ask about this chapter only.")
@click.option("--resume", is_flag=True, help="Go on with the last quiz, at the same question.")
@click.option("--export", metavar="FILE", help="Write the result to FILE, which ends in .json or .csv.")
@click.option("--plain", is_flag=True, help="For screen readers: one fact a line, in words and ASCII.")
def command(seed: str | None, chapter: str | None, resume: bool, export: str | None, plain: bool) -> None:
    """Ask the questions of the lesson, with the numbers of live networks.

    Answer with a, b or c, or with a?, b? or c? if you are unsure. Each wrong answer is explained at once, and its
    question comes again in the next block. Answers can come from a pipe; where they end early, the result says how
    many questions were not asked, and --resume goes on from there. The exit code is 0 whatever the score.
    """
    from tui_backprop.lesson.quiz import course

    every, path = course(), export_path(export) if export is not None else None
    quiz = _begin(every, seed, chapter, resume)
    context = glyphs_for_stdout(plain)
    quiz = ask(every, quiz, context)
    _tell(every, quiz, context)
    if path:
        write_result(every, quiz, path)


def _begin(every: Course, seed: str | None, chapter: str | None, resume: bool) -> Quiz:
    """Return the quiz to take. Raises InputError for options that do not fit, FileError if none can be resumed."""
    from tui_backprop.lesson.quiz import Quiz
    from tui_backprop.lesson.quiz_progress import load

    if resume:
        for name, value in (("seed", seed), ("chapter", chapter)):
            if value is not None:
                raise InputError(
                    name, "cannot be combined with --resume, which goes on with the quiz as it is"
                )
        return load(every)
    chosen = every.chapters
    if chapter is not None:
        number = whole_number("chapter", chapter, 0)
        if number not in chosen:
            known = ", ".join(map(str, chosen))
            raise InputError("chapter", f"there are no questions about chapter {number}; choose from {known}")
        chosen = (number,)
    number = whole_number("seed", seed or 0, 0)
    if number > LARGEST_SEED:
        raise InputError("seed", f"{quoted(str(seed))} is too large; the largest is {LARGEST_SEED}")
    _warn_of_unfinished(every)
    return Quiz(number, chosen)


def _warn_of_unfinished(every: Course) -> None:
    """Say so if the first answer replaces a quiz that is not finished."""
    from tui_backprop.lesson.quiz_progress import load

    try:
        kept = load(every)
    except FileError:
        return
    if kept.given and every.next(kept):
        say(
            "backprop-tui: your first answer replaces an unfinished quiz; type q and use --resume to go on with that"
        )


def ask(every: Course, quiz: Quiz, context: RenderContext) -> Quiz:
    """Ask until all is asked, the learner quits, or the input ends; keep the quiz after each answer."""
    from tui_backprop.report.quiz import introduction_text, question_text, verdict_text

    marks = Marks()
    if every.next(quiz):
        write(f"{introduction_text(context)}\n")
    while (following := every.next(quiz)) is not None:
        mark = marks.next(question_text(following, context))
        if mark is None or mark == "quit":
            break
        chosen, sure = (None, False) if mark == "skip" else mark
        quiz = quiz.answering(following.posed, chosen, sure)
        _keep(quiz)
        write(f"{verdict_text(following.posed, chosen, context)}\n")
    return quiz


class Marks:
    """The answers on stdin, line by line."""

    def __init__(self) -> None:
        self._lines = _lines()
        self._echo = not sys.stdin.isatty()  # a terminal shows what is typed

    def next(self, question: str) -> Mark | None:
        """Print a question and read its answer, again after each line that is none; None at the end of the input.
        Raises InputError after too many such lines."""
        for _ in range(MOST_BAD):
            write(f"{question}\n\n{PROMPT}", newline=False)
            line = next(self._lines, None)
            if line is None:
                write("\n")
                return None
            try:
                mark = read_mark(line)
            except InputError as error:
                write(("\n" if self._echo else "") + f"{error.message}\n")
            else:
                write(line.decode().strip() + "\n" if self._echo else "")
                return mark
        raise InputError("stdin", f"{MOST_BAD} lines in a row are no answers; answers are a, b or c")


def _lines() -> Iterator[bytes]:
    """Read stdin line by line; of a longer line only the beginning is kept."""
    while line := sys.stdin.buffer.readline(LONGEST_LINE):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == LONGEST_LINE:
            rest = sys.stdin.buffer.readline(LONGEST_LINE)
        yield line


def read_mark(line: bytes) -> Mark:
    """Read an answer. Raises InputError, which says what would be one, for a line that is none."""
    from tui_backprop.lesson.quiz_words import LETTERS

    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        raise InputError("stdin", "This line is not text. Type a, b or c.") from None
    if not text:
        raise InputError("stdin", "An empty line is no answer. Type a, b or c, s to skip, or q to quit.")
    if text in ("s", "q"):
        return "skip" if text == "s" else "quit"
    letter, sure = text.removesuffix("?").lower(), not text.endswith("?")
    if len(letter) == 1 and letter in LETTERS:
        return LETTERS.index(letter), sure
    raise InputError("stdin", f"{quoted(text)} is no answer. Type a, b or c; add ? if you are unsure.")


def _keep(quiz: Quiz) -> None:
    from tui_backprop.lesson.quiz_progress import save

    try:
        save(quiz)
    except OSError as error:
        say(f"backprop-tui: the quiz is not kept for --resume: {printable(error.strerror or error)}")


def _tell(every: Course, quiz: Quiz, context: RenderContext) -> None:
    """Print the result; and if something is left, how to go on."""
    from tui_backprop.report.quiz import result_text

    write(result_text(every, quiz, context))
    following = every.next(quiz)
    if following:
        on = "; backprop-tui quiz --resume goes on" if quiz.given else ""
        were = "question was" if following.left == 1 else "questions were"
        write(f"\n{following.left} {were} not asked{on}.")


def export_path(text: str) -> Path:
    """Return the path of the result. Raises InputError for a name with another ending, WriteError if no such file can
    be made."""
    path = file_to_write("export", text, "results.json")
    if path.suffix not in (".json", ".csv"):
        raise InputError("export", f"{quoted(text)} ends in neither .json nor .csv")
    return path


def write_result(every: Course, quiz: Quiz, path: Path) -> None:
    """Write the result. Raises WriteError if the file cannot be written."""
    import json

    from tui_backprop.report.quiz import quiz_csv, quiz_dict
    from tui_backprop.support.atomic_write import replacing

    forms = {".csv": quiz_csv, ".json": lambda *result: json.dumps(quiz_dict(*result), indent=1) + "\n"}
    text = forms[path.suffix](every, quiz)
    try:
        with replacing(path) as file:
            file.write(text.encode())
    except OSError as error:
        reason = printable(error.strerror or error)
        raise WriteError("export", f"{quoted(str(path))} cannot be written: {reason}") from None
