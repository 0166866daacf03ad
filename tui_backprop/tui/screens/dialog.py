"""The base class of all dialogs: a dialog covers the app, and is dismissed once."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui_backprop.render.draw.context import RenderContext

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """Covers the app until it is dismissed; the command palette takes its place."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "app.command_palette", show=False, id="command_palette")
    ]

    def __init__(self, context: RenderContext) -> None:
        super().__init__()
        self.render_context = context
        self.set_class(context.plain, "plain")

    @property
    def waits(self) -> bool:
        """True while what it shows is computed: the next key waits."""
        return False

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close the dialog. A key that arrives after that, or while the command palette is open, has no effect:
        Textual would close the topmost screen."""
        return super().dismiss(result) if self.is_current else AwaitComplete()
