"""The border around a panel, which lights up while the panel has the keys."""

from __future__ import annotations

from textual.containers import Vertical


class Frame(Vertical, can_focus=False):
    """A titled box around one panel."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name=name, id=name, classes="panel")
        self.border_title = title
