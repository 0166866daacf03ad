"""The help: every key, and how to read the maps."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.scrollbar import ScrollBarRender

from tui_backprop.lesson.captions import WORDS
from tui_backprop.session import PLACES
from tui_backprop.ui.keys import KEYS, PANEL_KEYS, Key
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.numbers import MINUS
from tui_backprop.ui.renderables.spans import Line, line, wrap
from tui_backprop.ui.widgets.canvas import Canvas

NAMES = {
    "right": "→", "left": "←", "up": "↑", "down": "↓", "right_square_bracket": "]", "left_square_bracket": "[",
    "plus": "+", "equals_sign": "=", "minus": "-", "question_mark": "?", "dollar_sign": "$", "slash": "/",
    **{f"f{i}": f"F{i}" for i in range(1, 13)},
}  # fmt: skip


NAMED = 12  # columns for keys and words
WIDEST, FRAME = 80, 6  # columns of the page at most, and of what is around it


def names_of(key: Key) -> str:
    """All names of a key, as people read them."""
    return " ".join(NAMES.get(name, name) for name in key.keys.split(","))


def everywhere(panel: str) -> list[Key]:
    """The keys that work in every panel, without those that this one has for itself."""
    own = {name for shown, _, _ in PANEL_KEYS[panel] for name in shown.replace(MINUS, "-").split()}
    return [key for key in KEYS if key.places == PLACES and names_of(key).split()[0] not in own]


def help_lines(glyphs: Glyphs, columns: int, panel: str = "walk") -> list[Line]:
    """The whole page: what the panel that has the keys makes of them, what works everywhere, the other panels."""

    def entry(name: str, words: str, role: str = "key") -> list[Line]:
        rows = wrap(words, columns - NAMED)
        return [line((f"  {name if i == 0 else '':<{NAMED - 2}}", role), *row) for i, row in enumerate(rows)]

    def section(place: str) -> list[Line]:
        own = [(shown, words) for shown, _, words in PANEL_KEYS[place]]
        own += [(names_of(key), key.help) for key in KEYS if place in key.places != PLACES]
        rows = [row for names, words in own for row in entry(glyphs.text(names), words)]
        too = " (elsewhere too, if the key is free)" if place == "walk" != panel else ""
        return [line((f"In the {place} panel{too}", "title")), *rows, ()] if rows else []

    lines = section(panel)
    maps: list[Line] = [
        line(("Reading the maps", "title")),
        line((f"  {glyphs.up}   ", "forward"), "positive, from small to large"),
        line((f"  {glyphs.down}   ", "backward"), "negative, from small to large"),
        line((f"  {glyphs.zero}     ", "text"), "near zero, against the largest in the map"),
        line(("  blue", "forward"), " is on its way forward, ", ("amber", "backward"), " on its way back"),
        (),
    ]
    outside = ", outside the fields" if panel == "network" else ""
    lines += [*(maps if panel == "walk" else []), line((f"Everywhere{outside}", "title"))]
    for key in everywhere(panel):
        lines += entry(glyphs.text(names_of(key)), key.help)
    lines += [*entry("ctrl+p", "Everything by name."), ()]
    lines += [row for place in PANEL_KEYS if place != panel for row in section(place)]
    lines += maps if panel != "walk" else []
    lines.append(line(("Words", "title")))
    for word, meaning in WORDS:
        lines += entry(glyphs.text(word), meaning, "strong")
    return [glyphs.fit(row) for row in lines]


class HelpPage(Canvas):
    """All lines at their full height; the screen scrolls it."""

    def __init__(self, glyphs: Glyphs, columns: int, panel: str) -> None:
        super().__init__(glyphs, id="help-page")
        self._page = help_lines(glyphs, columns, panel)
        self.styles.height = len(self._page)

    def drawn(self, columns: int, rows: int) -> list[Line]:
        return self._page


class WholeCells(ScrollBarRender):
    """A scrollbar of background colours alone: its usual ends are eighths of a block."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]


class HelpScreen(ModalScreen[None]):
    """Over the app until any of its keys is pressed; arrows scroll."""

    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1,q,escape,enter,space", "dismiss", show=False),
    ]

    def __init__(self, glyphs: Glyphs, panel: str) -> None:
        super().__init__()
        self._glyphs, self._panel = glyphs, panel

    def compose(self) -> ComposeResult:
        self.set_class(self._glyphs.plain, "plain")
        with VerticalScroll(id="help") as box:
            if self._glyphs.plain:
                box.vertical_scrollbar.renderer = WholeCells  # type: ignore[misc]  # Textual's way for one bar alone
            box.border_title = "help"
            box.border_subtitle = self._glyphs.text("↑ ↓ scroll   ? closes")
            yield HelpPage(self._glyphs, min(self.app.size.width, WIDEST) - FRAME, self._panel)
