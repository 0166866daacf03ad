"""Numbers with units, and texts made of them, in two forms: written for the eye, and spoken by a screen reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui_backprop.support.format import (
    duration_parts,
    format_bytes,
    format_duration,
    format_share,
    format_short_count,
    format_times,
    short_count_parts,
    size_parts,
)

SPOKEN = {
    "µs": "microseconds", "ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours",
    "kB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes", "PB": "petabytes",
    "k": "thousand", "M": "million", "B": "billion", "T": "trillion",
}  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A text in both forms, written and spoken."""

    written: str
    spoken: str


@dataclass(frozen=True)
class Quantity:
    """A number with its ``unit``, one of UNITS. A ratio has so many ``decimals``; a time is ``brief`` where there is
    little room."""

    value: float
    unit: str
    decimals: int = 2
    brief: bool = False

    @property
    def written(self) -> str:
        return UNITS[self.unit][0](self)

    @property
    def spoken(self) -> str:
        return UNITS[self.unit][1](self)

    @property
    def parts(self) -> tuple[str, str]:
        """Number and unit as written, for columns that align both; only of seconds."""
        return duration_parts(self.value, self.brief)


Content = str | Text | Quantity  # a string is the same in both forms


def written(content: Content) -> str:
    return content if isinstance(content, str) else content.written


def spoken(content: Content) -> str:
    return content if isinstance(content, str) else content.spoken


def phrase(template: str, *contents: Content) -> Text:
    """Return a text with each {} replaced by a content."""
    return Text(template.format(*map(written, contents)), template.format(*map(spoken, contents)))


def joined(contents: tuple[Content, ...], gap: str) -> Text:
    """Join contents: with a ``gap`` between them when written, with commas when spoken."""
    return Text(gap.join(map(written, contents)), ", ".join(map(spoken, contents)))


def seconds(value: float, brief: bool = False) -> Quantity:
    return Quantity(value, "seconds", brief=brief)


def ratio(value: float, decimals: int = 2) -> Quantity:
    """Return a multiple: 2.40x."""
    return Quantity(value, "times", decimals)


def _speak_seconds(of: Quantity) -> str:
    value, unit = duration_parts(of.value, brief=False)
    return f"{value} {SPOKEN.get(unit, unit)}"


def _speak_bytes(of: Quantity) -> str:
    value, unit = size_parts(of.value)
    return f"{value} {SPOKEN.get(unit, unit)}"


def _speak_count(of: Quantity) -> str:
    value, unit = short_count_parts(of.value)
    return f"{value} {SPOKEN[unit]}" if unit else value


def _speak_times(of: Quantity) -> str:
    text = format_times(of.value, of.decimals)
    return f"{text.replace('<', 'less than ').replace('>', 'more than ')} times"


def _tolerance(of: Quantity) -> str:
    """A tolerance in percent; the smallest that is written is 0.1%, which holds for smaller ones too."""
    return format_share(of.value).replace("<", "")


# How a quantity of each unit is written and spoken.
UNITS: dict[str, tuple[Callable[[Quantity], str], Callable[[Quantity], str]]] = {
    "seconds": (lambda of: format_duration(of.value, of.brief), _speak_seconds),
    "bytes": (lambda of: format_bytes(of.value), _speak_bytes),
    "count": (lambda of: format_short_count(of.value), _speak_count),
    "times": (lambda of: f"{format_times(of.value, of.decimals)}x", _speak_times),
    "per second": (lambda of: f"{of.value:,.0f}/s", lambda of: f"{of.value:,.0f} a second"),
    "±": (lambda of: f"±{_tolerance(of)}", lambda of: f"within {_tolerance(of)}"),
    "within": (lambda of: f"within {of.value:.1f}x", lambda of: f"within a factor of {of.value:.1f}"),
}
