"""The curves panel: a unit's activation function, and the loss along one or two weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query, SnapshotView

if TYPE_CHECKING:
    from tui_backprop.engine.analysis.loss_slices import Slice
    from tui_backprop.session.replay import Replay


def _draw(
    snapshot: Snapshot, found: object, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.render.panels.curves import curves_panel

    return curves_panel(snapshot, cast("Slice | None", found), columns, rows, context)


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    return *snapshot.session.pass_key, snapshot.weights


def _slice(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.engine.analysis.loss_slices import slice_along

    return slice_along(snapshot.iteration, snapshot.weights)


def _view(context: RenderContext) -> SnapshotView:
    return SnapshotView("curves", context, _draw, partial=True)


PANEL = Panel(_view, Query(_about, _slice))
