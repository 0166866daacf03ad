"""The lesson as plain text: the list of its chapters, and the text of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tui_backprop.lesson.chapter import Chapter, LessonStep, Paragraph
from tui_backprop.lesson.figures import fill
from tui_backprop.lesson.progress import Progress
from tui_backprop.lesson.start import Start
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import line
from tui_backprop.report.rows import BLANK, Column, Drawing, Fact, Forms, Row, Sentence, Table, text_of
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import Session
from tui_backprop.support.units import MINUTE

COLUMNS = 80
INDENT = 4  # of the text of a step, below its title
DEEPER = 8  # of formulas and code
REFERENCE = "lesson"  # the preset that the lesson is about; another one can take its place


def list_text(chapters: Iterable[Chapter], progress: Progress, context: RenderContext) -> str:
    """List the chapters: what each is about, how long it takes, and how many of its steps are done."""
    rows = tuple(
        (
            str(each.number),
            each.title,
            f"{each.seconds / MINUTE:.0f} min",
            f"{progress.done_in(each)} of {len(each.steps)}",
            each.about,
        )
        for each in chapters
    )
    columns = (
        Column("", "right"),
        Column("chapter", "left"),
        Column("takes"),
        Column("done", "left"),
        Column("about", "left", wrapped=True),
    )
    return text_of([Table(columns, rows)], context, COLUMNS)


def lesson_text(chapters: Sequence[Chapter], preset: str, context: RenderContext) -> str:
    """Write chapters out, with the keys in force and the figures of the network that each step is about. A ``preset``
    other than the lesson's takes its place where a step is about that."""
    rows: list[Row] = []
    for chapter in chapters:
        rows += [BLANK, BLANK] if rows else []
        rows += _chapter(chapter, preset, context)
    return text_of(rows, context, COLUMNS)


def _chapter(chapter: Chapter, preset: str, context: RenderContext) -> Iterator[Row]:
    start = _instead(chapter.start, preset)
    yield Sentence(f"{chapter.number}. {chapter.title}")
    yield Sentence(chapter.about)
    yield _start(start)
    for number, step in enumerate(chapter.steps, 1):
        yield BLANK
        yield from _step(f"{chapter.number}.{number}", step, preset, context)


def _step(number: str, step: LessonStep, preset: str, context: RenderContext) -> Iterator[Row]:
    start = _instead(step.start, preset)
    session = start.session
    yield Sentence(f"{number} {step.title}")
    if step.fresh:
        yield _start(start, INDENT)
    for paragraph in step.paragraphs:
        yield from _paragraph(paragraph, session, context)
    if step.action:
        yield BLANK
        yield Sentence(f"→ {_words(step.action, session, context)}", INDENT)


def _start(start: Start, indent: int = 0) -> Row:
    """Write the command that opens the app where a text begins, in one line, so that it can be copied."""
    command = command_of(start)
    whole = line(f"{' ' * indent}start    {command}")
    return Forms((Drawing((whole,)),), (Fact("start", command),))


def _paragraph(paragraph: Paragraph, session: Session, context: RenderContext) -> Iterator[Row]:
    yield BLANK
    if paragraph.kind == "words":
        yield Sentence(_words(paragraph.text, session, context), INDENT)
        return
    text = fill(paragraph.text, session)
    written = tuple(Sentence(each, DEEPER) for each in text.split("\n"))
    # Spoken, indentation is lost: a block goes behind the line that it belongs to.
    yield Forms(written, tuple(map(Sentence, re.sub(r"\n +", " ", text).split("\n"))))


def _words(text: str, session: Session, context: RenderContext) -> str:
    return context.words(fill(text, session))


def _instead(start: Start, preset: str) -> Start:
    """Return the start, or that of another network if it is the reference as it is."""
    return replace(start, preset=preset) if start == Start(REFERENCE) else start


def command_of(start: Start) -> str:
    """Return the command that opens the app in a state."""
    if not start.changes:
        return f"backprop-tui --preset {start.preset}"
    return f"backprop-tui --open {encode(start.session)}"
