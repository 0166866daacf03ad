"""What the app does when it is asked what is read as what, and for the samples that are read wrong.

The whole data set is read in a worker thread.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from tui_backprop.data.catalogue import info
from tui_backprop.session import transitions as moves
from tui_backprop.session.state import Session
from tui_backprop.tui.app.background import Answers

if TYPE_CHECKING:
    from tui_backprop.render.panels.confusion import Choice
    from tui_backprop.tui.screens.confusion import ConfusionScreen


class Readings(Answers):
    """The part of the app that finds samples by what the network makes of them."""

    def action_mistake(self, direction: int) -> None:
        """To the next error that is looked for; a key that is held does not queue up searches."""
        if all(worker.is_finished for worker in self.workers if worker.group == "seek"):
            self._seek_mistake(self.session, direction)

    @work(thread=True, group="seek")
    def _seek_mistake(self, session: Session, direction: int) -> None:
        from tui_backprop.session.misclassified import next_mistake

        try:
            parameters = self._replay.state(session).parameters
            found = next_mistake(session, parameters, direction, session.inspection.confusion)
        except Exception as error:  # whatever it is, it is said in one line
            self.call_from_thread(self._unread, error)
        else:
            self.call_from_thread(self._mistaken, session, found)

    def _unread(self, error: Exception) -> None:
        why = f"Could not read the samples: {type(error).__name__}: {error}"
        self.notify(why, severity="error", markup=False)

    def _mistaken(self, asked: Session, sample: int | None) -> None:
        about, sought = info(asked.data), asked.inspection.confusion
        if sample is None:
            everything = f"All {about.samples:,} samples are read right."
            wanted = (
                f"No {sought[0]} is read as {sought[1]} now; C, e: any wrong one." if sought else everything
            )
            self.notify(wanted if about.classes else "These samples have no classes.", markup=False)
        elif self.session.pass_key == asked.pass_key:
            if sample == asked.sample:
                self.notify("There is no other one.", markup=False)
            self.go(replace(self.session, sample=sample))

    def action_confusion(self) -> None:
        """Open the table at once, so that the keys that follow are its; it is filled as soon as all is read."""
        from tui_backprop.tui.screens.confusion import ConfusionScreen

        about = info(self.session.data)
        if about.classes:
            screen = ConfusionScreen(about.classes, about.samples, self.render_context)
            self.push_screen(screen, self._sought)
            self._read_all(self.session, screen)
        else:
            self.notify("These samples have no classes.", markup=False)

    @work(thread=True, group="read")
    def _read_all(self, session: Session, screen: ConfusionScreen) -> None:
        from tui_backprop.session.misclassified import confusion

        try:
            counts = confusion(session, self._replay.state(session).parameters)
        except Exception as error:
            self.call_from_thread(self._unread, error)
            self.call_from_thread(screen.dismiss)
        else:
            self.call_from_thread(screen.fill, counts.tolist(), session.inspection.confusion)

    def _sought(self, choice: Choice | None) -> None:
        """Go to the next sample of what was chosen; e and E go on from there."""
        from tui_backprop.render.panels.confusion import ALL

        if choice is not None:
            self.go(moves.choose_confusion(self.session, None if choice == ALL else choice))
            self.call_next(partial(self._seek_mistake, self.session, 1))
