"""Which data sets there are, which networks fit them, and how a batch is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.data.catalogue import DATASETS, check, fitted, info
from tui_backprop.data.samples import MAKERS, batches, cut, load
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError

TOYS = [name for name in DATASETS if name not in ("digits", "mazur", "symmetry")]


def refusal(*arguments):
    with pytest.raises(UserError) as caught:
        check(*arguments)
    return caught.value


def fitting(data, seed=0, loss="cross-entropy"):
    return fitted(NetworkSpec((2, 4, 2), loss=loss, dtype="float64", seed=seed), data)


@pytest.mark.parametrize("data", DATASETS)
def test_a_data_set_has_the_shapes_that_the_catalogue_says(data):
    about, whole = DATASETS[data], load(data, 0)
    assert whole.x.shape == (about.samples, about.inputs)
    if about.classes:
        assert whole.target.shape == (about.samples,)
        assert set(whole.target.tolist()) == set(range(about.classes))
        counts = np.bincount(whole.target)
        assert counts.max() - counts.min() <= 1 or counts.tolist() == [
            56,
            8,
        ]  # 8 of 64 patterns are symmetric
    else:
        assert whole.target.shape == (about.samples, about.outputs)
    assert np.isfinite(whole.x).all()


def test_every_data_set_of_the_catalogue_has_a_maker():
    assert list(MAKERS) == list(DATASETS)


@pytest.mark.parametrize("data", TOYS)
def test_a_toy_is_the_same_for_a_seed_and_another_for_another_seed(data):
    from tui_backprop.data.samples import _load

    one = load(data, 3)
    _load.cache_clear()
    again, other = load(data, 3), load(data, 4)
    np.testing.assert_array_equal(one.x, again.x)
    np.testing.assert_array_equal(one.target, again.target)
    assert not np.array_equal(one.x, other.x)


def test_exclusive_or_begins_with_its_four_exact_cases():
    whole = load("xor", 0)
    assert sorted(map(tuple, whole.x[:4].tolist())) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for (a, b), label in zip(whole.x[:4], whole.target[:4], strict=True):
        assert label == (a != b)


def test_the_targets_of_sine_are_sines():
    whole = load("sine", 0)
    np.testing.assert_array_equal(whole.target, np.sin(whole.x))
    assert np.abs(whole.x).max() <= np.pi


@pytest.mark.parametrize("data", DATASETS)
def test_a_batch_goes_round_at_the_end(data):
    spec = fitting(data)
    last = DATASETS[data].samples - 1
    batch = cut(spec, data, last, 3)
    for row, sample in enumerate((last, 0, 1)):
        alone = cut(spec, data, sample, 1)
        np.testing.assert_array_equal(batch.x[row], alone.x[0])
        np.testing.assert_array_equal(batch.t[row], alone.t[0])
        np.testing.assert_array_equal(batch.target[row], alone.target[0])


@pytest.mark.parametrize(("data", "loss"), [("digits", "cross-entropy"), ("spiral", "mse"), ("sine", "mse")])
def test_one_of_many_batches_is_the_same_as_one_cut_alone_and_a_view_unless_it_goes_round(data, loss):
    spec, samples = fitting(data, loss=loss), info(data).samples
    for dtype in ("float32", "float64"):
        spec = replace(spec, dtype=dtype)
        batch_of = batches(spec, data)
        for sample, size in ((0, 1), (7, 32), (samples - 32, 32), (samples - 5, 32), (3, samples + 9)):
            one, alone = batch_of(sample, size), cut(spec, data, sample, size)
            for name in ("x", "target", "t"):
                given, wanted = getattr(one, name), getattr(alone, name)
                assert given.dtype == wanted.dtype
                np.testing.assert_array_equal(given, wanted)
            assert np.shares_memory(one.x, batch_of(0, samples).x) == (sample + size <= samples)


def test_a_batch_larger_than_the_data_set_goes_round_more_than_once():
    batch = cut(fitting("xor"), "xor", 0, 450)
    np.testing.assert_array_equal(batch.x[0], batch.x[200])
    np.testing.assert_array_equal(batch.x[0], batch.x[400])


@pytest.mark.parametrize("data", DATASETS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_has_the_target_that_the_loss_reads(data, loss):
    spec = fitting(data, loss=loss)
    batch = cut(spec, data, 0, 3)
    if spec.loss == "cross-entropy":
        assert batch.t.dtype.kind == "i"
        assert batch.t.tolist() == batch.target.tolist() == load(data, 0).target[:3].tolist()
        return
    assert batch.t.shape == (3, spec.layers[-1])
    assert batch.t.dtype == spec.dtype
    if DATASETS[data].classes and spec.layers[-1] > 1:
        np.testing.assert_array_equal(batch.t.argmax(axis=1), batch.target)
        np.testing.assert_array_equal(batch.t.sum(axis=1), 1)


def test_two_classes_may_have_a_single_output():
    spec = NetworkSpec((2, 3, 1), loss="binary-cross-entropy")
    check(spec, "moons", 0, 1)
    assert cut(spec, "moons", 0, 4).t[:, 0].tolist() == load("moons", 0).target[:4].tolist()


@pytest.mark.parametrize("layers", [(784, 10), (1, 1), (2, 7, 1), (2, 5, 4, 2), (9, 9, 9, 3)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("data", DATASETS)
def test_a_fitted_network_fits_whatever_it_was_and_keeps_its_hidden_layers(data, loss, layers):
    spec = NetworkSpec(
        layers, "tanh", loss, "normal:0.2", "float64", bias=False, seed=5, layer_norm=True, residual=True,
        dropout=0.1, l2=0.2,
    )  # fmt: skip
    suited = fitted(spec, data)
    check(suited, data, DATASETS[data].samples - 1, 1)
    assert suited.layers[1:-1] == layers[1:-1]
    assert replace(suited, layers=layers, loss=loss) == spec
    assert fitted(suited, data) == suited


@pytest.mark.parametrize("loss", ["cross-entropy", "binary-cross-entropy"])
def test_a_loss_for_labels_is_refused_where_the_targets_are_real(loss):
    error = refusal(NetworkSpec((1, 4, 1), loss=loss), "sine", 0, 1)
    assert error.field == "loss"
    assert "mse" in error.message


@pytest.mark.parametrize(
    ("layers", "loss", "data", "advice"),
    [
        ((784, 20, 9), "cross-entropy", "digits", "784,20,10"),
        ((785, 20, 10), "cross-entropy", "digits", "784,20,10"),
        ((784, 20, 9), "mse", "digits", "784,20,10"),
        ((2, 3, 1), "cross-entropy", "moons", "2,3,2"),
        ((1, 3, 2), "mse", "sine", "1,3,1"),
        ((2, 8), "cross-entropy", "digits", "784,10"),
        ((2, 3, 1), "mse", "spiral", "2,3,3"),
        ((5, 3, 1), "cross-entropy", "moons", "2,3,2"),
        ((5, 3, 2), "mse", "sine", "1,3,1"),
    ],
)
def test_layers_that_do_not_fit_are_refused_with_those_that_do(layers, loss, data, advice):
    error = refusal(NetworkSpec(layers, loss=loss), data, 0, 1)
    assert error.field == "layers"
    assert error.message.endswith(f"write {advice}")
    check(NetworkSpec(tuple(map(int, advice.split(","))), loss=loss), data, 0, 1)


@pytest.mark.parametrize(
    ("sample", "batch", "field"), [(4000, 1, "sample"), (-1, 1, "sample"), (0, 0, "batch")]
)
def test_samples_and_batches_out_of_range_are_refused(sample, batch, field):
    assert refusal(NetworkSpec(), "digits", sample, batch).field == field


@pytest.mark.parametrize("call", [info, lambda name: load(name, 0), lambda name: Session(data=name)])
def test_an_unknown_data_set_is_refused_with_those_there_are(call):
    with pytest.raises(UserError, match="choose from digits, xor") as caught:
        call("cats")
    assert caught.value.field == "data"
