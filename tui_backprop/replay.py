"""From a Session to the numbers of its iteration. Parameters of any iteration come back by replaying updates."""

from __future__ import annotations

import threading
from collections import OrderedDict

from tui_backprop.data.samples import cut
from tui_backprop.engine.network import initial_parameters
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.engine.train import Pass, take_pass
from tui_backprop.session import Run, Session, before_update

KEPT_BYTES = 256 * 2**20

PassKey = tuple[NetworkSpec, str, tuple[Run, ...], Run]


class Replay:
    """Passes of sessions, with those taken lately kept in memory up to ``limit`` bytes (one always is).

    Safe to use from several threads; one pass is computed at a time.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[PassKey, Pass] = OrderedDict()
        self._lock = threading.Lock()

    def kept(self, session: Session) -> Pass | None:
        """The pass of a session if it is in memory; never computes, never waits."""
        return self._kept.get(session.pass_key)

    def take(self, session: Session) -> Pass:
        """The pass of a session, computed if need be (and with it those before it that are not kept)."""
        with self._lock:
            missing = [session]
            while missing[-1].history and self._kept.get(missing[-1].pass_key) is None:
                missing.append(before_update(missing[-1]))
            for wanted in reversed(missing):
                taken = self._kept.get(wanted.pass_key) or self._compute(wanted)
                self._keep(wanted.pass_key, taken)
            return taken

    def _compute(self, session: Session) -> Pass:
        spec = session.network
        batch = cut(spec, session.data, session.sample, session.batch)
        return take_pass(spec, batch.x, batch.t, self._parameters(session), session.lr)

    def _parameters(self, session: Session) -> Array:
        """The parameters a session starts from; the pass before it has been taken already."""
        if not session.history:
            return initial_parameters(session.network)
        return self._kept[before_update(session).pass_key].updated

    def _keep(self, key: PassKey, taken: Pass) -> None:
        self._kept[key] = taken
        self._kept.move_to_end(key)
        each = taken.spec.memory(taken.batch)
        while len(self._kept) > 2 and len(self._kept) * each > self._limit:
            self._kept.popitem(last=False)
