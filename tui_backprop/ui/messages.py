"""What widgets say to the app. State goes down to them; these come up."""

from __future__ import annotations

from textual.message import Message

from tui_backprop.session import Session


class Applied(Message):
    """The form was applied: this is the session it describes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session


class CursorMoved(Message):
    """The chart's cursor stands at 10**decade parameters; None: at the current network."""

    def __init__(self, decade: float | None) -> None:
        super().__init__()
        self.decade = decade
