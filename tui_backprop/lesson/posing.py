"""A question as one learner meets it: figures and numbers of the live network, options in an order of their own.

Numbers depend on the seed: it is added to that of the network's weights, and it chooses the entry that is asked for,
the misconceptions and the order. When a question comes again, it asks for another entry."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.mutants.answers import Answers
from tui_backprop.lesson.figures import fill
from tui_backprop.lesson.given_numbers import DIGITS, put
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.lesson.question import WRONG_OPTIONS, Option, Place, Question
from tui_backprop.lesson.start import read_start
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number


@dataclass(frozen=True)
class Posed:
    """A question with all its numbers: the ``options`` in the order in which they are shown, and the state that it is
    about."""

    question: Question
    paragraphs: tuple[str, ...]
    options: tuple[Option, ...]
    session: Session

    @property
    def right(self) -> int:
        """The index of the right option."""
        return next(i for i, option in enumerate(self.options) if option.right)

    def place(self, chosen: int) -> Place | None:
        """Return where one can see whether the option chosen is right; None if that is not known."""
        row = MISCONCEPTIONS.get(self.options[chosen].misconception)
        return self.question.place or (Place(row.panel, row.step) if row else None)

    def session_at(self, place: Place) -> Session:
        """Return the state that the question is about, at a place."""
        network, batch = self.session.network, self.session.batch
        steps = walk(network, batch, self.session.optimizer, self.session.walk.grain) if place.step else ()
        at = next((i for i, step in enumerate(steps) if step.kind == place.step), self.session.walk.step)
        return replace(self.session, panel=place.panel, walk=replace(self.session.walk, step=at))


@lru_cache(maxsize=128)
def pose(question: Question, seed: int, times: int = 0) -> Posed | None:
    """Pose a question that was posed so many ``times`` before; None if its numbers cannot be told apart here."""
    session = read_start(question.on).session
    return posed_on(question, session, seed, times) or (
        posed_on(question, session, seed, 0) if times else None
    )


def posed_on(question: Question, session: Session, seed: int, times: int) -> Posed | None:
    """Pose a question about a session."""
    rng = np.random.default_rng([seed, zlib.crc32(question.name.encode()), times])
    if question.what is None:
        options, paragraphs = list(question.options), question.paragraphs
    else:
        session = replace(session, network=session.network.changed(seed=session.network.seed + seed))
        found = _with_numbers(question, session, rng)
        if found is None:
            return None
        options, paragraphs = found
    shown = [options[int(i)] for i in rng.permutation(len(options))]
    return Posed(
        question,
        tuple(fill(each, session) for each in paragraphs),
        tuple(
            Option(each.misconception, fill(each.text, session), fill(each.about, session)) for each in shown
        ),
        session,
    )


def _with_numbers(
    question: Question, session: Session, rng: np.random.Generator
) -> tuple[list[Option], tuple[str, ...]] | None:
    """Return three options with their numbers, and the words with the entry that is asked for."""
    assert question.what is not None
    answers = _answers(session)
    names = [option.misconception for option in question.options if not option.right]
    found = answers.telling(question.what, question.value, rng, names)
    if found is None or len(found[1]) <= WRONG_OPTIONS:
        return None
    asked, numbers = found
    apart = [option for option in question.options if option.misconception in numbers]
    chosen = [apart[0], *(apart[1 + int(i)] for i in rng.permutation(len(apart) - 1)[:WRONG_OPTIONS])]
    options = [replace(each, text=format_number(numbers[each.misconception], DIGITS)) for each in chosen]
    return options, tuple(put(text, answers, asked) for text in question.paragraphs)


@lru_cache(maxsize=4)
def _answers(session: Session) -> Answers:
    return Answers(Replay(0).take(session.walked))
