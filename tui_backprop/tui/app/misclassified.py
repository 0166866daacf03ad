"""Misclassified samples: the next one, and the confusion matrix to choose which.

The whole data set is classified in a worker thread.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui_backprop.data.catalogue import info
from tui_backprop.session import transitions
from tui_backprop.session.state import Session
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:
    from tui_backprop.render.panels.confusion import Cell
    from tui_backprop.session.misclassified import Mistake
    from tui_backprop.tui.screens.confusion import ConfusionScreen

SEARCH = "misclassified"  # the worker group
NUMBERS = "Nothing is classified: this {noun} has no samples."
VALUES = "These samples have no classes."
LETTERS = (
    "A text has a prediction for each letter, and no class as a whole; {panel('text')} shows its letters."
)
READ = 8.0  # seconds that a sample's label and prediction are shown


def told(mistake: Mistake) -> str:
    """Tell the label and prediction of the first sample of a batch."""
    predicted = f"predicted {mistake.predicted}" if mistake.predicted >= 0 else "nothing predicted"
    return f"sample {mistake.sample}: {mistake.label}, {predicted}; first of the batch"


class Misclassified:
    """Find samples by what the network predicts for them."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state

    def action_misclassified(self, direction: int) -> None:
        """Go to the next misclassified sample, or to the one before."""
        if not self._without_classes():
            self._search(self._state.session, direction)

    def _without_classes(self) -> bool:
        """Say so where nothing is classified."""
        session = self._state.session
        if info(session.data).classes:
            return False
        words = (
            NUMBERS.format(noun=session.network.noun)
            if session.network.holds_numbers
            else LETTERS
            if session.network.context
            else VALUES
        )
        self._app.inform(self._app.render_context.words(words))
        return True

    @property
    def waits(self) -> bool:
        """True while a sample is searched: keys that follow are about it."""
        return self._app.busy(SEARCH)

    def drop_waiting(self) -> None:
        """Do nothing: the search goes on, and finds a sample."""

    def _search(self, session: Session, direction: int) -> None:
        self._app.in_thread(SEARCH, self._find, session, direction)

    def _find(self, session: Session, direction: int) -> None:
        from tui_backprop.session.misclassified import next_mistake

        try:
            parameters = self._state.replay.state(session).parameters
            found = next_mistake(session, parameters, direction, session.inspection.confusion)
        except Exception as error:  # any error is reported in one line
            self._app.call_from_thread(self._failed, error)
        else:
            self._app.call_from_thread(self._found, session, found)

    def _failed(self, error: Exception) -> None:
        self._app.fail(f"Could not classify the samples: {reason_of(error)}")

    def _found(self, searched: Session, mistake: Mistake | None) -> None:
        about, sought = info(searched.data), searched.inspection.confusion
        if mistake is None:
            none = f"All {about.samples:,} samples are classified correctly."
            if sought:
                none = f"No {sought[0]} is predicted as {sought[1]} now; C, e: any misclassified sample."
            self._app.inform(none)
        elif self._state.session.pass_key == searched.pass_key:
            if mistake.sample == searched.sample:
                self._app.inform("There is no other one.")
            self._state.go(replace(self._state.session, sample=mistake.sample))
            if searched.batch > 1:  # the top line has room for one sample's label and prediction only
                self._app.say(told(mistake), READ)

    def action_confusion(self) -> None:
        """Open the confusion matrix at once, so that the keys that follow go to it; fill it when it is known."""
        from tui_backprop.tui.screens.confusion import ConfusionScreen

        if self._without_classes():
            return
        about = info(self._state.session.data)
        screen = ConfusionScreen(about.classes, about.samples, self._app.render_context)
        self._app.open_dialog(screen, self._chosen)
        self._app.in_thread("confusion", self._classify, self._state.session, screen)

    def _classify(self, session: Session, screen: ConfusionScreen) -> None:
        from tui_backprop.session.misclassified import confusion

        try:
            counts = confusion(session, self._state.replay.state(session).parameters)
        except Exception as error:
            self._app.call_from_thread(self._failed, error)
            self._app.call_from_thread(screen.dismiss)
        else:
            self._app.call_from_thread(screen.fill, counts.tolist(), session.inspection.confusion)

    def _chosen(self, choice: Cell | None) -> None:
        """Go to the next sample of the chosen cell; e and E continue from there."""
        from tui_backprop.render.panels.confusion import ANY_WRONG

        if choice is not None:
            self._state.go(
                transitions.choose_confusion(self._state.session, None if choice == ANY_WRONG else choice)
            )
            self._app.call_soon(partial(self._search, self._state.session, 1))
