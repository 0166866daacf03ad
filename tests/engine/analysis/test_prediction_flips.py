"""Changes of one parameter that flip the prediction, against brute force with a forward pass written here."""

from __future__ import annotations

from dataclasses import replace
from math import erf

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.analysis import prediction_flips
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import Attribution, named, ranking
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset

POINTS = np.geomspace(2.0**-20, 1024, 20_001)
CLOSE = 2e-3  # two neighbors of POINTS, and the rounding to four digits
ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "gelu": lambda z: z / 2 * (1 + np.vectorize(erf)(z / np.sqrt(2))),
}
SPECS = {
    "cross-entropy": lambda rng: int(rng.integers(2, 6)),
    "mse": lambda rng: int(rng.integers(2, 4)),
    "half-squares": lambda rng: 1,
    "binary-cross-entropy": lambda rng: 1,
}


def outputs(spec, values, x, tensor, index, changes):
    """The outputs for one sample with one parameter changed, (changes, outputs), by the formulas alone."""
    a = np.repeat(np.asarray(x, float)[None], len(changes), axis=0)
    with np.errstate(all="ignore"):
        for k in range(1, spec.depth + 1):
            z = a @ values[f"W{k}"]
            if tensor == f"W{k}":
                z[:, index[1]] += changes * a[:, index[0]]
            if spec.bias:
                z = z + values[f"b{k}"]
            if tensor == f"b{k}":
                z[:, index[0]] += changes
            if k == spec.depth:
                return z
            if spec.layer_norm:
                v = (z - z.mean(axis=1, keepdims=True)) / np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
                gain = values[f"γ{k}"] + np.zeros_like(z)
                shift = values[f"β{k}"] + np.zeros_like(z)
                for name, array in ((f"γ{k}", gain), (f"β{k}", shift)):
                    if tensor == name:
                        array[:, index[0]] += changes
                z = gain * v + shift
            h = ACTIVATIONS[spec.activation](z)
            a = h + a if spec.residual and a.shape == h.shape else h
    raise AssertionError("no last layer")


def classes(spec, z):
    if z.shape[1] > 1:
        return z.argmax(axis=1)
    return (z[:, 0] > (0.5 if spec.loss in ("mse", "half-squares") else 0)).astype(int)


def random_case(seed, **traits):
    rng = np.random.default_rng(seed)
    loss = list(SPECS)[seed % len(SPECS)]
    hidden = [int(rng.integers(2, 7)) for _ in range(rng.integers(1, 4))]
    layers = (int(rng.integers(2, 5)), *hidden, SPECS[loss](rng))
    activation = "relu" if seed % 2 else list(ACTIVATIONS)[rng.integers(len(ACTIVATIONS) - 1)]
    spec = NetworkSpec(layers, activation, loss, dtype="float64", **traits)
    x = rng.normal(size=(3, layers[0]))
    t = (
        rng.integers(layers[-1], size=3)
        if loss == "cross-entropy"
        else rng.integers(2, size=(3, layers[-1])).astype(float)
    )
    state = TrainingState(7, rng.normal(scale=rng.choice([0.5, 1.5]), size=spec.parameters))
    pass_ = run_iteration(spec, Update(x, t, 0.1), state)
    names = list(spec.graph.parameters)
    tensor = names[rng.integers(len(names))]
    index = tuple(int(rng.integers(size)) for size in spec.graph.parameters[tensor])
    return pass_, named(pass_, "gradient", tensor, index)


def brute_force(pass_, attribution, sign):
    """Return the classes after each of POINTS, in one direction."""
    spec = pass_.spec
    values = {name: pass_.tensor(name).astype(float) for name in spec.graph.parameters}
    z = outputs(spec, values, pass_.tensor("x")[0], attribution.tensor, attribution.index, sign * POINTS)
    return classes(spec, z), values


