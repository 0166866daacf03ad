"""The names of the cost panel's pages, which stand above each of them."""

from __future__ import annotations

from tui_backprop.keys.panel_table import COST_PAGES, PANEL_ROWS
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, first_fitting, line, option

PAGE_NAMES = {page: PANEL_ROWS[page].tab for page in COST_PAGES}


def pages(current: str, columns: int, context: RenderContext = UTF8) -> Line:
    """Draw the names of the pages; where there is little room, the current one and its number."""
    names = [option(name, page == current) for page, name in PAGE_NAMES.items()]
    bare = [(text.strip(" "), role) for text, role in names]
    close = [bare[0], *(piece for name in bare[1:] for piece in ((" ", "text"), name))]
    at = COST_PAGES.index(current) + 1
    alone = (names[at - 1], (f" page {at} of {len(COST_PAGES)} ({context.key('page(1)')})", "muted"))
    return first_fitting(columns, line(*names), line(*close), line(*alone))
