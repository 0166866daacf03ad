"""The input of every gradient method: the loss to differentiate, and the options of the method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array, draw_mask
from tui_backprop.engine.training.iteration import mask_stream

COMPLEX = {"float32": "complex64", "float64": "complex128"}  # by the precision of the parts


@dataclass(frozen=True)
class Problem:
    """The loss of a network on a batch, as a function of its parameters (P,), to be differentiated at
    ``parameters``. ``x`` and ``target`` are the batch (see ``Program.feed``); with dropout, the masks are those
    of iteration ``t``, the same in every evaluation."""

    spec: Model
    x: Array
    target: Array
    parameters: Array
    t: int = 0

    @property
    def batch(self) -> int:
        return len(self.x)

    @property
    def positions(self) -> Array:
        """The places in the flat vector of the parameters that get a gradient."""
        return np.concatenate([np.arange(at.start, at.stop) for at in self.spec.graph.trained_ranges])

    def program(self, dtype: str | None = None, copies: int = 1, hold: bool = True) -> Program:
        """Make a new program for this loss, on a copy of the parameters. With ``copies``, its batch repeats the
        problem's batch that many times. To ``hold`` detached values makes them constants, as they are for
        derivatives; else each pass computes them."""
        made = Program(
            self.spec, self.batch * copies, self.parameters.astype(dtype or self.spec.dtype), dtype
        )
        made.feed(*(np.concatenate([array] * copies) for array in (self.x, self.target)))
        stream = mask_stream(self.spec, self.t)
        for mask in self.spec.graph.masks:
            masks = made.values[mask.name].reshape(copies, *mask.shape_for(self.batch))
            draw_mask(masks[0], mask.constant, stream)
            masks[1:] = masks[0]
        if hold:
            made.hold_detached()
        return made

    def in_precision(self, dtype: str) -> Problem:
        """Return a copy of the problem in another precision."""
        target = self.target if self.target.dtype.kind in "iu" else self.target.astype(dtype)
        return Problem(
            self.spec.in_precision(dtype), self.x.astype(dtype), target, self.parameters.astype(dtype), self.t
        )


@dataclass(frozen=True)
class Options:
    """``step`` is h, None for the best one of method and precision; ``probes`` are SPSA's random directions,
    drawn from ``seed``; ``at_once`` is how many parameters the batched methods take together, at the most."""

    step: float | None = None
    probes: int = 1
    seed: int = 0
    at_once: int = 256
