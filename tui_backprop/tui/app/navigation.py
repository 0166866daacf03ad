"""Keys that move the walk: its steps, units, samples and iterations, undo and redo, play, and bookmarks."""

from __future__ import annotations

from textual.timer import Timer

from tui_backprop.render.view_state import Snapshot, steps_of
from tui_backprop.session import transitions as moves
from tui_backprop.session.state import Session
from tui_backprop.tui.app.base import Base

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # steps per second of play


class Steering(Base):
    """The part of the app that the walk's keys reach."""

    _playing: Timer | None = None
    _speed = 2

    @property
    def speed(self) -> float | None:
        """Steps a second, while it plays."""
        return SPEEDS[self._speed] if self._playing else None

    def action_step_on(self) -> None:
        self.move(lambda session, snapshot: moves.step_on(session, len(snapshot.steps)))

    def action_step_back(self) -> None:
        self.move(lambda session, snapshot: moves.step_back(session, len(snapshot.steps)))

    def action_along_graph(self, direction: int) -> None:
        """A step down (+1) or up the graph: on the way back, up is on."""

        def along(session: Session, snapshot: Snapshot) -> Session:
            on = direction > 0
            if snapshot.step.phase == "backward":
                on = not on
            return (moves.step_on if on else moves.step_back)(session, len(snapshot.steps))

        self.move(along)

    def action_ends(self, last: int) -> None:
        self.move(lambda session, snapshot: moves.at_step(session, last * (len(snapshot.steps) - 1)))

    def action_layer(self, direction: int) -> None:
        def jump(session: Session, snapshot: Snapshot) -> Session:
            return moves.jump(session, [(s.phase, s.layer) for s in snapshot.steps], direction)

        self.move(jump)

    def action_grain(self) -> None:
        def finer(session: Session, snapshot: Snapshot) -> Session:
            from tui_backprop.engine.explain.walk import place_after

            there = moves.next_grain(session)
            return moves.at_step(there, place_after(steps_of(there), snapshot.step.done))

        self.move(finer)

    def action_view(self) -> None:
        self.move(lambda session, snapshot: moves.next_view(session))

    def action_unit(self, direction: int) -> None:
        def select(session: Session, snapshot: Snapshot) -> Session:
            layer = snapshot.step.layer
            return moves.select(session, layer, snapshot.unit(layer) + direction)

        self.move(select)

    def action_automatic(self) -> None:
        self.move(lambda session, snapshot: moves.inspect_automatic(moves.select_automatic(session)))

    def action_train(self) -> None:
        self.move(lambda session, snapshot: moves.after_update(session))

    def action_sample(self, direction: int) -> None:
        self.move(lambda session, snapshot: moves.next_sample(session, direction))

    def action_restart(self) -> None:
        self.move(lambda session, snapshot: moves.restart(session))

    def action_set_bookmark(self) -> None:
        def mark(session: Session, snapshot: Snapshot) -> Session:
            after = moves.add_bookmark(session)
            shows = self.render_context.key("panel('marks')")
            self.say(f"bookmark {len(after.bookmarks.items)} set: iteration {session.t:,}, {shows} shows it")
            return after

        self.move(mark)

    def action_bookmark(self, direction: int) -> None:
        self.move(lambda session, snapshot: moves.move_bookmark_cursor(session, direction))

    def action_hold_bookmark(self) -> None:
        self.move(lambda session, snapshot: moves.hold_bookmark(session))

    def action_drop_bookmark(self) -> None:
        self.move(lambda session, snapshot: moves.delete_bookmark(session))

    def action_to_bookmark(self) -> None:
        self.move(lambda session, snapshot: moves.to_bookmark(session))

    def action_play(self) -> None:
        if self._playing:
            self._playing.stop()
            self._playing = None
        else:
            self._playing = self.set_interval(1 / SPEEDS[self._speed], self._play_on)
        self.show()

    def _play_on(self) -> None:
        if not self._computing:  # a step that is late is not queued
            self.action_step_on()

    def action_speed(self, direction: int) -> None:
        self._speed = min(max(self._speed + direction, 0), len(SPEEDS) - 1)
        if self._playing:
            self.action_play()
            self.action_play()
