"""Messages from widgets to the app. State flows down to the widgets; messages go up."""

from __future__ import annotations

from textual.message import Message

from tui_backprop.session.state import Session


class Applied(Message):
    """The form was applied: ``session`` is what it describes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
