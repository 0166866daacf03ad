"""The advice of the flow panel, followed on a few fixed runs; benchmarks/advice.py has 20 of each remedy."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from tui_backprop.engine.analysis.health_rules import HEALTH_RULES, callouts
from tui_backprop.engine.analysis.judged import FitState
from tui_backprop.engine.analysis.remedies import Setup
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec


def _benchmark():
    path = Path(__file__).parents[3] / "benchmarks" / "advice.py"
    spec = spec_from_file_location("benchmarks_advice", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    spec.loader.exec_module(module)
    return module


advice = _benchmark()
REPORTS = (0, 10, 100, 500)
# (rule, number of its case, kind of network, numbers of networks): all remedies help in all but one run at most.
RUNS = [
    ("not finite", 0, "huge weights", (1,)),
    ("not finite", 1, "high rate", (2, 6, 7)),
    ("twin units", 0, "equal weights", (0, 1)),
    ("twin units", 0, "negative weights", (0,)),
    ("no gradient", 0, "narrow and deep", (0, 3)),
    ("exploding", 0, "large weights", (3, 5, 6)),
    ("vanishing", 0, "deep", (1, 2, 3)),
    ("stuck", 0, "no hidden layer", (4, 6, 7)),
    ("update too large", 0, "high rate", (2, 3)),
    ("update too small", 0, "low rate", (0, 1, 2)),
]


@pytest.mark.parametrize(
    ("name", "number", "kind", "runs"), RUNS, ids=[f"{row[0]}, {row[2]}" for row in RUNS]
)
def test_a_remedy_helps_the_runs_that_get_it(name, number, kind, runs):
    rule = next(rule for rule in HEALTH_RULES if rule.name == name)
    case = rule.cases[number]
    helped = dict.fromkeys(case.remedies, 0)
    applied = dict.fromkeys(case.remedies, 0)
    for i in runs:
        run = advice.train(*advice.drawn(kind, i), REPORTS)
        assert case in advice.advised(run, rule)
        for remedy in case.remedies:
            if remedy.change(run.setup):
                applied[remedy] += 1
                helped[remedy] += advice.better(advice.follow(remedy, run), run.end)
    assert max(applied.values()) == len(runs)
    for remedy in case.remedies:
        assert helped[remedy] >= applied[remedy] - 1, remedy.words


def test_what_is_advised_to_two_units_stuck_at_xor_solves_it():
    spec = NetworkSpec((2, 2, 1), "relu", "binary-cross-entropy", seed=1)
    run = advice.train(Setup(spec, OptimizerSpec(), 0.5, 4), "xor", (3000,))
    (call,) = callouts(run.end)
    assert (call.name, run.end.fit.error, run.end.fit.state) == ("stuck", 0.25, FitState.STUCK)
    assert len(call.advice) == 2
    for remedy in call.advice:
        end = advice.follow(remedy, run)
        assert end.fit.error == 0
        assert end.fit.loss < 0.05


def test_sound_networks_are_called_out_only_rarely():
    """Of 10 networks without a fault that end with few errors, one at most ever gets a callout on the way."""
    called, i = [], 0
    while len(called) < 10:
        run = advice.train(*advice.drawn("sound", i), (0, 50, 500))
        i += 1
        if run.end.fit.state is FitState.LEARNED:
            called.append(any(callouts(report) for report in run.reports))
            assert not callouts(run.end)
    assert sum(called) <= 1
