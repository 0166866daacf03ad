"""The learning rate of an iteration, with the numbers of its plans."""

from __future__ import annotations

import math

import pytest

from tui_backprop.engine.explain.schedule import rate_plans
from tui_backprop.engine.training.optimizer_spec import SCHEDULES, OptimizerSpec, learning_rate

WRITTEN = {"½": "1/2", "−": "-", "√": "sqrt", "^": "**", "·": "*"}


def evaluated(text: str) -> float:
    for glyph, plain in WRITTEN.items():
        text = text.replace(glyph, plain)
    return eval(text, {"floor": math.floor, "min": min, "cos": math.cos, "sqrt": math.sqrt, "π": math.pi})


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warmup", [0, 4])
@pytest.mark.parametrize("t", [0, 3, 19, 20, 500])
def test_each_plan_gives_the_rate_that_its_numbers_give_and_the_last_one_that_of_the_iteration(
    schedule, warmup, t
):
    spec = OptimizerSpec(schedule=schedule, warmup=warmup, horizon=20)
    plans = rate_plans(spec, 0.25, t)
    assert [plan.name for plan in plans] == ["warm-up"] * bool(warmup) + [schedule] * (schedule != "constant")
    for plan in plans:
        assert evaluated(plan.worked) == pytest.approx(plan.rate, rel=6e-3)
        assert not set("αtT") & set(plan.worked.replace("cos", "").replace("floor", ""))
    assert (plans[-1].rate if plans else 0.25) == pytest.approx(learning_rate(spec, 0.25, t))
