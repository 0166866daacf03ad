"""The page of the cost panel that counts paths, and shows what a gradient takes when nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import CostState, Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.cost_page import CostPage

if TYPE_CHECKING:
    from tui_backprop.cost.accounting.path_counts import Recomputed


class ReuseView(CostPage):
    """Its question is what the gradient takes with less kept, which is run."""

    NAME = "reuse"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("reuse")

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        from tui_backprop.cost.accounting.path_counts import paths
        from tui_backprop.render.cost.reuse import reuse_lines

        tensor, index = snapshot.weights[0]
        name = f"{tensor}[{','.join(map(str, index))}]"
        counted = paths(snapshot.session.network, tensor)
        runs = cast("Sequence[Recomputed] | None", found)
        return reuse_lines(name, counted, runs, columns, rows)
