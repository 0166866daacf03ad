"""The second derivatives of the loss, in a dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_backprop.session.state import Session
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # imported when it is asked for
    from tui_backprop.tui.screens.text_report import ReportScreen


class SecondDerivatives:
    """Compute the Hessian in a worker, and show it."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state

    def action_hessian(self) -> None:
        """Show the second derivatives of the loss, of a network of few parameters."""
        from tui_backprop.engine.gradients.hessian import MOST_PARAMETERS
        from tui_backprop.tui.screens.text_report import ReportScreen

        count = self._state.session.network.parameters
        if count > MOST_PARAMETERS:
            self._app.say(
                f"second derivatives are shown for up to {MOST_PARAMETERS} parameters; here are {count:,}"
            )
            return
        screen = ReportScreen("second derivatives", "computing the Hessian …", self._app.render_context)
        self._app.open_dialog(screen)
        self._app.in_thread("hessian", self._compute, self._state.session, screen)

    def _compute(self, session: Session, screen: ReportScreen) -> None:
        from tui_backprop.data.samples import cut
        from tui_backprop.engine.gradients.hessian import hessian
        from tui_backprop.engine.gradients.methods import Problem
        from tui_backprop.report.second_order import hessian_text

        try:
            spec = session.network
            batch = cut(spec, session.data, *session.samples)
            parameters = self._state.replay.state(session).parameters
            found = hessian(Problem(spec, batch.x, batch.t, parameters, session.t))
        except Exception as error:
            self._app.call_from_thread(self._app.fail, f"No second derivatives: {reason_of(error)}")
            self._app.call_from_thread(screen.dismiss)
        else:
            context = self._app.render_context
            self._app.call_from_thread(screen.fill, lambda columns: hessian_text(found, context, columns))
