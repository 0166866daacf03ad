"""The parts of a panel: a view that draws a snapshot, and a query for the result that it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import BindingsMap

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, wrap
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.widgets.canvas import Canvas

if TYPE_CHECKING:  # loads numpy
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.render.view_state import Veil
    from tui_backprop.session.replay import Replay

ALL = 99  # more parts than any key has
FAILED = "This could not be computed; the next iteration tries again."


@dataclass(frozen=True, eq=False, repr=False)
class Query:
    """A computation that takes time, for one panel. ``about`` returns the key of the result: the query runs again
    when it changes, and not at all while it is empty. ``find`` runs in a worker; a generator yields partial results,
    the last one complete. A result is shown until the next one arrives as long as the first ``lasting`` parts of the
    key are unchanged."""

    about: Callable[[Snapshot], tuple[object, ...]]
    find: Callable[[Snapshot, Replay], object]
    lasting: int = ALL


def same_iteration(snapshot: Snapshot) -> tuple[object, ...]:
    """Return the key of a query about the numbers of an iteration."""
    return snapshot.session.pass_key


@dataclass(frozen=True, eq=False, repr=False)
class Panel:
    """One panel: its ``view``, and its ``query`` if it has one."""

    view: Callable[[RenderContext], Canvas]
    query: Query | None = None


# Draws a panel in so many columns and rows, from a snapshot and the result of its query (None while it is computed).
Draw = Callable[[Snapshot, object, int, int, RenderContext], Sequence[Line]]


class PanelCanvas(Canvas, can_focus=True):
    """A canvas with the keys of a panel."""

    def __init__(self, panel: str, context: RenderContext) -> None:
        super().__init__(context, id=f"{panel}-view")
        self.panel = panel
        self._waiting = "computing the first iteration"
        self._note = ""
        self._veil: Veil | None = None
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bindings(panel))])

    def note(self, words: str) -> None:
        """Show a note above the panel's contents from now on; "" for none."""
        if words != self._note:
            self._note = words
            self.redraw()

    def cover(self, veil: Veil | None) -> None:
        """Hide the contents behind a veil, or show them (None)."""
        if veil != self._veil:
            self._veil = veil
            self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        if self._veil is not None:
            from tui_backprop.render.walk.veil import covered

            return covered(self._veil, columns, self.render_context)
        note = wrap(self._note, columns, "update") if self._note else []
        return [*note, *self.contents(columns, rows - len(note))]

    def contents(self, columns: int, rows: int) -> Sequence[Line]:
        """Return the lines below the note."""
        return ()

    def wait(self, words: str) -> None:
        """Show only what the panel waits for, until there is something to show."""
        self._waiting = words
        self.redraw()

    def waiting(self, columns: int) -> list[Line]:
        """Return the lines that say what the panel waits for."""
        return wrap(f"{self._waiting} …", columns, "muted") if self._waiting else []


class SnapshotView(PanelCanvas):
    """Draws a snapshot with ``draw``, which imports its render function, and with it numpy, after the first paint.
    ``partial``: there is something to draw if the query failed; ``concern`` returns the part of a session that the
    panel shows: if only other parts differ, nothing is redrawn."""

    def __init__(
        self,
        panel: str,
        context: RenderContext,
        draw: Draw | None = None,
        *,
        partial: bool = False,
        concern: Callable[[Session], Session] = lambda session: session,
    ) -> None:
        super().__init__(panel, context)
        self._draw, self._partial, self._concern = draw, partial, concern
        self._snapshot: Snapshot | None = None
        self._found: object = None
        self._failed = False
        self._drawn: tuple[Session, object, object, tuple[bool, Veil | None]] | None = None

    def show(self, snapshot: Snapshot, found: object = None, failed: bool = False) -> None:
        """Draw a snapshot with the result of the panel's query (None while it is computed, and if it ``failed``),
        unless it is drawn already."""
        concern, before = self._concern(snapshot.session), self._drawn
        now = concern, snapshot.iteration, found, (failed, snapshot.veil)
        self._snapshot, self._found, self._failed, self._drawn = snapshot, found, failed, now
        if not (
            before
            and (before[0], before[3]) == (concern, now[3])
            and all(a is b for a, b in zip(before[1:3], now[1:3], strict=True))
        ):
            self.redraw()

    def forget(self, iteration: Iteration) -> None:
        """Release every iteration but this one while hidden; before the panel is visible again, a snapshot is
        shown."""
        if self._snapshot is not None and self._snapshot.iteration is not iteration:
            self._snapshot = self._found = self._drawn = None
            self._waiting = ""

    def wait(self, words: str) -> None:
        self._snapshot = self._found = self._drawn = None
        super().wait(words)

    def contents(self, columns: int, rows: int) -> Sequence[Line]:
        if self._snapshot is None:
            return self.waiting(columns)
        if self._failed and not self._partial:
            return wrap(FAILED, columns, "muted")
        return self.picture(self._snapshot, self._found, columns, rows)

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        """Return the lines of the panel."""
        return self._draw(snapshot, found, columns, rows, self.render_context) if self._draw else ()
