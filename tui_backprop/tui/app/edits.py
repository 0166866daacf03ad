"""What the app does when a parameter is to be moved for real: the numbers of the iteration are then those with it
moved, and so are those of what is trained from there. Undo takes it back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import transitions as moves
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number
from tui_backprop.tui.app.inspection import Inquiries, look_at

if TYPE_CHECKING:  # loads numpy
    from tui_backprop.engine.analysis.ranking import Attribution

SMALL = {"up": 0.01, "down": -0.01}


class Fixing(Inquiries):
    """The part of the app that moves parameters by hand."""

    def action_fix(self, how: str) -> None:
        """Move the parameter under the cursor: ``up`` or ``down`` by 0.01, to ``zero``, or as far as it takes to
        ``turn`` the answer."""
        attribution = self._attribution(partial(self.action_fix, how))
        if attribution is None:
            return
        by = self._turning(attribution) if how == "turn" else SMALL.get(how, -attribution.value)
        if by is None:
            return
        if how == "zero" and not by:
            from tui_backprop.engine.explain.worked import entry_name

            self.say(f"{entry_name(attribution.tensor, attribution.index)} is 0 already")
            return

        def move(session: Session, snapshot: Snapshot) -> Session:
            loss = format_number(snapshot.iteration.loss, 4)
            self.say(f"moved; the loss was {loss}, {self.render_context.key('undo')} takes it back")
            return moves.edit_parameter(
                look_at(session, attribution.tensor, attribution.index),
                attribution.tensor,
                attribution.index,
                by,
            )

        self.move_here(move)

    def _turning(self, attribution: Attribution) -> float | None:
        """How far it has to go to turn the answer; None where that is not known, which is said."""
        case = self._blame_state.case if self._blame_state else None
        if case is None or case.attribution != attribution:
            self.say("its case is not known yet; press it again")
        elif case.turn is None or case.turn.by is None:
            self.say("no move of this one alone is known to turn the answer")
        else:
            return case.turn.by
        return None
