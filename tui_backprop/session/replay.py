"""Compute the iteration of a Session. Earlier iterations are recomputed from checkpoints by a short replay."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from itertools import accumulate
from time import perf_counter

from tui_backprop.data.samples import Batch, batches, cut
from tui_backprop.data.split import Split
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.training.iteration import Iteration, TrainingState, Update, run_iteration
from tui_backprop.engine.training.memory import CHECKPOINT_MEGABYTES
from tui_backprop.engine.training.rules import Rules
from tui_backprop.engine.training.training import Plan, Training, Watch
from tui_backprop.session.state import Session
from tui_backprop.session.transitions import after_training, before_update
from tui_backprop.session.update_log import Edit, UpdateLog, UpdateRun, begins, shared, updates
from tui_backprop.support.budget import Budget
from tui_backprop.support.malloc import limit_free_memory, release_free_memory

PART = 0.1  # seconds of training at a time
OFTEN = 0.25  # seconds between two reports of a replay's progress
ENDLESS = 10**6  # updates of a training run without end
MOST = 256  # iterations: the collection of garbage visits each of their objects
STATES = "states"  # the name of the training states in the budget


OnProgress = Callable[[int, int], None]


class Replay:
    """Iterations of sessions. Within a budget (or so many bytes), recent iterations are kept in memory (always at
    least one), and training states in up to half of it, at least the first and the newest (see ``Checkpoints``).

    Safe to use from several threads; one iteration is computed at a time. While updates are replayed for one,
    ``on_progress`` is called several times a second, in that thread, with the number of updates done and their
    total."""

    def __init__(
        self,
        budget: Budget | int = CHECKPOINT_MEGABYTES * 2**20,
        on_progress: OnProgress | None = None,
    ) -> None:
        limit_free_memory()
        self.budget = Budget(budget) if isinstance(budget, int) else budget
        self._on_progress = on_progress
        self._kept: dict[object, Iteration] = {}  # by the sessions' pass_key
        self._training: Training | None = None
        self._trained: tuple[object, UpdateLog] = None, ()  # its training_key and update log
        self._lock = threading.Lock()

    @property
    def states(self) -> int:
        """Number of iterations and states kept."""
        return len(self._kept) + (len(self._training.checkpoints.iterations) if self._training else 0)

    def state(self, session: Session) -> TrainingState:
        """Return the state that a session's iteration starts from: the parameters, with manual edits, and the
        optimizer's slots."""
        with self._lock:
            update = _cut_update(session.network, session.data, session.split, session.update)
            return update.from_there(self._state(session))

    def losses(self, session: Session) -> tuple[float, ...]:
        """Return the losses of the iterations before a session's, each before its update."""
        with self._lock:
            return self._along(session).losses(session.t, _plan(session), self._accounted())

    def kept_states(self, session: Session) -> tuple[int, ...]:
        """Return the iterations up to a session's whose training states are kept, in order."""
        with self._lock:
            return tuple(t for t in self._along(session).checkpoints.iterations if t <= session.t)

    def kept(self, session: Session) -> Iteration | None:
        """Return the iteration of a session if it is in memory; never computes or waits."""
        return self._kept.get(session.pass_key)

    def take(self, session: Session) -> Iteration:
        """Return the iteration of a session; compute it if necessary, with the updates since the last checkpoint."""
        with self._lock:
            iteration = self._kept.get(session.pass_key)
            if iteration is None:
                now = replace(
                    _cut_update(session.network, session.data, session.split, session.update),
                    rules=Rules(session.network, session.optimizer, session.began),
                )
                iteration = run_iteration(session.network, now, self._state(session))
                if session.update_log and iteration.own_bad:
                    watch = self._watch(session)
                    earlier = self._along(session).first_bad(session.t, _plan(session), watch)
                    iteration = replace(iteration, earlier=earlier)
            self._keep(session.pass_key, iteration)
            return iteration

    def train(self, session: Session, count: int | None) -> Iterator[list[float]]:
        """Train a session for ``count`` updates (None: without end), each on the next batch. Yields the losses of the
        updates done since the last yield, several times a second; the updates done remain when it is stopped.
        Iterations can be requested meanwhile."""
        done = 0
        while count is None or done < count:
            target = after_training(session, done + ENDLESS if count is None else count)
            reached = session.t + done
            losses: list[float] = []
            with self._lock, suppress(_Enough):
                training = self._along(target)
                training.forget_after(reached)  # earlier updates are run again for their losses
                training.state(target.t, _plan(target), self._accounted(_until(PART, reached, losses)))
            done += len(losses)
            yield losses

    def _state(self, session: Session) -> TrainingState:
        """Return the state that a session starts from, before manual edits."""
        training = self._along(session)
        before = self._kept.get(before_update(session).pass_key) if session.update_log else None
        if before is None:
            return training.state(session.t, _plan(session), self._watch(session))
        training.keep(before.after)
        return before.after

    def _along(self, session: Session) -> Training:
        """Return the training that a session belongs to, without states of another update log."""
        key, went = self._trained
        if self._training is None or key != session.training_key:
            if self._training is not None:
                self._training = None  # frees its states before new ones are made
                release_free_memory()
            self._training = Training(session.training_key[0], session.optimizer, 0)
            went = ()
        self._training.checkpoints.limit = self.budget.room(STATES) // 2
        same = shared(went, session.update_log)
        if same < session.t:
            self._training.forget_after(same)
            went = session.update_log
        self._trained = session.training_key, went
        return self._training

    def _keep(self, key: object, iteration: Iteration) -> None:
        self._kept[key] = self._kept.pop(key, iteration)
        if len(self._kept) > MOST:
            self._drop(next(iter(self._kept)))
        self._account_states()
        self.budget.keep(key, iteration.bytes, partial(self._drop, key))

    def _watch(self, session: Session) -> Watch:
        return self._accounted(_reporting(self._on_progress, session.t))

    def _accounted(self, watch: Watch = lambda done, loss: None) -> Watch:
        """Return a watcher that also enters the states reached in the budget."""

        def both(done: int, loss: float) -> None:
            self._account_states()
            watch(done, loss)

        return both

    def _account_states(self) -> None:
        if self._training is not None:
            self.budget.use(STATES, self._training.checkpoints.bytes)

    def _drop(self, key: object) -> None:
        self._kept.pop(key, None)
        self.budget.forget(key)


