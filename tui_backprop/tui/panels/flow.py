"""Gradient flow panel: the size of gradients over depth, with a diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query, SnapshotView, same_iteration

if TYPE_CHECKING:
    from tui_backprop.engine.analysis.gradient_flow import Flow
    from tui_backprop.session.replay import Replay

SAMPLES = 256  # samples on which units are tested for being dead or saturated


def _draw(
    snapshot: Snapshot, found: object, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.render.panels.flow import flow_panel

    return flow_panel(snapshot, cast("Flow | None", found), columns, rows, context)


def _flow(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.data.catalogue import info
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.analysis.gradient_flow import flow

    session = snapshot.session
    most = min(SAMPLES, info(session.data).samples)
    return flow(snapshot.iteration, cut(session.network, session.data, 0, most).x)


def _view(context: RenderContext) -> SnapshotView:
    return SnapshotView("flow", context, _draw, concern=lambda session: session.walked)


PANEL = Panel(_view, Query(same_iteration, _flow))
