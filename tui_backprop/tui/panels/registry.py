"""Find the view and the query of a panel: ``PANEL`` in the file of this folder that has the name of the panel's row
in ``keys/panel_table.py``. Each file is imported when its panel is first shown."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.tui.panels.base import Panel, Query
from tui_backprop.tui.widgets.canvas import Canvas


def find_panel(name: str) -> Panel:
    """Return the panel of that name. Raises ModuleNotFoundError if it has no file."""
    return cast("Panel", import_module(f"{__package__}.{name}").PANEL)


def view_of(name: str, context: RenderContext) -> Canvas:
    """Create the view of a panel."""
    return find_panel(name).view(context)


def query_of(name: str) -> Query | None:
    """Return the query of a panel, if it has one."""
    return find_panel(name).query
