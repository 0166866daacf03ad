"""Inspection of one number: which number is shown, and how keys move from one to the next."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import transitions
from tui_backprop.session.session_parts import AUTOMATIC
from tui_backprop.session.state import Session
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.app.training import TrainingControl

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.explain.address import Address


def look_at(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Return the session that shows an entry of a tensor; no other unit of its layers remains selected; where values
    name their axes, it is selected on them."""
    graph = session.network.graph
    if graph.axes:
        session = transitions.select_automatic(session)
        numbers = {axis: k for k, axis in enumerate(graph.axes)}
        for axis, i in zip(graph.about(tensor).axes, index, strict=False):
            session = transitions.select(session, numbers[axis], i)
        return transitions.inspect(session, tensor, index)
    last = graph.block(tensor)
    ends = len(index) if graph.layered else 1
    for layer in range(last + 1 - ends, last + 1):
        if session.walk.unit(layer) != AUTOMATIC:
            session = transitions.select(session, layer, AUTOMATIC)
    return transitions.inspect(session, tensor, index)


OTHER_TENSOR = "{tensor(-1)} {tensor(1)} show another"


class Inspection:
    """The actions of the number panel and the curves panel, and the prompt for a number."""

    def __init__(self, app: AppContext, state: AppState, training: TrainingControl) -> None:
        self._app, self._state, self._training = app, state, training

    # --- find ------------------------------------------------------------------------------------------------

    def action_find(self) -> None:
        """Ask for the name of a number, or for an iteration."""
        from tui_backprop.tui.screens.find import FindScreen

        graph, last = self._state.session.network.graph, self._training.last_iteration
        self._app.open_dialog(FindScreen(graph, last, self._app.render_context), self._go_to)

    def _go_to(self, address: Address | None) -> None:
        """Show the number, the step of the array, the ranking of a layer, or the iteration."""
        if address is None:
            return
        if address.t is not None:
            self._training.to_iteration(address.t)
        elif address.array:
            self._state.move(partial(self._found_array, address.array))
            self._app.to_panel("walk")
        elif not address.tensor:
            self._state.move(lambda session, snapshot: transitions.rank_layer(session, address.layer))
            self._app.to_panel("blame")
        else:
            self._state.move(partial(self._found_in_walk, address), numbers=True)
            self._app.to_panel("number")

    def _found_array(self, array: str, session: Session, snapshot: Snapshot) -> Session:
        """Return the session at the step of an array; say so where there is none."""
        there = self._step_of(array, session, snapshot)
        if steps_of(there)[there.walk.step].tensor != array:
            self._app.say(f"no step of the walk computes {array}: it is given")
        return there

    def _step_of(self, tensor: str, session: Session, snapshot: Snapshot) -> Session:
        """Return the session at the step that computes a tensor; where none does, it is given."""
        made = {piece.tensor: at for at, piece in snapshot.pieces}
        if tensor not in made:  # part of an operation, but of no equation
            finer = replace(session, walk=replace(session.walk, grain="operation"))
            made = {step.tensor: step.index for step in steps_of(finer)}
            session = finer if tensor in made else session
        return transitions.at_step(session, made[tensor]) if tensor in made else session

    def _found_in_walk(self, address: Address, session: Session, snapshot: Snapshot) -> Session:
        """Return the session that shows the number, at the step that computes it if there is one."""
        if not address.is_parameter:
            session = self._step_of(address.tensor, session, snapshot)
        if not address.largest:
            return look_at(session, address.value, address.index)
        from tui_backprop.engine.explain.number import largest_count, largest_of

        ties = largest_count(snapshot.iteration, address.tensor)
        if ties > 1:
            self._app.say(f"1 of {ties:,} entries of {address.tensor} that are equally large")
        return look_at(session, address.value, largest_of(snapshot.iteration, address.tensor))

    # --- from number to number -------------------------------------------------------------------------------

    def action_number(self, axis: int, direction: int) -> None:
        """Show the next entry of the same tensor along an axis: the next row or column of a matrix."""

        def along(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.neighbors import next_entry

            tensor, index = snapshot.number
            if not index:
                self._app.say(f"{tensor} is a single number; {self._app.render_context.words(OTHER_TENSOR)}")
                return session
            return transitions.inspect(
                session, tensor, next_entry(snapshot.graph, tensor, index, axis, direction)
            )

        self._state.move(along, numbers=True)

    def action_curve_unit(self, direction: int) -> None:
        """Show the unit after (or before) the one whose number is shown."""

        def other(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.number import shape_of

            if snapshot.asked is None:
                layer, unit = snapshot.place
                return transitions.select(session, layer, unit + direction)
            tensor, index = snapshot.asked
            if not index:
                self._app.say(f"{tensor} is a single number")
                return session
            units = (shape_of(snapshot.graph, tensor) or (1,))[-1]
            return transitions.inspect(session, tensor, (*index[:-1], (index[-1] + direction) % units))

        self._state.move(other, numbers=True)

    def action_tensor(self, direction: int) -> None:
        """Show the next tensor in the order of the forward pass. A weight lies between two units: moving from it to
        one of them selects the other, so that moving back leads to the same weight."""

        def next_tensor(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.neighbors import neighbor

            (tensor, index), units = snapshot.number, enumerate(session.walk.units)
            chosen = {layer: unit for layer, unit in units if unit != AUTOMATIC}
            found = neighbor(snapshot.iteration, tensor, index, direction, chosen)
            session = look_at(session, *found)
            if snapshot.graph.is_weight(tensor):
                layer = snapshot.graph.block(tensor) - (direction > 0)
                session = transitions.select(session, layer, index[0] if direction > 0 else index[1])
            return session

        self._state.move(next_tensor, numbers=True)

    def action_largest(self) -> None:
        """Show the entry of the same tensor with the largest gradient."""

        def largest(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.number import largest_in

            tensor = snapshot.number[0]
            return transitions.inspect(session, tensor, largest_in(snapshot.iteration, tensor))

        self._state.move(largest, numbers=True)

    def action_follow_walk(self) -> None:
        """Show the number at the walk's step."""
        self._state.move(lambda session, snapshot: transitions.inspect_automatic(session))

    def action_pin(self) -> None:
        """Plot the loss over two weights: this one, and the one selected next."""
        self._state.move(
            lambda session, snapshot: transitions.pin(session, snapshot.weights[0]), numbers=True
        )

    def action_weight_pair(self) -> None:
        """Plot the loss along one weight, or over two."""
        self._state.move(lambda session, snapshot: transitions.toggle_pair(session))
