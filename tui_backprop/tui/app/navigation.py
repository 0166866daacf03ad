"""Keys that move the walk: its steps, units, samples and iterations."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui_backprop.keys.panel_row import HEADS
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import transitions
from tui_backprop.session.needs import lacking
from tui_backprop.session.state import Session
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState, Change

if TYPE_CHECKING:
    from tui_backprop.engine.explain.step import Step
    from tui_backprop.engine.network.graph import Graph
    from tui_backprop.engine.network.value import Value

NO_SAMPLES = "no samples to choose from: this {noun} has its own numbers"
NO_SPLIT = "no samples are held out; set validation in the form"
HELD_OUT = "held out for validation: no update; {other_part} goes back to training"


NO_HEADS, NONE_AT_ALL = "no heads at this step", "this network has no heads of attention"
NO_BLOCK = "no block to fold here"
OUT_OF_SIGHT = "{view} is a key of the walk; {panel('walk')} shows it"


def next_unit(direction: int, session: Session, snapshot: Snapshot) -> Session:
    """Select the next unit of the layer of the step, or the previous one; of a graph without units, the next entry
    that the step computes, in the number panel, too; of values with named axes, the next row, or the next image."""
    if snapshot.graph.axes:
        from tui_backprop.engine.network.axes import stepped

        axis = stepped(chosen_value(snapshot).axes)
        return next_on_axis(axis, direction, session, snapshot) if axis else session
    layer, units = snapshot.step.block, snapshot.units
    unit = min(snapshot.unit(layer), units - 1) + direction
    if not snapshot.graph.layered:
        session = transitions.inspect_automatic(session)
    return transitions.select(session, layer, unit % units)


def chosen_value(snapshot: Snapshot) -> Value:
    """Return the value of which an entry is chosen at the step."""
    from tui_backprop.engine.explain.entries import chosen_at

    name, _ = chosen_at(snapshot.graph, snapshot.step, snapshot.unit(snapshot.step.block))
    return snapshot.graph.by_name[name]


def next_on_axis(axis: str, direction: int, session: Session, snapshot: Snapshot) -> Session:
    """Select the next index on an axis of the value chosen at the step; of positions, of those with a target. Its row
    and page stay chosen, and the entry in its row is that with the largest gradient."""
    from tui_backprop.engine.explain.entries import chosen_at, positions
    from tui_backprop.engine.network.axes import POSITION

    graph, step = snapshot.graph, snapshot.step
    name, index = chosen_at(graph, step, snapshot.unit(step.block))
    value = graph.by_name[name]
    at = value.axes.index(axis)
    size = value.sample_shape[at]
    if axis == POSITION and not value.is_parameter:
        size = max(min(size, positions(snapshot.iteration)), 1)
    moved = (*index[:at], (index[at] + direction) % size, *index[at + 1 :])
    session, numbers = transitions.inspect_automatic(session), [*graph.axes]
    for each, i in zip(value.axes, moved[:-1] or moved, strict=False):
        session = transitions.select(session, numbers.index(each), i)
    return session


def cursor_block(graph: Graph, step: Step) -> int:
    """Return the block of the value at which a step stands in the graph panel."""
    return graph.block(step.visits[-1].writes) if step.visits else step.block


def graph_places(session: Session, snapshot: Snapshot) -> list[object]:
    """Return the place of each step in the graph panel: the steps of a folded block have the same one."""
    if not session.network.folds:
        return [step.index for step in snapshot.steps]
    blocks = [cursor_block(snapshot.graph, step) for step in snapshot.steps]
    unfolded = (0, *session.walk.unfolded)
    return [
        step.index if block in unfolded else (step.phase, block)
        for step, block in zip(snapshot.steps, blocks, strict=True)
    ]


class Navigation:
    """The actions of the walk, and of the graph panel, which shows the same cursor."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state

    def action_step_on(self) -> None:
        self._update(lambda session, snapshot: transitions.step_on(session, len(snapshot.steps)))

    def action_step_back(self) -> None:
        self._state.move(lambda session, snapshot: transitions.step_back(session, len(snapshot.steps)))

    def action_graph_step(self, direction: int) -> None:
        """Move one step down (+1) or up the graph, within the iteration: in the backward pass, up is forward in the
        walk."""

        def along(session: Session, snapshot: Snapshot) -> Session:
            on = direction > 0
            if snapshot.step.phase == "backward":
                on = not on
            places, now = graph_places(session, snapshot), session.walk.step
            while not on and now and places[now - 1] == places[now]:  # from where its block begins
                now -= 1
            return transitions.jump(transitions.at_step(session, now), places, 1 if on else -1)

        self._state.move(along)

    def action_fold(self) -> None:
        """Unfold the block at the cursor, or fold it."""

        def fold(session: Session, snapshot: Snapshot) -> Session:
            block = cursor_block(snapshot.graph, snapshot.step)
            if not block or not session.network.folds:
                self._app.say(NO_BLOCK)
                return session
            return transitions.toggle_block(session, block)

        self._state.move(fold)

    def action_ends(self, last: int) -> None:
        """Go to the first step (0) or the last one (1)."""
        self._state.move(
            lambda session, snapshot: transitions.at_step(session, last * (len(snapshot.steps) - 1))
        )

    def action_layer(self, direction: int) -> None:
        def jump(session: Session, snapshot: Snapshot) -> Session:
            return transitions.jump(session, [(s.phase, s.block) for s in snapshot.steps], direction)

        self._state.move(jump)

    def action_grain(self) -> None:
        def finer(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.walk import place_after

            there = transitions.next_grain(session)
            return transitions.at_step(there, place_after(steps_of(there), snapshot.step.done))

        self._state.move(finer)

    def action_view(self) -> None:
        """Show the array of the walk in the next view, where the walk is on the screen."""
        walk = self._app.view("walk")
        if self._app.current_panel != "walk" and not (walk and walk.size):
            self._app.say(self._app.render_context.words(OUT_OF_SIGHT))
            return
        self._state.move(lambda session, snapshot: transitions.next_view(session))

    def action_unit(self, direction: int) -> None:
        self._state.move(partial(next_unit, direction), numbers=True)

    def action_head(self, direction: int) -> None:
        """Select the next head of attention."""

        def other(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.network.axes import HEAD

            if HEAD not in chosen_value(snapshot).axes:
                self._app.say(NONE_AT_ALL if HEADS in lacking(session) else NO_HEADS)
                return session
            return next_on_axis(HEAD, direction, session, snapshot)

        self._state.move(other, numbers=True)

    def action_automatic(self) -> None:
        """Select the unit with the largest |δ| in every layer."""
        self._state.move(
            lambda session, snapshot: transitions.inspect_automatic(transitions.select_automatic(session))
        )

    def action_input_gradient(self) -> None:
        """Go on to the gradient by the input, or leave it out and stay near the step."""

        def toggle(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.walk import place_after

            after = transitions.toggle_input_gradient(session)
            steps, graph = steps_of(after), after.network.graph
            made = {step.tensor: step.index for step in steps}
            at = made.get(graph.gradient_of(graph.input), place_after(steps, snapshot.step.done))
            return transitions.at_step(after, at)

        self._state.move(toggle, numbers=True)

    def action_train(self) -> None:
        """Apply one update; the walk stays at its step."""
        self._update(lambda session, snapshot: transitions.after_update(session), numbers=True)

    def _update(self, change: Change, *, numbers: bool = False) -> None:
        """Move by a change that may make an update; say so if there is none, since the batch is held out."""

        def told(session: Session, snapshot: Snapshot) -> Session:
            after = change(session, snapshot)
            if after == session and session.is_held_out:
                self._app.say(self._app.render_context.words(HELD_OUT))
            return after

        self._state.move(told, numbers=numbers)

    def action_sample(self, direction: int) -> None:
        if self._state.session.network.holds_numbers:
            self._app.say(NO_SAMPLES.format(noun=self._state.session.network.noun))
            return
        self._state.move(lambda session, snapshot: transitions.next_sample(session, direction))

    def action_other_part(self) -> None:
        """Go to the samples held out for validation, or back to those to train on."""
        if not self._state.session.validation:
            self._app.say(NO_SPLIT)
            return
        self._state.move(lambda session, snapshot: transitions.other_part(session))

    def action_restart(self) -> None:
        self._state.move(lambda session, snapshot: transitions.restart(session))
