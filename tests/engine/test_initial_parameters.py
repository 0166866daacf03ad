"""The first weights: how large, and the same for a seed everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.network import initial_parameters, views
from tui_backprop.engine.spec import INITS, NetworkSpec

SPEC = NetworkSpec((20, 30, 40, 5), dtype="float64")
FIRST = [
    0.5692842253777216,
    -1.3520300387176956,
    -2.472504394987195,
    0.6602819518234484,
]  # numpy keeps its streams


def named(spec):
    return views(initial_parameters(spec), spec)


@pytest.mark.parametrize("init", INITS)
def test_the_same_seed_gives_the_same_weights(init):
    spec = replace(SPEC, init=init)
    np.testing.assert_array_equal(initial_parameters(spec), initial_parameters(spec))


def test_another_seed_gives_other_weights():
    assert not np.any(named(SPEC)["W1"] == named(replace(SPEC, seed=1))["W1"])


@pytest.mark.parametrize("init", INITS)
def test_single_precision_weights_are_the_double_precision_ones_rounded(init):
    double = initial_parameters(replace(SPEC, init=init))
    single = initial_parameters(replace(SPEC, init=init, dtype="float32"))
    np.testing.assert_array_equal(single, double.astype(np.float32))


def test_the_first_weights_of_seed_zero_are_these_on_every_machine():
    w = named(NetworkSpec((2, 2, 1), init="lecun", dtype="float64"))["W1"]
    np.testing.assert_allclose(w.ravel(), FIRST, rtol=1e-15)


def test_another_width_leaves_the_weights_of_the_other_layers_alone():
    one, other = named(SPEC), named(replace(SPEC, layers=(20, 30, 40, 7)))
    for name in ("W1", "W2"):
        np.testing.assert_array_equal(one[name], other[name])


def test_a_layer_more_leaves_the_weights_of_those_before_it_alone():
    one, other = named(SPEC), named(replace(SPEC, layers=(20, 30, 40, 5, 5)))
    for name in ("W1", "W2", "W3"):
        np.testing.assert_array_equal(one[name], other[name])


def test_leaving_the_biases_out_leaves_the_weights_alone():
    one, other = named(SPEC), named(replace(SPEC, bias=False))
    for name in ("W1", "W2", "W3"):
        np.testing.assert_array_equal(one[name], other[name])


def test_layers_of_one_shape_have_weights_of_their_own():
    weights = named(NetworkSpec((8, 8, 8), dtype="float64"))
    assert not np.any(weights["W1"] == weights["W2"])


@pytest.mark.parametrize(
    ("init", "std"),
    [("he", (2 / 400) ** 0.5), ("xavier", (2 / 600) ** 0.5), ("lecun", (1 / 400) ** 0.5), ("normal", 0.01)],
)
def test_the_spread_is_the_one_its_authors_give(init, std):
    w = named(NetworkSpec((400, 200, 5), init=init, dtype="float64"))["W1"]
    # 80,000 draws: the standard error of their spread is 0.25 per cent, that of their mean 0.35 per cent of it.
    assert w.std() == pytest.approx(std, rel=0.02)
    assert abs(w.mean()) < 0.02 * std


@pytest.mark.parametrize(
    ("init", "std"), [("he", 2**0.5), ("xavier", (2 * 3 / (3 + 5)) ** 0.5), ("normal", 0.01 * 3**0.5)]
)
def test_the_draws_are_the_same_for_every_rule_and_only_their_spread_differs(init, std):
    lecun, other = (named(NetworkSpec((3, 5), init=name, dtype="float64"))["W1"] for name in ("lecun", init))
    np.testing.assert_allclose(other, std * lecun, rtol=1e-14)


@pytest.mark.parametrize("init", INITS)
def test_biases_start_at_zero(init):
    assert not any(b.any() for name, b in named(replace(SPEC, init=init)).items() if name[0] == "b")


def test_zeros_are_zeros():
    assert not initial_parameters(replace(SPEC, init="zeros")).any()
