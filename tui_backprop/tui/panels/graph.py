"""The graph panel: the recorded computation graph, with the walk's cursor on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, SnapshotView
from tui_backprop.tui.panels.operation_times import TIMING

if TYPE_CHECKING:
    from tui_backprop.cost.accounting.operation_times import Timing


def _draw(
    snapshot: Snapshot, found: object, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.render.panels.graph import graph_panel

    return graph_panel(snapshot, cast("Timing | None", found), columns, rows, context)


def _view(context: RenderContext) -> SnapshotView:
    return SnapshotView("graph", context, _draw, partial=True, concern=lambda session: session.walked)


PANEL = Panel(_view, TIMING)
