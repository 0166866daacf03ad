"""The driver of a real terminal: Textual's own, in fewer bytes, and told when the terminal is gone."""

from __future__ import annotations

import select
import threading
from typing import TYPE_CHECKING, Any

from tui_backprop.ui.wire import Wire

if TYPE_CHECKING:
    from textual.driver import Driver


def careful(driver: type[Driver]) -> type[Driver]:
    """A driver like another one, with both."""

    class Careful(driver):  # type: ignore[misc,valid-type]
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._wire = Wire()
            self._watched = False

        def write(self, data: str) -> None:
            super().write(self._wire.short(data))

        def start_application_mode(self) -> None:
            self._wire = Wire()  # after a visit to the shell, whatever that left
            super().start_application_mode()
            if not self._watched and hasattr(select, "poll"):
                self._watched = True
                threading.Thread(target=self._watch, daemon=True, name="terminal").start()

        def _watch(self) -> None:
            """Wait, without any work, until the terminal is gone; then end the app. A hangup is told by a signal only
            to those whose own terminal it was; everyone else would find nothing to read, again and again."""
            gone = select.poll()
            gone.register(self.fileno, 0)
            gone.poll()
            self._app.call_from_thread(self._app.exit, return_code=1)

    return Careful