def assert_nearest(pass_, attribution, search, label):
    """Each flip found is one, and no nearer one lies in an interval wider than the ratio of the search."""
    spec = pass_.spec
    for flip, sign in ((search.up, 1), (search.down, -1)):
        found, values = brute_force(pass_, attribution, sign)
        others = np.flatnonzero(found != search.predicted_class)
        if flip is not None:
            assert np.sign(flip.by) == sign
            z = outputs(
                spec, values, pass_.tensor("x")[0], attribution.tensor, attribution.index, np.array([flip.by])
            )
            assert classes(spec, z)[0] == flip.predicted_class != search.predicted_class
            others = others[POINTS[others] < abs(flip.by) * (1 - CLOSE)]
        for run in np.split(others, np.flatnonzero(np.diff(others) > 1) + 1):
            assert not len(run) or POINTS[run[-1]] / POINTS[run[0]] < search.ratio
    if search.predicted_class != label:
        known = [np.flatnonzero(brute_force(pass_, attribution, sign)[0] == label) for sign in (1, -1)]
        nearest = min((POINTS[each[0]] for each in known if len(each)), default=np.inf)
        least = abs(search.correction.by) if search.correction else np.inf
        assert least <= nearest * search.ratio or least == nearest
        assert search.correction is None or search.correction.predicted_class == label


@pytest.mark.parametrize("part", range(8))
def test_the_flips_found_are_flips_and_no_nearer_one_is_wider_than_the_steps(part):
    flips = 0
    for seed in range(part * 25, part * 25 + 25):
        pass_, attribution = random_case(seed)
        label = seed % max(pass_.spec.layers[-1], 2)
        search = parameter_detail(pass_, attribution, label).flips
        assert (search.reach, search.ratio) == (1024, 2 ** (1 / 32))
        assert_nearest(pass_, attribution, search, label)
        flips += (search.up is not None) + (search.down is not None)
    assert flips >= 5


@pytest.mark.parametrize("traits", [{"layer_norm": True}, {"residual": True}, {"bias": False}], ids=str)
def test_flips_of_layer_norm_residual_and_networks_without_biases(traits):
    for seed in range(24):
        pass_, attribution = random_case(seed, **traits)
        search = parameter_detail(pass_, attribution, 0).flips
        assert_nearest(pass_, attribution, search, 0)


def test_a_search_that_looks_on_one_side_only_is_caught(monkeypatch):
    """The error that this search replaces: it went down the slope of the loss of the batch."""
    right = prediction_flips._nearest
    monkeypatch.setattr(
        prediction_flips,
        "_nearest",
        lambda along, changes, *rest: right(along, changes, *rest) if changes[-1] > 0 else None,
    )
    caught = 0
    for seed in range(25):
        pass_, attribution = random_case(seed)
        try:
            assert_nearest(pass_, attribution, parameter_detail(pass_, attribution, 0).flips, 0)
        except AssertionError:
            caught += 1
    assert caught >= 3


def batches():
    """List 35 batches of small data."""
    small = [
        from_preset("xor"),
        Session(NetworkSpec((2, 4, 1), loss="half-squares"), "xor", batch=4),
        Session(NetworkSpec((2, 3, 2), "tanh"), "moons", batch=8),
        Session(NetworkSpec((2, 5, 2)), "circles", batch=8),
        Session(NetworkSpec((2, 4, 4, 3), "gelu"), "spiral", batch=6),
    ]
    return [
        replace(session, sample=sample)
        for session in small
        for sample in range(9 if session.data != "xor" else 4)
    ]


def test_no_batch_is_said_to_have_no_flip_where_there_is_one():
    """Of many batches the first sample's prediction was flipped only against the slope of the whole batch's loss."""
    against = 0
    for session in batches():
        pass_ = Replay().take(session)
        attribution = ranking(pass_, "gradient", 1)[0]
        label = int(pass_.tensor("t")[0].flat[0])
        search = parameter_detail(pass_, attribution, label).flips
        if session.network.activation != "gelu":
            assert_nearest(pass_, attribution, search, label)
        sign = np.sign(attribution.gradient) * (1 if search.predicted_class == label else -1)
        one_sided = search.up if sign > 0 else search.down
        against += one_sided is None and search.best is not None
    assert against >= 5


@pytest.mark.parametrize(
    ("session", "by"),
    [
        (Session(NetworkSpec((2, 4, 1), loss="half-squares"), "xor"), -0.555),
        (replace(from_preset("xor"), sample=1), 1.024),
    ],
)
def test_flips_against_the_slope_of_the_batch_are_found(session, by):
    pass_ = Replay().take(session)
    search = parameter_detail(pass_, ranking(pass_, "gradient", 1)[0], 0).flips
    assert search.best.by == pytest.approx(by, rel=5e-3)


