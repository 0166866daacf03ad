"""The page of the cost panel with the step dial: how wrong a difference is, against its step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui_backprop.render.draw.spans import Line, line
from tui_backprop.render.view_state import CostState, Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.cost_page import CostPage

if TYPE_CHECKING:
    from tui_backprop.engine.gradients.step_size import Dial


class DialView(CostPage):
    """Its question is the dial of the weight that is looked at."""

    NAME = "dial"
    BINDINGS: ClassVar[list[BindingType]] = bindings("dial")

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        if found is None:
            return [line(("taking differences with many steps …", "muted"))]
        from tui_backprop.render.cost.dial import dial_lines

        session = snapshot.session
        step = 10 ** (-1 - session.cost.step_index / 4)
        return dial_lines(
            cast("Dial", found), step, session.cost.precision, columns, rows, self.render_context
        )
