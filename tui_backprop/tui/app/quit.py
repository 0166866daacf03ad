"""Leaving the app: at once, but where something is under way that would be lost, only when asked twice."""

from __future__ import annotations

from textual import events

from tui_backprop.tui.app.cost_lab import Lab
from tui_backprop.tui.app.training import Trainer
from tui_backprop.tui.widgets.bars import KeyBar

SECONDS = 30.0  # that the question stays
WIDE = 80  # columns from which there is room for all of it


class Leaving(Trainer, Lab):
    """The part of the app that asks once. The question is a notice in the key bar: as long as that is there the next
    such key quits, and any other key takes it back. In a dialog, which has its own keys, those quit that cannot be
    typed."""

    _last_question = ""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            if self._asked_to_leave and not self._goes_with_it(event.key):
                self.say("")
            if len(self.screen_stack) > 1 and event.key in self._keys_that_quit and not event.is_printable:
                await self.action_quit()
                return
        await super().on_event(event)

    async def action_quit(self) -> None:
        question = self._question
        if not question or self._asked_to_leave:
            self.exit()
            return
        self._last_question = question
        self.query_one(KeyBar).say(question, SECONDS)

    @property
    def _question(self) -> str:
        """What is under way, and what another press does to it; nothing where nothing is."""
        going = [
            name
            for name, on in (
                ("race", self.racing),
                ("sweep", self._sweeping is not None),
                ("training", self._going is not None),
            )
            if on
        ]
        if not going:
            return ""
        what = f"a {going[0]} is" if going[0] != "training" else "training is"
        them = "it" if len(going) == 1 else "them"
        if len(going) > 1:
            what = " and ".join((", ".join(going[:-1]), going[-1]))
        ends = f"ends {them} and quits" if self.size.width >= WIDE else "quits"
        return f"{what} under way: {self.render_context.key('quit')} again {ends}"

    @property
    def _asked_to_leave(self) -> bool:
        return bool(self._last_question) and self.query_one(KeyBar).said == self._last_question

    def _goes_with_it(self, key: str) -> bool:
        """Whether a key is one that quits, or on the way to that by name."""
        others = "ctrl+q", self.COMMAND_PALETTE_BINDING
        return len(self.screen_stack) > 1 or key in (*self._keys_that_quit, *others)

    @property
    def _keys_that_quit(self) -> list[str]:
        return next(row.keys for row in self.render_context.keys if row.id == "quit").split(",")
