"""The reuse page of the cost panel: the number of paths that a gradient sums, and the cost of recomputing values
instead of keeping them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query
from tui_backprop.tui.panels.cost_page import CostPage

if TYPE_CHECKING:
    from tui_backprop.cost.accounting.recompute import Recomputed
    from tui_backprop.session.replay import Replay


def _draw(
    snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.cost.accounting.path_counts import countable, paths
    from tui_backprop.render.cost.reuse import reuse_lines

    tensor, index = snapshot.weights[0]
    name = entry_name(tensor, index)
    counted = paths(snapshot.session.network, tensor) if countable(snapshot.graph) else None
    runs = cast("Sequence[Recomputed] | None", found)
    return reuse_lines(name, counted, runs, columns)


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.session.network, snapshot.session.batch


def _recompute(snapshot: Snapshot, replay: Replay) -> object:
    """Run the backward pass with fewer values kept."""
    from tui_backprop.cost.accounting.recompute import RETENTIONS, recompute

    kinds = RETENTIONS if snapshot.graph.layered else ()
    return tuple(recompute(snapshot.iteration, kind) for kind in kinds)


def _view(context: RenderContext) -> CostPage:
    return CostPage("reuse", context, _draw, partial=True)


PANEL = Panel(_view, Query(_about, _recompute))
