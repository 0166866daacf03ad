"""The reference networks: their gradients are those of a second implementation, and the record is theirs."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from tests.reference import microgpt, rnn
from tests.reference.arrays import microgpt_loss, rnn_loss

STEP = 1e-30  # of the complex step
TOLERANCE = 1e-12


def complex_step(loss, flat, entries):
    """Return the derivatives of a loss by some entries of its parameters."""
    found = []
    for entry in entries:
        moved = flat.astype(complex)
        moved[entry] += 1j * STEP
        found.append(loss(moved).imag / STEP)
    return np.array(found)


def agree(one, other):
    np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE)


def test_microgpt_has_4192_parameters():
    assert microgpt.PARAMETERS == len(microgpt.initial()) == 4192
    assert 27 * 16 + 16 * 16 + 4 * 16 * 16 + 2 * 16 * 64 + 27 * 16 == 4192


@pytest.mark.parametrize("tokens", [[26, 0, 26], [26, 4, 12, 12, 0, 26], [26, *range(20), 26]])
def test_loss_and_gradient_of_microgpt_are_those_of_arrays_and_the_complex_step(tokens):
    flat = 3 * microgpt.initial(seed=7)
    loss, gradient = microgpt.gradient(flat, tokens)
    agree(loss, microgpt_loss(flat, tokens))
    entries = np.random.default_rng(1).choice(len(flat), 300, replace=False)
    agree(gradient[entries], complex_step(lambda moved: microgpt_loss(moved, tokens), flat, entries))


def test_loss_and_gradient_of_the_rnn_are_those_of_arrays_and_the_complex_step():
    shapes, tokens = rnn.shapes(27, 6), microgpt.names()[0]
    size = sum(rows * columns for rows, columns in shapes.values())
    flat = np.random.default_rng(3).normal(size=size)
    loss, gradient = rnn.gradient(flat, shapes, tokens)
    agree(loss, rnn_loss(flat, shapes, tokens))
    agree(gradient, complex_step(lambda moved: rnn_loss(moved, shapes, tokens), flat, range(size)))


def test_the_first_losses_of_the_record_are_those_computed_anew():
    computed = [*islice(microgpt.training(microgpt.initial(), microgpt.names()), 20)]
    recorded = microgpt.recorded()
    assert recorded.shape == (microgpt.ITERATIONS,)
    agree(computed, recorded[:20])


def test_what_was_recorded_learned_something():
    losses = microgpt.recorded()
    assert abs(losses[0] - np.log(27)) < 0.2
    assert losses[-100:].mean() < 2.5
