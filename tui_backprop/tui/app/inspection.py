"""What the app does when it is asked about a number: who is to blame, and what is called so.

Answers that take time come from worker threads; the last one stays on the screen until the next is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import work

from tui_backprop.render.view_state import Accusation, Moment, steps_of
from tui_backprop.session import transitions as moves
from tui_backprop.session.state import AUTOMATIC, COST_PAGES, Session
from tui_backprop.tui.app.background import Answers
from tui_backprop.tui.app.base import Change

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.analysis.ranking import Culprit
    from tui_backprop.engine.explain.address import Address
    from tui_backprop.tui.panels.blame import BlameView

RANKED = 100  # parameters in a ranking
# Panels that show the number looked at, or have a page that does.
FOLLOWING = ("number", "curves", *COST_PAGES)


def answered(asked: Accusation) -> bool:
    """Whether the ranking is there, and the case of the one under the cursor."""
    if asked.ranked is None:
        return False
    return asked.chosen is None or (asked.case is not None and asked.case.culprit == asked.chosen)


def look_at(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Look at a number by its name; in its layers no other unit stays selected."""
    for layer in range(int(tensor[1:] or 0) + 1 - len(index), int(tensor[1:] or 0) + 1):
        if session.unit(layer) != AUTOMATIC:
            session = moves.select(session, layer, AUTOMATIC)
    return moves.ask(session, tensor, index)


class Inquiries(Answers):
    """The part of the app that answers questions. The rest has the state, and moves it."""

    _accusation: Accusation | None = None
    _inquiring = False
    _then: Callable[[], None] | None = None  # what was asked before it was known which parameter it is about
    _unanswerable: Session | None = None  # what an inquiry failed on

    def show_aside(self) -> None:
        super().show_aside()
        self.accuse()

    # --- which weights are to blame ------------------------------------------------------------------------

    def accuse(self) -> None:
        """Show the ranking and the case as far as they are known, and have found what is not, where it is seen or
        waited for."""
        moment = self.moment
        view = cast("BlameView | None", self.view("blame"))
        if moment is None or view is None or not (view.size or self._then):
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
        from tui_backprop.engine.analysis.parameter_detail import case
        from tui_backprop.engine.analysis.ranking import ranking
        from tui_backprop.session.misclassified import first_class

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
        if self._then is not None and self._accusation.ranked is not None:
            then, self._then = self._then, None
            then()

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
        culprit = self._culprit(self.action_look_up)
        if culprit is None:
            return
        layer, kind = int(culprit.tensor[1:]), "weights" if culprit.tensor[0] in "Wb" else "gains"

        def look(session: Session, moment: Moment) -> Session:
            makers = [(i, part) for i, part in moment.pieces if (part.kind, part.layer) == (kind, layer)]
            own = [
                i for i, part in makers if part.tensor == f"d{culprit.tensor}"
            ]  # bias and weights may part
            return look_at(moves.at_step(session, (own or [makers[0][0]])[0]), culprit.tensor, culprit.index)

        self.move_here(look)
        self.to_panel("walk")

    def move_here(self, change: Change) -> None:
        """Move on account of what is shown now; nothing comes of it where the network is already another one."""
        network = self.moment.session.network if self.moment else None
        self.move(lambda session, moment: change(session, moment) if session.network == network else session)

    def _culprit(self, then: Callable[[], None]) -> Culprit | None:
        """The parameter under the cursor; None where there is none, and where that is not known yet: ``then`` is what
        follows once it is."""
        self.accuse()  # a ranking of another layer may still stand there
        known = self._accusation
        if known is not None and (self.moment is None or known.taken is not self.moment.taken):
            known = None  # of a pass that is over, where the ranking is out of sight
        culprit = known.chosen if known else None
        self._then = then if known is None or (culprit is None and known.ranked is None) else None
        return culprit

    async def action_panel(self, name: str) -> None:
        """From the ranking to a panel that shows one number: its cursor's is the one."""
        self._then = None
        if self._panel == "blame" and name in FOLLOWING:
            self._look_at_culprit()
        await super().action_panel(name)

    def _look_at_culprit(self) -> None:
        culprit = self._culprit(self._look_at_culprit)
        if culprit is not None:
            self.move_here(lambda session, moment: look_at(session, culprit.tensor, culprit.index))

    # --- what is called so --------------------------------------------------------------------------------

    def action_ask(self) -> None:
        from tui_backprop.tui.screens.ask import AskScreen

        if self.moment is not None:
            self.push_screen(AskScreen(self.session.network, self.last_iteration, self._glyphs), self._asked)

    def _asked(self, address: Address | None) -> None:
        """Show the number that was asked for, and bring the walk to where it is made."""
        if address is None:
            return
        if address.iteration is not None:
            self.to_iteration(address.iteration)
            return
        if not address.index and not address.largest:
            self.move(lambda session, moment: moves.rank_layer(session, address.layer))
            self.to_panel("blame")
            return
        self.move(partial(self._found_in_walk, address))
        self.to_panel("number")

    def _found_in_walk(self, address: Address, session: Session, moment: Moment) -> Session:
        """The session at the step that makes what is asked for, if one does."""
        if not address.is_parameter:
            made = {piece.tensor: at for at, piece in moment.pieces}
            if address.tensor not in made:  # in no equation, but in an operation
                session = replace(session, grain="operation")
                made = {step.tensor: step.index for step in steps_of(session)}
            at = made[address.tensor]
            session = moves.at_step(session, at)
        if not address.largest:
            return look_at(session, address.value, address.index)
        from tui_backprop.engine.explain.number import largest_of

        index = largest_of(moment.taken, address.tensor)
        return look_at(session, address.value, index)

    def action_number(self, axis: int, direction: int) -> None:
        """To the next number of the same tensor, along an axis of it."""

        def along(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.explain.number import shape_of

            tensor, index = moment.number
            shape, at = shape_of(session.network, tensor) or (1,), min(axis, len(index) - 1)
            place = (index[at] + direction) % shape[at]
            return moves.ask(session, tensor, (*index[:at], place, *index[at + 1 :]))

        self.move(along)

    def action_other_unit(self, direction: int) -> None:
        """To the unit after (or before) the one whose number is looked at."""

        def other(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.explain.number import shape_of

            if moment.asked is None:
                layer, unit = moment.place
                return moves.select(session, layer, unit + direction)
            tensor, index = moment.asked
            units = (shape_of(session.network, tensor) or (1,))[-1]
            return moves.ask(session, tensor, (*index[:-1], (index[-1] + direction) % units))

        self.move(other)

    def action_tensor(self, direction: int) -> None:
        """Along the way that values go, to the next tensor: a weight lies between two units, and leaving it by one
        of them selects the other, which is how the way back to it is found."""

        def next_tensor(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.explain.number import neighbour

            (tensor, index), units = moment.number, enumerate(session.units)
            chosen = {layer: unit for layer, unit in units if unit != AUTOMATIC}
            found = neighbour(moment.taken, tensor, index, direction, chosen)
            session = look_at(session, *found)
            if len(index) == 2:
                layer = int(tensor[1:]) - (direction > 0)
                session = moves.select(session, layer, index[0] if direction > 0 else index[1])
            return session

        self.move(next_tensor)

    def action_largest(self) -> None:
        """To the number of the same tensor with the largest gradient."""

        def largest(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.explain.number import largest_in

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
