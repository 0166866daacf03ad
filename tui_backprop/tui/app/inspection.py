"""What the app does when it is asked about a number: who is to blame, and what is called so.

Answers that take time come from worker threads; the last one stays on the screen until the next is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import work

from tui_backprop.render.view_state import BlameState, Snapshot, steps_of
from tui_backprop.session import transitions as moves
from tui_backprop.session.parts import AUTOMATIC
from tui_backprop.session.state import COST_PAGES, Session
from tui_backprop.tui.app.background import Answers
from tui_backprop.tui.app.base import Change

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.analysis.ranking import Attribution
    from tui_backprop.engine.explain.address import Address
    from tui_backprop.tui.panels.blame import BlameView

RANKED = 100  # parameters in a ranking
# Panels that show the number looked at, or have a page that does.
FOLLOWING = ("number", "curves", *COST_PAGES)


def answered(asked: BlameState) -> bool:
    """Whether the ranking is there, and the case of the one under the cursor."""
    if asked.ranked is None:
        return False
    return asked.chosen is None or (asked.case is not None and asked.case.attribution == asked.chosen)


def look_at(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Look at a number by its name; in its layers no other unit stays selected."""
    for layer in range(int(tensor[1:] or 0) + 1 - len(index), int(tensor[1:] or 0) + 1):
        if session.walk.unit(layer) != AUTOMATIC:
            session = moves.select(session, layer, AUTOMATIC)
    return moves.inspect(session, tensor, index)


