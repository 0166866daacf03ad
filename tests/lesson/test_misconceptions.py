"""The table of misconceptions: complete, each row with a place that exists."""

from __future__ import annotations

import pytest

from tests.engine.mutants.networks import dense
from tui_backprop.engine.mutants.answers import Answers, Diagnosis
from tui_backprop.engine.mutants.mutant import Asked
from tui_backprop.engine.mutants.table import MUTANTS
from tui_backprop.keys.panel_table import ROWS as PANELS
from tui_backprop.lesson import misconceptions_in_words, misconceptions_with_numbers
from tui_backprop.lesson.captions import CAPTIONS
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS, told

WITH_NUMBERS = {row.name for row in misconceptions_with_numbers.ROWS}
TEACHING = {  # the numbers of the list that the lesson was planned from
    1: "perturbing-is-as-good", 2: "numerical-in-training", 3: "backprop-is-descent", 4: "backward-updates",
    5: "grad-replaced", 6: "last-path-only", 7: "counted-twice", 8: "updated-later-weights",
    9: "through-the-gradient", 10: "slope-as-matrix", 11: "error-is-delta", 12: "composition-is-product",
    13: "no-slope", 14: "sign-lost", 15: "sum-not-mean", 16: "zero-weight-zero-gradient",
    17: "zero-init-same-loss", 18: "zero-mean-zero-below", 19: "slope-from-error", 20: "any-stack-learns",
    21: "first-nan-is-culprit", 22: "reverse-required", 23: "autodiff-is-symbolic", 24: "zero-before-backward",
    25: "learns-while-used", 26: "bias-fixed", 27: "largest-gradient-matters", 28: "no-transpose",
    29: "smaller-step-better", 30: "gradient-points-to-minimum",
}  # fmt: skip


def test_every_mutant_is_refuted_and_every_number_has_a_mutant():
    assert MUTANTS.keys() == WITH_NUMBERS


def test_the_list_of_known_misconceptions_is_complete():
    assert sorted(TEACHING) == list(range(1, 31))
    assert {*TEACHING.values()} <= MISCONCEPTIONS.keys()
    with_a_number = {*range(4, 17), 18, 19, 24, 26, 28, 29}
    assert {TEACHING[number] for number in with_a_number} <= WITH_NUMBERS


def test_no_row_is_there_twice_in_name_or_words():
    rows = (*misconceptions_with_numbers.ROWS, *misconceptions_in_words.ROWS)
    for field in ("name", "idea", "refutation"):
        assert len({getattr(row, field) for row in rows}) == len(rows)


@pytest.mark.parametrize("row", MISCONCEPTIONS.values(), ids=lambda row: row.name)
def test_a_row_is_one_idea_with_a_refutation_and_a_place(row):
    assert row.idea.endswith(".")
    assert row.refutation.endswith(".")
    assert len(row.idea) <= 80
    assert len(row.refutation) <= 120
    assert row.panel in {panel.name for panel in PANELS}
    assert not row.step or (row.panel == "walk" and row.step in CAPTIONS)
    assert row.source


def test_a_number_is_explained_by_the_idea_it_comes_from():
    answers, asked = (
        Answers(dense((3, 4, 2), "tanh", "binary-cross-entropy")),
        Asked("gradient", "W1", (1, 2)),
    )
    said = told(answers.diagnose(asked, answers.wrong(asked)["no-slope"]))
    assert said.startswith("This is what comes out without the slope f'(z). delta is the gradient")
    assert told(answers.diagnose(asked, answers.right(asked))) == "Right."
    assert told(Diagnosis(False, ())) == ""
