"""The help: every key, the words that panels use, and a legend of the maps; typing filters it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.scrollbar import ScrollBarRender
from textual.widgets import Input

from tui_backprop.keys.panel_table import PLACES
from tui_backprop.keys.table import bound_keys, everywhere, names_of, own_keys
from tui_backprop.lesson.glossary import GLOSSARY, Term
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, plain, wrap
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.line_input import LineInput

NAMED, WORD = 12, 16  # columns for keys, and for words
WIDEST, FRAME = 80, 6  # most columns of the page, and columns of its frame

Entry = list[Line]
Section = tuple[str, list[Entry]]  # a title, and what is below it


def help_lines(context: RenderContext, columns: int, panel: str = "walk", query: str = "") -> list[Line]:
    """Return the page, or of it what has every word of the ``query``: the keys and words of the current ``panel``,
    the keys that work everywhere, the other panels, the other words."""
    words, lines = query.lower().split(), list[Line]()
    for title, entries in _sections(context, columns, panel):
        found = [entry for entry in entries if _has(entry, words)]
        if found:
            lines += [
                *([()] if lines else []),
                line((title, "title")),
                *(row for entry in found for row in entry),
            ]
    if not lines:
        lines = wrap("nothing in the help has this", columns, "muted")
    return [context.fit(row) for row in lines]


def _has(entry: Entry, words: list[str]) -> bool:
    text = " ".join(plain(row) for row in entry).lower()
    return all(word in text for word in words)


def _sections(context: RenderContext, columns: int, panel: str) -> Iterator[Section]:
    def entry(name: str, words: str, role: str = "key", wide: int = NAMED) -> Entry:
        rows = wrap(words, columns - wide)
        return [line((f"  {name if i == 0 else '':<{wide - 2}}", role), *row) for i, row in enumerate(rows)]

    def explained(term: Term) -> Entry:
        return entry(context.text(term.word), context.words(term.meaning), "strong", WORD)

    def keys_of(place: str) -> list[Entry]:
        own = [(shown, words) for shown, _, words in own_keys(place, context.keys)]
        own += [
            (names_of(key), key.help)
            for key in context.keys
            if not key.own and place in key.places and key.places != PLACES
        ]
        return [entry(context.text(names), context.words(words)) for names, words in own]

    def title(place: str) -> str:
        too = " (also in other panels, unless they use the key)" if place == "walk" != panel else ""
        return f"In the {place.replace('_', ' ')} panel{too}"

    maps = "Reading the maps", [[row] for row in _maps(context)]
    yield title(panel), keys_of(panel)
    yield (
        f"Words of the {panel.replace('_', ' ')} panel",
        [explained(t) for t in GLOSSARY if panel in t.panels],
    )
    if panel == "walk":
        yield maps
    outside = ", outside the fields" if panel == "network" else ""
    yield (
        f"Everywhere{outside}",
        [entry(context.text(names_of(k)), context.words(k.help)) for k in everywhere(panel, context.keys)],
    )
    for place in PLACES:
        if place != panel:
            yield title(place), keys_of(place)
    if panel != "walk":
        yield maps
    yield "Words", [explained(t) for t in GLOSSARY if panel not in t.panels]


def _maps(context: RenderContext) -> tuple[Line, ...]:
    return (
        line((f"  {context.up}   ", "forward"), "positive, from small to large"),
        line((f"  {context.down}   ", "backward"), "negative, from small to large"),
        line((f"  {context.zero}     ", "text"), "near zero, relative to the largest in the map"),
        line(
            ("  x z a", "forward"),
            " belong to the forward pass, ",
            ("δ dW db", "backward"),
            " to the backward pass",
        ),
    )


class HelpPage(Canvas):
    """Shows all lines at their full height; the dialog scrolls them."""

    def __init__(self, context: RenderContext, columns: int, panel: str) -> None:
        super().__init__(context, id="help-page")
        self._columns, self._panel = columns, panel
        self._page: list[Line] = []

    def filter(self, query: str) -> None:
        """Show what has every word of a query."""
        self._page = help_lines(self.render_context, self._columns, self._panel, query)
        self.styles.height = len(self._page)
        self.redraw()

    def drawn(self, columns: int, rows: int) -> list[Line]:
        return self._page


class Filter(LineInput):
    """Takes what is typed, but the keys that close the help."""

    def __init__(self, query: str, closing: Sequence[str]) -> None:
        super().__init__(query, "type to filter", compact=True, select_on_focus=False)
        self._closed_by = closing

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key not in self._closed_by and super().check_consume_key(key, character)


class WholeCells(ScrollBarRender):
    """A scrollbar of background colors alone; the usual one ends in eighths of a block."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]


class HelpScreen(Dialog[None]):
    """A dialog; arrows scroll, and typing filters, beginning with ``query``."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("escape,enter,ctrl+g", "dismiss", show=False, priority=True),
        Binding("question_mark,f1", "dismiss", show=False, priority=True, id="help"),
    ]

    def __init__(self, context: RenderContext, panel: str, query: str = "") -> None:
        super().__init__(context)
        self._panel, self._query = panel, query

    def compose(self) -> ComposeResult:
        page = HelpPage(self.render_context, min(self.app.size.width, WIDEST) - FRAME, self._panel)
        page.filter(self._query)
        with Vertical(id="help", classes="box") as box:
            box.border_title = "help"
            box.border_subtitle = self.render_context.words("↑ ↓ scroll   {help} closes")
            yield Filter(self._query, bound_keys("help", self.render_context.keys))
            with VerticalScroll(id="help-scroll", can_focus=False) as scroll:
                if self.render_context.plain:
                    scroll.vertical_scrollbar.renderer = WholeCells  # type: ignore[misc]  # how Textual changes a single scrollbar
                yield page

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self.query_one(HelpPage).filter(event.value)
        self._scroll.scroll_home(animate=False)

    def action_scroll(self, by: int) -> None:
        self._scroll.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        self._scroll.scroll_relative(y=by * self._scroll.size.height, animate=False)

    @property
    def _scroll(self) -> VerticalScroll:
        return self.query_one("#help-scroll", VerticalScroll)
