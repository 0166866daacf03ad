"""From a Session to the numbers of its iteration. Earlier ones come back from checkpoints and a short replay."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate

from tui_backprop.data.samples import cut
from tui_backprop.engine.iteration import Pass, State, Update, take_pass
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.engine.train import Plan, Training
from tui_backprop.session import Run, Session, before_update, shared_iterations

KEPT_BYTES = 128 * 2**20  # of passes, and as much again of checkpoints
MOST = 256  # passes: those of a small network are larger than their arrays


class Replay:
    """Passes of sessions. Those taken lately are kept in memory up to ``limit`` bytes (one always is), and so
    are states along the way of training, the first and the newest at least (see ``Checkpoints``).

    Safe to use from several threads; one pass is computed at a time.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[object, Pass] = OrderedDict()  # by the sessions' pass_key
        self._bytes = 0  # of all passes kept, about
        self._training: Training | None = None
        self._trained: tuple[object, tuple[Run, ...]] = None, ()  # its training_key, and the way it went
        self._lock = threading.Lock()

    def kept(self, session: Session) -> Pass | None:
        """The pass of a session if it is in memory; never computes, never waits."""
        return self._kept.get(session.pass_key)

    def take(self, session: Session) -> Pass:
        """The pass of a session, computed if need be (and with it the updates that no checkpoint spares)."""
        with self._lock:
            taken = self._kept.get(session.pass_key)
            if taken is None:
                now = _update(session.network, session.data, Run(session.sample, session.batch, session.lr))
                taken = take_pass(session.network, now, self._state(session), session.optimiser)
                if taken.bad and not taken.bad.op and session.history:
                    origin = self._along(session).went_bad(session.iteration, _plan(session))
                    taken = replace(taken, origin=origin)
            self._keep(session.pass_key, taken)
            return taken

    def _state(self, session: Session) -> State:
        """What a session starts from."""
        training = self._along(session)
        before = self._kept.get(before_update(session).pass_key) if session.history else None
        if before is None:
            return training.state(session.iteration, _plan(session))
        training.keep(before.after)
        return before.after

    def _along(self, session: Session) -> Training:
        """The training that a session stands in, without the states of another way than the session's."""
        key, went = self._trained
        if self._training is None or key != session.training_key:
            self._training = None  # frees its states before others are made
            self._training = Training(session.network, session.optimiser, self._limit)
            went = ()
        shared = shared_iterations(went, session.history)
        if shared < session.iteration:
            self._training.forget_after(shared)
            went = session.history
        self._trained = session.training_key, went
        return self._training

    def _keep(self, key: object, taken: Pass) -> None:
        if key not in self._kept:
            self._bytes += _price(taken)
        self._kept[key] = taken
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and (self._bytes > self._limit or len(self._kept) > MOST):
            self._bytes -= _price(self._kept.popitem(last=False)[1])


def _price(taken: Pass) -> int:
    """About the bytes of a pass: its share of the peak."""
    return taken.spec.memory(taken.batch, len(taken.after.slots)) // 3


@lru_cache(maxsize=2)
def _update(network: NetworkSpec, data: str, run: Run) -> Update:
    batch = cut(network, data, run.sample, run.batch)
    return Update(batch.x, batch.t, run.lr)


def _plan(session: Session) -> Plan:
    """The updates of a session's history, by iteration."""
    ends = list(accumulate(run.count for run in session.history))
    runs = [Run(run.sample, run.batch, run.lr) for run in session.history]
    return lambda t: _update(session.network, session.data, runs[bisect_right(ends, t)])
