"""The number panel: any one number, how it is computed, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query, SnapshotView

if TYPE_CHECKING:
    from tui_backprop.session.replay import Replay


def _draw(
    snapshot: Snapshot, found: object, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.render.panels.number import number_panel

    return number_panel(snapshot, cast("tuple[int, int, int] | None", found), columns, rows, context)


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    return *snapshot.session.pass_key, snapshot.number


def _places(snapshot: Snapshot, replay: Replay) -> object:
    """Return how many gradients are larger, of the layer and of all, and how many of all are as large."""
    from tui_backprop.engine.explain.number import equal_gradients, larger_gradients, number_of

    tensor, index = snapshot.number
    found = number_of(snapshot.iteration, tensor, index)
    if not found.is_parameter or found.gradient is None:
        return None
    iteration, gradient = snapshot.iteration, found.gradient
    larger = (larger_gradients(iteration, gradient, layer) for layer in (snapshot.graph.block(tensor), None))
    return *larger, equal_gradients(iteration, gradient)


def _view(context: RenderContext) -> SnapshotView:
    return SnapshotView("number", context, _draw, partial=True)


PANEL = Panel(_view, Query(_about, _places))
