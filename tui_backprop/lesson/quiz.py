"""The quiz: a frozen state, from which follows what is asked next, and what is known at the end.

Questions come in blocks, one for each chapter. What was missed comes again in the next block; what was missed in the
last one, or skipped anywhere, in a block after it, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from tui_backprop.lesson.posing import Posed, pose
from tui_backprop.lesson.question import Question, questions

Outcome = Literal["known", "unsure", "learned", "missed", "not asked"]


@dataclass(frozen=True)
class Given:
    """An answer: to the question of a name, the ``misconception`` that was chosen ("" for the right answer), and
    whether the learner was sure. A question that was ``skipped`` earns nothing."""

    question: str
    misconception: str = ""
    sure: bool = True
    skipped: bool = False

    @property
    def right(self) -> bool:
        return not self.misconception and not self.skipped


@dataclass(frozen=True)
class Quiz:
    """The state: the learner's ``seed``, the ``chapters`` to ask about, and the answers so far, in order."""

    seed: int = 0
    chapters: tuple[int, ...] = ()
    given: tuple[Given, ...] = ()

    def answering(self, posed: Posed, chosen: int | None, sure: bool = True) -> Quiz:
        """Return the state after the option number ``chosen`` was picked; None: after the question was skipped."""
        name = posed.question.name
        if chosen is None:
            return replace(self, given=(*self.given, Given(name, "", False, True)))
        return replace(self, given=(*self.given, Given(name, posed.options[chosen].misconception, sure)))

    def answers_to(self, name: str) -> tuple[Given, ...]:
        return tuple(each for each in self.given if each.question == name)


@dataclass(frozen=True)
class Block:
    """Questions that are asked together: those ``again`` that were missed or skipped before, and those about a
    ``chapter``, None for the block after the last chapter."""

    chapter: int | None
    again: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.again, *self.new)


@dataclass(frozen=True)
class Next:
    """The next question: its ``number`` ``of`` all questions, from 1 on; None if it is asked ``again``. ``waiting``
    counts those that come again after it, ``left`` all that are still to be answered, this one included, if no
    further one is missed. In the ``last`` block it does not come again."""

    posed: Posed
    number: int | None
    of: int
    waiting: int
    left: int
    last: bool = False


@dataclass(frozen=True)
class Course:
    """The questions that a quiz is taken from, and how they are posed."""

    questions: tuple[Question, ...]
    posing: Callable[[Question, int, int], Posed | None] = pose

    @cached_property
    def by_name(self) -> dict[str, Question]:
        """All questions by name."""
        return {each.name: each for each in self.questions}

    @property
    def chapters(self) -> tuple[int, ...]:
        """The chapters that have questions."""
        return tuple(sorted({each.chapter for each in self.questions}))

    def names(self, chapter: int, seed: int) -> tuple[str, ...]:
        """Return the names of the questions about a chapter, without those whose numbers cannot be told apart."""
        own = (each for each in self.questions if each.chapter == chapter)
        return tuple(each.name for each in own if self.posing(each, seed, 0))

    def blocks(self, quiz: Quiz) -> Iterator[Block]:
        """Iterate over the blocks: those up to the current one, and later ones as they are if no further question is
        missed."""
        left = iter(quiz.given)
        missed: list[str] = []
        skipped: list[str] = []
        for chapter in quiz.chapters:
            block = Block(chapter, tuple(missed), self.names(chapter, quiz.seed))
            yield block
            taken = [given for _, given in zip(block.names, left, strict=False)]
            missed = [given.question for given in taken if given.misconception]
            skipped += [given.question for given in taken if given.skipped]
        if missed or skipped:
            yield Block(None, (*missed, *skipped), ())

    def next(self, quiz: Quiz) -> Next | None:
        """Return the next question; None at the end."""
        asked = [(name, name in block.again, block) for block in self.blocks(quiz) for name in block.names]
        done = len(quiz.given)
        for name, again, block in asked[done : done + 1]:
            posed = self.posing(self.by_name[name], quiz.seed, len(quiz.answers_to(name)))
            if posed:
                repeats = [again for _, again, _ in asked]
                number = None if again else repeats[: done + 1].count(False)
                waiting = repeats[done + 1 :].count(True)
                last = block.chapter is None
                return Next(posed, number, repeats.count(False), waiting, len(asked) - done, last)
        return None

    def fits(self, quiz: Quiz) -> bool:
        """Return True if a quiz could have been given these answers, in this order."""
        asked = [name for block in self.blocks(quiz) for name in block.names]
        return [each.question for each in quiz.given] == asked[: len(quiz.given)] and all(
            each.misconception in {option.misconception for option in self.by_name[each.question].options}
            for each in quiz.given
        )

    def outcomes(self, quiz: Quiz) -> dict[str, Outcome]:
        """Return what came of each question, by name."""
        names = (name for chapter in quiz.chapters for name in self.names(chapter, quiz.seed))
        return {name: _outcome(quiz.answers_to(name)) for name in names}


def _outcome(answers: tuple[Given, ...]) -> Outcome:
    if not answers:
        return "not asked"
    if not answers[-1].right:
        return "missed"
    if len(answers) > 1:
        return "learned"
    return "known" if answers[0].sure else "unsure"


def held(quiz: Quiz) -> tuple[tuple[str, bool], ...]:
    """List the misconceptions that were chosen, and whether one was chosen for sure: those first, and of these, those
    that were chosen most often."""
    wrong = [each for each in quiz.given if each.misconception]
    count = Counter(each.misconception for each in wrong)
    sure = {each.misconception for each in wrong if each.sure}
    ordered = sorted(count, key=lambda name: (name not in sure, -count[name]))
    return tuple((name, name in sure) for name in ordered)


def course() -> Course:
    """Return the course of all questions."""
    return Course(questions())


def begun(seed: int, chapter: int | None = None) -> Quiz:
    """Return the state of a new quiz, about one chapter or about all."""
    return Quiz(seed, course().chapters if chapter is None else (chapter,))
