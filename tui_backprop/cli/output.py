"""How commands print: in which characters, and for programs."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui_backprop.cli.streams import write
from tui_backprop.support.exit_codes import NOT_PASSED

if TYPE_CHECKING:
    from tui_backprop.render.draw.context import RenderContext


def glyphs_for(encoding: str | None, chosen: str = "auto") -> RenderContext:
    """The characters ``chosen``; for "auto" the full set where the encoding carries it, ASCII elsewhere."""
    from tui_backprop.render.draw.context import ASCII, UTF8
    from tui_backprop.terminal.capabilities import glyph_set

    return UTF8 if glyph_set(chosen, encoding).value == "utf-8" else ASCII


def glyphs_for_stdout(plain: bool) -> RenderContext:
    """The characters that the encoding of stdout carries; with ``plain``, those for screen readers."""
    from tui_backprop.render.draw.context import LINEAR

    return LINEAR if plain else glyphs_for(getattr(sys.stdout, "encoding", None))


def print_json(value: object) -> None:
    """Print one JSON object in a line, without control characters in its strings."""
    import json

    import msgspec

    text = msgspec.json.encode(json_value(value)).decode()
    if not text.isprintable():
        text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    write(text.encode())


def json_value(value: object) -> object:
    """A value as JSON can hold it: NaN and infinities, for which it has no numbers, as strings."""
    match value:
        case dict():
            return {key: json_value(each) for key, each in value.items()}
        case list() | tuple():
            return [json_value(each) for each in value]
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def exit_if_bad(bad: bool) -> None:
    """Exit with NOT_PASSED where a check failed, or where numbers are NaN or infinite."""
    if bad:
        raise SystemExit(NOT_PASSED)


def print_report(
    as_json: bool, plain: bool, to_dict: Callable[[], dict[str, Any]], to_text: Callable[[RenderContext], str]
) -> None:
    """Print a report as a JSON object, or as text; only the form that is printed is made."""
    if as_json:
        print_json(to_dict())
    else:
        write(to_text(glyphs_for_stdout(plain)))
