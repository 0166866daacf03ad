"""What widgets say to the app. State goes down to them; these come up."""

from __future__ import annotations

from textual.message import Message

from tui_backprop.session.state import Session


class Applied(Message):
    """The form was applied: this is the session it describes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
