"""Presets reproduce the numbers that were published, to all digits."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.session.training_curve import score
from tui_backprop.session.transitions import after_training


def published(number, text):
    """Return True if a number is the published one, to the digits that were printed."""
    digits = len(text.partition(".")[2])
    return f"{number:.{digits}f}" == text or abs(number - float(text)) <= 10.0**-digits  # some were cut off


# https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/
MAZUR = (
    ("z1", (0, 0), "0.3775"), ("a1", (0, 0), "0.593269992"), ("a1", (0, 1), "0.596884378"),
    ("z2", (0, 0), "1.105905967"), ("a2", (0, 0), "0.75136507"), ("a2", (0, 1), "0.772928465"),
    ("L", (), "0.298371109"),
    ("da2", (0, 0), "0.74136507"), ("δ2", (0, 0), "0.138498562"), ("dW2", (0, 0), "0.082167041"),
    ("da1", (0, 0), "0.036350306"), ("dW1", (0, 0), "0.000438568"),
)  # fmt: skip
MAZUR_UPDATED = (
    ("W2", (0, 0), "0.35891648"), ("W2", (1, 0), "0.408666186"), ("W2", (0, 1), "0.511301270"),
    ("W2", (1, 1), "0.561370121"), ("W1", (0, 0), "0.149780716"), ("W1", (1, 0), "0.19956143"),
    ("W1", (0, 1), "0.24975114"), ("W1", (1, 1), "0.29950229"),
)  # fmt: skip


@pytest.fixture(scope="module")
def mazur():
    return Replay(0).take(from_preset("mazur"))


@pytest.mark.parametrize(("name", "index", "text"), MAZUR)
def test_mazur_s_pass(mazur, name, index, text):
    assert published(float(mazur.tensor(name)[index]), text)


@pytest.mark.parametrize(("name", "index", "text"), MAZUR_UPDATED)
def test_mazur_s_update(mazur, name, index, text):
    assert published(float(mazur.new[name][index]), text)


def test_goodfellow_s_network_solves_xor():
    """Deep Learning, section 6.1: the rows of hidden values are (0,0), (1,0), (1,0), (2,1)."""
    iteration = Replay(0).take(from_preset("xor-relu"))
    rows = {
        tuple(x): (tuple(h), float(y[0]))
        for x, h, y in zip(*map(iteration.tensor, ("x", "a1", "z2")), strict=True)
    }
    assert rows == {(0, 0): ((0, 0), 0), (0, 1): ((1, 0), 1), (1, 0): ((1, 0), 1), (1, 1): ((2, 1), 0)}
    assert iteration.loss == 0
    assert not np.any(iteration.program.gradient)


# https://cs231n.github.io/optimization-2/: the second value is that of the code on the page, to two digits.
CS231N = {"f": "0.73", "dw0": "-0.20", "dx0": "0.39", "dw1": "-0.39", "dx1": "-0.59", "dw2": "0.20"}


@pytest.mark.parametrize("name", CS231N)
def test_the_sigmoid_neuron_of_cs231n(name):
    assert f"{float(Replay(0).take(from_preset('sigmoid-neuron')).tensor(name)):.2f}" == CS231N[name]


def test_the_network_of_1986_learns_mirror_symmetry_with_weights_of_opposite_signs():
    """Rumelhart, Hinton and Williams, Nature 323: all 64 patterns, and on each side of the middle the weights of both
    hidden units are equal in size and opposite in sign, with ratios 1 : 2 : 4."""
    replay, trained = Replay(0), after_training(from_preset("symmetry"), 3000)
    parameters = replay.state(trained).parameters
    assert score(trained, parameters).accuracy == 1
    w = trained.network.graph.views(parameters)["W1"]
    assert np.abs(w + w[::-1]).max() < 0.05 * np.abs(w).max()
    sizes = np.sort(np.abs(w[:3]), 0)
    assert np.allclose(sizes[1:] / sizes[:2], 2, rtol=0.2)
