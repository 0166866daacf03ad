"""Learning-rate schedules and the settings of optimizers: the rate in every iteration, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.training.optimizer_spec import (
    SCHEDULES,
    WARM_UP,
    OptimizerSpec,
    check_epsilon,
    learning_rate,
)
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.support.errors import UserError

HORIZON = 900

FACTORS = {  # at the start, at a third, in the middle, just before the end, at the end, and far past it
    "constant": (1, 1, 1, 1, 1, 1),
    "step": (1, 0.1, 0.1, 0.01, 0.01, 0.01),
    "exponential": (1, 0.01 ** (1 / 3), 0.1, 0.01 ** (899 / 900), 0.01, 0.01),
    "linear": (1, 2 / 3, 0.5, 1 / 900, 0, 0),
    "cosine": (1, 0.75, 0.5, math.sin(math.pi / 1800) ** 2, 0, 0),
    "inverse-sqrt": (1, 301**-0.5, 451**-0.5, 1 / 30, 901**-0.5, 90_001**-0.5),
}


def test_every_schedule_of_the_table_is_compared():
    assert set(FACTORS) == set(SCHEDULES)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_starts_at_the_base_rate_and_ends_where_it_says(name):
    spec = OptimizerSpec(schedule=name, horizon=HORIZON)
    rates = [learning_rate(spec, 0.5, t) for t in (0, 300, 450, 899, 900, 90_000)]
    assert rates == pytest.approx([0.5 * factor for factor in FACTORS[name]], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_no_schedule_rises_or_leaves_zero_to_one(name, horizon):
    factors = [SCHEDULES[name].factor(t, horizon) for t in range(3 * horizon)]
    assert factors[0] == 1
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] >= 0


@pytest.mark.parametrize(("horizon", "drops"), [(9, [3, 6]), (10, [4, 7]), (1000, [334, 667]), (2, [1])])
def test_steps_are_at_whole_iterations(horizon, drops):
    rates = [SCHEDULES["step"].factor(t, horizon) for t in range(horizon)]
    assert [t for t in range(1, horizon) if rates[t] < rates[t - 1]] == drops


def test_the_constant_schedule_is_the_base_rate_itself():
    assert learning_rate(OptimizerSpec(), 0.1, 123_456) == 0.1


def test_warm_up_rises_in_equal_steps_to_the_rate_and_stays():
    spec = OptimizerSpec(warmup=4)
    assert [learning_rate(spec, 8.0, t) for t in range(6)] == [2, 4, 6, 8, 8, 8]
    assert WARM_UP.factor(0, 0) == 1


def test_warm_up_multiplies_the_schedule():
    spec = OptimizerSpec(schedule="linear", warmup=10, horizon=20)
    assert learning_rate(spec, 1.0, 4) == pytest.approx(0.5 * 16 / 20)
    assert learning_rate(spec, 1.0, 15) == pytest.approx(5 / 20)


@pytest.mark.parametrize("row", [*SCHEDULES.values(), WARM_UP], ids=[*SCHEDULES, "warm-up"])
def test_the_formula_on_the_screen_is_the_rate(row):
    written = row.formula
    for glyph, plain in (("½", "1/2"), ("−", "-"), ("√", "sqrt"), ("^", "**"), ("·", "*")):
        written = written.replace(glyph, plain)
    functions = {"floor": math.floor, "min": min, "cos": math.cos, "sqrt": math.sqrt}
    names = functions | {"π": math.pi, "α": 0.5, "T": HORIZON}
    for t in (0, 1, 299, 300, 450, 777, 899, 900, 5000):
        assert eval(written, names | {"t": t}) == pytest.approx(0.5 * row.factor(t, HORIZON), rel=1e-11)


def test_every_formula_can_be_written_in_ascii():
    for row in (*SCHEDULES.values(), WARM_UP):
        assert ascii_formula(row.formula).isascii()
        assert row.about.isascii()


# --- settings ----------------------------------------------------------------------------------------------

FIELDS = {  # attribute: the option's name on the command line, and values that do not do
    "name": ("optimizer", ["", "SGD", "adamax", None, 3]),
    "schedule": ("schedule", ["", "cos", None, 0]),
    "momentum": ("momentum", [1, "1.0", -0.1, "nan", "inf", "", "x", None, True, "０.9"]),
    "beta1": ("beta1", [1, "1.0", -0.1, "nan", "inf", "", "x", None, True]),
    "beta2": ("beta2", [1, 1.5, -1e-9, "nan", "", None, False]),
    "rho": ("rho", [1, 2, "-0.5", "nan", "inf", "", None, True]),
    "epsilon": ("epsilon", [0, "0", -1e-8, "nan", "inf", "", None, True]),
    "weight_decay": ("weight-decay", [-1, "-0.1", "nan", "inf", "1e999", "", None, True]),
    "decay_bias": ("decay-bias", ["", "true", 1, 0, None]),
    "clip": ("clip", [-1, "nan", float("inf"), "-inf", "", "one", None, True]),
    "warmup": ("warmup", [-1, 1.5, "1e3", "", None, True, "nan"]),
    "horizon": ("horizon", [0, -5, 2.5, "", None, True, "inf"]),
}


@pytest.mark.parametrize(
    ("attribute", "bad"), [(name, bad) for name, (_, row) in FIELDS.items() for bad in row]
)
def test_a_bad_setting_is_refused_by_its_option_s_name(attribute, bad):
    with pytest.raises(UserError) as caught:
        OptimizerSpec(**{attribute: bad})
    assert caught.value.field == FIELDS[attribute][0]
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200


def test_every_setting_is_checked():
    assert set(FIELDS) == set(OptimizerSpec.__dataclass_fields__)


def test_settings_are_read_as_people_write_them():
    typed = OptimizerSpec(
        "adamw", " 0.8 ", "0.7", "0.99", ".5", "1e-6", "0.01", False, "5", "cosine", "10", " 200 "
    )
    assert typed == OptimizerSpec("adamw", 0.8, 0.7, 0.99, 0.5, 1e-6, 0.01, False, 5.0, "cosine", 10, 200)
    assert hash(typed) == hash(
        OptimizerSpec("adamw", 0.8, 0.7, 0.99, 0.5, 1e-6, 0.01, False, 5, "cosine", 10, 200)
    )


def test_zero_is_a_setting_where_it_means_none():
    spec = OptimizerSpec(momentum=0, beta2="0", weight_decay="0.0", clip=0, warmup=0)
    assert (spec.momentum, spec.beta2, spec.weight_decay, spec.clip, spec.warmup) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("epsilon", [5e-324, 1e-50, 2.0**-150, 1e-45, 1e-44, 1e-8])
def test_an_epsilon_is_refused_where_the_precision_of_the_network_makes_it_zero(epsilon):
    for dtype in ("float32", "float64"):
        refused = False
        try:
            check_epsilon(OptimizerSpec("adam", epsilon=epsilon), dtype)
        except UserError:
            refused = True
        assert refused == (np.dtype(dtype).type(epsilon) == 0)
    check_epsilon(OptimizerSpec("sgd", epsilon=epsilon), "float32")


def test_without_weight_decay_its_scope_is_the_default():
    assert OptimizerSpec(decay_bias=False) == OptimizerSpec()
    assert OptimizerSpec(weight_decay=0.1, decay_bias=False) != OptimizerSpec(weight_decay=0.1)


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_every_optimizer_has_defaults(name):
    assert OptimizerSpec(name).name == name


def test_choosing_an_optimizer_loads_no_numpy():
    code = "import sys, tui_backprop.engine.training.optimizer_spec; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
