"""The query shared by the graph panel and the ledger: the time of every operation on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Query

if TYPE_CHECKING:
    from tui_backprop.session.replay import Replay

SECONDS = 0.3  # for timing every operation
_latest: dict[object, object] = {}  # the latest timing, valid for every iteration of a network


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.session.network, snapshot.session.batch, *snapshot.session.pass_key


def _time(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.cost.accounting.operation_times import time_operations
    from tui_backprop.engine.analysis import visit_norms

    visit_norms.prepare(snapshot.iteration)
    of = snapshot.session.network, snapshot.session.batch
    if of not in _latest:
        _latest.clear()
        _latest[of] = time_operations(snapshot.iteration, SECONDS)
    return _latest[of]


TIMING = Query(_about, _time, lasting=2)
