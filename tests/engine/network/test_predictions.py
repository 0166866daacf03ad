"""The class that outputs predict; none where softmax, sigmoid or loss would be NaN or infinite."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tui_backprop.engine.network.predictions import NO_CLASS, predicted_classes, prediction_of
from tui_backprop.engine.primitives.losses import LOSSES

NUMBERS = (-np.inf, -3.0, 0.2, 0.9, np.inf, np.nan)
ROWS = np.array(list(product(NUMBERS, repeat=3)))
PROBABILITIES = [name for name, row in LOSSES.items() if row.labels]


def softmax(z):
    with np.errstate(all="ignore"):
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("loss", PROBABILITIES)
def test_a_class_is_predicted_where_softmax_is_finite_and_only_there(loss):
    found, p = predicted_classes(ROWS, loss), softmax(ROWS)
    finite = np.isfinite(p).all(axis=1)
    assert 0 < finite.sum() < len(ROWS)
    assert ((found != NO_CLASS) == finite).all()
    assert (found[finite] == p[finite].argmax(axis=1)).all()


def test_an_infinite_logit_among_finite_ones_predicts_nothing_and_a_negative_one_loses():
    z = np.array([[np.inf, 0.0, 1.0], [-np.inf, 0.0, 1.0]])
    assert np.isnan(softmax(z)[0]).any()
    assert predicted_classes(z, LOSSES["cross-entropy"]).tolist() == [NO_CLASS, 2]


def test_a_single_output_is_held_against_its_threshold_if_it_is_finite():
    one = np.array([[0.7], [0.3], [-0.1], [np.nan], [np.inf], [-np.inf]])
    assert predicted_classes(one, LOSSES["binary-cross-entropy"]).tolist() == [1, 1, 0, -1, -1, -1]
    for squares in ("mse", "half-squares"):  # the targets are 0 and 1
        assert predicted_classes(one, LOSSES[squares]).tolist() == [1, 0, 0, -1, -1, -1]


@pytest.mark.parametrize(
    ("z", "t", "words", "correct"),
    [
        ([0.3, 0.5], 1, "predicted 1: correct", True),
        ([0.3, 0.5], 0, "predicted 1: wrong", False),
        ([np.nan, 0.5], 0, "no prediction: an output is NaN", False),
        ([np.nan, 0.5], 1, "no prediction: an output is NaN", False),
        ([np.inf, 0.5], 0, "no prediction: an output is ∞", False),
        ([-np.inf, -np.inf], 0, "no prediction: an output is −∞", False),
    ],
)
def test_a_prediction_says_what_it_is_and_nothing_is_never_correct(z, t, words, correct):
    found = prediction_of(np.array(z), np.array(t), LOSSES["cross-entropy"])
    assert (found.words, found.correct, found.label) == (words, correct, t)
    assert found.brief == words.replace(": an output is ", " (") + ")" * words.startswith("no")
