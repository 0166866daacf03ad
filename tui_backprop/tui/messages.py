"""Messages from widgets to the app. State flows down to the widgets; messages go up."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message

from tui_backprop.session.state import Session


class Applied(Message):
    """The form was applied: ``session`` is what it describes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session


class ToDo(Message):
    """There is ``work`` to do in a thread, for the ``group`` of workers."""

    def __init__(self, group: str, work: Callable[[], object]) -> None:
        super().__init__()
        self.group, self.work = group, work


class WentOn(Message):
    """Work of a widget began, has got further, or ended."""
