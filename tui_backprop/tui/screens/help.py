"""The help: every key, and a legend of the maps."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.scrollbar import ScrollBarRender

from tui_backprop.keys.panel_table import PLACES
from tui_backprop.keys.table import everywhere, names_of, own_keys
from tui_backprop.lesson.captions import WORDS
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.canvas import Canvas

NAMED = 12  # columns for keys and words
WIDEST, FRAME = 80, 6  # most columns of the page, and columns of its frame


def help_lines(context: RenderContext, columns: int, panel: str = "walk") -> list[Line]:
    """Return the whole page: the keys of the current ``panel``, the keys that work everywhere, the other panels."""

    def entry(name: str, words: str, role: str = "key") -> list[Line]:
        rows = wrap(words, columns - NAMED)
        return [line((f"  {name if i == 0 else '':<{NAMED - 2}}", role), *row) for i, row in enumerate(rows)]

    def section(place: str) -> list[Line]:
        own = [(shown, words) for shown, _, words in own_keys(place, context.keys)]
        own += [
            (names_of(key), key.help)
            for key in context.keys
            if not key.own and place in key.places and key.places != PLACES
        ]
        rows = [row for names, words in own for row in entry(context.text(names), context.words(words))]
        too = " (also in other panels, unless they use the key)" if place == "walk" != panel else ""
        return [line((f"In the {place.replace('_', ' ')} panel{too}", "title")), *rows, ()] if rows else []

    lines = section(panel)
    maps: list[Line] = [
        line(("Reading the maps", "title")),
        line((f"  {context.up}   ", "forward"), "positive, from small to large"),
        line((f"  {context.down}   ", "backward"), "negative, from small to large"),
        line((f"  {context.zero}     ", "text"), "near zero, relative to the largest in the map"),
        line(
            ("  x z a", "forward"),
            " belong to the forward pass, ",
            ("δ dW db", "backward"),
            " to the backward pass",
        ),
        (),
    ]
    outside = ", outside the fields" if panel == "network" else ""
    lines += [*(maps if panel == "walk" else []), line((f"Everywhere{outside}", "title"))]
    for key in everywhere(panel, context.keys):
        lines += entry(context.text(names_of(key)), context.words(key.help))
    lines += [*entry("ctrl+p", "Search commands."), ()]
    lines += [row for place in PLACES if place != panel for row in section(place)]
    lines += maps if panel != "walk" else []
    lines.append(line(("Words", "title")))
    for word, meaning in WORDS:
        lines += entry(context.text(word), meaning, "strong")
    return [context.fit(row) for row in lines]


class HelpPage(Canvas):
    """Shows all lines at their full height; the dialog scrolls them."""

    def __init__(self, context: RenderContext, columns: int, panel: str) -> None:
        super().__init__(context, id="help-page")
        self._page = help_lines(context, columns, panel)
        self.styles.height = len(self._page)

    def drawn(self, columns: int, rows: int) -> list[Line]:
        return self._page


class WholeCells(ScrollBarRender):
    """A scrollbar of background colors alone; the usual one ends in eighths of a block."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]


class HelpScreen(Dialog[None]):
    """A dialog; arrows scroll, its other keys close it."""

    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,enter,space", "dismiss", show=False),
        Binding("question_mark,f1", "dismiss", show=False, id="help"),
    ]

    def __init__(self, context: RenderContext, panel: str) -> None:
        super().__init__(context)
        self._panel = panel

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            if self.render_context.plain:
                box.vertical_scrollbar.renderer = WholeCells  # type: ignore[misc]  # how Textual changes a single scrollbar
            box.border_title = "help"
            box.border_subtitle = self.render_context.words("↑ ↓ scroll   {help} closes")
            yield HelpPage(self.render_context, min(self.app.size.width, WIDEST) - FRAME, self._panel)
