"""Walking with predictions: which results have been seen, and what was predicted of the next. A frozen state.

A result is hidden until it is predicted, its number is shown by a hint, or the walk goes on without it. Going back
hides nothing again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui_backprop.lesson.prediction import HINTS, Judged, Prediction

UNTRIED = Prediction()
Pass = tuple[object, ...]  # the key of an iteration, and the grain of its walk


@dataclass(frozen=True)
class Predicting:
    """The iteration that is walked (``of``) and the ``step`` that it is at; how many steps have been ``seen`` with
    their results; the prediction of the first that was not (``current``), and what was ``said`` of it. Over all
    iterations: how many results were ``earned``, of how many ``passed``."""

    of: Pass = ()
    step: int = 0
    seen: int = 0
    current: Prediction = UNTRIED
    said: str = ""
    earned: int = 0
    passed: int = 0

    @property
    def hides(self) -> bool:
        """Return True if the result of the current step is hidden."""
        return self.step >= self.seen

    def at(self, of: Pass, step: int) -> Predicting:
        """Go to a step: those before it have been seen; of another iteration, no more than those."""
        if of != self.of:
            return Predicting(of, step, step, earned=self.earned, passed=self.passed)
        if step <= self.seen:
            return replace(self, step=step)
        return replace(
            self,
            step=step,
            seen=step,
            current=UNTRIED,
            said="",
            passed=self.passed + step - self.seen,
        )

    def showing(self) -> Predicting:
        """Show the result of a step that has nothing to predict."""
        return replace(self, seen=max(self.seen, self.step + 1))

    def trying(self, judged: Judged) -> Predicting:
        """Count a try; if it was right, the result is seen."""
        return self._after(self.current.trying(judged), judged.said)

    def hinted(self) -> Predicting:
        """Show one more hint; the last one is the result."""
        return self._after(self.current.hinted(), self.said)

    def _after(self, now: Prediction, said: str) -> Predicting:
        if not self.hides:
            return self
        if not now.right and now.hints < HINTS:
            return replace(self, current=now, said=said)
        return replace(
            self,
            seen=self.step + 1,
            current=UNTRIED,
            said="",
            earned=self.earned + now.earned,
            passed=self.passed + 1,
        )
