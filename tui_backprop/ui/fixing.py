"""What the app does when a parameter is to be moved for real: the numbers of the iteration are then those with it
moved, and so are those of what is trained from there. Undo takes it back."""

from __future__ import annotations

from tui_backprop import session as moves
from tui_backprop.session import Session
from tui_backprop.ui.inquiries import Inquiries
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.numbers import number

SMALL = {"up": 0.01, "down": -0.01}


class Fixing(Inquiries):
    """The part of the app that moves parameters by hand."""

    def action_fix(self, how: str) -> None:
        """Move the parameter under the cursor: ``up`` or ``down`` by 0.01, to ``zero``, or as far as it takes to
        ``turn`` the answer."""
        self.accuse()
        known = self._accusation
        culprit = known.chosen if known else None
        if known is None or culprit is None:
            return
        if how == "turn":
            case = known.case if known.case is not None and known.case.culprit == culprit else None
            if case is None or case.turn is None or case.turn.by is None:
                self.say("no move of this one alone is known to turn the answer")
                return
            by = case.turn.by
        else:
            by = SMALL.get(how, -culprit.value)

        def move(session: Session, moment: Moment) -> Session:
            self.say(f"moved; the loss was {number(moment.taken.loss, 4)}, u takes it back")
            return moves.fix(
                moves.ask(session, culprit.tensor, culprit.index), culprit.tensor, culprit.index, by
            )

        self.move(move)
