"""Which wrong idea a number comes from, and how often that can be told."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from tests.engine.mutants.networks import dense
from tui_backprop.engine.mutants import answers as answers_module
from tui_backprop.engine.mutants.answers import Answers, close, distinct
from tui_backprop.engine.mutants.mutant import Asked
from tui_backprop.engine.mutants.table import MUTANTS


def _benchmark():
    path = Path(__file__).parents[3] / "benchmarks" / "mutants.py"
    spec = spec_from_file_location("benchmarks_mutants", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    spec.loader.exec_module(module)
    return module


ITERATION = dense((3, 4, 2), "tanh", "binary-cross-entropy")
ANSWERS = Answers(ITERATION)
W1 = Asked("gradient", "W1", (1, 2))


def names(found):
    return [mutant.name for mutant in found.mutants]


def test_the_right_number_is_right_also_when_rounded():
    right = ANSWERS.right(W1)
    assert right == ITERATION.program.cotangents["W1"][1, 2]
    for value in (right, float(f"{right:.3g}")):
        assert ANSWERS.diagnose(W1, value).right
    assert not ANSWERS.diagnose(W1, right).mutants


@pytest.mark.parametrize("name", ["no-slope", "sum-not-mean", "loss-as-seed", "updated-later-weights"])
def test_a_wrong_number_is_named_by_its_idea_also_when_rounded(name):
    number = ANSWERS.wrong(W1)[name]
    for value in (number, float(f"{number:.3g}")):
        found = ANSWERS.diagnose(W1, value)
        assert not found.right
        assert name in names(found)


def test_a_number_of_nobody_is_named_by_no_idea():
    for value in (0.1234, -17, float("nan"), float("inf"), 1e300):
        found = ANSWERS.diagnose(W1, value)
        assert (found.right, found.mutants) == (False, ())


@pytest.mark.parametrize(
    ("what", "name", "index", "number"),
    [
        ("accumulated", "W1", (0, 0), lambda it: 2 * it.program.cotangents["W1"][0, 0]),
        ("after backward", "W1", (0, 0), lambda it: it.program.values["W1"][0, 0]),
        ("updated", "b1", (2,), lambda it: -0.5 * it.program.cotangents["b1"][2]),
        ("quotient", "W2", (1, 0), lambda it: it.program.cotangents["W2"][1, 0]),
    ],
)
def test_what_can_be_asked(what, name, index, number):
    assert ANSWERS.right(Asked(what, name, index)) == pytest.approx(number(ITERATION), rel=1e-3)


@pytest.mark.parametrize(
    ("what", "name", "index", "mutant", "number"),
    [
        ("accumulated", "W1", (0, 0), "grad-replaced", lambda w, g: g),
        ("after backward", "W1", (0, 0), "backward-updates", lambda w, g: w - 0.5 * g),
        ("updated", "b1", (2,), "bias-fixed", lambda w, g: 0),
        ("updated", "W1", (2, 2), "ascent", lambda w, g: w + 0.5 * g),
        ("updated", "W1", (2, 2), "rate-left-out", lambda w, g: w - g),
        ("updated", "W1", (2, 2), "step-is-weight", lambda w, g: -0.5 * g),
        ("updated", "W1", (2, 2), "grad-not-cleared", lambda w, g: w - g),
        ("quotient", "W1", (2, 2), "not-divided", lambda w, g: 1e-4 * g),
        ("quotient", "W1", (2, 2), "downhill-quotient", lambda w, g: -g),
        ("quotient", "W1", (2, 2), "smaller-step-better", lambda w, g: 0),
        ("quotient", "W1", (2, 2), "loss-over-step", lambda w, g: ITERATION.loss / 1e-4 + g),
    ],
)
def test_the_wrong_numbers_of_updates_and_quotients(what, name, index, mutant, number):
    program = ITERATION.program
    w, g = float(program.values[name][index]), float(program.cotangents[name][index])
    assert ANSWERS.wrong(Asked(what, name, index))[mutant] == pytest.approx(number(w, g), rel=1e-3)


def test_a_weight_says_nothing_about_the_idea_that_biases_are_fixed():
    assert "bias-fixed" not in ANSWERS.wrong(Asked("updated", "W1", (0, 0)))


def test_every_mutant_says_something_about_something():
    said = set()
    for asked in (
        W1,
        Asked("accumulated", "W1", (0, 0)),
        Asked("after backward", "W1", (0, 0)),
        Asked("updated", "b1", (0,)),
        Asked("quotient", "W1", (0, 0)),
    ):
        said |= ANSWERS.wrong(asked).keys()
    elsewhere = {
        "composition-is-product", "no-transpose", "transposed-gradient", "own-factor", "last-path-only",
        "first-path-only", "counted-twice", "only-target", "constant-statistics", "no-dropout-mask", "no-penalty",
        "error-is-delta", "last-use-only", "mean-of-uses", "softmax-diagonal", "no-causal-mask", "no-constant-factor",
    }  # fmt: skip
    assert said == MUTANTS.keys() - elsewhere


def test_a_name_or_an_index_that_is_not_there_is_refused():
    with pytest.raises(KeyError):
        ANSWERS.right(Asked("gradient", "W9", (0, 0)))
    with pytest.raises(IndexError):
        ANSWERS.right(Asked("gradient", "W1", (9, 0)))


def test_close_numbers_agree_to_three_digits():
    assert close(0.0371, 0.03714)
    assert not close(0.0371, 0.0375)
    assert not close(0.0371, -0.0371)
    assert close(0.0, 0.0)
    assert not close(0.0, 1e-9)
    assert not distinct({"": 1.0, "one": 1.004, "other": 2.0}, "one")
    assert distinct({"": 1.0, "one": 1.004, "other": 2.0}, "other")


def test_the_entry_asked_for_depends_on_the_seed_and_tells_ideas_apart():
    asked = set()
    for seed in range(4):
        found = ANSWERS.telling("gradient", "W1", np.random.default_rng(seed))
        again = ANSWERS.telling("gradient", "W1", np.random.default_rng(seed))
        assert found == again
        entry, numbers = found
        assert len(numbers) > 8
        assert all(distinct(numbers, name) for name in numbers)
        asked.add(entry.index)
    assert len(asked) > 1


def test_passes_of_mutants_are_kept_for_small_networks_only(monkeypatch):
    small, large = Answers(ITERATION), Answers(ITERATION)
    monkeypatch.setattr(answers_module, "MOST_KEPT", 0)
    assert not large._small
    for what in ("gradient", "updated"):
        asked = Asked(what, "W1", (1, 2))
        assert large.wrong(asked) == ANSWERS.wrong(asked)
    assert not large._programs
    monkeypatch.undo()
    small.wrong(W1)
    assert small._programs


def test_nothing_is_asked_where_no_idea_differs():
    assert ANSWERS.telling("gradient", "W1", np.random.default_rng(0), ["no-penalty"]) is None


def test_nearly_all_wrong_numbers_of_random_networks_are_told_apart():
    """Of 25 networks; benchmarks/mutants.py has 200."""
    found = _benchmark().tally(25)
    assert found.many > 300
    assert found.told / found.many >= 0.95
