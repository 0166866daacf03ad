"""Which panels are seen, and which of them has the keys.

Those beside the walk are made when they are first asked for: the first paint does not wait for them.
"""

from __future__ import annotations

from functools import cached_property, partial
from importlib import import_module

from textual import events

from tui_backprop.keys.table import bar
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.session.state import COST_PAGES
from tui_backprop.tui.app.base import Base
from tui_backprop.tui.widgets.bars import KeyBar, TabBar
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.form import NetworkPanel
from tui_backprop.tui.widgets.frame import Frame

# The panels that share the place to the right of the walk, with what they are called there. What one shows is the
# NameView of widgets/name.py, which is imported when it is first asked for.
ASIDE = {
    "cost": "cost of one gradient",
    "claims": "the lesson's claims, measured",
    "race": "the race",
    "dial": "step dial",
    "ledger": "ledger of one pass",
    "reuse": "reuse, counted",
    "blame": "most to blame",
    "number": "one number",
    "graph": "computation graph",
    "flow": "gradient flow",
    "curves": "curves",
    "train": "training",
    "marks": "bookmarks",
}


def view_of(name: str, context: RenderContext) -> Canvas:
    """What one of ASIDE shows, new."""
    module = import_module(f"tui_backprop.tui.panels.{name}")
    view: Canvas = getattr(module, f"{name.capitalize()}View")(context)
    return view


class Panels(Base):
    """The part of the app that shows and hides panels."""

    _panel = "walk"  # which has, or had, the keys
    _aside = "cost"  # which is to the right of the walk
    _page = "cost"  # of the cost panel

    @cached_property
    def _views(self) -> dict[str, Canvas]:
        return {}

    def view(self, name: str) -> Canvas | None:
        """What a panel shows, if it was made."""
        if name not in self._views:
            for view in self.query(f"#{name}-view").results(Canvas):
                self._views[name] = view
        return self._views.get(name)

    async def action_panel(self, name: str) -> None:
        """Show a panel (where only one fits) and give it the keys; of the cost panel, the page that was seen last."""
        name = self._page if name == "cost" else name
        if name in ASIDE and not self.query(f"#{name}"):
            frame = Frame(name, ASIDE[name], view_of(name, self.render_context))
            await self.query_one("#panels").mount(frame)
        self._current(name)
        if name == "network":
            self.query_one(NetworkPanel).focus_form()
        elif (view := self.view(name)) and not view.has_focus:
            self.screen.set_focus(view)  # at once: the next key may be here already

    async def action_page(self, direction: int) -> None:
        """The next page of the cost panel, or the one before."""
        self._page = COST_PAGES[(COST_PAGES.index(self._page) + direction) % len(COST_PAGES)]
        await self.action_panel("cost")

    def say(self, words: str) -> None:
        self.query_one(KeyBar).say(words)

    def to_panel(self, name: str) -> None:
        self.call_next(partial(self.action_panel, name))

    def _current(self, name: str) -> None:
        if name != self._panel:
            self._panel = name
            self.keep()
        if name in COST_PAGES:
            self._page = name
        if name in ASIDE:
            self._aside = name
        for frame in self.query(Frame):
            frame.set_class(frame.name == name, "current")
            frame.set_class(frame.name in ASIDE and frame.name != self._aside, "aside")
        self.query_one(TabBar).show(name)
        self.call_after_refresh(self.refresh_panels)

    def on_resize(self) -> None:
        """A panel that was hidden for want of room has lost the keys; it gets them back."""
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        self.refresh_panels()
        if self.screen is self.screen_stack[0] and self.focused is None:
            self.to_panel(self._panel)

    def action_zoom(self) -> None:
        """The current panel alone, or all that fit beside it."""
        self.screen.toggle_class("zoomed")
        self.call_after_refresh(self.refresh_panels)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The panel that has the keys lights up, and the key bar names them. (A class, not :focus-within: the
        walk has it from the start, so that the first focus changes nothing and nothing is laid out twice.)"""
        for frame in self.query(Frame):
            if frame in event.widget.ancestors:
                frame.add_class("lit")
                self._current(frame.name or "")
                self.query_one(KeyBar).show(bar(frame.name or "", self.render_context.keys))
            else:
                frame.remove_class("lit")
