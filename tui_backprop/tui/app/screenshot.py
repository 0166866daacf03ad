"""A picture of the screen as a file."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from textual.app import App

from tui_backprop.support.paths import APP_NAME, display_path
from tui_backprop.tui.app.app_interface import AppContext

# The addresses of a maker, and of fonts that a viewer would load.
ADDRESSES = re.compile(r"<!--.*?-->|src: local.*?;\n?|@font-face \{.*?\}", re.DOTALL)


class Screenshot:
    """Save what is on the screen."""

    def __init__(self, app: AppContext, screen: App[None]) -> None:
        self._app, self._screen = app, screen

    def action_screenshot(self) -> None:
        """Save the screen as an SVG file in the current folder, once the palette is closed and drawn over."""
        self._app.call_after_refresh(self._save)

    def _save(self) -> None:
        from tui_backprop.support.atomic_write import replacing

        path = Path(f"{APP_NAME}-{datetime.now():%Y%m%d-%H%M%S}.svg")
        try:
            with replacing(path, new=True) as file:
                file.write(ADDRESSES.sub("", self._screen.export_screenshot(title=APP_NAME)).encode())
        except OSError as error:
            self._app.fail(f"No screenshot: {display_path(path)}: {error.strerror}")
            return
        self._app.inform(display_path(path.absolute()), "screenshot saved in")
