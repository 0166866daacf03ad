"""Numbers as text: three significant digits unless asked for more, units always named."""

from __future__ import annotations

import math

from tui_backprop.support.units import DAY, HOUR, MINUTE, UNIVERSE, YEAR

MINUS = "−"


def number(value: float, digits: int = 3, sign: bool = False) -> str:
    """A value to ``digits`` significant digits: 0.0213, −1.27, 3.1e-09. ``sign`` writes + as well."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return ("+" if sign else "") + "∞" if value > 0 else MINUS + "∞"
    lead = MINUS if value < 0 else "+" if sign and value > 0 else ""
    size = abs(value)
    if size == 0:
        return "0"
    exponent = int(f"{size:.{digits - 1}e}".partition("e")[2])
    if -4 <= exponent < 6:
        return f"{lead}{size:,.{max(digits - 1 - exponent, 0)}f}"
    return f"{lead}{size:.{digits - 1}e}"


def fixed(value: float, decimals: int, sign: bool = True) -> str:
    """A value with so many decimals, for columns that align on the point; NaN and infinity in words."""
    if not math.isfinite(value):
        return number(value, sign=sign)
    text = f"{abs(value):.{decimals}f}"
    lead = "" if float(text) == 0 else MINUS if value < 0 else "+" if sign else ""
    return lead + text


TIMES = (
    (1e-3, 1e-6, "µs"), (1.0, 1e-3, "ms"), (2 * MINUTE, 1.0, "s"), (2 * HOUR, MINUTE, "min"), (2 * DAY, HOUR, "h"),
    (400 * DAY, DAY, "days"), (1e4 * YEAR, YEAR, "years"), (1e6 * YEAR, 1e3 * YEAR, "thousand years"),
    (1e9 * YEAR, 1e6 * YEAR, "million years"), (UNIVERSE, 1e9 * YEAR, "billion years"),
)  # fmt: skip


BRIEF = {"thousand years": "kyr", "million years": "Myr", "billion years": "Gyr"}


def duration(seconds: float, brief: bool = False) -> str:
    """A time as people say it: 81.2 µs, 33.1 s, 5.59 min, 388 days, 2.3 ages of the universe; ``brief`` where there
    is little room: 5.21 Myr, 2.3 universe ages."""
    for below, unit, name in TIMES:
        if seconds < below:
            return f"{number(seconds / unit)} {BRIEF.get(name, name) if brief else name}"
    ages = seconds / UNIVERSE
    if brief:
        return f"{short_count(ages) if ages >= 1e3 else number(ages)} universe ages"
    return f"{number(ages)} ages of the universe"


def count(value: float) -> str:
    """A whole number with separators, in words where it is long, and beyond them as a power of ten: 335,114,
    175 billion, 6.12e22."""
    return f"{value:,.0f}" if value < 1e10 else _worded(value, 3) or _power(value, 3)


def short_count(value: float) -> str:
    """A count of parameters or operations in a few characters: 1,738, 335k, 2.9M, 175B, 1T, 6.12e22."""
    if value >= 0.9995 * BEYOND:
        return _power(value, 3)
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        if value >= 0.9995 * unit:
            unit = 1e3 if name == "k" else unit
            return f"{value / unit:.3g}{name}"
    return f"{value:,.0f}"


def times(ratio: float) -> str:
    """A ratio to two digits, in words where it is long: 3.4, 42, 48,000, 17 million, 1.4 trillion, 3.9e15."""
    rounded = float(f"{ratio:.1e}")
    if rounded >= 1e6:
        return _worded(rounded, 2) or _power(rounded, 2)
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.1f}"


BEYOND = 1e15  # what has no name that is known to all
NAMED = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def _worded(value: float, digits: int) -> str:
    """A number from a million on in words, to so many digits; nothing where there are none for it."""
    rounded = float(f"{value:.{digits - 1}e}")
    found = ((unit, name) for unit, name in NAMED if unit <= rounded < BEYOND)
    return next((f"{rounded / unit:,.{max(digits, 3)}g} {name}" for unit, name in found), "")


def _power(value: float, digits: int) -> str:
    """A power of ten without what says nothing: 6.12e22."""
    return f"{value:.{digits - 1}e}".replace("e+", "e")


LONGEST = 120  # characters of a place that is shown


def size(count: float) -> str:
    """Bytes as people write them."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if count < 1000 or unit == "PB":
            return f"{count:,.3g} {unit}" if count < 1e5 else f"{count:,.0f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def plain(text: object, most: int = LONGEST) -> str:
    """A text from outside with what cannot be printed left out of it, in one line, cut to a length."""
    found = "".join(c if c.isprintable() else "?" for c in str(text))
    return found if len(found) <= most else f"{found[: most - 3]}..."
