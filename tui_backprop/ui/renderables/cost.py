"""The cost panel's words: what both methods take at the chart's cursor."""

from __future__ import annotations

from tui_backprop.cost.model import TRAINING_STEPS, Reading, read
from tui_backprop.engine.spec import backprop_ratio
from tui_backprop.ui.moment import Costs
from tui_backprop.ui.renderables.numbers import count, duration, number
from tui_backprop.ui.renderables.spans import Line, line

LABEL = 12


def legend(costs: Costs, columns: int) -> list[Line]:
    """What is drawn."""
    return [
        line(("time of one gradient, over parameters", "muted")),
        line(("/ ", "naive"), ("naive: P+1 forward passes", "naive")) if columns < 44 else
        line(("⡠⠊ naive: P+1 forward passes   ", "naive"), ("⣀⠤ backprop", "backprop")),
    ]  # fmt: skip


def readout(costs: Costs, columns: int) -> list[Line]:
    """Both methods under the cursor, their ratio, and a training run of 100,000 steps."""
    if costs.machine is None:
        return [line(("measuring a forward pass on this machine …", "muted"))]
    at = read(costs.machine, costs.parameters)
    here = costs.decade is None
    measured = here and not costs.lesson_clock
    return [
        line(("at ", "muted"), (count(at.parameters), "strong"), (" parameters", "muted"), (", this network" if here else "", "muted")),
        _row("forward", duration(at.forward), _source(costs, measured), "text"),
        _row("naive", duration(at.naive), f"{count(at.parameters + 1)} passes", "naive"),
        _row("backprop", duration(at.backprop), _passes(costs, at), "backprop"),
        line(("backprop is ", "muted"), (f"{number(at.ratio)} times", "strong"), (" faster", "muted")),
        (),
        line((f"training, {TRAINING_STEPS:,} steps", "muted")),
        _row("naive", duration(at.naive_run), "", "naive"),
        _row("backprop", duration(at.backprop_run), "", "backprop"),
    ]  # fmt: skip


def _row(name: str, time: str, note: str, role: str) -> Line:
    return line((f"{name:<{LABEL - 2}}", role), (f"{time:>11}", "strong" if role != "text" else "text"), (f"  {note}", "muted"))


def _source(costs: Costs, measured: bool) -> str:
    if costs.lesson_clock:
        return "assumed: 1 ms at 335,114"
    return "measured here" if measured else "projected"


def _passes(costs: Costs, at: Reading) -> str:
    if costs.lesson_clock:
        return f"{at.backprop / at.forward:.2f} passes"
    return f"{at.backprop / at.forward:.2f} passes; {backprop_ratio(costs.network):.2f}x MACs"
