"""The step dial: the error of three ways to a derivative against the step h, on logarithmic axes, and what is read
off at one h. Imports plotext, so this module is imported after the first paint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tui_backprop.cost.landmarks import EPSILON
from tui_backprop.engine.dial import WAYS, Dial
from tui_backprop.engine.primitives import Array
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.numbers import number
from tui_backprop.ui.renderables.plotting import blank, painted, printed
from tui_backprop.ui.renderables.spans import Line, beside, cut, line, wrap

FLOOR = -17.0  # the decade at which an error of 0 is drawn
TOP = 3.0
BESIDE, WORDS = 66, 36  # columns from which the words stand beside the chart, and theirs
LEAST_CHART = 8  # rows


@dataclass(frozen=True)
class Look:
    """How a way is called and drawn."""

    name: str
    letter: str
    role: str


LOOKS = dict(
    zip(
        WAYS,
        (Look("forward", "f", "naive"), Look("central", "c", "improved"), Look("complex", "i", "update")),
        strict=True,
    )
)


def dial_lines(
    dial: Dial, step: float, precision: str, columns: int, rows: int, glyphs: Glyphs
) -> list[Line]:
    """At most ``rows`` lines: chart, and the readout at the step nearest to ``step``."""
    at = dial.nearest(step)
    if columns >= BESIDE:
        left = columns - WORDS - 2
        drawn = _chart(dial, at, precision, left, rows - 1, glyphs)
        words = readout(dial, at, precision, WORDS, glyphs)
        return beside([legend(glyphs), *drawn], [(), *words], left)[:rows]
    words = readout(dial, at, precision, columns, glyphs)
    spare = max(rows - 2 - LEAST_CHART, 6)
    words = words[:spare]
    drawn = _chart(dial, at, precision, columns, rows - len(words) - 1, glyphs)
    return [legend(glyphs), *drawn, *words][:rows]


def legend(glyphs: Glyphs) -> Line:
    """The lines, and the mark of the best step by theory."""
    spans = [(f"{look.letter} {look.name} ", look.role) for look in LOOKS.values()]
    return line(*spans, (glyphs.text("◇"), "strong"), (" best", "muted"))


def readout(dial: Dial, at: int, precision: str, columns: int, glyphs: Glyphs) -> list[Line]:
    """What each way finds with this step, how far off that is, where its best step is, and what one sees."""
    h = float(dial.steps[at])
    lesson = ", the lesson's" if math.isclose(h, EPSILON, rel_tol=1e-6) else ""
    name = f"{dial.tensor}[{','.join(map(str, dial.index))}]"
    error = "relative error" if dial.relative else "error"
    lines = [
        line(("h = ", "muted"), (power(h), "strong"), (f"{lesson}  {precision}", "muted")),
        line(
            (f"{'d/d ' + name:<12}"[:12], "text"),
            (f"{number(dial.exact, 4, sign=True):>11}", "backward"),
            ("  exact", "muted"),
        ),
    ]
    flip = None
    for way, look in LOOKS.items():
        row = dial.rows[way, precision]
        found = number(float(row.found[at]), 4, sign=True)
        flip = flip or row.flips[at]
        lines.append(
            line(
                (f"{look.letter} {look.name:<10}", look.role),
                (f"{found:>11}", "text"),
                (f"  off {number(float(row.off[at]), 2)}", "muted"),
            )
        )
    if flip:
        several = f"{flip.units} units, {flip.first} first" if flip.units > 1 else flip.first
        lines += wrap(f"x a kink lies in between: {several}", columns, "bad")
    lines += [(), line((cut("best h    found    theory    off", columns), "muted"))]
    for way, look in LOOKS.items():
        row = dial.rows[way, precision]
        best, least = float(dial.steps[row.least]), float(row.off[row.least])
        lines.append(
            line(
                (f"{look.letter} {look.name:<8}", look.role),
                f"{power(best):<9}",
                (f"{power(row.best):<10}", "muted"),
                number(least, 2),
            )
        )
    lines.append(())
    lines += wrap(
        f"{error}: on the left h/2 f'' or h²/6 f''', the bend of the loss; on the right eps/h, what subtraction"
        " loses. The complex step subtracts nothing.",
        columns,
        "muted",
    )
    if not dial.relative:
        moves = any(dial.rows[way, "float64"].found.any() for way in WAYS)
        why = "errors are absolute" if moves else "nothing that this number changes reaches the loss"
        lines += wrap(f"The derivative is 0 here: {why}.", columns, "muted")
    return lines


def power(h: float) -> str:
    """A step as people write it: 0.0001, 1e-08, 5.6e-03."""
    mantissa, _, exponent = f"{h:.1e}".partition("e")
    if mantissa == "1.0":
        return f"{h:g}" if h >= EPSILON * 0.999 else f"1e{int(exponent)}"
    return f"{mantissa}e{int(exponent)}"


def _chart(dial: Dial, at: int, precision: str, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    if rows < 4:
        return []
    x = -np.log10(dial.steps)  # 1 on the left, 16 on the right: the step falls
    figure = blank(columns, rows)
    tops = [_decades(dial.rows[way, precision].off) for way in WAYS]
    top = min(max(float(np.max(each)) for each in tops) + 0.5, TOP)

    def draw(xs: Array, ys: Array, role: str, marker: str, joined: bool = False) -> None:
        inside = (ys >= FLOOR - 0.5) & (ys <= top)
        if inside.any():
            signal = figure.signal(xs[inside].tolist(), ys[inside].tolist(), marker=painted(marker, role))
            figure.draw(signal.lines() if joined and inside.sum() > 1 else signal)

    for place, role in ((-math.log10(EPSILON), "faint"), (float(x[at]), "mark")):
        upright = np.linspace(FLOOR - 0.5, top, rows * 2)
        draw(np.full(len(upright), place), upright, role, "|" if glyphs.plain else "│")
    for way, ys in zip(WAYS, tops, strict=True):
        look = LOOKS[way]
        draw(x, ys, look.role, look.letter if glyphs.plain else "braille", joined=not glyphs.plain)
    for i, (way, ys) in enumerate(zip(WAYS, tops, strict=True)):
        look, row = LOOKS[way], dial.rows[way, precision]
        flipped = np.array([flip is not None for flip in row.flips])
        draw(x[flipped], ys[flipped], "loss", "x")
        best = np.array([-math.log10(row.best)])
        if best[0] <= x[-1]:
            draw(best, np.interp(best, x, ys), "strong", "o" if glyphs.plain else "◇")
        n = 2 + 3 * i
        draw(x[n : n + 1], ys[n : n + 1], look.role, look.letter)
    across, up = figure.ruler("x"), figure.ruler("y")
    across.lim(float(x[0]), float(x[-1]))
    up.lim(FLOOR - 0.5, top)
    ticks = [1, 4, 8, 12, 16]
    across.ticks(ticks, ["0.1", *(f"1e-{k}" for k in ticks[1:])])
    levels = [k for k in range(-16, math.floor(top) + 1) if k % 4 == 0]
    up.ticks(levels, ["1" if k == 0 else f"1e{k}" for k in levels])
    figure.label("step h", "x")
    figure.axes(False, axis="y", side="right")
    figure.axes(False, axis="x", side="upper")
    return printed(figure)


def _decades(off: Array) -> Array:
    """Errors as exponents; one of 0 at the floor, one that is no number above all."""
    with np.errstate(all="ignore"):
        found = np.log10(off)
    return np.where(np.isnan(off), TOP, np.clip(found, FLOOR, TOP))
