"""Manual edits of a parameter: the iteration is recomputed with its new value, and later training starts from it.
Undo reverts an edit."""

from __future__ import annotations

from functools import partial

from tui_backprop.data.catalogue import info
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import transitions
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import EDIT_STEPS
from tui_backprop.support.format import format_number
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.inspection import look_at
from tui_backprop.tui.app.ranking import Ranking
from tui_backprop.tui.app.state import AppState

NO_CLASSES = "no prediction to flip: the outputs are not classes"
MANY = "a text has many predictions; choose a letter of it: {panel('text')}"


class Edits:
    """Change the parameter under the cursor of the ranking."""

    def __init__(self, app: AppContext, state: AppState, ranking: Ranking) -> None:
        self._app, self._state, self._ranking = app, state, ranking

    def action_edit(self, how: str) -> None:
        """Edit the parameter under the cursor: ``up`` or ``down`` by 0.01, to ``zero``, or just enough to ``flip``
        the prediction."""
        attribution = self._ranking.attribution(partial(self.action_edit, how), detailed=how == "flip")
        if attribution is None:
            return
        by = self._flipping() if how == "flip" else EDIT_STEPS.get(how, -attribution.value)
        if by is None:
            return
        if how == "zero" and not by:
            from tui_backprop.engine.network.tensor_names import entry_name

            self._app.say(f"{entry_name(attribution.tensor, attribution.index)} is 0 already")
            return

        def edit(session: Session, snapshot: Snapshot) -> Session:
            loss = format_number(snapshot.iteration.loss, 4)
            undo = self._app.render_context.key("undo")
            done = "changed just enough to flip" if how == "flip" else "changed"
            self._app.say(f"{done}; the loss was {loss}, {undo} undoes it")
            tensor, index = attribution.tensor, attribution.index
            return transitions.edit_parameter(look_at(session, tensor, index), tensor, index, by)

        self._state.move_here(edit)

    def _flipping(self) -> float | None:
        """Return the change that flips the prediction; where there is none, say so and return None."""
        known = self._ranking.blame_state
        detail = known.detail if known else None
        if detail is None or detail.flips is None:
            is_text = bool(self._state.session.network.context)
            self._app.say(self._app.render_context.words(MANY if is_text else NO_CLASSES))
        elif detail.flips.best is None:
            from tui_backprop.render.panels.nudge_table import flips_found

            names = info(self._state.session.data).token_labels
            self._app.say(flips_found(detail.flips, brief=True, names=names))
        else:
            return detail.flips.best.by
        return None
