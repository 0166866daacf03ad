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
    from tui_backprop.engine.analysis.value_flow import GraphFlow
    from tui_backprop.session.replay import Replay


def _draw(
    snapshot: Snapshot, found: object, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    if snapshot.graph.layered:
        from tui_backprop.render.panels.flow import flow_panel

        return flow_panel(snapshot, cast("Flow | None", found), columns, rows, context)
    from tui_backprop.render.panels.value_flow import value_flow_panel

    return value_flow_panel(snapshot, cast("GraphFlow | None", found), columns, rows, context)


def _flow(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.data.catalogue import info
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.analysis.gradient_flow import flow
    from tui_backprop.engine.analysis.judged import Examples, samples_to_judge
    from tui_backprop.engine.analysis.value_flow import value_flow

    if not snapshot.graph.layered:
        return value_flow(snapshot.iteration)
    session, training = snapshot.session, snapshot.session.split.training
    total = len(training.samples)
    first = cut(
        session.network,
        session.data,
        training.after(0),
        samples_to_judge(session.network, total),
        training,
    )
    return flow(snapshot.iteration, Examples(first.x, first.t, total, bool(info(session.data).classes)))


def _view(context: RenderContext) -> SnapshotView:
    return SnapshotView("flow", context, _draw, concern=lambda session: session.walked)


PANEL = Panel(_view, Query(same_iteration, _flow))
