"""The panels and the pages of the cost panel: one row each, with the file that has its view and its query. What a
panel is called, and its keys, is in ``keys/panels.py`` under the same name.

Each file is imported when its panel is first shown.
"""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.tui.panels.base import Panel, Query
from tui_backprop.tui.widgets.canvas import Canvas


def _walk() -> Panel:
    from tui_backprop.tui.panels import walk

    return walk.PANEL


def _cost() -> Panel:
    from tui_backprop.tui.panels import cost

    return cost.PANEL


def _blame() -> Panel:
    from tui_backprop.tui.panels import blame

    return blame.PANEL


def _number() -> Panel:
    from tui_backprop.tui.panels import number

    return number.PANEL


def _graph() -> Panel:
    from tui_backprop.tui.panels import graph

    return graph.PANEL


def _flow() -> Panel:
    from tui_backprop.tui.panels import flow

    return flow.PANEL


def _curves() -> Panel:
    from tui_backprop.tui.panels import curves

    return curves.PANEL


def _train() -> Panel:
    from tui_backprop.tui.panels import train

    return train.PANEL


def _bookmarks() -> Panel:
    from tui_backprop.tui.panels import bookmarks

    return bookmarks.PANEL


def _claims() -> Panel:
    from tui_backprop.tui.panels import claims

    return claims.PANEL


def _race() -> Panel:
    from tui_backprop.tui.panels import race

    return race.PANEL


def _step_size() -> Panel:
    from tui_backprop.tui.panels import step_size

    return step_size.PANEL


def _ledger() -> Panel:
    from tui_backprop.tui.panels import ledger

    return ledger.PANEL


def _reuse() -> Panel:
    from tui_backprop.tui.panels import reuse

    return reuse.PANEL


PANELS: dict[str, Callable[[], Panel]] = {
    "walk": _walk,
    "cost": _cost,
    "blame": _blame,
    "number": _number,
    "graph": _graph,
    "flow": _flow,
    "curves": _curves,
    "train": _train,
    "bookmarks": _bookmarks,
    "claims": _claims,
    "race": _race,
    "step_size": _step_size,
    "ledger": _ledger,
    "reuse": _reuse,
}


def view_of(name: str, context: RenderContext) -> Canvas:
    """Create the view of a panel."""
    return PANELS[name]().view(context)


def query_of(name: str) -> Query | None:
    """Return the query of a panel, if it has one."""
    return PANELS[name]().query
