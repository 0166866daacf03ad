"""The gradient over depth, against plain sums; every rule is broken on purpose, and a healthy network breaks none."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from tests.engine.analysis.reports import SETUP, report_of
from tests.engine.analysis.reports import healthy_layer as layer
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis import judged as module
from tui_backprop.engine.analysis.gradient_flow import flow
from tui_backprop.engine.analysis.health_rules import HEALTH_RULES, callouts, harmless
from tui_backprop.engine.analysis.judged import FEWEST_SAMPLES, Examples, FitState
from tui_backprop.engine.arrays import norms
from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session

ROUGH = NetworkSpec(
    (6, 8, 8, 8, 4),
    "relu,tanh,sigmoid",
    dtype="float64",
    layer_norm=True,
    residual=True,
    dropout=0.5,
    l2=0.01,
)
SPECS = {
    "all of it": ROUGH,
    "no bias": NetworkSpec((6, 9, 9, 4), "tanh", dtype="float64", bias=False),
    "one unit": NetworkSpec((6, 1, 1, 4), "relu", dtype="float64"),
    "one layer": NetworkSpec((6, 4), dtype="float64"),
    "two layers": NetworkSpec((6, 5, 4), "gelu"),
    "forty layers": NetworkSpec((6, *(7,) * 39, 4), "sigmoid"),
}
DIGITS = NetworkSpec((784, *(64,) * 10, 10), "sigmoid", init="normal")


def iteration(spec, batch=3, change=lambda named: None, optimizer=OptimizerSpec(), lr=0.1, seed=0):
    rng = np.random.default_rng(seed)
    parameters = initial_parameters(spec)
    change(spec.graph.views(parameters))
    update = Update(
        rng.normal(size=(batch, spec.layers[0])).astype(spec.dtype), rng.integers(4, size=batch), lr
    )
    state = TrainingState(0, parameters, new_slots(optimizer, spec.parameters, spec.dtype))
    return run_iteration(spec, update, state, optimizer)


def on_digits(spec, batch=1, lr=0.01, sample=0):
    """Return an iteration on the digits, and 256 samples."""
    given = cut(spec, "digits", sample, batch)
    made = run_iteration(spec, Update(given.x, given.t, lr), TrainingState(0, initial_parameters(spec)))
    first = cut(spec, "digits", 0, 256)
    return made, Examples(first.x, first.t, 4000, True)


def names(report):
    return [call.name for call in callouts(report)]


def on(samples, total=None):
    """Make examples of samples, whose labels do not matter."""
    return Examples(samples, np.zeros(len(samples), int), total or len(samples), True)


# --- the figures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 32])
@pytest.mark.parametrize("name", SPECS)
def test_the_norms_are_those_of_the_whole_arrays(monkeypatch, name, batch):
    monkeypatch.setattr(norms, "NORM_BLOCK", 7)
    made = iteration(SPECS[name], batch)
    report = flow(made)
    assert [at.layer for at in report.layers] == list(range(1, made.spec.depth + 1))
    for at in report.layers:
        k = at.layer
        delta, w, new = (
            a.astype(float) for a in (made.tensor(f"δ{k}"), made.tensor(f"W{k}"), made.new[f"W{k}"])
        )
        assert at.delta == pytest.approx(sum(d * d for d in delta.flat) ** 0.5, rel=1e-12)
        assert at.rms == pytest.approx(np.mean(delta**2) ** 0.5, rel=1e-12)
        assert at.gradient == pytest.approx(np.linalg.norm(made.tensor(f"dW{k}").astype(float)), rel=1e-12)
        assert at.weights == pytest.approx(np.linalg.norm(w), rel=1e-12)
        assert at.ratio == pytest.approx(np.linalg.norm(new - w) / np.linalg.norm(w), rel=1e-12)


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_the_update_is_the_one_that_the_optimizer_made(name):
    made = iteration(SPECS["no bias"], optimizer=OptimizerSpec(name, clip=0.01))
    for at in flow(made).layers:
        change = made.new[f"W{at.layer}"] - made.tensor(f"W{at.layer}")
        assert at.update == pytest.approx(np.linalg.norm(change), rel=1e-12)
        assert at.update > 0


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1.0, 1e200])
@pytest.mark.parametrize("count", [1, 5, 1000])
def test_a_norm_neither_overflows_nor_underflows(monkeypatch, size, count):
    monkeypatch.setattr(norms, "NORM_BLOCK", 64)
    assert norm(np.full(count, -size)) == pytest.approx(size * count**0.5, rel=1e-12, abs=5e-324)
    assert norm(np.full(count, np.float32(1e-44))) == pytest.approx(float(np.float32(1e-44)) * count**0.5)


@pytest.mark.parametrize("place", [0, 99])
def test_a_norm_of_nan_is_nan_and_of_infinity_infinite(monkeypatch, place):
    monkeypatch.setattr(norms, "NORM_BLOCK", 64)
    values = np.ones(100)
    values[place] = np.nan
    assert np.isnan(norm(values))
    values[place] = -np.inf
    assert norm(values) == np.inf
    assert norm(np.zeros(100)) == 0


def test_weights_of_zero_have_no_ratio():
    report = flow(iteration(NetworkSpec((6, 4), init="zeros")))
    assert report.layers[0].update > 0
    assert report.layers[0].ratio is None
    assert names(report) == []


# --- units -------------------------------------------------------------------------------------------------


def kill(units):
    def change(named):
        named["b1"][:units] = -1e6

    return change


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "softplus"])
@pytest.mark.parametrize("room", [1, 900, 2**22])
def test_dead_units_are_counted_whatever_the_chunks_are(monkeypatch, activation, room):
    monkeypatch.setattr(module, "JUDGED_NUMBERS", room)
    spec = NetworkSpec((6, 10, 10, 4), activation)
    samples = np.random.default_rng(1).normal(size=(50, 6))
    alive, some = flow(iteration(spec), on(samples)), flow(iteration(spec, change=kill(3)), on(samples))
    assert alive.layers[0].dead == 0
    assert some.layers[0].dead == pytest.approx(0.3)
    assert (some.layers[0].saturated, some.layers[2].dead, some.fit.samples) == (None, None, 50)


def test_a_unit_that_is_on_for_one_sample_is_not_dead():
    spec = NetworkSpec((6, 1, 4), dtype="float64")
    samples = -np.ones((64, 6))

    def positive(named):
        named["W1"][:] = 1

    assert flow(iteration(spec, change=positive), on(samples)).layers[0].dead == 1
    samples[37] = 1
    assert flow(iteration(spec, change=positive), on(samples)).layers[0].dead == 0


def test_a_unit_that_is_0_but_has_a_slope_is_not_dead():
    spec = NetworkSpec((6, 5, 4), "gelu", init="zeros")  # gelu(0) = 0, with slope 1/2
    assert flow(iteration(spec, FEWEST_SAMPLES)).layers[0].dead == 0


@pytest.mark.parametrize("activation", ["leaky-relu", "elu", "identity"])
def test_units_that_cannot_die_or_saturate_are_not_judged(activation):
    report = flow(iteration(NetworkSpec((6, 9, 4), activation), FEWEST_SAMPLES, kill(9)))
    assert (report.layers[0].dead, report.layers[0].saturated) == (None, None)


def test_few_samples_make_no_unit_dead():
    spec = NetworkSpec((6, 9, 4))
    for batch in (1, FEWEST_SAMPLES - 1):
        report = flow(iteration(spec, batch, kill(9)))
        assert report.layers[0].dead is None
        assert "dead units" not in names(report)
    assert names(flow(iteration(spec, FEWEST_SAMPLES, kill(9)))) == ["no gradient", "dead units"]


@pytest.mark.parametrize("room", [900, 2**22])
def test_saturated_outputs_are_counted_and_a_sigmoid_is_judged_as_the_tanh_that_it_is(monkeypatch, room):
    monkeypatch.setattr(module, "JUDGED_NUMBERS", room)
    samples = np.random.default_rng(1).normal(size=(50, 6))
    spec = NetworkSpec((6, 9, 4), "tanh", "cross-entropy", "normal:2", "float64")
    made = iteration(spec)
    share = flow(made, on(samples)).layers[0].saturated
    z = samples @ made.tensor("W1")
    assert 0.1 < share < 0.9
    assert share == pytest.approx(np.mean(np.abs(np.tanh(z)) > 0.97))

    def double(named):
        named["W1"] *= 2

    other = flow(iteration(replace(spec, activation="sigmoid"), change=double), on(samples))
    assert other.layers[0].saturated == share
    assert other.layers[0].dead is None


def test_units_are_judged_without_dropout_and_before_the_residual_connection():
    spec = NetworkSpec((6, 8, 8, 4), dtype="float64", residual=True, dropout=0.9)

    def second_off(named):
        named["b2"][:] = -1e6

    dead = [at.dead for at in flow(iteration(spec, 64, second_off)).layers]
    assert dead[:2] == [0, 1]


def test_the_samples_need_little_memory_where_layers_are_wide():
    spec = NetworkSpec((6, 20_000, 4))
    made, samples = iteration(spec), np.zeros((256, 6), "float32")
    tracemalloc.start()
    try:
        flow(made, on(samples))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * module.JUDGED_NUMBERS + 8 * 3 * norms.NORM_BLOCK


# --- the rules ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("batch", "lr"), [(1, 0.01), (32, 0.01), (32, 0.1)])
def test_the_lessons_network_is_healthy(seed, batch, lr):
    report = flow(*on_digits(NetworkSpec(seed=seed), batch, lr))
    assert callouts(report) == ()
    assert 0.8 < report.per_layer < 1.25


def test_ten_layers_of_sigmoids_with_small_weights_vanish():
    report = flow(*on_digits(DIGITS))
    first = callouts(report)[0]
    assert (first.name, first.layer, first.threshold) == ("vanishing", 1, 0.01)
    assert first.layers == tuple(range(1, 9))
    assert first.figure == pytest.approx(report.layers[0].rms / report.layers[9].rms)
    assert first.figure < 1e-12
    assert report.per_layer == pytest.approx(first.figure ** (1 / 9))


def test_large_weights_explode():
    calls = callouts(flow(*on_digits(replace(DIGITS, activation="relu", init="normal:0.5"))))
    assert calls[0].name == "exploding"
    assert (calls[0].layer, calls[0].figure > 100) == (1, True)


def test_a_gradient_that_fades_to_nothing_is_none_and_above_that_it_vanishes():
    report = flow(*on_digits(NetworkSpec((784, *(16,) * 39, 10), "sigmoid", init="normal")))
    calls = {call.name: call for call in callouts(report)}
    none, faded = calls["no gradient"], calls["vanishing"]
    assert none.figure == 0
    assert faded.layers[0] == none.layers[-1] + 1
    assert 0 < faded.figure == min(report.relative().values())


def test_weights_of_zero_make_twins_and_cut_the_gradient_off():
    first, second, third = callouts(flow(iteration(NetworkSpec((6, 5, 5, 4), init="zeros"), FEWEST_SAMPLES)))
    assert (first.name, first.layers, first.figure) == ("twin units", (1, 2), 5)
    assert (second.name, second.layers, second.figure) == ("no gradient", (1, 2), 0)
    assert (third.name, third.layers, third.figure) == ("dead units", (1, 2), 1)


def test_a_loss_that_is_flat_because_all_is_right_is_no_fault():
    def certain(named):
        named["b2"][:] = [1e4, -1e4, -1e4, -1e4]

    spec, samples = NetworkSpec((6, 5, 4), "tanh"), np.ones((64, 6))
    report = flow(iteration(spec, 1, certain), on(samples))
    assert (report.fit.error, report.fit.state) == (0, FitState.LEARNED)
    assert (report.layers[-1].reached, callouts(report)) == (0, ())


@pytest.mark.parametrize(
    ("number", "where"), [(np.nan, "W2"), (np.inf, "W1"), (np.nan, "W3"), (-np.inf, "b2")]
)
def test_a_value_that_is_not_finite_is_named_first_with_its_origin(number, where):
    def spoil(named):
        named[where].flat[0] = number

    report = flow(iteration(NetworkSpec((6, 5, 5, 4)), 64, spoil))
    call = callouts(report)[0]
    assert (call.name, call.layers) == ("not finite", (report.bad.block,))
    assert not np.isfinite(call.figure)
    assert all(np.isfinite(c.figure) for c in callouts(report)[1:])


def test_an_update_to_infinity_is_named_too():
    report = flow(iteration(NetworkSpec((6, 5, 4)), lr=1e39))
    assert names(report)[0] == "not finite"


PLANTED = [
    ("exploding", layer(1, 101.0), layer(1, 99.0)),
    ("vanishing", layer(1, 0.0099), layer(1, 0.0101)),
    ("no gradient", layer(1, reached=0.0), layer(1, reached=0.01)),
    ("twin units", layer(1, twins=((0, 3),)), layer(1)),
    ("dead units", layer(1, dead=0.41), layer(1, dead=0.4)),
    ("update too large", layer(1, ratio=0.11), layer(1, ratio=0.09)),
    ("update too small", layer(1, ratio=0.9e-5), layer(1, ratio=1.1e-5)),
]


@pytest.mark.parametrize(("name", "ill", "well"), PLANTED, ids=[row[0] for row in PLANTED])
def test_a_rule_is_broken_on_one_side_of_its_threshold_and_not_on_the_other(name, ill, well):
    (call,) = callouts(report_of(ill, layer(2), layer(3)))
    assert (call.name, call.layers, call.layer) == (name, (1,), 1)
    assert callouts(report_of(well, layer(2), layer(3))) == ()


def test_every_rule_but_those_of_the_fit_is_planted_and_rules_are_in_order_of_gravity():
    left = {"not finite", "stuck", "saturated units"}
    assert {row[0] for row in PLANTED} == {rule.name for rule in HEALTH_RULES} - left
    layers = (
        layer(1, 0.001, dead=0.9), layer(2, 0.0, reached=0.0, twins=((0, 1, 2),)), layer(3, 1e4, ratio=1.0),
        layer(4, saturated=0.9, ratio=1e-9), layer(5), layer(6),
    )  # fmt: skip
    every = [rule.name for rule in HEALTH_RULES[1:]]
    assert names(report_of(*layers)) == [name for name in every if name not in ("stuck", "saturated units")]
    assert names(report_of(*layers, sensitivity=0.05)) == [
        name for name in every if name != "update too small"
    ]


def test_only_the_gravest_callout_has_advice():
    ill = layer(1, twins=((0, 1),), dead=0.9, ratio=0.5)
    equal = replace(SETUP, network=replace(SETUP.network, init="constant"))
    assert [bool(call.advice) for call in callouts(report_of(ill, layer(2), setup=equal))] == [
        True,
        False,
        False,
    ]
    assert not any(
        call.advice for call in callouts(report_of(ill, layer(2)))
    )  # the weights are random already


def test_saturated_units_are_a_fault_only_of_a_network_that_is_stuck():
    for saturated, called in ((0.26, ["stuck", "saturated units"]), (0.25, ["stuck"])):
        layers = layer(1, saturated=saturated), layer(2)
        assert names(report_of(*layers, sensitivity=0.05)) == called
        assert names(report_of(*layers)) == []


def test_an_update_that_is_large_is_no_fault_as_long_as_the_loss_falls():
    large = layer(1, ratio=0.5)
    assert names(report_of(large, layer(2))) == ["update too large"]
    assert names(report_of(large, layer(2), rises=False)) == []


def test_faults_of_a_network_that_has_learned_are_harmless_and_named_so():
    ill = layer(1, dead=0.9, saturated=0.9, ratio=1e-9)
    learned = report_of(ill, layer(2), error=0.05, sensitivity=0.01)
    assert (learned.fit.state, callouts(learned)) == (FitState.LEARNED, ())
    assert [rule.name for rule in harmless(learned)] == ["dead units", "saturated units", "update too small"]
    training = report_of(ill, layer(2), error=0.051)
    assert names(training) == ["dead units", "update too small"]
    assert [rule.name for rule in harmless(training)] == ["saturated units"]
    stuck = report_of(ill, layer(2), error=0.051, sensitivity=0.01)
    assert names(stuck) == ["stuck", "dead units", "saturated units"]


@pytest.mark.parametrize(
    ("fit", "state", "advice"),
    [
        ({"sensitivity": 0.1}, FitState.TRAINING, None),
        ({"sensitivity": 0.099}, FitState.STUCK, "4 times the units"),
        ({"sensitivity": 0.0, "loss": 0.64}, FitState.PLATEAU, "4 times the units with adam"),
        ({"sensitivity": 0.0, "hidden": False}, FitState.LIMIT, "a hidden layer"),
        ({"sensitivity": 0.0, "error": 0.05}, FitState.LEARNED, None),
        ({"sensitivity": 0.0, "error": None}, FitState.UNKNOWN, None),
        ({"sensitivity": 0.0, "loss": np.nan}, FitState.UNKNOWN, None),
    ],
)
def test_a_network_without_a_gradient_is_stuck_unless_it_has_learned(fit, state, advice):
    setup = replace(SETUP, network=NetworkSpec((2, 2))) if state is FitState.LIMIT else SETUP
    report = report_of(layer(1), layer(2), setup=setup, **fit)
    assert report.fit.state is state
    assert names(report) == ([] if advice is None else ["stuck"])
    assert advice is None or advice in [remedy.words for remedy in callouts(report)[0].advice]
    assert names(replace(report, t=0)) == []  # nothing was tried yet


def test_the_worst_layer_is_named_among_all_that_break_a_rule():
    (call,) = callouts(report_of(layer(1, 0.005), layer(2, 1e-6), layer(3, 0.5), layer(4), layer(5)))
    assert (call.layers, call.layer, call.figure) == ((1, 2), 2, 1e-6)
    (call,) = callouts(report_of(layer(1, ratio=0.2), layer(2, ratio=3.0)))
    assert (call.layers, call.layer, call.figure) == ((1, 2), 2, 3.0)


def test_an_infinity_breaks_no_other_rule_than_not_finite():
    assert callouts(report_of(layer(1, np.inf, ratio=np.inf), layer(2), layer(3))) == ()
    assert (
        callouts(report_of(layer(1, np.nan, ratio=np.nan, dead=np.nan), layer(2), layer(3, ratio=np.nan)))
        == ()
    )


def test_the_output_layer_is_not_compared_and_one_hidden_layer_has_nothing_to_be_compared_with():
    assert callouts(report_of(layer(1), layer(2), layer(3, 1e9))) == ()
    assert callouts(report_of(layer(1, 1e-9), layer(2))) == ()
    assert report_of(layer(1)).per_layer is None
    assert report_of(layer(1, 0.25), layer(2, 0.5), layer(3, 1.0), layer(4, 7.0)).per_layer == 0.5


def test_the_step_from_the_output_is_apart_from_the_mean_of_the_others():
    assert report_of(layer(1, 0.25), layer(2, 0.5), layer(3, 1.0), layer(4, 8.0)).from_output == 0.125
    assert report_of(layer(1)).from_output is None
    assert report_of(layer(1), layer(2, 0.0)).from_output is None
    assert report_of(layer(1), layer(2, np.inf)).from_output == 0
    assert report_of(layer(1, np.inf), layer(2)).from_output is None


@pytest.mark.parametrize("name", SPECS)
def test_reports_are_the_same_each_time_and_leave_the_madealone(name):
    made = iteration(SPECS[name], 2)
    before = made.tensor("x").copy(), made.program.gradient.copy()
    assert flow(made) == flow(made)
    assert np.array_equal(before[0], made.tensor("x"))
    assert np.array_equal(before[1], made.program.gradient)


def test_a_figure_that_is_not_finite_is_no_figure_of_a_rule_that_is_met():
    spec = NetworkSpec((2, 3, 3, 2), "gelu", init="normal:1e19")
    report = flow(Replay().take(Session(spec, "moons", batch=3)))
    shown = {rule.nearest(report).lower() for rule in HEALTH_RULES if rule.side != "not finite"}
    assert report.bad is not None
    assert shown.isdisjoint({"nan", "inf"})


@pytest.mark.parametrize("frozen", [(1,), (2,), (1, 2, 3)])
def test_a_frozen_layer_keeps_its_number_and_has_neither_gradient_nor_update(frozen):
    free = NetworkSpec((6, 5, 5, 5, 4), "tanh", dtype="float64")
    whole, report = flow(iteration(free)), flow(iteration(replace(free, frozen=frozen)))
    assert [at.layer for at in report.layers] == [1, 2, 3, 4]
    assert tuple(at.layer for at in report.layers if at.frozen) == frozen
    for one, other in zip(whole.layers, report.layers, strict=True):
        if other.frozen:
            assert (other.gradient, other.update) == (0, 0)
        else:
            assert (other.gradient, other.update) == (one.gradient, one.update)
        assert other.rms == (one.rms if other.symbol else 0)
    first = 1 if frozen == (2,) else len(frozen) + 1
    assert report.first == first
    ratio = whole.layers[first - 1].rms / whole.layers[2].rms
    assert report.per_layer == (pytest.approx(ratio ** (1 / (3 - first))) if first < 3 else None)
    assert not callouts(report)
