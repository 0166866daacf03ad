"""The shipped handwritten digits are what their notice says."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from tui_backprop.data.catalogue import DATASETS
from tui_backprop.data.samples import cut, load
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

SHIPPED = files("tui_backprop.data")


def raw():
    with SHIPPED.joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        return dict(arrays)


def test_the_file_holds_what_its_notice_says():
    arrays = raw()
    assert sorted(arrays) == ["images", "labels"]
    assert (arrays["images"].shape, arrays["images"].dtype) == ((4000, 28, 28), np.uint8)
    assert (arrays["labels"].shape, arrays["labels"].dtype) == ((4000,), np.uint8)
    assert np.bincount(arrays["labels"]).tolist() == [400] * 10


def test_the_digits_are_shuffled_and_differ_from_each_other():
    arrays = raw()
    assert set(arrays["labels"][:100]) == set(range(10))
    assert len({image.tobytes() for image in arrays["images"]}) == 4000
    assert (arrays["images"].reshape(4000, -1).max(axis=1) > 200).all()


def test_the_notice_beside_the_file_names_its_source_and_its_licence():
    notice = SHIPPED.joinpath("NOTICE.md").read_text(encoding="utf-8")
    for word in ("digits.npz", "4,000", "400 of each class", "MNIST", "CC BY-SA 3.0", "creativecommons.org"):
        assert word in notice


def test_the_catalogue_agrees_with_the_file():
    about = DATASETS["digits"]
    assert (about.samples, about.inputs, about.classes, about.image) == (4000, 784, 10, (28, 28))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_digits_enter_as_pixel_over_255_row_by_row(dtype):
    batch = cut(NetworkSpec(dtype=dtype), "digits", 5, 2)
    images = raw()["images"][5:7]
    assert batch.x.dtype == cut(NetworkSpec(dtype=dtype, loss="mse"), "digits", 5, 2).t.dtype == dtype
    for x, image in zip(batch.x, images, strict=True):
        np.testing.assert_array_equal(x, (image / 255).ravel().astype(dtype))
        assert x[3 * 28 + 9] == (image[3, 9] / 255).astype(dtype)


def test_targets_are_the_labels_or_for_a_loss_that_takes_numbers_their_one_hot_rows():
    labels = raw()["labels"][:6]
    batch, numbers = (cut(NetworkSpec(loss=loss), "digits", 0, 6) for loss in ("cross-entropy", "mse"))
    assert batch.target.tolist() == batch.t.tolist() == labels.tolist()
    assert batch.target.dtype.kind == batch.t.dtype.kind == "i"
    np.testing.assert_array_equal(numbers.t, np.eye(10)[labels])


def test_the_digits_are_the_same_for_every_seed():
    assert load("digits", 0) is load("digits", 7)


def test_the_first_digit_shown_is_not_a_bar():
    """Ink in most rows and columns of its box, and more than one stroke in some row: not a straight line."""
    first = load("digits", 0).x[DATASETS["digits"].first].reshape(28, 28) > 100
    ink = first[first.any(axis=1)][:, first.any(axis=0)]
    assert min(ink.shape) >= 14
    strokes = (np.diff(ink.astype(int), axis=1, prepend=0) == 1).sum(axis=1)
    assert strokes.max() >= 2
