"""Format numbers: three significant digits by default, units always named."""

from __future__ import annotations

import math

from tui_backprop.support.units import DAY, HOUR, MINUTE, UNIVERSE, YEAR

MINUS = "−"


def format_setting(value: float) -> str:
    """Format a setting as people write it, with up to six significant digits: 0.9, 0.999, 1e-8."""
    return f"{value:g}".replace("e-0", "e-")


def format_number(value: float, digits: int = 3, sign: bool = False) -> str:
    """Format a value with ``digits`` significant digits: 0.0213, −1.27, 3.1e-09. With ``sign``, + is written, too."""
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


def format_fixed(value: float, decimals: int, sign: bool = True) -> str:
    """Format a value with fixed decimals, for columns aligned on the point; NaN and infinity as format_number."""
    if not math.isfinite(value):
        return format_number(value, sign=sign)
    text = f"{abs(value):.{decimals}f}"
    lead = "" if float(text) == 0 else MINUS if value < 0 else "+" if sign else ""
    return lead + text


TIME_UNITS = (
    (1e-3, 1e-6, "µs"), (1.0, 1e-3, "ms"), (2 * MINUTE, 1.0, "s"), (2 * HOUR, MINUTE, "min"), (2 * DAY, HOUR, "h"),
    (400 * DAY, DAY, "days"), (1e4 * YEAR, YEAR, "years"), (1e6 * YEAR, 1e3 * YEAR, "thousand years"),
    (1e9 * YEAR, 1e6 * YEAR, "million years"), (UNIVERSE, 1e9 * YEAR, "billion years"),
)  # fmt: skip


BRIEF_FROM = 1e4 * YEAR


def format_duration(seconds: float, brief: bool = False) -> str:
    """Format a time in its usual unit: 81.2 µs, 33.1 s, 5.59 min, 388 days, 2.3 times the age of the universe; with
    ``brief``: 5.2e6 years, 3.2e10 years."""
    return " ".join(duration_parts(seconds, brief))


def duration_parts(seconds: float, brief: bool = False) -> tuple[str, str]:
    """Return the number and the unit of a duration."""
    if brief and seconds >= BRIEF_FROM:
        return _scientific(seconds / YEAR, 2), "years"
    for below, unit, name in TIME_UNITS:
        if seconds < below:
            return format_number(seconds / unit), name
    ages = seconds / UNIVERSE
    words = _in_words(ages, 3) or _scientific(ages, 3) if ages >= 1e6 else format_number(ages)
    return words, "times the age of the universe"


def counted(n: int, noun: str) -> str:
    """Format a number of things: 1 parameter, 12 parameters."""
    return f"{n:,} {inflected(n, noun)}"


def inflected(n: float, noun: str) -> str:
    """Return the noun in the form that goes with a number: parameter, parameters."""
    return noun if n == 1 else f"{noun}s"


def format_count(value: float) -> str:
    """Format a count with separators; long ones in words, or as a power of ten: 335,114, 175 billion, 6.12e22."""
    return f"{value:,.0f}" if value < 1e10 else _in_words(value, 3) or _scientific(value, 3)


def format_work(macs: int, flops: int) -> str:
    """Format the cost of an operation: in multiply-accumulates if it is a matrix product, else in FLOPs."""
    many, unit = (macs, "MAC") if macs else (flops, "FLOP")
    return f"{format_count(many)} {unit}{'s' * (many != 1)}"


def format_short_count(value: float) -> str:
    """Format a count of parameters or operations in a few characters: 1,738, 335k, 2.9M, 175B, 1T, 6.12e22."""
    return "".join(short_count_parts(value))


def short_count_parts(value: float) -> tuple[str, str]:
    """Return the number of a short count, and the letter after it, if any."""
    if value >= 0.9995 * FIRST_WITHOUT_NAME:
        return _scientific(value, 3), ""
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        if value >= 0.9995 * unit:
            unit = 1e3 if name == "k" else unit
            return f"{value / unit:.3g}", name
    return f"{value:,.0f}", ""


