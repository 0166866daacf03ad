"""The questions of the quiz: Markdown files in ``questions/``, one for each chapter, read into frozen values.

    ## name-of-the-question
    on: xor
    ask: gradient W1

    The words of the question, in one paragraph or more. {parameters} stands for a figure (see ``figures``).

    - [x] The right answer.
      What is said about it (lines indented by two spaces; they may be missing).
    - [ ] `name-of-a-misconception` A wrong answer.

    place: walk

``on`` is the state that the question is about (see ``start``). A question with ``ask`` is about a number: its options
are names of misconceptions alone, `value` for the right one, and their numbers are computed (see ``posing``).
``place`` is a panel, or ``step`` and a kind of step of the walk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import get_args

from tui_backprop.engine.mutants.mutant import What
from tui_backprop.engine.mutants.table import MUTANTS
from tui_backprop.keys.panel_table import ROWS as PANELS
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.support.errors import InputError

WORDS_ON, NUMBERS_ON = "lesson", "xor"  # the states that questions are about, unless they say another
FIELD = re.compile(r"(on|ask|place): (.+)")
OPTION = re.compile(r"(?ms)^- \[(?P<mark>[x ])\] (?:`(?P<name>[a-z0-9-]+)`)?(?P<text>.*?)(?=^- \[|\Z)")
FORMULA = "    "  # before the lines of a formula
WRONG_OPTIONS = 2


@dataclass(frozen=True)
class Option:
    """An answer to choose: the ``misconception`` that it follows from, "" for the right one; its ``text``, which is
    empty where it is a number; and what is said about it when it is chosen."""

    misconception: str
    text: str = ""
    about: str = ""

    @property
    def right(self) -> bool:
        return not self.misconception


@dataclass(frozen=True)
class Place:
    """A panel that shows the answer, and there a kind of step of the walk, if it is one."""

    panel: str
    step: str = ""


@dataclass(frozen=True)
class Question:
    """A question: its ``name``; its ``paragraphs``; its ``options``, the right one first. If a number is asked for:
    ``what``, of the value called ``value``; else both are empty."""

    name: str
    chapter: int
    on: str
    paragraphs: tuple[str, ...]
    options: tuple[Option, ...]
    place: Place | None = None
    what: What | None = None
    value: str = ""


@lru_cache(maxsize=1)
def questions() -> tuple[Question, ...]:
    """Return all questions, in the order of the chapters."""
    folder = files("tui_backprop.lesson") / "questions"
    if not folder.is_dir():
        return ()
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".md"))
    found = [each for name in names for each in read_questions(name, (folder / name).read_text("utf-8"))]
    twice = {each.name for each in found if sum(other.name == each.name for other in found) > 1}
    if twice:
        raise InputError("question", f"more than one question is called {min(twice)}")
    return tuple(found)


def read_questions(file: str, text: str) -> tuple[Question, ...]:
    """Read the questions of a file called ``03-name.md``. Raises InputError, with the file and the question, for text
    of another form."""
    chapter = int(file.partition("-")[0])
    _, *bodies = re.split(r"(?m)^## ", text)
    return tuple(_question(body, chapter, file) for body in bodies)


def _question(body: str, chapter: int, file: str) -> Question:
    name, _, rest = body.partition("\n")
    where = f"{file}: {name.strip()}"
    given = dict(FIELD.findall(rest))
    words, _, _ = re.sub(FIELD, "", rest).partition("\n- [")
    options = tuple(
        _option(found, where) for found in OPTION.finditer(re.sub(rf"(?m)^{FIELD.pattern}$", "", rest))
    )
    asked = given.get("ask", "")
    what, _, value = asked.rpartition(" ")
    question = Question(
        name.strip(),
        chapter,
        given.get("on", NUMBERS_ON if asked else WORDS_ON).strip(),
        _paragraphs(words),
        tuple(sorted(options, key=lambda option: not option.right)),
        _place(given["place"], where) if "place" in given else None,
        _what(what, where) if asked else None,
        value.strip(),
    )
    _check(question, where)
    return question


def _option(found: re.Match[str], where: str) -> Option:
    first, *about = found["text"].strip().split("\n")
    name = found["name"] or ""
    if found["mark"] == "x":
        return Option("", first.strip(), _joined(about))
    if name not in MISCONCEPTIONS:
        raise InputError("question", f"{where}: there is no misconception {name or 'named'} for: {first}")
    return Option(name, first.strip(), _joined(about))


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines if line.strip())


def _paragraphs(text: str) -> tuple[str, ...]:
    """Split words at blank lines; the lines of a formula stay apart."""
    found = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        lines = [line for line in part.split("\n") if line.strip()]
        if lines:
            formula = all(line.startswith(FORMULA) for line in lines)
            found.append("\n".join(line.rstrip() for line in lines) if formula else _joined(lines))
    return tuple(found)


def _place(text: str, where: str) -> Place:
    panel, _, step = text.strip().partition(" ")
    place = Place("walk", step) if panel == "step" else Place(panel)
    if place.panel not in {row.name for row in PANELS}:
        raise InputError("question", f"{where}: there is no panel {place.panel}")
    return place


def _what(text: str, where: str) -> What:
    if text not in get_args(What):
        raise InputError(
            "question", f"{where}: {text} cannot be asked; choose from {', '.join(get_args(What))}"
        )
    return text  # type: ignore[return-value]


def _check(question: Question, where: str) -> None:
    """Raise InputError for a question without words, or with other options than it needs."""
    wrong = [option for option in question.options if not option.right]
    names = {option.misconception for option in wrong}
    if not question.paragraphs:
        raise InputError("question", f"{where}: it has no words")
    if len(question.options) - len(wrong) != 1:
        raise InputError("question", f"{where}: it needs one right option, marked [x]")
    if len(names) < len(wrong):
        raise InputError("question", f"{where}: two options follow from the same misconception")
    if question.what is None and len(wrong) != WRONG_OPTIONS:
        raise InputError("question", f"{where}: it needs {WRONG_OPTIONS} wrong options, not {len(wrong)}")
    if question.what is not None and (len(wrong) < WRONG_OPTIONS or not names <= MUTANTS.keys()):
        raise InputError(
            "question", f"{where}: it needs {WRONG_OPTIONS} misconceptions or more that have numbers"
        )
