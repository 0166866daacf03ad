"""The learning rate of an iteration, as the formulas of warm-up and schedule with their numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui_backprop.engine.training.optimizer_spec import SCHEDULES, WARM_UP, OptimizerSpec
from tui_backprop.support.format import format_number

SYMBOL = re.compile(r"(?<!\w)[αtT](?!\w)")


@dataclass(frozen=True)
class RatePlan:
    """A plan of the learning rate, warm-up or a schedule, in one iteration: its ``name``, the ``base`` rate that it
    scales, the resulting ``rate``, and its formula with the numbers of the iteration."""

    name: str
    base: float
    rate: float
    worked: str


def rate_plans(spec: OptimizerSpec, lr: float, t: int) -> tuple[RatePlan, ...]:
    """Return the plans that change the base rate ``lr`` in iteration t = 0, 1, ...: warm-up, then the schedule."""
    rows = [("warm-up", WARM_UP, spec.warmup)] * bool(spec.warmup)
    schedule = SCHEDULES[spec.schedule]
    rows += [(spec.schedule, schedule, spec.horizon)] * schedule.changes
    found: list[RatePlan] = []
    for name, row, horizon in rows:
        base = found[-1].rate if found else lr
        worked = _with_numbers(row.formula, {"α": format_number(base), "t": f"{t}", "T": f"{horizon}"})
        found.append(RatePlan(name, base, base * row.factor(t, horizon), worked))
    return tuple(found)


def _with_numbers(formula: str, numbers: dict[str, str]) -> str:
    """Replace the symbols of a formula."""
    return SYMBOL.sub(lambda symbol: numbers[symbol[0]], formula)
