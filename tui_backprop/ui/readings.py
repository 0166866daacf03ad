"""What the app does when it is asked what is read as what, and for the samples that are read wrong.

The whole data set is read in a worker thread.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from tui_backprop import moves
from tui_backprop.data.catalogue import info
from tui_backprop.ui.base import Base
from tui_backprop.ui.moment import Moment

if TYPE_CHECKING:
    from tui_backprop.ui.renderables.confusion import Choice


class Readings(Base):
    """The part of the app that finds samples by what the network makes of them."""

    def action_mistake(self, direction: int) -> None:
        moment = self.moment
        if moment is not None and not self._computing:
            self._seek_mistake(moment, direction)

    @work(thread=True, group="mistake")
    def _seek_mistake(self, moment: Moment, direction: int) -> None:
        from tui_backprop.mistakes import next_mistake

        session, parameters = moment.session, moment.taken.program.parameters
        try:
            found = next_mistake(session, parameters, direction, session.sought)
        except Exception as error:  # whatever it is, it is said in one line
            self.call_from_thread(self._unread, error)
        else:
            self.call_from_thread(self._mistaken, moment, found)

    def _unread(self, error: Exception) -> None:
        why = f"Could not read the samples: {type(error).__name__}: {error}"
        self.notify(why, severity="error", markup=False)

    def _mistaken(self, moment: Moment, sample: int | None) -> None:
        about, sought = info(moment.session.data), moment.session.sought
        if sample is None:
            everything = f"All {about.samples:,} samples are read right."
            wanted = (
                f"No {sought[0]} is read as {sought[1]} now; C, e: any wrong one." if sought else everything
            )
            self.notify(wanted if about.classes else "These samples have no classes.", markup=False)
        elif self.session.pass_key == moment.session.pass_key:
            if sample == moment.session.sample:
                self.notify("There is no other one.", markup=False)
            self.go(replace(self.session, sample=sample))

    def action_confusion(self) -> None:
        moment = self.moment
        if moment is None or self._computing:
            return
        about = info(moment.session.data)
        if about.classes:
            self.say(f"reading {about.samples:,} samples ...")
            self._read_all(moment)
        else:
            self.notify("These samples have no classes.", markup=False)

    @work(thread=True, group="mistake")
    def _read_all(self, moment: Moment) -> None:
        from tui_backprop.mistakes import confusion

        try:
            counts = confusion(moment.session, moment.taken.program.parameters)
        except Exception as error:
            self.call_from_thread(self._unread, error)
        else:
            self.call_from_thread(self._show_confusion, moment, counts.tolist())

    def _show_confusion(self, moment: Moment, counts: list[list[int]]) -> None:
        from tui_backprop.ui.renderables.confusion import Confusion
        from tui_backprop.ui.screens.confusion import ConfusionScreen

        if self.session.pass_key == moment.session.pass_key:
            screen = ConfusionScreen(Confusion(counts, moment.session.sought), self._glyphs)
            self.push_screen(screen, self._sought)

    def _sought(self, choice: Choice | None) -> None:
        """Go to the next sample of what was chosen; e and E go on from there."""
        from tui_backprop.ui.renderables.confusion import ALL

        if choice is not None:
            self.go(moves.seek(self.session, None if choice == ALL else choice))
            self.call_next(partial(self.action_mistake, 1))