def test_no_nudge_flips_what_no_flip_was_found_for():
    for seed in range(100):
        pass_, attribution = random_case(seed)
        found = parameter_detail(pass_, attribution, 0)
        for nudge in found.nudges:
            flip = found.flips.up if nudge.by > 0 else found.flips.down
            if nudge.predicted_class != found.flips.predicted_class and abs(nudge.by) <= 1024:
                assert abs(flip.by) <= abs(nudge.by) * (1 + 1e-3)


def test_a_dead_unit_with_a_gradient_of_zero_is_searched_as_well():
    spec = NetworkSpec((2, 2, 2), dtype="float64")
    values = np.zeros(spec.parameters)
    pass_ = run_iteration(spec, Update(np.ones((1, 2)), np.array([0]), 0.1), TrainingState(0, values))
    parameters = pass_.program.parameters.copy()
    parameters[:6] = [1, 0, 1, 0, -3, 0]  # W1 and b1: unit 0 is inactive at 2 - 3
    parameters[6:12] = [0, 1, 0, 0, 0.5, 0]  # W2 and b2: class 0, and unit 0 speaks for class 1
    pass_ = run_iteration(spec, Update(np.ones((1, 2)), np.array([0]), 0.1), TrainingState(0, parameters))
    attribution = named(pass_, "gradient", "b1", (0,))
    assert attribution.gradient == 0
    search = parameter_detail(pass_, attribution, 0).flips
    assert search.predicted_class == 0
    assert (search.up.by, search.up.predicted_class) == (pytest.approx(1.5, rel=1e-3), 1)
    assert search.down is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_predicts_nothing_and_flips_nothing(bad):
    pass_, _ = random_case(1)
    parameters = pass_.program.parameters.copy()
    parameters[-1] = bad
    x, t = pass_.tensor("x"), pass_.tensor("t")
    pass_ = run_iteration(pass_.spec, Update(x, t, 0.1), TrainingState(7, parameters))
    found = parameter_detail(pass_, Attribution("W1", (0, 0), 0.5, 1.0, 1.0), 0)
    search = found.flips
    assert (search.predicted_class, search.up, search.down, search.best) == (None, None, None, None)
    assert not search.searched
    assert all(nudge.predicted_class is None for nudge in found.nudges)


def test_outputs_beyond_the_range_are_no_flip():
    """Class 0 by far; what the change multiplies overflows before it could flip anything."""
    spec = NetworkSpec((1, 2), dtype="float64", bias=False)
    x, t = np.array([[1e306]]), np.array([0])
    pass_ = run_iteration(spec, Update(x, t, 0.1), TrainingState(0, np.array([170.0, 0.0])))
    search = parameter_detail(pass_, named(pass_, "gradient", "W1", (0, 1)), 0).flips
    assert search.predicted_class == 0
    assert search.up is None or (np.isfinite(170 + search.up.by) and search.up.by < 180)
    search = parameter_detail(pass_, named(pass_, "gradient", "W1", (0, 0)), 0).flips
    assert search.up is None
    assert search.down.by == pytest.approx(-170, rel=1e-3)


def test_a_search_of_a_large_network_takes_fewer_steps_and_a_larger_one_none():
    count = prediction_flips.changes_per_doubling
    lesson = Session().network
    assert count(lesson.graph, "W1") == 32
    assert 2 <= count(NetworkSpec((784, 4000, 4000, 10)).graph, "W1") < 32
    assert count(NetworkSpec((784, 20000, 20000, 10)).graph, "W1") == 0
    assert count(NetworkSpec((784, 20000, 20000, 10)).graph, "W3") == 32


def test_the_pass_stays_as_it_was_and_dropout_keeps_its_masks():
    session = having(Session(NetworkSpec((2, 6, 6, 2), dropout=0.4, dtype="float64"), "moons", batch=4))
    pass_ = Replay().take(session)
    attribution = ranking(pass_, "gradient", 1)[0]
    found = parameter_detail(pass_, attribution, 0)
    z = pass_.tensor("z3")[0]
    assert found.flips.predicted_class == found.flips.network_class == int(z.argmax())
