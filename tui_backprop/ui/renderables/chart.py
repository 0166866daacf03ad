"""The cost chart: time of one gradient against parameter count, both logarithmic, drawn with plotext.

plotext takes 0.1 s to import, so this module is imported after the first paint.
"""

from __future__ import annotations

import math

from tui_backprop.cost.model import LANDMARKS, Machine, decades, log_seconds, read
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.plotting import blank, painted, printed
from tui_backprop.ui.renderables.spans import Line

LOW, HIGH = 3.0, 12.0  # decades of parameters
FASTEST, SLOWEST = -6.0, 18.5  # decades of seconds
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def chart(
    machine: Machine, parameters: float, current: int, columns: int, rows: int, glyphs: Glyphs
) -> list[Line]:
    """The chart in ``columns`` x ``rows``: two lines, the measured points, the current network, the cursor.

    ``parameters`` is where the cursor stands, ``current`` is the size of the network in hand.
    """
    figure = blank(columns, rows)
    curves = ("*", "+") if glyphs.plain else ("braille", "braille")
    here = math.log10(current)
    low = min(LOW, math.floor(here))
    xs = decades(low, HIGH, 2 * columns)

    def draw(x: list[float], y: list[float], role: str, marker: str, joined: bool = False) -> None:
        inside = [(a, b) for a, b in zip(x, y, strict=True) if FASTEST <= b <= SLOWEST and low <= a <= HIGH]
        if not inside:
            return
        signal = figure.signal(*map(list, zip(*inside, strict=True)), marker=painted(marker, role))
        figure.draw(signal.lines() if joined else signal)

    cursor = math.log10(parameters)
    draw([cursor] * rows, decades(FASTEST, SLOWEST, rows), "mark", "|" if glyphs.plain else "│")
    draw(xs, [log_seconds(machine.naive_seconds(10**x)) for x in xs], "naive", curves[0], True)
    draw(xs, [log_seconds(machine.backprop.seconds(10**x)) for x in xs], "backprop", curves[1], True)
    sizes = [math.log10(point.parameters) for point in machine.points]
    measured = [log_seconds(point.backprop) for point in machine.points]
    draw(sizes, measured, "backprop", "o" if glyphs.plain else "●")
    reading = read(machine, current)
    for seconds, role in ((reading.naive, "naive"), (reading.backprop, "backprop")):
        draw([here], [log_seconds(seconds)], role, "#" if glyphs.plain else "◆")
    _axes(figure, low, rows, glyphs)
    return printed(figure)


def _axes(figure: object, low: float, rows: int, glyphs: Glyphs) -> None:
    """Decades of parameters below; on the left the landmarks in time that have a row to themselves."""
    x, y = figure.ruler("x"), figure.ruler("y")  # type: ignore[attr-defined]
    x.lim(low, HIGH)
    y.lim(FASTEST, SLOWEST)
    ticks = [3, 6, 9, 12] if low == LOW else [1, 3, 6, 9, 12]
    x.ticks(ticks, [f"1e{t}" if glyphs.plain else "10" + str(t).translate(SUPERSCRIPT) for t in ticks])
    apart = 1.2 * (SLOWEST - FASTEST) / max(rows - 3, 1)
    shown: list[tuple[str, float]] = []
    for name, seconds in (
        *LANDMARKS[2:3],
        *LANDMARKS[-1:],
        *LANDMARKS[6:7],
        *LANDMARKS[5:6],
        *LANDMARKS[:2],
        *LANDMARKS[3:5],
    ):
        if all(abs(log_seconds(seconds) - at) >= apart for _, at in shown):
            shown.append((name, log_seconds(seconds)))
    y.ticks([at for _, at in shown], [name for name, _ in shown])
    y.grid()
    figure.label("parameters", "x")  # type: ignore[attr-defined]
    figure.axes(False, axis="y", side="right")  # type: ignore[attr-defined]
    figure.axes(False, axis="x", side="upper")  # type: ignore[attr-defined]
