"""A frozen layer gets no gradient and is not updated, and nothing is computed for it alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests import calculus
from tui_backprop.engine.analysis.ranking import MEASURES, ranking
from tui_backprop.engine.explain.no_gradient import without_gradient
from tui_backprop.engine.explain.number import number_of
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.explain.zero_gradient import zero_gradients
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, backprop_ratio, parse_frozen
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.gradients.check.compare import compare, compare_along
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session.replay import Replay
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.state import Session
from tui_backprop.session.transitions import after_training
from tui_backprop.support.errors import InputError

SPEC = NetworkSpec((4, 5, 5, 5, 3), "tanh", dtype="float64")
VARIANTS = {
    "plain": {},
    "no bias": {"bias": False},
    "layer norm, residual": {"layer_norm": True, "residual": True},
    "dropout, l2": {"dropout": 0.3, "l2": 0.1, "l2_bias": True},
    "to the input": {"input_gradient": True},
    "output activation": {"loss": "mse", "output_activation": "sigmoid"},
}
FROZEN = [(1,), (1, 2), (2,), (4,), (1, 3, 4), (3, 4)]
each = pytest.mark.parametrize("frozen", FROZEN)
variants = pytest.mark.parametrize("more", VARIANTS.values(), ids=VARIANTS)


def flat(spec, layers, inside):
    """The places of the parameters of some layers, or of the others."""
    graph = spec.graph
    found = [
        np.arange(at.start, at.stop)
        for name, at in graph.slices.items()
        if (graph.block(name) in layers) == inside
    ]
    return np.concatenate(found)


@each
@variants
def test_the_other_gradients_are_the_same_and_those_of_frozen_layers_none(frozen, more):
    free = replace(SPEC, **more)
    spec = replace(free, frozen=frozen)
    one, other = calculus.run(calculus.problem(free, 3)), calculus.run(calculus.problem(spec, 3))
    kept, held = flat(spec, frozen, inside=False), flat(spec, frozen, inside=True)
    np.testing.assert_array_equal(one.gradient[kept], other.gradient[kept])
    assert not other.gradient[held].any()
    written = {visit.writes for visit in spec.graph.backward_visits}
    assert not written.intersection(name for name in spec.graph.parameters if name not in spec.graph.trained)
    if frozen[: len(frozen)] == (1, 2) and not spec.input_gradient:
        assert not {"z1", "z2", "a1"} & written


@each
@variants
def test_the_walk_its_receipts_and_numbers_know_of_no_gradient_there(frozen, more):
    spec = replace(SPEC, frozen=frozen, **more)
    iteration = calculus.take(calculus.problem(spec, 3), optimizer=OptimizerSpec("adam"))
    for grain in ("layer", "equation", "operation"):
        steps = walk(spec, 3, iteration.optimizer, grain)
        assert {step.block for step in steps if step.phase == "update"} == set(range(1, 5)) - set(frozen)
        assert all(step.formula for step in steps)
        for step in steps:
            receipt_rows(iteration, step, 0)
    name = f"W{frozen[0]}"
    number = number_of(iteration, name, (0, 0))
    assert (number.gradient, number.updated, number.moved) == (None, None, None)
    assert zero_gradients(iteration, name, (0, 0))[0].why == "it is frozen"
    for measure in MEASURES:
        assert not {each.tensor[-1] for each in ranking(iteration, measure, 200).attributions} & set(
            map(str, frozen)
        )


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_frozen_parameters_do_not_move_even_with_momentum_and_weight_decay(optimizer):
    spec = OptimizerSpec(optimizer, weight_decay=0.1)
    session = Session(NetworkSpec((2, 4, 4, 2), "tanh"), "moons", optimizer=spec)
    trained = after_training(session, 5)
    frozen = after_training(replace(trained, network=replace(session.network, frozen=(1, 3))), 5)
    back = after_training(replace(frozen, network=session.network), 5)
    replay = Replay()
    states = [replay.take(each).before for each in (trained, frozen, back)]
    held, kept = (flat(session.network, (1, 3), inside) for inside in (True, False))
    np.testing.assert_array_equal(states[0].parameters[held], states[1].parameters[held])
    for slot in states[0].slots:
        np.testing.assert_array_equal(states[0].slots[slot][held], states[1].slots[slot][held])
    assert (states[0].parameters[kept] != states[1].parameters[kept]).all()
    assert (states[1].parameters[held] != states[2].parameters[held]).any()
    assert decode(encode(back)) == back
    np.testing.assert_array_equal(Replay(0).take(back).before.parameters, states[2].parameters)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_differentiates_by_the_others_alone(method):
    given = calculus.problem(replace(SPEC, frozen=(1, 3)), 2)
    held = flat(given.spec, (1, 3), inside=True)
    found = METHODS[method].gradient(given)
    assert not found[held].any()
    assert found[given.positions].all()


def test_a_check_compares_the_others_alone():
    given = calculus.problem(replace(SPEC, frozen=(1, 3)), 2)
    for report in (compare(given), compare(given, entries=None), compare_along(given)):
        assert [tensor.tensor for tensor in report.tensors] == ["W2", "b2", "W4", "b4"]
        assert report.passed


def test_the_ratio_of_multiply_accumulates_follows():
    widths = NetworkSpec((4, 5, 5, 3))
    total = widths.weights
    assert backprop_ratio(widths) == pytest.approx((3 * total - 20) / total)
    assert backprop_ratio(replace(widths, frozen=(1,))) == pytest.approx((total + 25 + 2 * 15) / total)
    assert backprop_ratio(replace(widths, frozen=(1, 2))) == pytest.approx((total + 15) / total)
    assert backprop_ratio(replace(widths, frozen=(3,))) == pytest.approx((total + 15 + 2 * 25 + 20) / total)


def test_it_is_said_what_gets_no_gradient_and_why():
    frozen = without_gradient(replace(SPEC, frozen=(1, 2)).graph)
    assert frozen == (
        "W1, b1, W2 and b2 are frozen (requires_grad=False): no gradient, no weight decay, no update",
        "the backward pass ends at layer 3: nothing below it needs a gradient",
    )
    assert without_gradient(SPEC.graph) == ()
    assert len(without_gradient(replace(SPEC, frozen=(2,)).graph)) == 1
    detached = without_gradient(ExpressionSpec("detach(w) * v", "w=1, v=2").graph)
    assert detached == (
        "no gradient flows back through detach(w): there, it is a constant",
        "w gets no gradient: the loss depends on it through detach alone",
    )


def test_layers_to_freeze_are_read_and_refused_in_one_line():
    assert parse_frozen("2, 1") == (2, 1)
    assert parse_frozen("none") == parse_frozen("") == ()
    assert replace(SPEC, frozen=(2, 1, 2)).frozen == (1, 2)
    for layers in ((5,), (0,), (1, 2, 3, 4)):
        with pytest.raises(InputError) as error:
            replace(SPEC, frozen=layers)
        assert error.value.field == "freeze"
    with pytest.raises(InputError):
        parse_frozen("1,x")
