"""The border around a panel, which is highlighted while the panel has the focus."""

from __future__ import annotations

from textual.containers import Vertical
from textual.widget import Widget


class Frame(Vertical, can_focus=False):
    """A titled box around one panel."""

    def __init__(self, name: str, title: str, *views: Widget) -> None:
        super().__init__(*views, name=name, id=name, classes="panel")
        self.border_title = title
