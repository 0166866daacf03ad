"""The patches that an entry is made of add up to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.patches import patches_of
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

SMALL = ConvSpec((2, 3), (3,), (1,), (1, 0), "max", (4,), "tanh", False, (1, 8, 10), 3, dtype="float64")


def taken(spec, batch=1):
    rng = np.random.default_rng(2)
    update = Update(
        rng.random((batch, int(np.prod(spec.image)))), rng.integers(spec.classes, size=batch), 0.1
    )
    return run_iteration(spec, update, TrainingState(0, initial_parameters(spec)))


def found(iteration, tensor, index):
    steps = walk(iteration.spec, iteration.batch)
    step = next(step for step in steps if step.tensor == tensor)
    return patches_of(iteration, step, index)


def test_an_entry_of_a_convolution_is_the_sum_of_its_patch_times_the_kernel():
    iteration = taken(SMALL)
    image, kernel = found(iteration, "u1", (0, 1, 4, 6))
    assert (image.tensor, image.lead, kernel.tensor, kernel.lead) == ("X", (0, 0), "W1", (1, 0))
    assert (image.rows, image.columns) == (slice(3, 6), slice(5, 8))  # with a padding of 1
    assert (image.part * kernel.part).sum() == pytest.approx(iteration.tensor("u1")[0, 1, 4, 6], rel=1e-12)


def test_a_patch_at_the_edge_has_no_padding():
    image, kernel = found(taken(SMALL), "u1", (0, 0, 0, 9))
    assert (image.rows, image.columns) == (slice(0, 2), slice(8, 10))
    assert (kernel.rows, kernel.columns) == (slice(1, 3), slice(0, 2))


def test_of_several_channels_the_one_with_the_largest_share_is_shown():
    iteration = taken(SMALL)
    image, kernel = found(iteration, "u2", (0, 2, 1, 1))
    p, w = iteration.tensor("p1")[0, :, 1:4, 1:4], iteration.tensor("W2")[2]
    shares = np.abs((p * w).sum(axis=(1, 2)))
    assert image.lead == (0, int(shares.argmax()))
    assert kernel.lead == (2, int(shares.argmax()))


def test_max_pooling_says_which_entry_won():
    iteration = taken(SMALL)
    (window,) = found(iteration, "p1", (0, 1, 2, 3))
    assert (window.rows, window.columns) == (slice(4, 6), slice(6, 8))
    (won,) = window.won
    assert window.image[won] == iteration.tensor("p1")[0, 1, 2, 3] == window.part.max()


def test_no_entry_wins_an_average():
    (window,) = found(taken(replace(SMALL, pooling="average")), "p1", (0, 1, 2, 3))
    assert window.part.shape == (2, 2)
    assert not window.won


def test_the_gradient_of_a_kernel_is_that_of_the_convolution_times_the_shifted_image():
    iteration = taken(SMALL)
    gradient, image = found(iteration, "dW1", (1, 0, 0, 2))
    assert (gradient.tensor, gradient.lead, image.tensor) == ("du1", (0, 1), "X")
    assert gradient.part.shape == image.part.shape
    assert (gradient.part * image.part).sum() == pytest.approx(iteration.tensor("dW1")[1, 0, 0, 2], rel=1e-12)


def test_the_gradient_of_an_image_goes_back_through_the_kernel():
    """dp1[c, r, s] is the sum over o, i, j of du2[o, i, j] W2[o, c, r − i, s − j]."""
    iteration = taken(SMALL)
    gradient, kernel = found(iteration, "dp1", (0, 1, 2, 2))
    du, w = iteration.tensor("du2")[0], iteration.tensor("W2")[:, 1]
    shares = [sum(du[o, i, j] * w[o, 2 - i, 2 - j] for i in range(2) for j in range(3)) for o in range(3)]
    o = int(np.argmax(np.abs(shares)))
    assert gradient.lead == (0, o)
    assert kernel.lead == (o, 1)
    assert (gradient.part * kernel.part[::-1, ::-1]).sum() == pytest.approx(shares[o], rel=1e-12)
    assert sum(shares) == pytest.approx(iteration.tensor("dp1")[0, 1, 2, 2], rel=1e-12)


@pytest.mark.parametrize("tensor", ["a1", "z1", "da1", "L", "u3", "dW3"])
def test_other_steps_have_none(tensor):
    iteration = taken(SMALL)
    index = (0,) * iteration.tensor(tensor).ndim
    assert found(iteration, tensor, index) == ()