class _Enough(Exception):
    """Raised when it is time to report the progress of training."""


def _until(seconds: float, reached: int, losses: list[float]) -> Watch:
    """Return a watcher that collects losses for so many seconds, at least one; losses of a replay up to ``reached``
    are skipped."""
    end = perf_counter() + seconds

    def watch(done: int, loss: float) -> None:
        if done > reached:
            losses.append(loss)
            if perf_counter() > end:
                raise _Enough

    return watch


def _reporting(on_progress: OnProgress | None, to: int) -> Watch:
    """Return a watcher that reports the progress of a replay to iteration ``to``; nothing for a short one."""
    if on_progress is None:
        return lambda done, loss: None
    first, due = 0, 0.0

    def watch(done: int, loss: float) -> None:
        nonlocal first, due
        now = perf_counter()
        if not due:
            first, due = done - 1, now + OFTEN
        elif now > due:
            due = now + OFTEN
            on_progress(done - first, to - first)

    return watch


@lru_cache(maxsize=2)
def _cut_update(network: Model, data: str, split: Split, run: UpdateRun) -> Update:
    part = split.part(run.sample)
    return _update(network, run, cut(network, data, run.sample, run.batch, part, run.passage))


def _update(network: Model, run: UpdateRun, batch: Batch) -> Update:
    return Update(batch.x, batch.t, run.lr, tuple((place_of(network, fix), fix.by) for fix in run.edits))


def place_of(network: Model, fix: Edit) -> int:
    """Return the position of a parameter in the flat vector."""
    return network.graph.flat_index(fix.tensor, fix.index)


def _plan(session: Session) -> Plan:
    """Return the function from an iteration to its update in the session's log."""
    start, training = session.training_key[0], session.split.training
    run_of = updates(session.update_log, training)
    rules_of = _rules(session)
    batch_of = batches(start, session.data, training)

    def update(t: int) -> Update:
        run = run_of(t)
        if run.passage is None:
            batch = batch_of(run.sample, run.batch)
        else:
            batch = cut(start, session.data, run.sample, run.batch, training, run.passage)
        return replace(_update(start, run, batch), rules=rules_of(t))

    return update


def _rules(session: Session) -> Callable[[int], Rules]:
    """Return the function from an iteration to the rules of its update; those of one run are one object."""
    log, start = session.update_log, session.training_key[0]
    of_run = [
        Rules(start.with_training_settings(run.settings), run.optimizer, began)
        for run, began in zip(log, begins(log), strict=True)
    ]
    ends = list(accumulate(run.count for run in log))
    return lambda t: of_run[bisect_right(ends, t)]
