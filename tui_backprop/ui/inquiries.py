"""What the app does when it is asked about a number: who is to blame, and what is called so.

Answers that take time come from worker threads; the last one stays on the screen until the next is there.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from tui_backprop import session as moves
from tui_backprop.session import Session
from tui_backprop.ui.answers import Answers
from tui_backprop.ui.moment import Accusation, Moment, steps_of
from tui_backprop.ui.widgets.blame import BlameView

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.address import Address

RANKED = 100  # parameters in a ranking


def answered(asked: Accusation) -> bool:
    """Whether the ranking is there, and the case of the one under the cursor."""
    if asked.ranked is None:
        return False
    return asked.chosen is None or (asked.case is not None and asked.case.culprit == asked.chosen)


class Inquiries(Answers):
    """The part of the app that answers questions. The rest has the state, and moves it."""

    _accusation: Accusation | None = None
    _inquiring = False
    _look_up_then = False  # enter was pressed before it was known whose case this is
    _unanswerable: Session | None = None  # what an inquiry failed on

    def show_aside(self) -> None:
        super().show_aside()
        self.accuse()

    # --- which weights are to blame ------------------------------------------------------------------------

    def accuse(self) -> None:
        """Show the ranking and the case as far as they are known, and have found what is not, where it is seen."""
        moment = self.moment
        view = self.view("blame")
        if moment is None or not isinstance(view, BlameView) or not view.size:
            return
        known, now = self._accusation, moment.session
        asked = Accusation(now, moment.taken)
        if known is not None and known.taken is moment.taken:
            same = (known.session.measure, known.session.accused) == (now.measure, now.accused)
            asked = replace(asked, ranked=known.ranked if same else None, case=known.case)
        self._accusation = asked
        view.show(asked)
        if not self._inquiring and now != self._unanswerable and not answered(asked):
            self._inquiring = True
            self._inquire(asked)

    @work(thread=True, group="blame")
    def _inquire(self, asked: Accusation) -> None:
        from tui_backprop.engine.blame import ranking
        from tui_backprop.engine.case import case
        from tui_backprop.mistakes import first_class

        found, session = asked, asked.session
        try:
            if found.ranked is None:
                ranked = ranking(asked.taken, session.measure, RANKED, session.accused or None)
                found = replace(found, ranked=ranked)
            if found.chosen:
                right = first_class(session, asked.taken.tensor("t"))
                found = replace(found, case=case(asked.taken, found.chosen, right))
        except Exception as error:  # as with passes: said in one line, and not tried again
            self._unanswerable = session
            self.call_from_thread(self._could_not, f"look into this: {type(error).__name__}: {error}")
        self.call_from_thread(self._accused, found)

    def _could_not(self, what: str) -> None:
        self.notify(f"Could not {what}", severity="error", markup=False)

    def _accused(self, found: Accusation) -> None:
        self._inquiring = False
        self._accusation = found
        self.accuse()
        if self._look_up_then and self._accusation.ranked is not None:
            self.action_look_up()

    def action_culprit(self, direction: int) -> None:
        known = self._accusation.ranked if self._accusation else None
        # No key is lost while they are being ranked.
        last = RANKED - 1 if known is None else max(len(known) - 1, 0)
        self.move(
            lambda session, moment: moves.accuse(session, min(min(session.rank, last) + direction, last))
        )

    def action_accuse(self, direction: int) -> None:
        self.move(lambda session, moment: moves.accuse_layer(session, direction))

    def action_measure(self) -> None:
        self.move(lambda session, moment: moves.next_measure(session))

    def action_look_up(self) -> None:
        """Show the culprit in the walk: the step that makes its gradient, with its unit."""
        self.accuse()  # a ranking of another layer may still stand there
        known = self._accusation
        culprit = known.chosen if known else None
        self._look_up_then = known is None or (culprit is None and known.ranked is None)
        if culprit is None:
            return
        layer, kind = int(culprit.tensor[1:]), "weights" if culprit.tensor[0] in "Wb" else "gains"

        def look(session: Session, moment: Moment) -> Session:
            at = next(i for i, part in moment.pieces if (part.kind, part.layer) == (kind, layer))
            session = moves.ask(session, culprit.tensor, culprit.index)
            return moves.select(moves.at_step(session, at), layer, culprit.index[-1])

        self.move(look)
        self.to_panel("walk")

    def action_number_of_culprit(self) -> None:
        """Show the culprit in the number panel."""
        self.accuse()
        culprit = self._accusation.chosen if self._accusation else None
        if culprit:
            self.move(lambda session, moment: moves.ask(session, culprit.tensor, culprit.index))
        self.to_panel("number")

    # --- what is called so --------------------------------------------------------------------------------

    def action_ask(self) -> None:
        from tui_backprop.ui.screens.ask import AskScreen

        if self.moment is not None:
            self.push_screen(AskScreen(self.session.network, self._glyphs), self._asked)

    def _asked(self, address: Address | None) -> None:
        """Show the number that was asked for, and bring the walk to where it is made."""
        if address is None:
            return
        if not address.index:
            self.move(lambda session, moment: moves.rank_layer(session, address.layer))
            self.to_panel("blame")
            return
        self.move(partial(self._found_in_walk, address))
        self.to_panel("number")

    def _found_in_walk(self, address: Address, session: Session, moment: Moment) -> Session:
        """The session at the step that makes what is asked for, if one does, and at its unit."""
        if not address.is_parameter:
            made = {piece.tensor: (at, piece.layer) for at, piece in moment.pieces}
            if address.tensor not in made:  # in no equation, but in an operation
                session = replace(session, grain="operation")
                made = {step.tensor: (step.index, step.layer) for step in steps_of(session)}
            at, layer = made[address.tensor]
            session = moves.select(moves.at_step(session, at), layer, address.index[0])
        return moves.ask(session, address.value, address.index)

    def action_number(self, axis: int, direction: int) -> None:
        """To the next number of the same tensor, along an axis of it."""

        def along(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.number import shape_of

            tensor, index = moment.number
            shape, at = shape_of(session.network, tensor) or (1,), min(axis, len(index) - 1)
            place = (index[at] + direction) % shape[at]
            return moves.ask(session, tensor, (*index[:at], place, *index[at + 1 :]))

        self.move(along)

    def action_tensor(self, direction: int) -> None:
        """To the same place in the next tensor."""

        def next_tensor(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.number import neighbour

            return moves.ask(session, *neighbour(moment.taken, *moment.number, direction))

        self.move(next_tensor)

    def action_largest(self) -> None:
        """To the number of the same tensor with the largest gradient."""

        def largest(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.number import largest_in

            tensor = moment.number[0]
            return moves.ask(session, tensor, largest_in(moment.taken, tensor))

        self.move(largest)

    def action_unasked(self) -> None:
        self.move(lambda session, moment: moves.unask(session))

    def action_pin(self) -> None:
        """Draw the loss over two weights: this one, and whatever is looked at next."""
        self.move(lambda session, moment: moves.pin(session, *moment.weights[0]))

    def action_two_weights(self) -> None:
        self.move(lambda session, moment: moves.other_pair(session))
