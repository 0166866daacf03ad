"""The blame panel's work: ranking parameters by their share in the error, and the details of one of them.

Both are computed in a worker; the last ranking stays on the screen until the next one arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from tui_backprop.render.view_state import BlameState, Snapshot
from tui_backprop.session import transitions
from tui_backprop.session.state import Session
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.inspection import look_at
from tui_backprop.tui.app.panel_focus import FOLLOWING
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.analysis.ranking import Attribution
    from tui_backprop.tui.panels.blame import BlameView
    from tui_backprop.tui.widgets.summary import Summary

RANKED = 100  # parameters in a ranking


def complete(wanted: BlameState) -> bool:
    """Return True if the ranking is known, and the details of the parameter under the cursor."""
    if wanted.ranked is None:
        return False
    return wanted.chosen is None or (wanted.detail is not None and wanted.detail.attribution == wanted.chosen)


class Ranking:
    """Rank parameters by blame."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self.blame_state: BlameState | None = None
        self.computing = False
        self._app, self._state = app, state
        self._then: Callable[[], None] | None = None  # an action that waits for the ranking
        self._failed_for: Session | None = None

    def update(self) -> None:
        """Show what is known, and go on with an action that waited for it."""
        self._update()
        if self._then is not None and not self.computing:
            self._then()

    def _update(self) -> None:
        """Show the ranking and the details as far as they are known; if the panel is visible or an action waits, have
        the rest computed."""
        snapshot, view = self._state.snapshot, cast("BlameView | None", self._app.view("blame"))
        summary = cast("Summary | None", self._app.view("summary"))
        wanted = view is not None and (view.size or self._then)
        if snapshot is None or not (wanted or (summary is not None and summary.size)):
            known = self.blame_state
            if known is not None and (snapshot is None or known.iteration is not snapshot.iteration):
                self.blame_state = None  # nobody sees it, and its iteration takes memory
                if view is not None:
                    view.wait("")
            return
        self.blame_state = self._known(snapshot)
        if view is not None:
            view.show(self.blame_state)
        if summary is not None:
            summary.tell(blame=self.blame_state)
        missing = snapshot.session != self._failed_for and not complete(self.blame_state)
        if missing and not self.computing:
            self.computing = True
            self._app.in_thread("blame", self._compute, self.blame_state)

    def _known(self, snapshot: Snapshot) -> BlameState:
        """Return what is known for a snapshot."""
        known, now = self.blame_state, snapshot.session
        wanted = BlameState(now, snapshot.iteration)
        if known is None or known.iteration is not snapshot.iteration:
            return wanted
        seen = known.session.inspection
        same = (seen.measure, seen.layer) == (now.inspection.measure, now.inspection.layer)
        return replace(wanted, ranked=known.ranked if same else None, detail=known.detail)

    def _compute(self, wanted: BlameState) -> None:
        from tui_backprop.engine.analysis.parameter_detail import parameter_detail
        from tui_backprop.engine.analysis.ranking import ranking
        from tui_backprop.session.misclassified import first_class

        found, session = wanted, wanted.session
        try:
            if found.ranked is None:
                ranked = ranking(
                    wanted.iteration, session.inspection.measure, RANKED, session.inspection.layer or None
                )
                found = replace(found, ranked=ranked)
            if found.chosen:
                label = first_class(session, wanted.iteration)
                found = replace(found, detail=parameter_detail(wanted.iteration, found.chosen, label))
        except Exception as error:  # reported in one line, and not tried again
            self._failed_for = session
            why = f"Could not rank the parameters: {reason_of(error)}"
            self._app.call_from_thread(self._app.fail, why)
        self._app.call_from_thread(self._computed, found)

    def _computed(self, found: BlameState) -> None:
        self.computing = False
        self.blame_state = found
        self.update()

    def _known_or(self, then: Callable[[], None], detailed: bool = False) -> BlameState | None:
        """Return the ranking, ``detailed`` with the details of the parameter under the cursor. None if it is not
        known yet: in that case ``then`` is called once it is."""
        self._then = then
        self._update()  # the ranking on the screen may be of another layer
        known, snapshot = self.blame_state, self._state.snapshot
        failed = snapshot is not None and snapshot.session == self._failed_for
        if (
            known is None
            or known.ranked is None
            or not self._state.current
            or snapshot is None
            or known.iteration is not snapshot.iteration
            or (detailed and not complete(known))
        ):
            known = None
        if known is not None or failed:
            self._then = None
        return known

    def attribution(self, then: Callable[[], None], detailed: bool = False) -> Attribution | None:
        """Return the parameter under the cursor. None if there is none, or if it is not known yet, ``detailed`` with
        its details: in that case ``then`` is called once it is."""
        known = self._known_or(then, detailed)
        return known.chosen if known else None

    @property
    def waits(self) -> bool:
        """True while an action waits for the ranking."""
        return self._then is not None

    def drop_waiting(self) -> None:
        """Forget the action that waits for the ranking."""
        self._then = None

    def opening(self, panel: str) -> None:
        """Before a panel that shows one number is opened from the ranking: show the parameter under the cursor."""
        if self._app.current_panel == "blame" and panel in FOLLOWING:
            self.look_at_ranked()

    def look_at_ranked(self) -> None:
        """Make the parameter under the cursor the number that other panels show."""
        attribution = self.attribution(self.look_at_ranked)
        if attribution is not None:
            self._state.move_here(
                lambda session, snapshot: look_at(session, attribution.tensor, attribution.index)
            )

    # --- actions ---------------------------------------------------------------------------------------------

    def action_rank(self, direction: int) -> None:
        """Move so many ranks down (or up)."""
        known = self._known_or(partial(self.action_rank, direction))
        if known is None:
            return
        last = max(len(known.ranked or ()) - 1, 0)
        self._state.move(
            lambda session, snapshot: transitions.at_rank(
                session, min(min(session.inspection.rank, last) + direction, last)
            )
        )

    def action_rank_layer(self, direction: int) -> None:
        if not self._state.session.network.graph.layered:
            self._app.say("no layers to choose from: all parameters are ranked together")
            return
        self._state.move(lambda session, snapshot: transitions.next_ranked_layer(session, direction))

    def action_measure(self) -> None:
        self._state.move(lambda session, snapshot: transitions.next_measure(session))

    def action_show_in_walk(self) -> None:
        """Show the parameter in the walk: the step that computes its gradient, with its unit."""
        attribution = self.attribution(self.action_show_in_walk)
        if attribution is None:
            return
        tensor, index = attribution.tensor, attribution.index

        def look(session: Session, snapshot: Snapshot) -> Session:
            step = _step_of_gradient(snapshot, tensor)
            return look_at(session if step is None else transitions.at_step(session, step), tensor, index)

        self._state.move_here(look)
        self._app.to_panel("walk")


def _step_of_gradient(snapshot: Snapshot, tensor: str) -> int | None:
    """Return the step that computes the gradient of a parameter, by itself or with others of its layer; None where
    there is no such step."""
    graph = snapshot.graph
    gradient = graph.gradient_of(tensor)
    own = [i for i, piece in snapshot.pieces if piece.tensor == gradient]
    if own or not graph.layered:
        return next(iter(own), None)
    place = graph.gradient_equation(tensor), graph.block(tensor)
    return next(i for i, piece in snapshot.pieces if (piece.kind, piece.block) == place)
