"""The detail of one parameter: nudges change the loss as predicted, and the samples' gradients add up."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import pytest

from tests.engine.frontends.expressions import take
from tui_backprop.engine.analysis.influence import strongest_path
from tui_backprop.engine.analysis.parameter_detail import ChangedParameter, parameter_detail, sample_gradients
from tui_backprop.engine.analysis.ranking import Attribution, ranking
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset

PLAIN = NetworkSpec((4, 6, 5, 3), "tanh", dtype="float64")
EVERYTHING = replace(PLAIN, layers=(4, 5, 5, 3), layer_norm=True, residual=True, dropout=0.2, l2=0.05)


def iteration(spec, batch=4, lr=0.1):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(batch, spec.layers[0])).astype(spec.dtype)
    update = Update(x, rng.integers(spec.layers[-1], size=batch), lr)
    return run_iteration(
        spec, update, TrainingState(7, rng.normal(scale=0.5, size=spec.parameters).astype(spec.dtype))
    )


def attribution_of(pass_, tensor, index):
    value, gradient = (float(pass_.tensor(name)[index]) for name in (tensor, f"d{tensor}"))
    return Attribution(tensor, index, value, gradient, abs(gradient))


CASES = [
    (spec, name)
    for spec in (PLAIN, EVERYTHING, replace(EVERYTHING, l2_bias=True))
    for name in spec.graph.parameters
]


@pytest.mark.parametrize(("spec", "tensor"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_the_pulls_of_all_samples_and_the_penalty_add_up_to_the_gradient(spec, tensor):
    pass_ = iteration(spec)
    for index in np.ndindex(spec.graph.parameters[tensor]):
        attribution = attribution_of(pass_, tensor, index)
        found = parameter_detail(pass_, attribution)
        assert len(found.sample_gradients) == 4
        total = sum(pull.gradient for pull in found.sample_gradients) + found.penalty
        assert total == pytest.approx(attribution.gradient, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("tensor", ["W1", "b2", "γ1", "W3"])
def test_a_sample_s_pull_is_its_own_gradient_by_the_size_of_the_batch(tensor):
    pass_ = iteration(replace(EVERYTHING, dropout=0.0, l2=0.0))
    index = tuple(size - 1 for size in pass_.spec.graph.parameters[tensor])
    each = sample_gradients(pass_, tensor, index)
    for s in range(4):
        x, t = pass_.tensor("x")[s : s + 1], pass_.tensor("t")[s : s + 1]
        alone = run_iteration(pass_.spec, Update(x, t, 0.1), TrainingState(7, pass_.program.parameters))
        assert each[s] == pytest.approx(float(alone.tensor(f"d{tensor}")[index]) / 4, rel=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", [PLAIN, EVERYTHING])
def test_a_nudge_is_a_real_run_of_the_network_with_that_one_parameter_moved(spec, dtype):
    pass_ = iteration(replace(spec, dtype=dtype))
    attribution = ranking(pass_, "gradient", 1)[0]
    for nudge in ChangedParameter(pass_, attribution).nudges():
        program = Program(spec, 4, pass_.program.parameters.astype(float))
        program.feed(pass_.tensor("x").astype(float), pass_.tensor("t"))
        for name, values in pass_.program.values.items():
            if name[0] == "m":
                program.values[name][...] = values
        base = float(program.forward())
        program.values[attribution.tensor][attribution.index] += nudge.by
        assert nudge.actual_change == pytest.approx(float(program.forward()) - base, rel=1e-6, abs=1e-12)
        assert nudge.predicted_change == attribution.gradient * nudge.by


def test_small_nudges_come_as_predicted_and_the_update_s_own_lowers_the_loss():
    pass_ = iteration(PLAIN, lr=1e-5)
    for attribution in ranking(pass_, "gradient", 20):
        update, _, up, down = ChangedParameter(pass_, attribution).nudges()
        assert update.by == pytest.approx(-1e-5 * attribution.gradient, rel=1e-9)
        assert update.actual_change < 0
        assert update.actual_change == pytest.approx(update.predicted_change, rel=1e-4)
        assert (up.actual_change - down.actual_change) / 0.02 == pytest.approx(attribution.gradient, rel=1e-3)


def test_the_path_is_that_of_the_sample_that_pulls_hardest():
    pass_ = iteration(PLAIN)
    found = parameter_detail(pass_, ranking(pass_, "gradient", 1, layer=1)[0])
    sizes = [abs(pull.gradient) for pull in found.sample_gradients]
    assert sizes == sorted(sizes, reverse=True)
    assert found.sample == found.sample_gradients[0].sample
    assert found.path_product == pytest.approx(prod(hop.factor for hop in found.path))
    best = strongest_path(pass_, found.attribution.tensor, found.attribution.index, found.sample)
    assert (found.path, found.path_ties) == (best.steps, best.ties)


def test_what_is_not_moved_is_not_listed_and_the_pass_stays_as_it_was():
    pass_ = iteration(PLAIN)
    bias = replace(attribution_of(pass_, "b1", (0,)), value=0.0)
    assert [nudge.name for nudge in ChangedParameter(pass_, bias).nudges()] == ["update", "up", "down"]
    with pytest.raises(ValueError, match="read-only"):
        pass_.program.parameters[0] = 1


def test_every_nudge_names_the_prediction_after_it_and_without_classes_nothing_flips():
    pass_ = iteration(PLAIN)
    attribution = ranking(pass_, "gradient", 1)[0]
    found = parameter_detail(pass_, attribution)
    assert found.flips is None
    for nudge in found.nudges:
        program = Program(pass_.spec, pass_.batch, pass_.program.parameters.astype(float))
        program.feed(pass_.tensor("x").astype(float), pass_.tensor("t"))
        program.values[attribution.tensor][attribution.index] += nudge.by
        program.forward()
        assert nudge.predicted_class == int(program.values["z3"][0].argmax())


def test_nudges_start_from_the_loss_in_double_precision():
    pass_ = iteration(replace(PLAIN, dtype="float32"))
    found = parameter_detail(pass_, ranking(pass_, "gradient", 1)[0])
    program = Program(PLAIN, 4, pass_.program.parameters.astype(float))
    program.feed(pass_.tensor("x").astype(float), pass_.tensor("t"))
    assert found.base_loss == pytest.approx(float(program.forward()), rel=1e-14)
    assert found.base_loss != pass_.loss


def test_a_nudge_moves_detached_values_too_and_its_first_order_does_not():
    """L = u v + detach(u), u = 2 x, v = x: at x = 3 L is 24, at 0 it is 0; dL/dx = 4 x."""
    pass_ = take(ExpressionSpec("u = 2*x\nv = x\nL = u*v + detach(u)", "x=3"))
    nudges = {each.name: each for each in parameter_detail(pass_, attribution_of(pass_, "x", ())).nudges}
    assert nudges["to zero"].actual_change == pytest.approx(-24)
    assert nudges["to zero"].predicted_change == pytest.approx(-36)


def test_a_text_has_no_single_prediction():
    gpt = from_preset("microgpt")
    iteration = Replay().take(gpt)
    (first,) = ranking(iteration, "gradient", 1)
    detail = parameter_detail(iteration, first)
    assert [nudge.predicted_class for nudge in detail.nudges] == [None] * 4
    assert detail.nudges[2].actual_change == pytest.approx(detail.nudges[2].predicted_change, rel=0.1)