class Inquiries(Answers):
    """The part of the app that answers questions. The rest has the state, and moves it."""

    _blame_state: BlameState | None = None
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
        snapshot = self.snapshot
        view = cast("BlameView | None", self.view("blame"))
        if snapshot is None or view is None or not (view.size or self._then):
            return
        known, now = self._blame_state, snapshot.session
        asked = BlameState(now, snapshot.iteration)
        if known is not None and known.iteration is snapshot.iteration:
            same = (known.session.inspection.measure, known.session.inspection.layer) == (
                now.inspection.measure,
                now.inspection.layer,
            )
            asked = replace(asked, ranked=known.ranked if same else None, case=known.case)
        self._blame_state = asked
        view.show(asked)
        if not self._inquiring and now != self._unanswerable and not answered(asked):
            self._inquiring = True
            self._inquire(asked)

    @work(thread=True, group="blame")
    def _inquire(self, asked: BlameState) -> None:
        from tui_backprop.engine.analysis.parameter_detail import parameter_detail
        from tui_backprop.engine.analysis.ranking import ranking
        from tui_backprop.session.misclassified import first_class

        found, session = asked, asked.session
        try:
            if found.ranked is None:
                ranked = ranking(
                    asked.iteration, session.inspection.measure, RANKED, session.inspection.layer or None
                )
                found = replace(found, ranked=ranked)
            if found.chosen:
                right = first_class(session, asked.iteration.tensor("t"))
                found = replace(found, case=parameter_detail(asked.iteration, found.chosen, right))
        except Exception as error:  # as with passes: said in one line, and not tried again
            self._unanswerable = session
            self.call_from_thread(self._could_not, f"look into this: {type(error).__name__}: {error}")
        self.call_from_thread(self._accused, found)

    def _could_not(self, what: str) -> None:
        self.notify(f"Could not {what}", severity="error", markup=False)

    def _accused(self, found: BlameState) -> None:
        self._inquiring = False
        self._blame_state = found
        self.accuse()
        if self._then is not None and self._blame_state.ranked is not None:
            then, self._then = self._then, None
            then()

    def action_culprit(self, direction: int) -> None:
        known = self._blame_state.ranked if self._blame_state else None
        # No key is lost while they are being ranked.
        last = RANKED - 1 if known is None else max(len(known) - 1, 0)
        self.move(
            lambda session, snapshot: moves.at_rank(
                session, min(min(session.inspection.rank, last) + direction, last)
            )
        )

    def action_accuse(self, direction: int) -> None:
        self.move(lambda session, snapshot: moves.next_ranked_layer(session, direction))

    def action_measure(self) -> None:
        self.move(lambda session, snapshot: moves.next_measure(session))

    def action_look_up(self) -> None:
        """Show the culprit in the walk: the step that makes its gradient, with its unit."""
        attribution = self._attribution(self.action_look_up)
        if attribution is None:
            return
        layer, kind = int(attribution.tensor[1:]), "weights" if attribution.tensor[0] in "Wb" else "gains"

        def look(session: Session, snapshot: Snapshot) -> Session:
            makers = [(i, part) for i, part in snapshot.pieces if (part.kind, part.layer) == (kind, layer)]
            own = [
                i for i, part in makers if part.tensor == f"d{attribution.tensor}"
            ]  # bias and weights may part
            return look_at(
                moves.at_step(session, (own or [makers[0][0]])[0]), attribution.tensor, attribution.index
            )

        self.move_here(look)
        self.to_panel("walk")

    def move_here(self, change: Change) -> None:
        """Move on account of what is shown now; nothing comes of it where the network is already another one."""
        network = self.snapshot.session.network if self.snapshot else None
        self.move(
            lambda session, snapshot: change(session, snapshot) if session.network == network else session
        )

    def _attribution(self, then: Callable[[], None]) -> Attribution | None:
        """The parameter under the cursor; None where there is none, and where that is not known yet: ``then`` is what
        follows once it is."""
        self.accuse()  # a ranking of another layer may still stand there
        known = self._blame_state
        if known is not None and (self.snapshot is None or known.iteration is not self.snapshot.iteration):
            known = None  # of a pass that is over, where the ranking is out of sight
        attribution = known.chosen if known else None
        self._then = then if known is None or (attribution is None and known.ranked is None) else None
        return attribution

    async def action_panel(self, name: str) -> None:
        """From the ranking to a panel that shows one number: its cursor's is the one."""
        self._then = None
        if self._panel == "blame" and name in FOLLOWING:
            self._look_at_culprit()
        await super().action_panel(name)

    def _look_at_culprit(self) -> None:
        attribution = self._attribution(self._look_at_culprit)
        if attribution is not None:
            self.move_here(lambda session, snapshot: look_at(session, attribution.tensor, attribution.index))

    # --- what is called so --------------------------------------------------------------------------------

    def action_ask(self) -> None:
        from tui_backprop.tui.screens.ask import AskScreen

        if self.snapshot is not None:
            self.push_screen(
                AskScreen(self.session.network, self.last_iteration, self.render_context), self._asked
            )

    def _asked(self, address: Address | None) -> None:
        """Show the number that was asked for, and bring the walk to where it is made."""
        if address is None:
            return
        if address.t is not None:
            self.to_iteration(address.t)
            return
        if not address.index and not address.largest:
            self.move(lambda session, snapshot: moves.rank_layer(session, address.layer))
            self.to_panel("blame")
            return
        self.move(partial(self._found_in_walk, address))
        self.to_panel("number")

    def _found_in_walk(self, address: Address, session: Session, snapshot: Snapshot) -> Session:
        """The session at the step that makes what is asked for, if one does."""
        if not address.is_parameter:
            made = {piece.tensor: at for at, piece in snapshot.pieces}
            if address.tensor not in made:  # in no equation, but in an operation
                session = replace(session, walk=replace(session.walk, grain="operation"))
                made = {step.tensor: step.index for step in steps_of(session)}
            at = made[address.tensor]
            session = moves.at_step(session, at)
        if not address.largest:
            return look_at(session, address.value, address.index)
        from tui_backprop.engine.explain.number import largest_of

        index = largest_of(snapshot.iteration, address.tensor)
        return look_at(session, address.value, index)

    def action_number(self, axis: int, direction: int) -> None:
        """To the next number of the same tensor, along an axis of it."""

        def along(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.number import shape_of

            tensor, index = snapshot.number
            shape, at = shape_of(session.network, tensor) or (1,), min(axis, len(index) - 1)
            place = (index[at] + direction) % shape[at]
            return moves.inspect(session, tensor, (*index[:at], place, *index[at + 1 :]))

        self.move(along)

    def action_other_unit(self, direction: int) -> None:
        """To the unit after (or before) the one whose number is looked at."""

        def other(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.number import shape_of

            if snapshot.asked is None:
                layer, unit = snapshot.place
                return moves.select(session, layer, unit + direction)
            tensor, index = snapshot.asked
            units = (shape_of(session.network, tensor) or (1,))[-1]
            return moves.inspect(session, tensor, (*index[:-1], (index[-1] + direction) % units))

        self.move(other)

    def action_tensor(self, direction: int) -> None:
        """Along the way that values go, to the next tensor: a weight lies between two units, and leaving it by one
        of them selects the other, which is how the way back to it is found."""

        def next_tensor(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.number import neighbor

            (tensor, index), units = snapshot.number, enumerate(session.walk.units)
            chosen = {layer: unit for layer, unit in units if unit != AUTOMATIC}
            found = neighbor(snapshot.iteration, tensor, index, direction, chosen)
            session = look_at(session, *found)
            if len(index) == 2:
                layer = int(tensor[1:]) - (direction > 0)
                session = moves.select(session, layer, index[0] if direction > 0 else index[1])
            return session

        self.move(next_tensor)

    def action_largest(self) -> None:
        """To the number of the same tensor with the largest gradient."""

        def largest(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.number import largest_in

            tensor = snapshot.number[0]
            return moves.inspect(session, tensor, largest_in(snapshot.iteration, tensor))

        self.move(largest)

    def action_unasked(self) -> None:
        self.move(lambda session, snapshot: moves.inspect_automatic(session))

    def action_pin(self) -> None:
        """Draw the loss over two weights: this one, and whatever is looked at next."""
        self.move(lambda session, snapshot: moves.pin(session, snapshot.weights[0]))

    def action_two_weights(self) -> None:
        self.move(lambda session, snapshot: moves.toggle_pair(session))
