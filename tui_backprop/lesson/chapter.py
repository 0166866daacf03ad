"""The chapters of the lesson: Markdown files in ``chapters/``, read into frozen values.

A file begins with ``# Title``, lines ``about:`` and ``start:``, and goes on with steps:

    ## The title of a step

    A paragraph. {step_on} stands for the key of an action, {parameters} for a figure (see ``figures``).

        f'(g(x)) · g'(x)            indented by four spaces: a formula

    do: what to press
    check: the name of a check (see ``checks``)
    start: the state that this step and the later ones are about, if it is another one (see ``start``)

Code stands between lines of three backticks. ``do``, ``check`` and ``start`` may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Literal

from tui_backprop.lesson.checks import CHECKS
from tui_backprop.lesson.start import Start, read_start
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import whole_number

Kind = Literal["words", "formula", "code"]
WORDS_PER_SECOND = 3.0  # of a reader who follows
SECONDS_PER_ACTION = 15.0  # to press the keys, and to look
FENCE, FORMULA = "```", "    "
FIELD = re.compile(r"(about|start|do|check): (.+)")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph: words in one line, to be wrapped; a formula or code, whose lines stay as they are."""

    text: str
    kind: Kind = "words"


@dataclass(frozen=True)
class LessonStep:
    """One idea, in a few ``paragraphs``.

    ``name`` is unique in the chapter, and made of the title. ``action`` says what to press, ``check`` names the check
    that sees that it was done; both are empty for a step that is only read. ``start`` is the state that the text is
    about, ``fresh`` is True if it begins with this step.
    """

    name: str
    title: str
    paragraphs: tuple[Paragraph, ...]
    action: str
    check: str
    start: Start
    fresh: bool


@dataclass(frozen=True)
class Chapter:
    """A chapter: its ``number``, from 0; its ``name``, that of its file; what it is ``about``, in a sentence."""

    number: int
    name: str
    title: str
    about: str
    start: Start
    steps: tuple[LessonStep, ...]

    @property
    def seconds(self) -> float:
        """Estimate the time that it takes to read the chapter and do what it asks for."""
        words = sum(len(each.text.split()) for step in self.steps for each in step.paragraphs)
        return words / WORDS_PER_SECOND + SECONDS_PER_ACTION * sum(bool(step.action) for step in self.steps)

    def ids(self) -> tuple[str, ...]:
        """Return the names of its steps in the whole lesson, as progress keeps them."""
        return tuple(f"{self.name}/{step.name}" for step in self.steps)


@lru_cache(maxsize=1)
def chapters() -> tuple[Chapter, ...]:
    """Return all chapters, in order."""
    folder = files("tui_backprop.lesson") / "chapters"
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".md"))
    return tuple(read_chapter(name, (folder / name).read_text("utf-8")) for name in names)


def chapter_numbered(text: object, field: str = "chapter") -> Chapter:
    """Return a chapter by its number. Raises InputError for the ``field`` that asked for it if there is none."""
    number, found = whole_number(field, text, 0), chapters()
    if number >= len(found):
        raise InputError(field, f"there is no chapter {number}; choose 0 to {len(found) - 1}")
    return found[number]


def read_chapter(file: str, text: str) -> Chapter:
    """Read a chapter from the text of a file called ``03-name.md``. Raises InputError, with the file and the place,
    for text of another form."""
    number, _, name = file.removesuffix(".md").partition("-")
    head, *bodies = re.split(r"(?m)^## ", text)
    title, rest = _titled(head.removeprefix("# "), file)
    given = _fields(rest, file)
    if "{" in given.get("about", ""):
        raise InputError("chapter", f"{file}: about: has no figures or keys: {given['about']}")
    if not given.keys() >= {"about", "start"}:
        raise InputError("chapter", f"{file}: a chapter begins with a title, and the lines about: and start:")
    start = _start(given, file)
    steps: list[LessonStep] = []
    for body in bodies:
        steps.append(_step(body, file, steps[-1].start if steps else start))
    return Chapter(int(number), name, title, given["about"], start, tuple(steps))


def _titled(text: str, where: str) -> tuple[str, str]:
    """Split a text into its title and the rest. Raises InputError for a title with a figure or a key, which would be
    shown as it is: titles name steps in lists."""
    title, _, rest = text.partition("\n")
    if "{" in title:
        raise InputError("chapter", f"{where}: a title has no figures or keys: {title.strip()}")
    return title.strip(), rest


def _step(body: str, file: str, before: Start) -> LessonStep:
    title, rest = _titled(body, file)
    where = f"{file}: {title}"
    given = _fields(rest, where)
    check = given.get("check", "")
    if check and check not in CHECKS:
        raise InputError("check", f"{where}: there is no check {check}")
    return LessonStep(
        name=slug(title),
        title=title,
        paragraphs=tuple(_paragraphs(rest)),
        action=given.get("do", ""),
        check=check,
        start=_start(given, where) if "start" in given else before,
        fresh="start" in given,
    )


def _start(given: dict[str, str], where: str) -> Start:
    try:
        return read_start(given["start"])
    except ValueError as error:
        raise InputError("start", f"{where}: {error}") from None


def slug(title: str) -> str:
    """Return a title in lower case, with hyphens between its words."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower().replace("'", "")))


def _fields(text: str, where: str) -> dict[str, str]:
    """Return the fields among the lines. Raises InputError for one that is there twice."""
    found: dict[str, str] = {}
    for name, value in FIELD.findall(text):
        if name in found:
            raise InputError(name, f"{where}: more than one {name}")
        found[name] = value.strip()
    return found


def _paragraphs(text: str) -> Iterator[Paragraph]:
    """Split the text of a step at blank lines; code is one paragraph, blank lines and all."""
    for i, part in enumerate(text.split(FENCE)):
        if i % 2:
            yield Paragraph(part.partition("\n")[2].rstrip(), "code")
            continue
        for kind, lines in groupby(part.split("\n"), _kind):
            if kind == "formula":
                yield Paragraph("\n".join(line.removeprefix(FORMULA).rstrip() for line in lines), "formula")
            elif kind == "words":
                yield Paragraph(" ".join(line.strip() for line in lines))


def _kind(line: str) -> str:
    """Return the kind of the paragraph that a line belongs to; "" for a line between paragraphs, or a field."""
    if not line.strip() or FIELD.match(line):
        return ""
    return "formula" if line.startswith(FORMULA) else "words"
