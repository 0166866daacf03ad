"""A quiz as it is taken on a screen: its state, and whether a question is shown or what is said of an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui_backprop.lesson.quiz import Course, Next, Quiz
from tui_backprop.session.state import Session

SEEDS = 2**31  # of which the next quiz has the next one


@dataclass(frozen=True)
class Answered:
    """A question that was answered: by the option number ``chosen``, None if it was skipped."""

    asked: Next
    chosen: int | None
    sure: bool

    @property
    def right(self) -> bool:
        return self.chosen == self.asked.posed.right

    @property
    def seen_at(self) -> Session | None:
        """The state of the app in which one can see what is right; None if the answer was right, or skipped."""
        if self.chosen is None or self.right:
            return None
        place = self.asked.posed.place(self.chosen)
        return self.asked.posed.session_at(place) if place else None


@dataclass(frozen=True)
class Sitting:
    """The state: the ``quiz``, the question that was ``answered`` while what is said of it is shown, and the quiz
    that is ``kept`` for later while one about a single chapter is taken."""

    quiz: Quiz
    answered: Answered | None = None
    kept: Quiz | None = None

    @property
    def saved(self) -> Quiz:
        """The quiz to save."""
        return self.kept or self.quiz

    def turning(self, course: Course, by: int) -> Sitting:
        """Turn to a quiz about another chapter, by so many; before the first and after the last one is the quiz that
        is kept. Nothing changes while an answer is shown."""
        if self.answered:
            return self
        every = (None, *course.chapters)
        here = self.quiz.chapters[0] if self.kept else None
        chapter = every[(every.index(here) + by) % len(every)]
        if chapter is None:
            return Sitting(self.saved)
        return Sitting(Quiz(self.saved.seed, (chapter,)), None, self.saved)

    def answering(self, course: Course, chosen: int | None, sure: bool = True) -> Sitting:
        """Answer the next question, or skip it (None); nothing changes while an answer is shown, or at the end."""
        asked = course.next(self.quiz)
        if asked is None or self.answered:
            return self
        return replace(
            self,
            quiz=self.quiz.answering(asked.posed, chosen, sure),
            answered=Answered(asked, chosen, sure),
        )

    def anew(self, course: Course) -> Sitting:
        """Once a quiz is finished, begin another one, about all chapters and with other numbers; after one about a
        chapter, go on with the one that is kept."""
        if self.answered or course.next(self.quiz):
            return self
        return Sitting(self.kept or Quiz((self.quiz.seed + 1) % SEEDS, course.chapters))

    def going_on(self) -> Sitting:
        """Go on to the next question, or to the result."""
        return replace(self, answered=None)
