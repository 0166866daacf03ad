"""Random tokens with random ends, and a program that has them."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program

NO_TARGET = -1


def program_of(spec, batch, dtype=None):
    program = Program(spec, batch, initial_parameters(spec).astype(dtype or spec.dtype), dtype)
    program.feed(*samples_of(spec, batch))
    return program


def samples_of(spec, batch):
    rng = np.random.default_rng(spec.seed)
    x = rng.integers(0, spec.vocabulary, (batch, spec.context))
    t = rng.integers(0, spec.vocabulary, (batch, spec.context))
    for row, end in zip(t, rng.integers(1, spec.context + 1, batch), strict=True):
        row[end:] = NO_TARGET
    return x.astype(spec.dtype), t
