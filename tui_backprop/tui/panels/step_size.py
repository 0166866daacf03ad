"""The step size page of the cost panel: the error of a difference quotient against its step size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query
from tui_backprop.tui.panels.cost_page import CostPage

if TYPE_CHECKING:
    from tui_backprop.engine.gradients.step_size import StepSweep
    from tui_backprop.session.replay import Replay


def _draw(
    snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    if found is None:
        return [line(("computing difference quotients …", "muted"))]
    from tui_backprop.render.cost.step_size import step_size_lines

    session = snapshot.session
    step = 10 ** (-1 - session.cost.step_index / 4)
    return step_size_lines(cast("StepSweep", found), step, session.cost.precision, columns, rows, context)


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    return *snapshot.session.pass_key, snapshot.weights[0]


def _errors(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.engine.gradients.step_size import step_sweep

    return step_sweep(snapshot.iteration, *snapshot.weights[0])


def _view(context: RenderContext) -> CostPage:
    return CostPage("step_size", context, _draw)


PANEL = Panel(_view, Query(_about, _errors))
