"""When two numbers count as equal, one of them as the program writes it."""

from __future__ import annotations

import math


def number(text: str) -> float:
    """A number as the program writes it."""
    return float(text.replace("−", "-").replace(",", "").replace("∞", "inf"))


def close(said: float, right: float, scale: float, exact: float) -> bool:
    """True if two numbers agree, relative to the numbers that they are made of, or are both not finite."""
    if not (math.isfinite(said) and math.isfinite(right)):
        return not math.isfinite(said) and not math.isfinite(right)
    return abs(said - right) <= exact * max(abs(said), abs(right), scale)
