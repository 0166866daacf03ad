"""A learner at a step of the lesson: where it stands, what state it starts from, and if its action was done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tui_backprop.lesson.chapter import Chapter, LessonStep, chapters
from tui_backprop.lesson.checks import CHECKS, done
from tui_backprop.lesson.progress import Progress
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted

Status = Literal["to read", "to do", "already so", "done"]


@dataclass(frozen=True)
class Place:
    """A step of the lesson: the one at ``index`` in its ``chapter``."""

    chapter: Chapter
    index: int

    @property
    def step(self) -> LessonStep:
        return self.chapter.steps[self.index]

    @property
    def id(self) -> str:
        """Its name in the whole lesson, as progress keeps it."""
        return self.chapter.ids()[self.index]

    @property
    def number(self) -> str:
        """Its number, as in 3.2 for the second step of chapter 3."""
        return f"{self.chapter.number}.{self.index + 1}"

    @property
    def opens(self) -> bool:
        """True if its state is another one than that in which the step before ends."""
        return self.index == 0 or self.step.fresh


def places() -> Iterator[Place]:
    """Yield all steps of the lesson, in order."""
    for chapter in chapters():
        for index in range(len(chapter.steps)):
            yield Place(chapter, index)


def place_of(step_id: str) -> Place | None:
    """Return a step by its name in the whole lesson; None if there is no such step."""
    return next((place for place in places() if place.id == step_id), None)


def place_numbered(text: str, field: str = "chapter") -> Place:
    """Return a step by its number, such as 3.2, or the first one of a chapter by the chapter's, such as 3. Raises
    InputError for the ``field`` that asked for it if there is none."""
    wanted = text.strip()
    found = next((each for each in places() if wanted in (each.number, str(each.chapter.number))), None)
    if found is None:
        last = chapters()[-1].number
        raise InputError(
            field, f"there is no chapter or step {quoted(text)}; choose 0 to {last}, or a step such as 3.2"
        )
    return found


def beside(place: Place, by: int) -> Place | None:
    """Return the step after a step (1) or before it (-1), in the next chapter if need be; None at the ends."""
    every = list(places())
    at = every.index(place) + by
    return every[at] if 0 <= at < len(every) else None


def first_open(chapter: Chapter, progress: Progress) -> Place:
    """Return the first step of a chapter that is not done; the first one if all are."""
    own = [Place(chapter, index) for index in range(len(chapter.steps))]
    return next((place for place in own if place.id not in progress.done), own[0])


@dataclass(frozen=True)
class Attempt:
    """A step that a learner is at, since the session ``then``. ``met`` tells that the check has seen its action done,
    ``at_once`` that it held already when the step began."""

    place: Place
    then: Session
    met: bool = False
    at_once: bool = False

    @property
    def check(self) -> str:
        return self.place.step.check

    @property
    def measures(self) -> bool:
        """True if the check computes, which takes a moment."""
        return bool(self.check) and CHECKS[self.check].measured is not None

    @property
    def subject(self) -> Session:
        """The session that the figures of its words are about: the one in which it began, unless that has another
        network or other data than the words."""
        start = self.place.step.start.session
        same = (self.then.network, self.then.data) == (start.network, start.data)
        return self.then if same else start

    def about(self, now: Session) -> bool:
        """Return True if a session has the network and data that the words are about."""
        start = self.place.step.start.session
        return (now.network.to_inputs(False), now.data) == (start.network.to_inputs(False), start.data)

    def may_be_met(self, now: Session) -> bool:
        """Return True if the check is worth asking: it is not met yet, the network and data are those with which the
        step began, and what the check can tell without computing holds."""
        if not self.check or self.met or (now.network, now.data) != (self.then.network, self.then.data):
            return False
        return CHECKS[self.check].reached(self.then, now)

    def seen(self, now: Session, replay: Replay | None = None) -> bool:
        """Return True if the check sees in a session that the action was done."""
        return bool(self.check) and done(self.check, self.then, now, replay)

    def status(self, progress: Progress) -> Status:
        """Tell how the learner stands with the step."""
        if not self.check:
            return "to read"
        if self.met:
            return "already so" if self.at_once else "done"
        return "done" if self.place.id in progress.done else "to do"

    def having_met(self, now: Session) -> Attempt:
        """Note that the check has seen the action done in a session."""
        return replace(self, met=True, at_once=now == self.then)


def leave(progress: Progress, attempt: Attempt) -> Progress:
    """Go on from a step: what was to be read counts as done, what was not done as skipped."""
    if attempt.met or not attempt.check:
        return progress.with_done(attempt.place.id)
    return progress.with_skipped(attempt.place.id)
