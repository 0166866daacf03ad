"""The ranking of all parameters, against a sort of all of them."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.analysis import ranking as blame
from tui_backprop.engine.analysis.ranking import MEASURES, named, plain_sgd, ranking
from tui_backprop.engine.arrays.top_k import Top
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots
from tui_backprop.engine.training.update_rules import UPDATE_RULES

SPEC = NetworkSpec((6, 9, 9, 4), "tanh", dtype="float64", layer_norm=True)
DEFINED = {
    "gradient": lambda w, g, alpha: np.abs(g),
    "update": lambda w, g, alpha: alpha * g**2,
    "weight x gradient": lambda w, g, alpha: np.abs(w * g),
}


def iteration(spec=SPEC, change=lambda named: None):
    rng = np.random.default_rng(0)
    parameters = initial_parameters(spec)
    change(spec.graph.views(parameters))
    update = Update(rng.normal(size=(3, 6)).astype(spec.dtype), np.array([0, 1, 3]), 0.1)
    return run_iteration(spec, update, TrainingState(0, parameters))


@pytest.mark.parametrize("block", [7, 2**18])
@pytest.mark.parametrize("layer", [None, 1, 2, 3])
@pytest.mark.parametrize("measure", MEASURES)
def test_the_ranking_is_that_of_a_whole_sort(monkeypatch, measure, layer, block):
    monkeypatch.setattr(blame, "RANKED_BLOCK", block)
    found = ranking(iteration(), measure, 12, layer)
    scores = []
    for name, w in SPEC.graph.views(iteration().program.parameters).items():
        if layer in (None, int(name[1:])):
            g = iteration().tensor(f"d{name}")
            every = DEFINED[measure](w, g, 0.1)
            scores += [(every[at], name, at, w[at], g[at]) for at in np.ndindex(w.shape)]
    scores.sort(key=lambda entry: -entry[0])
    assert [(c.tensor, c.index) for c in found] == [(name, at) for _, name, at, _, _ in scores[:12]]
    for attribution, (score, _, _, w, g) in zip(found, scores, strict=False):
        assert (attribution.value, attribution.gradient) == (w, g)
        assert attribution.score == pytest.approx(score, rel=1e-14)


def by(optimizer, iterations=3):
    """The last of some updates of one batch."""
    rng, state = (
        np.random.default_rng(0),
        TrainingState(0, initial_parameters(SPEC), new_slots(optimizer, SPEC.parameters, SPEC.dtype)),
    )
    update = Update(rng.normal(size=(3, 6)), np.array([0, 1, 3]), 0.1)
    for _ in range(iterations):
        iteration = run_iteration(SPEC, update, state, optimizer)
        state = iteration.after
    return iteration


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_the_share_of_an_update_is_what_that_optimizer_moves_times_the_gradient(name):
    iteration = by(OptimizerSpec(name, weight_decay=0.01, clip=0.5))
    moved = iteration.after.parameters - iteration.program.parameters
    sizes = np.sort(np.abs(moved * iteration.program.gradient))[::-1][:20]
    found = ranking(iteration, "update", 20)
    np.testing.assert_allclose([attribution.score for attribution in found], sizes, rtol=1e-12)
    assert named(iteration, "update", found[3].tensor, found[3].index) == found[3]


@pytest.mark.parametrize(
    ("optimizer", "alike"),
    [
        (OptimizerSpec(), True),
        (OptimizerSpec(clip=0.1), True),
        (OptimizerSpec(weight_decay=0.3), False),
        (OptimizerSpec("adam"), False),
        (OptimizerSpec("rmsprop"), False),
    ],
)
def test_only_plain_gradient_descent_ranks_updates_as_it_ranks_gradients(optimizer, alike):
    assert plain_sgd(optimizer) is alike
    orders = [
        [(c.tensor, c.index) for c in ranking(by(optimizer), measure, 60)]
        for measure in ("gradient", "update")
    ]
    assert (orders[0] == orders[1]) is alike


def test_dead_weights_are_not_blamed():
    spec = NetworkSpec((6, 4), "tanh", dtype="float64", init="zeros", bias=False)
    assert ranking(iteration(spec), "weight x gradient").attributions == ()
    assert len(ranking(iteration(spec), "gradient", 100)) == 24


def test_a_gradient_that_is_no_number_hides_no_other():
    def spoil(named):
        named["W1"][0, 0] = np.nan

    found = ranking(iteration(change=spoil), "weight x gradient", 5)
    assert all(np.isfinite(attribution.score) for attribution in found)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("block", [7, 2**18])
def test_scores_that_are_not_finite_have_no_rank_and_are_counted(monkeypatch, block, bad):
    monkeypatch.setattr(blame, "RANKED_BLOCK", block)
    whole = iteration()
    gradient = whole.program.gradient.copy()
    at = np.abs(gradient).argsort()[::-1][:3]
    spoiled = gradient.copy()
    spoiled[at] = bad
    whole.program.gradient.setflags(write=True)
    whole.program.gradient[:] = spoiled
    found = ranking(whole, "gradient", 10**6)
    assert found.unranked == 3
    assert found.scored == len(gradient)
    rest = np.delete(np.abs(gradient), at)
    assert [each.score for each in found] == pytest.approx(sorted(rest[rest > 0])[::-1])
    assert found.words == f"3 of {len(gradient)} scores are NaN or infinite, and not ranked"
    whole.program.gradient[:] = bad
    none = ranking(whole, "gradient", 10)
    assert (len(none), none.words) == (0, f"all {len(gradient)} scores are NaN or infinite, and not ranked")


@pytest.mark.parametrize("most", [1, 5, 40])
@pytest.mark.parametrize("piece", [1, 3, 100])
def test_top_keeps_the_largest_of_all_pieces(most, piece):
    values = np.random.default_rng(1).integers(-9, 10, 30).astype(float)
    top = Top(most)
    for start in range(0, 30, piece):
        top.add(start, values[start : start + piece])
    order = [i for i in np.argsort(-np.abs(values), kind="stable") if values[i]][:most]
    assert np.abs(top.values).tolist() == np.abs(values[order]).tolist()
    assert values[top.places].tolist() == top.values.tolist()
    assert len(set(top.places.tolist())) == len(top.places)


@pytest.mark.parametrize("most", [1, 3, 7, 300])
@pytest.mark.parametrize("piece", [10, 64, 500])
def test_of_equal_numbers_the_earlier_come_first(most, piece):
    values = np.random.default_rng(2).integers(-3, 4, 500).astype(float)
    top = Top(most)
    for start in range(0, 500, piece):
        top.add(start, values[start : start + piece])
    order = [i for i in np.argsort(-np.abs(values), kind="stable") if values[i]][:most]
    assert top.places.tolist() == order


def test_top_is_not_deceived_by_nan():
    top = Top(2)
    top.add(0, np.array([np.nan, 1.0, -3.0, np.nan, 2.0]))
    assert (top.places.tolist(), top.values.tolist()) == ([2, 4], [-3.0, 2.0])
