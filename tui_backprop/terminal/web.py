"""A driver for `textual serve`, which shows an app in a browser: the app reads and writes pipes, not a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_backprop.support.errors import TerminalError
from tui_backprop.support.exit_codes import HANGUP

if TYPE_CHECKING:
    from textual.driver import Driver

VARIABLE = "TEXTUAL_DRIVER"
WEB_DRIVER = "textual.drivers.web_driver:WebDriver"


def in_browser(environ: Mapping[str, str]) -> bool:
    """Return True if the app is shown in a browser. Raises TerminalError for any other driver of Textual's."""
    named = environ.get(VARIABLE, "")
    if named not in ("", WEB_DRIVER):
        raise TerminalError(VARIABLE, f"invalid value {named!r}; unset it, or use textual serve")
    return named == WEB_DRIVER


def web_driver(driver: type[Driver]) -> type[Driver]:
    """Derive from Textual's driver for browsers one that ends the app when the server is gone."""

    class ServedDriver(driver):  # type: ignore[misc,valid-type]
        def write(self, data: str) -> None:
            with suppress(OSError):
                super().write(data)

        def write_meta(self, data: dict[str, object]) -> None:
            with suppress(OSError):
                super().write_meta(data)

        def run_input_thread(self) -> None:
            super().run_input_thread()
            if not self.exit_event.is_set():
                self._app.call_from_thread(self._app.exit, return_code=HANGUP)

    return ServedDriver
