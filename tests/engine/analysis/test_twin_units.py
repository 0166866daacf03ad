"""Twin units are those with equal weights in and out; they stay equal in training, and no other unit is a twin."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.analysis.reports import SETUP
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis.gradient_flow import flow
from tui_backprop.engine.analysis.health_rules import callouts
from tui_backprop.engine.analysis.twin_units import twin_units
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots
from tui_backprop.engine.training.training import Training


def started(spec, change=lambda named: None, optimizer=OptimizerSpec(), batch=32):
    parameters = initial_parameters(spec)
    change(spec.graph.views(parameters))
    given = cut(spec, "moons", 0, batch)
    state = TrainingState(0, parameters, new_slots(optimizer, spec.parameters, spec.dtype))
    return run_iteration(spec, Update(given.x, given.t, 0.1), state, optimizer)


def pair(named):
    """Make units 1 and 4 of the first layer equal."""
    named["W1"][:, 4] = named["W1"][:, 1]
    named["W2"][4] = named["W2"][1]


def test_units_with_equal_weights_in_and_out_are_twins():
    spec = NetworkSpec((2, 6, 5, 2), "tanh", seed=1)
    assert twin_units(started(spec)) == {1: (), 2: ()}
    assert twin_units(started(spec, pair)) == {1: ((1, 4),), 2: ()}
    report = flow(started(spec, pair))
    (call,) = (call for call in callouts(report) if call.name == "twin units")
    assert call.finding == "a1[1] and a1[4] get equal gradients for ever"


@pytest.mark.parametrize("tensor", ["W1", "b1", "W2", "γ1", "β1"])
def test_units_that_differ_in_one_parameter_are_none(tensor):
    spec = NetworkSpec((2, 6, 2), "tanh", seed=1, layer_norm=True)

    def almost(named):
        pair(named)
        assert tensor in named
        named[tensor][(4, 0) if tensor == "W2" else (..., 4)] += 1e-3

    assert twin_units(started(spec, pair))[1] == ((1, 4),)
    assert twin_units(started(spec, almost))[1] == ()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("init", ["constant:0.3", "zeros", "constant:-0.2"])
def test_twins_stay_equal_in_training(optimizer, init):
    spec, rule = NetworkSpec((2, 5, 5, 2), "tanh", init=init), OptimizerSpec(optimizer)
    assert twin_units(started(spec, optimizer=rule)) == dict.fromkeys((1, 2), ((0, 1, 2, 3, 4),))
    whole = cut(spec, "moons", 0, 400)
    training = Training(spec, rule, 0)
    named = spec.graph.views(
        training.state(300, lambda t: Update(whole.x[t : t + 32], whole.t[t : t + 32], 0.05)).parameters
    )
    for k in (1, 2):
        assert np.ptp(named[f"W{k}"], axis=1).max() <= 1e-5
        assert np.ptp(named[f"W{k + 1}"], axis=0).max() <= 1e-5


def test_dropout_parts_all_units():
    spec = NetworkSpec((2, 6, 6, 2), "tanh", init="constant", dropout=0.5)
    assert twin_units(started(spec, batch=1)) == {}


def test_a_residual_connection_from_the_input_parts_all_units():
    spec = NetworkSpec((2, 2, 2, 2), "tanh", init="constant", residual=True)
    same = started(spec, lambda named: None, batch=1)
    assert twin_units(same) == {1: (), 2: ()}


def test_layers_joined_by_a_residual_connection_share_their_twins():
    spec = NetworkSpec((2, 6, 6, 2), "tanh", seed=1, residual=True)

    def joined(named):
        pair(named)
        named["W2"][:, 4] = named["W2"][:, 1]
        named["W3"][4] = named["W3"][1]

    assert twin_units(started(spec, pair)) == {1: (), 2: ()}
    assert twin_units(started(spec, joined)) == {1: ((1, 4),), 2: ((1, 4),)}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_no_twin(value):
    def spoil(named):
        named["W1"][:] = value

    assert twin_units(started(NetworkSpec((2, 6, 2)), spoil))[1] == ()


def test_many_twins_are_counted():
    report = flow(started(NetworkSpec((2, 8, 2), init="constant")))
    assert callouts(report)[0].finding == "8 equal units of layer 1 get equal gradients for ever"
    assert [remedy.words for remedy in callouts(report)[0].advice] == [
        "he weights (xavier for tanh and sigmoid)"
    ]
    assert SETUP.network.init == "he"


def test_units_without_a_gradient_that_differ_in_their_outgoing_weights_are_none():
    def off(named):
        named["W1"][:, 4] = named["W1"][:, 1]
        named["b1"][[1, 4]] = -100

    assert twin_units(started(NetworkSpec((2, 6, 2), seed=1), off))[1] == ()
