"""The first weights: how large, the same for a seed everywhere, and drawn in blocks."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.waits import GENEROUS
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network import initializers as initialize
from tui_backprop.engine.network.initializer_rules import INITIALIZERS
from tui_backprop.engine.network.initializers import initial_parameters

SPEC = NetworkSpec((20, 30, 40, 5), dtype="float64", layer_norm=True)
DRAWN = [init for init in INITIALIZERS if init not in ("constant", "zeros")]
each_init = pytest.mark.parametrize("init", [*INITIALIZERS, "normal:0.5", "constant:-2"])

FIRST = (0.5692842253777216, -1.3520300387176956, -2.472504394987195, 0.6602819518234484)
LESSON = {  # of W1 with seed 0, in single precision, as they were before there were blocks
    (0, 0): 0.04066316,
    (0, 1): -0.096573576,
    (0, 255): 0.017617201,
    (1, 0): 0.074517302,
    (400, 100): -0.017884253,
    (783, 255): -0.037392046,
}


def named(spec):
    return spec.graph.views(initial_parameters(spec))


@each_init
def test_the_same_seed_gives_the_same_weights(init):
    spec = replace(SPEC, init=init)
    np.testing.assert_array_equal(initial_parameters(spec), initial_parameters(spec))


def test_another_seed_gives_other_weights():
    assert not np.any(named(SPEC)["W1"] == named(replace(SPEC, seed=1))["W1"])


@each_init
def test_single_precision_weights_are_the_double_precision_ones_rounded(init):
    double = initial_parameters(replace(SPEC, init=init))
    single = initial_parameters(replace(SPEC, init=init, dtype="float32"))
    np.testing.assert_array_equal(single, double.astype(np.float32))


def test_the_first_weights_of_seed_zero_are_these_on_every_machine():
    w = named(NetworkSpec((2, 2, 1), init="lecun", dtype="float64"))["W1"]
    np.testing.assert_allclose(w.ravel(), FIRST, rtol=1e-15)


def test_the_lesson_s_first_weights_are_these():
    w = named(NetworkSpec())["W1"]
    assert {at: float(w[at]) for at in LESSON} == pytest.approx(LESSON, rel=5e-8)


@each_init
@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"layers": (20, 30, 40, 7)}, ("W1", "W2")),
        ({"layers": (20, 30, 40, 5, 5)}, ("W1", "W2", "W3")),
        ({"bias": False, "layer_norm": False, "residual": True, "dropout": 0.5}, ("W1", "W2", "W3")),
    ],
    ids=["another width", "a layer more", "other choices"],
)
def test_a_change_leaves_the_weights_of_the_other_layers_alone(init, change, same):
    one, other = named(replace(SPEC, init=init)), named(replace(SPEC, init=init, **change))
    for name in same:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("init", DRAWN)
def test_layers_of_one_shape_have_weights_of_their_own(init):
    weights = named(NetworkSpec((8, 8, 8), init=init, dtype="float64"))
    assert not np.any(weights["W1"] == weights["W2"])


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("he", (2 / 400) ** 0.5),
        ("xavier", (2 / 600) ** 0.5),
        ("lecun", (1 / 400) ** 0.5),
        ("normal", 0.01),
        ("normal:2.5", 2.5),
    ],
)
def test_the_spread_is_the_one_its_authors_give(init, std):
    w = named(NetworkSpec((400, 200, 5), init=init, dtype="float64"))["W1"]
    # 80,000 draws: the standard error of their spread is 0.25 per cent, that of their mean 0.35 per cent of it.
    assert w.std() == pytest.approx(std, rel=0.02)
    assert abs(w.mean()) < 0.02 * std
    assert np.mean(np.abs(w) < std) == pytest.approx(0.6827, abs=0.01)  # normal


@pytest.mark.parametrize(
    ("init", "std"), [("he", 2**0.5), ("xavier", (2 * 3 / (3 + 5)) ** 0.5), ("normal", 0.01 * 3**0.5)]
)
def test_the_draws_are_the_same_for_every_rule_and_only_their_spread_differs(init, std):
    lecun, other = (named(NetworkSpec((3, 5), init=name, dtype="float64"))["W1"] for name in ("lecun", init))
    np.testing.assert_allclose(other, std * lecun, rtol=1e-14)


@pytest.mark.parametrize("layers", [(5, 9), (9, 5), (7, 7), (1, 4), (4, 1)])
def test_orthogonal_weights_have_orthonormal_rows_or_columns_whichever_are_fewer(layers):
    w = named(NetworkSpec(layers, init="orthogonal", dtype="float64"))["W1"]
    products = w @ w.T if layers[0] <= layers[1] else w.T @ w
    np.testing.assert_allclose(products, np.eye(min(layers)), atol=1e-14)


def test_orthogonal_weights_turn_every_way():
    """A uniform draw has entries of either sign everywhere, with variance 1/n."""
    entries = np.array(
        [named(NetworkSpec((4, 4), init="orthogonal", dtype="float64", seed=s))["W1"] for s in range(400)]
    )
    assert np.abs(entries.mean(axis=0)).max() < 4 * (0.25 / 400) ** 0.5
    np.testing.assert_allclose((entries**2).mean(axis=0), 0.25, atol=0.05)


@each_init
def test_biases_and_shifts_start_at_zero_and_gains_at_one(init):
    for name, array in named(replace(SPEC, init=init)).items():
        if name[0] != "W":
            assert (array == (name[0] == "γ")).all(), name


@pytest.mark.parametrize(
    ("init", "value"), [("zeros", 0), ("constant", 0.1), ("constant:3", 3), ("constant:-2", -2)]
)
def test_constants_are_constant(init, value):
    for name, array in named(replace(SPEC, init=init)).items():
        if name[0] == "W":
            assert (array == value).all()


# --- blocks -----------------------------------------------------------------------------------------------


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(initialize, "STREAM_BLOCK", 100)


@pytest.mark.usefixtures("small_blocks")
def test_a_layer_of_many_blocks_is_the_same_by_one_thread_and_by_many(monkeypatch):
    drawn = []
    for threads in (1, 2, 16):
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        drawn.append(initial_parameters(SPEC))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[0], drawn[2])
    one = np.zeros(SPEC.parameters)
    for layer, w in ((k, SPEC.graph.views(one)[f"W{k}"]) for k in (1, 2, 3)):
        for block in initialize._blocks(w, INITIALIZERS["he"].deviation(*w.shape, 0), SPEC.seed, (layer,)):
            assert block.weights.size <= 100
            block.draw()
    for name, w in SPEC.graph.views(one).items():
        if name[0] == "W":
            np.testing.assert_array_equal(named(SPEC)[name], w)


def test_the_first_block_s_weights_are_those_of_a_layer_in_one_block(monkeypatch):
    whole = named(SPEC)
    monkeypatch.setattr(initialize, "STREAM_BLOCK", 100)
    for name, w in named(SPEC).items():
        if name[0] == "W":
            first = max(1, 100 // w.shape[1])  # rows
            assert 0 < first < len(w)
            np.testing.assert_array_equal(w[:first], whole[name][:first])
            assert not np.any(w[first:] == whole[name][first:])


@pytest.mark.usefixtures("small_blocks")
def test_no_two_blocks_have_the_same_weights():
    weights = np.concatenate([w.ravel() for name, w in named(SPEC).items() if name[0] == "W"])
    scaled = np.round(np.abs(weights), 12)
    assert len(np.unique(scaled)) == len(weights) == SPEC.weights


@pytest.mark.usefixtures("small_blocks")
def test_the_spread_of_many_blocks_is_still_the_right_one():
    w = named(NetworkSpec((400, 200, 5), dtype="float64"))["W1"]
    assert w.std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert np.abs(np.corrcoef(w[:20])[np.triu_indices(20, 1)]).max() < 0.3


@pytest.mark.parametrize("block", [2**20, 100, 1])
def test_progress_is_reported_and_adds_up(monkeypatch, block):
    monkeypatch.setattr(initialize, "STREAM_BLOCK", block)
    seen = []
    initial_parameters(SPEC, watch=lambda done, of: seen.append((done, of)))
    done = [done for done, _ in seen]
    assert {of for _, of in seen} == {SPEC.weights}
    assert done == sorted(set(done))
    assert done[-1] == SPEC.weights
    assert len(done) == {2**20: 3, 100: 7 + 15 + 2, 1: 20 + 30 + 40}[block]


class Enough(Exception):
    pass


@pytest.mark.parametrize("block", [2**20, 100])
def test_an_exception_from_watch_stops_the_work_and_is_raised(monkeypatch, block):
    monkeypatch.setattr(initialize, "STREAM_BLOCK", block)
    monkeypatch.setattr(initialize, "usable_cores", lambda: 1)
    drawn, draw, heard = [], initialize.Block.draw, threading.Event()

    def counted(self):
        if len(drawn) > 1:  # the others are not all done before watch is heard
            assert heard.wait(GENEROUS)
        drawn.append(self.key)
        return draw(self)

    def watch(done, of):
        heard.set()
        raise Enough

    monkeypatch.setattr(initialize.Block, "draw", counted)
    before = threading.active_count()
    with pytest.raises(Enough):
        initial_parameters(SPEC, watch)
    assert len(drawn) < (2 if block == 2**20 else 12)  # of 3, or of 24
    assert threading.active_count() == before
