"""What all dialogs have in common: one is over the app, and goes once."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from tui_backprop.render.draw.context import RenderContext

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """Over the app, until it is dismissed."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__()
        self.render_context = context
        self.set_class(context.plain, "plain")

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Go away. A key that comes late, when that is done or the commands are open, does nothing: Textual would
        close what is on top."""
        return super().dismiss(result) if self.is_current else AwaitComplete()
