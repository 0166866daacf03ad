"""The cost panel's words: what both methods take at the chart's cursor."""

from __future__ import annotations

from tui_backprop.cost.model import TRAINING_STEPS, read
from tui_backprop.engine.spec import backprop_ratio
from tui_backprop.ui.moment import Costs
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.numbers import count, duration, times
from tui_backprop.ui.renderables.spans import Line, line


def legend(columns: int, glyphs: Glyphs) -> Line:
    """What is drawn."""
    steep, flat = ("/ ", "_ ") if glyphs.plain else ("⡠⠊ ", "⣀⠤ ")
    naive = next(
        text
        for text in ("naive: P+1 forward passes", "naive")
        if len(text) + 22 <= columns or text == "naive"
    )
    return line(
        (steep + naive, "naive"),
        "   ",
        (flat + "backprop", "backprop"),
        "   ",
        "  " if columns < 50 else "● measured",
    )


def readout(costs: Costs, columns: int) -> list[Line]:
    """Both methods under the cursor, their ratio, and a training run of 100,000 steps."""
    if costs.machine is None:
        return [line(("measuring a forward pass on this machine …", "muted"))]
    at = read(costs.machine, costs.parameters)
    here = costs.decade is None
    passes = f"{at.backprop / at.forward:.1f} passes"
    macs = backprop_ratio(costs.network)
    if costs.lesson_clock:
        source: tuple[str, ...] = ("assumed: 1 ms at 335,114 parameters", "the lesson's 1 ms", "assumed")
    elif costs.machine.measured(costs.parameters):
        source = ("measured on this machine", "measured")
    else:
        source = ("projected from measured networks", "projected")
    where = "this network: " if here else "at "
    return [
        line((where, "muted"), (count(at.parameters), "strong"), (" parameters", "muted")),
        _row("forward", at.forward, "text", columns, *source),
        _row("naive", at.naive, "naive", columns, f"{count(at.parameters + 1)} passes", "P+1 passes"),
        _row("backprop", at.backprop, "backprop", columns, passes),
        line(("in MACs  ", "muted"), f"{macs:>9.2f}x", ("  a forward", "muted")),
        line(("backprop: ", "muted"), (f"{times(at.ratio)} times", "strong"), (" faster", "muted")),
        (),
        line((f"training, {TRAINING_STEPS:,} steps", "muted")),
        _row("naive", at.naive_run, "naive", columns, "projected"),
        _row("backprop", at.backprop_run, "backprop", columns, "projected"),
    ]


def _row(name: str, seconds: float, role: str, columns: int, *notes: str) -> Line:
    """A method, its time, and the longest of the notes that fits."""
    left = f"{name:<9}"
    time = f"{duration(seconds):>10}"
    note = next((n for n in notes if len(left) + len(time) + 2 + len(n) <= columns), "")
    return line(
        (left, role), (time, "text" if role == "text" else "strong"), (f"  {note}" if note else "", "muted")
    )
