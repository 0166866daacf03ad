"""Results of training: the losses of its iterations, and scores on a fixed part of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut
from tui_backprop.data.split import Part
from tui_backprop.engine.network.inference import passes
from tui_backprop.engine.network.predictions import NO_CLASS, predicted_classes
from tui_backprop.engine.primitives import Array
from tui_backprop.session.state import Session

FIXED = 500  # most samples that scores are computed on


@dataclass(frozen=True)
class Point:
    """The loss of an iteration's batch, before its update."""

    t: int
    loss: float


@dataclass(frozen=True)
class Score:
    """The loss on the first FIXED samples to train on before iteration ``t``, the ``accuracy`` on them (0 to 1), and
    the share ``unpredicted`` that has no prediction (None and 0 if the data set has no classes); and the same on the
    first FIXED ones held out for ``validation``, None where there are none."""

    t: int
    loss: float
    accuracy: float | None
    unpredicted: float = 0.0
    validation: Score | None = None


@dataclass(frozen=True, eq=False)
class Learning:
    """Progress of training, as a snapshot. ``losses`` (n,), float64, are the batch losses of iterations ``first`` to
    first + n - 1, each before its update; ``wanted`` is the number of updates requested (None: until stopped),
    ``seconds`` the time that the updates took, except the first ``untimed`` ones, which were made in another run of
    the program. The first ``recalled`` scores were computed afterwards, at the iterations whose states are kept."""

    first: int
    losses: Array
    scores: tuple[Score, ...] = ()
    wanted: int | None = None
    seconds: float = 0.0
    going: bool = False
    untimed: int = 0
    recalled: int = 0

    @classmethod
    def nothing(cls, first: int) -> Learning:
        """Return the progress before the first update."""
        return cls(first, np.empty(0))

    def and_then(self, losses: Sequence[float], seconds: float) -> Learning:
        """Return the progress after more updates; ``seconds`` is the total time."""
        return replace(self, losses=np.append(self.losses, losses), seconds=seconds)

    def up_to(self, t: int) -> Learning:
        """Return the progress without later iterations."""
        left = min(max(t - self.first, 0), self.done)
        scores = tuple(score for score in self.scores if score.t <= t)
        untimed = min(self.untimed, left)
        seconds = self.seconds * (left - untimed) / max(self.done - self.untimed, 1)
        recalled = min(self.recalled, len(scores))
        return replace(
            self,
            losses=self.losses[:left],
            scores=scores,
            seconds=seconds,
            untimed=untimed,
            recalled=recalled,
        )

    def after(self, earlier: Learning) -> Learning:
        """Return the progress with that of earlier iterations before it, which ends where this begins or later."""
        losses = np.append(earlier.losses, self.losses[max(earlier.first + earlier.done - self.first, 0) :])
        scores = {score.t: score for score in (*earlier.scores, *self.scores)}
        timed = self.done - self.untimed
        return replace(
            self,
            first=earlier.first,
            losses=losses,
            scores=tuple(scores[t] for t in sorted(scores)),
            untimed=len(losses) - timed,
            recalled=earlier.recalled,
        )

    @property
    def done(self) -> int:
        """Number of updates done, n."""
        return len(self.losses)

    @property
    def rate(self) -> float:
        """Updates per second; 0 if unknown."""
        return (self.done - self.untimed) / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds left at this rate; None if unknown."""
        if self.wanted is None or not self.rate:
            return None
        return max(self.wanted - self.done, 0) / self.rate

    @property
    def last(self) -> Point | None:
        """The newest loss, if there is one."""
        return Point(self.first + self.done - 1, float(self.losses[-1])) if self.done else None

    @property
    def lost(self) -> int | None:
        """The first iteration whose loss is not finite, if there is one."""
        bad = np.flatnonzero(~np.isfinite(self.losses))
        return self.first + int(bad[0]) if len(bad) else None


def smoothed(losses: Array, width: int) -> Array:
    """Return the running mean: of each loss and the width - 1 before it, as far as they exist; NaN where one of them
    is not finite."""
    counts = np.minimum(np.arange(1.0, len(losses) + 1), width)
    finite = np.isfinite(losses)
    with np.errstate(over="ignore"):
        means: Array = _window_sums(np.where(finite, losses, 0.0), width) / counts
    if not finite.all():
        means[_window_sums((~finite).astype(float), width) > 0] = np.nan
    return means


def _window_sums(values: Array, width: int) -> Array:
    """Return the sum of each value and the width - 1 before it.

    A window ends in one block of ``width`` and begins in the block before: it is the head of one and the tail of the
    other. Unlike differences of one long cumulative sum, this adds only values in the window: a huge loss leaves no
    rounding error behind."""
    n = len(values)
    padded = np.zeros(-(-(n + width - 1) // width) * width)
    padded[width - 1 : width - 1 + n] = values
    blocks = padded.reshape(-1, width)
    heads = np.cumsum(blocks, axis=1).ravel()[width - 1 : width - 1 + n]
    tails = np.cumsum(blocks[:, ::-1], axis=1)[:, ::-1].ravel()[:n]
    tails[::width] = 0  # these windows are whole blocks
    return heads + tails


def thinned(losses: Array, most: int) -> Array:
    """Choose the losses to draw: the indices of at most ``most`` of them (at least 2), in order, with the smallest
    and the largest finite loss of each of most / 2 equal stretches. A stretch without a finite loss keeps its
    first."""
    n = len(losses)
    if n <= most:
        return np.arange(n)
    each = -(-n // max(most // 2, 1))
    padded = np.full(-(-n // each) * each, np.nan)
    padded[:n] = losses
    stretches = padded.reshape(-1, each)
    finite = np.isfinite(stretches)
    small = np.where(finite, stretches, np.inf).argmin(axis=1)
    large = np.where(finite, stretches, -np.inf).argmax(axis=1)
    starts = np.arange(0, len(padded), each)
    return np.unique(np.concatenate([starts + small, starts + large]))


def fixed_part_text(part: Part) -> str:
    """Name the samples of a part that scores are computed on: first 500 of 4,000, all 200."""
    fixed, whole = fixed_part(part), len(part.samples)
    return f"all {whole:,}" if fixed == whole else f"first {fixed:,} of {whole:,}"


def fixed_part(part: Part) -> int:
    """Return the number of samples of a part of the data that scores are computed on."""
    return min(FIXED, len(part.samples))


def score(session: Session, parameters: Array) -> Score:
    """Score a session's network with these ``parameters`` (P,) on the fixed part of the training samples, and on that
    of the samples held out, if there are any; the loss includes the penalty. Dropout is off."""
    split = session.split
    training = _score_on(split.training, session, parameters)
    if not split.validation:
        return training
    return replace(training, validation=_score_on(split.held_out, session, parameters))


def _score_on(part: Part, session: Session, parameters: Array) -> Score:
    spec, data, t = session.network, session.data, session.t
    batch, graph = cut(spec, data, part.samples[0], fixed_part(part), part), spec.graph
    loss, correct, none, done = 0.0, 0, 0, 0
    for program in passes(spec, parameters, batch.x, batch.t):
        n = program.batch
        loss += float(program.values[graph.loss]) * n
        if info(data).classes:
            predicted = predicted_classes(program.values[graph.output], graph.loss_rule)
            correct += int((predicted == batch.target[done : done + n]).sum())
            none += int((predicted == NO_CLASS).sum())
        done += n
    return Score(t, loss / done, correct / done if info(data).classes else None, none / done)


# --- pictures ----------------------------------------------------------------------------------------------