def format_share(part: float, whole: float = 1.0, decimals: int | None = 0) -> str:
    """Format a share in percent, with fixed decimals (None: as many as it has, up to six digits): 60%.

    0% is only none and 100% only all; what would round to either has a decimal more, or is <0.1% or >99.9%. NaN where
    the share is not a finite number.
    """
    share = part / whole if whole else math.nan
    if not math.isfinite(share):
        return "NaN"
    if not part:
        return "0%"
    lead, size = MINUS if share < 0 else "", 100 * abs(share)
    if abs(part) == abs(whole):
        return f"{lead}100%"
    for text in (f"{size:.6g}" if decimals is None else f"{size:.{decimals}f}", f"{size:.1f}"):
        if float(text) not in (0, 100):
            return f"{lead}{text}%"
    return f"{lead}{'<0.1' if size < 1 else '>99.9' if abs(part) < abs(whole) else '>100'}%"


def format_relative(share: float, digits: int = 2) -> str:
    """Format a relative size in percent with significant digits, however small: 1.2e−05%. Only 1 is 100%."""
    text = format_number(100 * share, digits)
    return format_share(share, decimals=1) if text == "100" else f"{text}%"


def format_times(ratio: float, decimals: int = 2) -> str:
    """Format a factor with fixed decimals: 2.40. One below 10 that would round to a whole number has a decimal more,
    or < or > before it, unless it is that number: 2.998, >1.00."""
    if not math.isfinite(ratio):
        return format_number(ratio)
    text = f"{ratio:.{decimals}f}"
    if abs(ratio) >= 10 or float(text) != round(ratio) or ratio == round(ratio):
        return text
    longer = f"{ratio:.{decimals + 1}f}"
    return longer if float(longer) != round(ratio) else f"{'<' if ratio < round(ratio) else '>'}{text}"


def format_ratio(ratio: float) -> str:
    """Format a ratio with two significant digits, long ones in words: 3.4, 48,000, 17 million, 3.9e15. Only 1 is
    written as 1.0."""
    rounded = float(f"{ratio:.1e}")
    if rounded == 1:
        return format_times(ratio, 1)
    if rounded >= 1e6:
        return _in_words(rounded, 2) or _scientific(rounded, 2)
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.1f}"


def format_faster(ratio: float) -> str:
    """Format how many times faster (or slower, below 1) something is: 3.4 times faster."""
    return f"{format_ratio(ratio)} times faster" if ratio >= 1 else f"{format_ratio(1 / ratio)} times slower"


FIRST_WITHOUT_NAME = 1e15  # no number name from here on is generally known
POWERS_OF_TEN = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def _in_words(value: float, digits: int) -> str:
    """Format a number of at least a million in words, with ``digits`` significant digits; "" if there is no word."""
    rounded = float(f"{value:.{digits - 1}e}")
    found = ((unit, name) for unit, name in POWERS_OF_TEN if unit <= rounded < FIRST_WITHOUT_NAME)
    return next((f"{rounded / unit:,.{max(digits, 3)}g} {name}" for unit, name in found), "")


def _scientific(value: float, digits: int) -> str:
    """Format as a power of ten, without the plus sign: 6.12e22."""
    return f"{value:.{digits - 1}e}".replace("e+0", "e").replace("e+", "e")


MAX_PRINTABLE = 120  # characters
LARGE_INTEGER = 10**40  # from which an integer is not printed
KINDS = {int: "a very long integer", dict: "a table", list: "a list", tuple: "a list", bytes: "binary data"}


def format_bytes(size: float) -> str:
    """Format a number of bytes, in units of powers of 1000: 640 bytes, 1.34 MB, 4.01 GB."""
    return " ".join(size_parts(size))


def size_parts(size: float) -> tuple[str, str]:
    """Return the number and the unit of a size in bytes."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000 or unit == "PB":
            return f"{size:,.3g}" if size < 1e5 else f"{size:,.0f}", unit
        size /= 1000
    raise AssertionError("unreachable")


def printable(text: object, most: int = MAX_PRINTABLE) -> str:
    """Make a value from outside safe to print: one line, no control characters, cut to ``most`` characters."""
    found = "".join(c if c.isprintable() else "?" for c in described(text)[: most + 1])
    return found if len(found) <= most else f"{found[: most - 3]}..."


def described(value: object) -> str:
    """Return a value from outside as text; one whose text may be long, or fail, only by its kind."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < LARGE_INTEGER:  # Python refuses to print much longer ones
        return str(value)
    return KINDS.get(type(value)) or str(value)


def is_kind(value: object) -> bool:
    """Return True if a value is described only by its kind."""
    return not isinstance(value, str) and described(value) in KINDS.values()
