"""The tour's strip: one card, what to press, and the keys of the tour itself."""

from __future__ import annotations

import re

from tui_backprop.engine.network.model import Model
from tui_backprop.keys.table import panel_key
from tui_backprop.lesson.tour import CARDS
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, pad, width, wrap

LOW_ROWS = 20  # rows of the screen from which there is more than one line
TWO_LINE_COLUMNS, THREE_LINE_COLUMNS = 120, 72  # columns from which two lines will do, or three
LONG_KEYS, BRIEF_KEYS = "{tour} next card  {end_tour} end of the tour", "{tour} next  {end_tour} end"


def strip_rows(columns: int, rows: int) -> int:
    """Lines that the strip has on a screen."""
    return (
        1
        if rows < LOW_ROWS
        else 2
        if columns >= TWO_LINE_COLUMNS
        else 3
        if columns >= THREE_LINE_COLUMNS
        else 4
    )


def tour_strip(
    card: int, spec: Model, panel: str, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """A card in so many rows. It names no key that does something else in the ``panel`` that has the keys."""
    now, typing = CARDS[card], panel == "network"
    press, own = (
        _keyed(now.press, context),
        _keyed(LONG_KEYS if columns >= TWO_LINE_COLUMNS else BRIEF_KEYS, context),
    )
    if typing or now.about not in ("", panel):
        press = line((panel_key("walk", context.keys, typing=typing), "key"), " leads back to the walk")
    if typing:
        own = ()
    if rows == 1:
        return [_apart(line((f" {card + 1}/{len(CARDS)}  ", "title"), *press), own, columns)]
    text = now.text.replace("{parameters}", f"{spec.parameters:,}")
    text = context.words(text.replace("{passes}", f"{spec.parameters + 1:,}"))
    name = f" tour {card + 1}/{len(CARDS)}  "
    blank = " " * len(name)
    said = wrap(text, columns - len(name) - 1)[: rows - 1]
    said = [line((blank if i else name, "title"), *row) for i, row in enumerate(said)]
    said += [()] * (rows - 1 - len(said))
    return [*said, _apart(line(blank, *press), own, columns)]


def _keyed(text: str, context: RenderContext) -> Line:
    """Words in which the keys stand out."""
    parts = re.split(r"(\{[^{}]+\})", text)
    return line(*((context.words(part), "key" if part.startswith("{") else "text") for part in parts))


def _apart(left: Line, right: Line, columns: int) -> Line:
    """One thing on the left, the other on the right."""
    return line(*pad(left, columns - width(right) - 1), *right)
