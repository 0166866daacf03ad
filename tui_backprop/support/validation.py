"""Validation of single values that were typed: each function returns the value, or raises InputError."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tui_backprop.support.errors import InputError
from tui_backprop.support.format import described, is_kind, printable

MAX_INTEGER_DIGITS = 18  # so that sizes fit in 64 bits
TOO_LARGE = 10**MAX_INTEGER_DIGITS
MAX_QUOTED = 40  # characters


def one_of(field: str, value: object, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is allowed; raise InputError with the list of choices otherwise."""
    choices = tuple(allowed)
    if not isinstance(value, str) or value not in choices:
        raise InputError(field, f"invalid value {quoted(value)}; choose from {', '.join(choices)}")
    return value


def quoted(value: object) -> str:
    """Quote what was typed: printable characters only, cut to a length that fits a line. A value that is too long to
    quote, or that holds others, is described: a list."""
    text = printable(value, MAX_QUOTED)
    return text if is_kind(value) else f'"{text}"'


def count_up_to(field: str, value: object, most: int, instead: str = "") -> int:
    """Return ``value`` if it is a whole number from 1 to ``most``; the message may say what to do ``instead``."""
    number = whole_number(field, value, 1)
    if number > most:
        advice = f"; {instead}" if instead else ""
        raise InputError(field, f"{number:,} is out of range (1 to {most:,}){advice}")
    return number


def whole_number(field: str, value: object, least: int) -> int:
    """Return ``value`` (an int, or text that is one) if it is a whole number of at least ``least``."""
    if type(value) is int and abs(value) >= TOO_LARGE:
        raise (
            _too_large(field, value)
            if value > 0
            else InputError(field, f"{quoted(value)} is not {_wanted(least)}")
        )
    text = described(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?[0-9]+", text):
        raise InputError(field, f"{quoted(value)} is not {_wanted(least)}")
    digits = text.lstrip("+-").lstrip("0")
    if text[0] != "-" and len(digits) > MAX_INTEGER_DIGITS:
        raise _too_large(field, value)
    number = int(digits[: MAX_INTEGER_DIGITS + 1] or 0) * (-1 if text[0] == "-" else 1)
    if number < least:
        raise InputError(field, f"{quoted(value)} is not {_wanted(least)}")
    return number


def _too_large(field: str, value: object) -> InputError:
    return InputError(field, f"{quoted(value)} is too large; at most {MAX_INTEGER_DIGITS} digits are allowed")


def _wanted(least: int) -> str:
    return "a positive whole number" if least == 1 else f"a whole number, {least} or more"


def _number(value: object) -> float:
    """``value`` (a number, or text that is one) as a float; NaN if it is none."""
    try:
        text = described(value).strip()
        return float(text) if text.isascii() and not isinstance(value, bool) else float("nan")
    except (ValueError, OverflowError):
        return float("nan")


def positive_number(field: str, value: object, example: str = "0.1") -> float:
    """Return ``value`` (a number, or text that is one) if it is finite and above zero. The message has an example."""
    number = _number(value)
    if not 0 < number < float("inf"):
        raise InputError(field, f"{quoted(value)} is not a positive number, such as {example}")
    return number


def non_negative_number(field: str, value: object, below: float = float("inf")) -> float:
    """Return ``value`` (a number, or text that is one) if it is zero or more, and below ``below``."""
    number = _number(value)
    if not 0 <= number < below:
        wanted = (
            "0 or a positive number"
            if below == float("inf")
            else f"a number between 0 and {below:g} ({below:g} excluded)"
        )
        raise InputError(field, f"{quoted(value)} is not {wanted}, such as 0.1")
    return number


def boolean(field: str, value: object) -> bool:
    """Return ``value`` if it is True or False."""
    if not isinstance(value, bool):
        raise InputError(field, f"{quoted(value)} is not true or false")
    return value
