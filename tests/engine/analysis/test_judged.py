"""Judging a network on samples: error, loss, sensitivity and units against plain numpy; what is learned and stuck."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.analysis.reports import judged_fit
from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis import judged as module
from tui_backprop.engine.analysis.gradient_flow import flow
from tui_backprop.engine.analysis.health_rules import callouts, harmless
from tui_backprop.engine.analysis.judged import Examples, FitState, judge, samples_to_judge
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training


def examples_of(spec, data, n=None):
    """Return the first n samples of a data set, or all."""
    about = info(data)
    first = cut(spec, data, 0, n or about.samples)
    return Examples(first.x, first.t, about.samples, bool(about.classes))


def first_iteration(spec, data, change=lambda named: None):
    parameters = initial_parameters(spec)
    change(spec.graph.views(parameters))
    batch = cut(spec, data, 0, 4)
    return run_iteration(spec, Update(batch.x, batch.t, 0.1), TrainingState(0, parameters))


def in_numpy(iteration, examples):
    """Compute loss, gradient, outputs and deltas of a ReLU network with one hidden layer, in double precision."""
    w1, b1, w2, b2 = (iteration.tensor(name).astype(float) for name in ("W1", "b1", "W2", "b2"))
    x, t, n = examples.x.astype(float), examples.t, len(examples.x)
    a = np.maximum(x @ w1 + b1, 0)
    z = a @ w2 + b2
    if iteration.spec.loss == "cross-entropy":
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        loss, d2 = -np.log(p[np.arange(n), t]).mean(), (p - np.eye(z.shape[1])[t]) / n
    else:
        loss, d2 = ((z - t) ** 2).mean(), 2 * (z - t) / z.size
    d1 = d2 @ w2.T * (a > 0)
    parts = x.T @ d1, d1.sum(0), a.T @ d2, d2.sum(0)
    return loss, np.concatenate([part.ravel() for part in parts]), z, (d1, d2)


@pytest.mark.parametrize("room", [1, 3000, 2**22])
@pytest.mark.parametrize(("data", "loss"), [("spiral", "cross-entropy"), ("sine", "mse"), ("moons", "mse")])
def test_a_fit_is_that_of_all_samples_whatever_the_parts(monkeypatch, room, data, loss):
    monkeypatch.setattr(module, "JUDGED_NUMBERS", room)
    about = info(data)
    spec = NetworkSpec((about.inputs, 7, about.classes or 1), loss=loss, seed=3, dtype="float64")
    iteration, examples = first_iteration(spec, data), examples_of(spec, data, 90)
    found = judge(iteration, examples)
    own_loss, gradient, z, deltas = in_numpy(iteration, examples)
    weights = np.linalg.norm(iteration.program.parameters)
    assert found.fit.loss == pytest.approx(own_loss, rel=1e-12)
    assert found.fit.sensitivity == pytest.approx(
        np.linalg.norm(gradient) * max(weights, 1) / own_loss, rel=1e-9
    )
    if about.classes:
        wrong = z.argmax(1) != (examples.t if examples.t.ndim == 1 else examples.t.argmax(1))
        assert found.fit.error == wrong.mean()
        assert found.fit.judged == f"judged on 90 of {about.samples} samples: {wrong.sum()} misclassified"
    else:
        assert found.fit.error == pytest.approx(
            1 - np.corrcoef(z[:, 0], z[:, 0])[0, 1] + own_loss / examples.t.var()
        )
    assert found.reached == {k: (d != 0).any(axis=1).mean() for k, d in enumerate(deltas, 1)}


@pytest.mark.parametrize(
    ("spec", "t", "constant"),
    [
        (NetworkSpec((2, 3)), np.array([0, 0, 1, 2]), -(2 * 0.25 * np.log(0.25) + 0.5 * np.log(0.5))),
        (
            NetworkSpec((2, 1), loss="binary-cross-entropy"),
            np.array([[1.0], [0], [0], [0]]),
            0.5623351446188083,
        ),
        (NetworkSpec((2, 1), loss="mse"), np.array([[1.0], [0], [0], [3]]), 1.5),
    ],
)
def test_the_loss_of_the_best_constant_output(spec, t, constant):
    assert module._constant(Examples(np.zeros((4, 2)), t, 4, True), spec.graph) == pytest.approx(
        constant, rel=1e-9
    )


def test_units_dead_on_some_of_the_samples_are_judged_on_all_where_that_is_cheap():
    spec = NetworkSpec((2, 8, 3), seed=8)

    def lower(named):
        named["b1"][:] = -1

    iteration = first_iteration(spec, "spiral", lower)
    on = cut(spec, "spiral", 0, 600).x @ iteration.tensor("W1") - 1 > 0
    assert [1 - on[:n].any(axis=0).mean() for n in (256, 600)] == [0.625, 0.5]
    assert judge(iteration, examples_of(spec, "spiral", 256)).dead == {1: 0.625}
    assert samples_to_judge(spec, 600) == 600
    assert judge(iteration, examples_of(spec, "spiral")).dead == {1: 0.5}


def test_a_large_network_is_judged_on_some_samples_and_says_so():
    assert samples_to_judge(NetworkSpec(), 4000) == 256
    assert samples_to_judge(NetworkSpec(), 100) == 100
    assert judged_fit(total=4000, error=0.5).judged == "judged on 256 of 4,000 samples: 128 misclassified"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_have_no_error(value):
    def spoil(named):
        named["W2"][0, 0] = value

    spec = NetworkSpec((2, 8, 3))
    fit = judge(first_iteration(spec, "spiral", spoil), examples_of(spec, "spiral")).fit
    assert (fit.error, fit.state) == (None, FitState.UNKNOWN)
    assert "error unknown" in fit.judged


def test_targets_that_do_not_vary_have_no_error():
    spec = NetworkSpec((1, 4, 1), loss="mse")
    same = Examples(np.ones((40, 1), "float32"), np.ones((40, 1), "float32"), 40, False)
    assert judge(first_iteration(spec, "sine"), same).fit.error is None


def test_a_constant_output_has_learned_nothing_even_if_it_is_mostly_right():
    assert judged_fit(error=0.04, loss=0.16, constant=0.168, sensitivity=0.0).state is FitState.PLATEAU
    assert judged_fit(error=0.04, loss=0.10, constant=0.168, sensitivity=0.0).state is FitState.LEARNED


def trained(session, updates):
    """Return a report on a session after so many updates, as the panel makes it."""
    return flow(Replay().take(after_training(session, updates)), examples_of(session.network, session.data))


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_a_network_stuck_at_three_of_four_is_told_to_grow_or_to_start_again(seed):
    spec = NetworkSpec((2, 2, 1), "relu", "binary-cross-entropy", seed=seed)
    report = trained(Session(spec, "xor", batch=4, lr=0.5), 3000)
    (call,) = (call for call in callouts(report) if call.advice)
    assert call.finding == "50 of 200 samples misclassified, hardly any gradient left"
    assert [remedy.words for remedy in call.advice] == ["4 times the units", "up to 5 other seeds"]


@pytest.mark.parametrize("seed", [0, 3, 7])
def test_a_network_that_has_learned_is_left_alone(seed):
    spec = NetworkSpec((2, 2, 1), "relu", "binary-cross-entropy", seed=seed)
    report = trained(Session(spec, "xor", batch=4, lr=0.5), 1000)
    assert report.fit.loss < 0.01
    assert (report.fit.state, callouts(report)) == (FitState.LEARNED, ())


def test_saturated_units_of_a_network_that_has_learned_are_harmless():
    report = trained(from_preset("xor"), 1500)
    assert report.fit.loss < 0.007
    assert report.layers[0].saturated > 0.25
    assert callouts(report) == ()
    assert [rule.name for rule in harmless(report)] == ["saturated units"]
