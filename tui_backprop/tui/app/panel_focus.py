"""The visible panels, and the one that has the focus.

Those beside the walk are created when they are first shown, so that they do not delay the first paint."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.app import App
from textual.geometry import Size

from tui_backprop.keys.panel_table import COST_PAGES, PANEL_ROWS
from tui_backprop.keys.table import bar
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.panels.base import PanelCanvas
from tui_backprop.tui.panels.registry import view_of
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.form import NetworkPanel
from tui_backprop.tui.widgets.frame import Frame
from tui_backprop.tui.widgets.screen_bars import KeyBar, TabBar
from tui_backprop.tui.widgets.summary import Summary, roomy, summaries

if TYPE_CHECKING:
    from tui_backprop.render.view_state import Veil

FIXED = ("network", "walk")  # the other panels share the place to the right of the walk
ZOOMED = "zoomed"  # class of the screen that shows one panel
FOLLOWING = ("number", "curves", *COST_PAGES)  # panels that show one number, or have a page that does


class Panels:
    """Show, hide and focus panels. ``keep`` saves the session, since the focus belongs to what is saved;
    ``opening`` is called with the name of a panel before it is opened; ``state_of`` returns the state of its work;
    ``lacks`` what keys may need and is not there, ``called`` what its parts and units are called."""

    def __init__(
        self,
        app: AppContext,
        screen: App[None],
        keep: Callable[[], None],
        opening: Callable[[str], None],
        state_of: Callable[[str], str],
        lacks: Callable[[], tuple[str, ...]],
        called: Callable[[], tuple[str, str]],
    ) -> None:
        self.current = "walk"  # has, or last had, the focus
        self.aside = "cost"  # is to the right of the walk
        self._page = "cost"  # of the cost panel
        self._app, self._screen, self._keep, self._opening = app, screen, keep, opening
        self._state_of, self._lacks, self._called = state_of, lacks, called
        self._veil: Veil | None = None  # over panels in which what is to be predicted can be seen
        self._views: dict[str, Canvas] = {}
        self._keys_of: tuple[object, ...] | None = None  # what the keys shown belong to

    @property
    def views(self) -> Collection[Canvas]:
        """The views created so far."""
        return self._views.values()

    def create(self, name: str) -> Canvas:
        """Create the view of a panel."""
        self._views[name] = view_of(name, self._app.render_context)
        self.cover(self._veil)
        return self._views[name]

    def cover(self, veil: Veil | None) -> None:
        """Hide the panels in which what is to be predicted can be seen, or show them (None)."""
        self._veil = veil
        for view in self._views.values():
            if isinstance(view, PanelCanvas) and PANEL_ROWS[view.panel].hidden_while_predicting:
                view.cover(veil)

    def create_summary(self, size: Size) -> list[Summary]:
        """Create the summary for a terminal of a size, if there is room for it."""
        found = summaries(size, self._app.render_context)
        for summary in found:
            self._views["summary"] = summary
        return found

    def view(self, name: str) -> Canvas | None:
        """Return the view of a panel, or None if it is not on the screen yet."""
        view = self._views.get(name)
        return view if view is not None and view.is_attached else None

    def wait(self, words: str) -> None:
        """Have all panels say what they wait for, in place of what they showed."""
        for view in self._screen.screen_stack[0].query(PanelCanvas):
            view.wait(words)

    async def open(self, name: str) -> None:
        """Show a panel and focus it; one of the cost panel's pages becomes the page it shows."""
        if name in COST_PAGES:
            self._page = name
        await self.action_panel(name)

    async def bring(self, name: str, value: str, row: str) -> None:
        """Show the form with a ``value`` chosen in a field, and the ``row`` selected that this asks for."""
        await self.open("network")
        self._screen.query_one(NetworkPanel).bring(name, value, row)

    # --- actions ---------------------------------------------------------------------------------------------

    async def action_panel(self, name: str) -> None:
        """Show a panel and focus it; for the cost panel, the page that was shown last."""
        self._opening(name)
        name = self._page if name == "cost" else name
        if name not in FIXED and not self._screen.query(f"#{name}"):
            frame = Frame(name, PANEL_ROWS[name].title, self.create(name))
            await self._screen.query_one("#panels").mount(frame)
        self._set_current(name)
        if name == "network":
            self._screen.query_one(NetworkPanel).focus_form()
        elif (view := self.view(name)) and not view.has_focus:
            view.screen.set_focus(view)  # immediately: the next key may have arrived already

    async def action_page(self, direction: int) -> None:
        """Show the next page of the cost panel, or the previous one."""
        self._page = COST_PAGES[(COST_PAGES.index(self._page) + direction) % len(COST_PAGES)]
        await self.action_panel("cost")

    def action_zoom(self) -> None:
        """Show only the current panel, without the lesson; or all that fit."""
        first = self._screen.screen_stack[0]
        first.toggle_class(ZOOMED)
        if first.has_class(ZOOMED):
            self._app.say(f"only this panel; {self._app.render_context.key('zoom')} shows all that fit again")
        self._app.call_after_refresh(self._app.refresh_panels)

    # --- events ----------------------------------------------------------------------------------------------

    async def resized(self, size: Size) -> None:
        """Give the focus back to a panel that was hidden for lack of space, and show a summary where there is
        room."""
        first = self._screen.screen_stack[0]
        if not first.query(Summary):
            frames = [frame for frame in first.query("#walk") if frame.is_attached]
            if not frames:  # the app has only begun, or ends already
                self._app.call_after_refresh(partial(self.resized, size))
                return
            await frames[0].mount(*self.create_summary(size))
        for summary in first.query(Summary):
            summary.display = roomy(size)
        self._app.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        self._app.refresh_panels()
        if self._screen.screen is self._screen.screen_stack[0] and self._screen.focused is None:
            self._app.to_panel(self.current)

    def focused(self, event: events.DescendantFocus) -> None:
        """Highlight the panel that has the focus, and show its keys in the key bar. (By a class, not by
        :focus-within: the walk has it from the start, so that the first focus does not cause a second layout.) In a
        dialog, the panel behind it keeps its highlight."""
        if not any(isinstance(each, Frame) for each in event.widget.ancestors):
            return
        for frame in self._screen.query(Frame):
            if frame in event.widget.ancestors:
                frame.add_class("lit")
                self._set_current(frame.name or "")
                self.show_keys()
            else:
                frame.remove_class("lit")

    def show_keys(self) -> None:
        """Show the keys of the current panel in the key bar, and the panels of use in the tab bar."""
        rows, state = self._app.render_context.keys, self._state_of(self.current)
        wanted = self.current, rows, state, self._lacks(), *self._called()
        if wanted != self._keys_of:
            self._keys_of = wanted
            for keys in self._screen.screen_stack[0].query(KeyBar):
                keys.show(*bar(*wanted))
            for tabs in self._screen.screen_stack[0].query(TabBar):
                tabs.show(self.current, self._lacks())

    def _set_current(self, name: str) -> None:
        if name != self.current:
            self.current = name
            self._keep()
        if name in COST_PAGES:
            self._page = name
        if name not in FIXED:
            self.aside = name
        for frame in self._screen.query(Frame):
            frame.set_class(frame.name == name, "current")
            frame.set_class(frame.name not in (*FIXED, self.aside), "aside")
        self._screen.query_one(TabBar).show(name, self._lacks())
        self._app.call_after_refresh(self._app.refresh_panels)
