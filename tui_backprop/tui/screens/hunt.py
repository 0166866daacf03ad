"""The search for a bug: its block and its kind are chosen from lists, and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_backprop.lesson.hunting import Hunting
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.panels.hunt import chosen_line, hunt_keys, hunt_lines
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.scrolled import Scrolled

FRAME = 4  # columns of the frame that its subtitle leaves free
Wish = Literal["check", "next", "leave"]


class HuntPage(Scrolled, can_focus=True):
    """Shows the search."""

    def __init__(self, hunting: Hunting, context: RenderContext) -> None:
        super().__init__(context, id="hunt-page")
        self._hunting = hunting

    def show(self, hunting: Hunting) -> None:
        said = (
            (hunting.hunt.named, hunting.hunt.hints) != (self._hunting.hunt.named, self._hunting.hunt.hints)
            or hunting.asks
            or hunting.hunt.over
        )
        self._hunting = hunting
        if said:
            self.to_top()
        else:
            self.reveal(chosen_line(self.content(self.size.width)))

    def content(self, columns: int) -> Sequence[Line]:
        return hunt_lines(self._hunting, columns, self.render_context)


class HuntScreen(Dialog[Wish | None]):
    """A dialog; it returns what is to be done next. ``keep`` is called with each new state."""

    AUTO_FOCUS = "#hunt-page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1, 0)", show=False),
        Binding("right,l", "choose(1, 0)", show=False),
        Binding("up,k", "choose(0, -1)", show=False),
        Binding("down,j", "choose(0, 1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
        Binding("enter", "name", show=False),
        Binding("i", "hint", show=False),
        Binding("question_mark,f1", "app.help", show=False, id="help"),
        Binding("c", "wish('check')", show=False),
        Binding("x", "give_up", show=False),
        Binding("n", "next", show=False),
        Binding("escape,q,B,ctrl+g", "dismiss(None)", show=False),
    ]

    def __init__(self, hunting: Hunting, keep: Callable[[Hunting], None], context: RenderContext) -> None:
        super().__init__(context)
        self.hunting = hunting
        self._keep = keep
        self._page = HuntPage(hunting, context)

    def compose(self) -> ComposeResult:
        with Vertical(id="hunt", classes="box") as box:
            box.border_title = "break it: find the bug"
            yield self._page

    def on_resize(self) -> None:
        self._name_keys()

    def action_choose(self, block: int, kind: int) -> None:
        if not self.hunting.hunt.over:
            self._show(self.hunting.choosing(block, kind))

    def action_name(self) -> None:
        self._show(self.hunting.naming())

    def action_hint(self) -> None:
        self._show(self.hunting.having(self.hunting.hunt.hinted()))

    def action_give_up(self) -> None:
        """Give up, if that is meant; leave the search at its end."""
        if self.hunting.hunt.over:
            self.dismiss("leave")
        else:
            self._show(self.hunting.giving_up())

    def action_wish(self, wish: Wish) -> None:
        self.dismiss(wish)

    def action_next(self) -> None:
        if self.hunting.hunt.over:
            self.dismiss("next")

    def action_scroll(self, by: int) -> None:
        self._page.scroll_lines(by)

    def _show(self, hunting: Hunting) -> None:
        self._keep(hunting)

    def show(self, hunting: Hunting) -> None:
        """Show another state."""
        self.hunting = hunting
        self._page.show(hunting)
        self._name_keys()

    def _name_keys(self) -> None:
        box = self.query_one("#hunt")
        *keys, close = map(self.render_context.text, hunt_keys(self.hunting))
        while keys and len("   ".join((*keys, close))) > box.size.width - FRAME:
            keys.pop()
        box.border_subtitle = "   ".join((*keys, close))
