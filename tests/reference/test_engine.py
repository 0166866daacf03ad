"""The engine trains the networks of the references to the same losses."""

from __future__ import annotations

import numpy as np

from tests.reference import microgpt
from tui_backprop.data.samples import batches
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.iteration import Update
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.training import Training

SPEC = GptSpec(seed=microgpt.SEED)
ADAM = OptimizerSpec(
    "adam", beta1=microgpt.BETA1, beta2=microgpt.BETA2, epsilon=microgpt.ADAM_EPSILON,
    schedule="linear", horizon=microgpt.ITERATIONS,
)  # fmt: skip
MEMORY = 2**22  # bytes, of checkpoints
TOLERANCE = 1e-9


def test_the_initial_parameters_are_those_of_the_reference():
    assert list(SPEC.graph.parameters.values()) == list(microgpt.SHAPES.values())
    np.testing.assert_array_equal(initial_parameters(SPEC), microgpt.initial())


def test_a_thousand_losses_of_microgpt_are_those_of_the_reference():
    batch = batches(SPEC, "names")

    def plan(t):
        samples = batch(t, 1)
        return Update(samples.x, samples.t, microgpt.RATE)

    losses = Training(SPEC, ADAM, MEMORY).losses(microgpt.ITERATIONS, plan)
    np.testing.assert_allclose(losses, microgpt.recorded(), rtol=0, atol=TOLERANCE)
