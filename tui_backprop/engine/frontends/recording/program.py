"""A pass that was recorded: a program whose numbers are read instead of computed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.engine.frontends.recording.numbers import Held, RecordedNumbers
from tui_backprop.engine.network.program import Program

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.recording.spec import RecordingSpec


class RecordedProgram(Program):
    """The forward and the backward pass of a recorded step. Arrays are read when they are looked at."""

    def __init__(self, spec: RecordingSpec, parameters: Array, numbers: RecordedNumbers) -> None:
        self.spec, self.batch, self.parameters = spec, 1, parameters
        self.graph, self.dtype = spec.graph, np.dtype(spec.dtype)
        self.ops, self.shapes = self.graph.ops, self.graph.shapes(1)
        self.numbers = numbers
        self.values = numbers.values  # type: ignore[assignment]
        self.caches = Held(self.graph.by_output, self._cache)  # type: ignore[assignment]

    @cached_property
    def cotangents(self) -> Any:
        """The cotangents, as they were recorded."""
        return self.numbers.cotangents

    @cached_property
    def gradient(self) -> Array:
        """dL/dtheta, flat, shape (P,)."""
        flat = np.zeros(self.spec.parameters, self.dtype)
        for name, place in self.graph.trained.items():
            if name in self.graph.differentiable:
                flat[place] = self.numbers.cotangents[name].reshape(-1)
        return flat

    def _cache(self, output: str) -> Any:
        op = self.graph.by_output[output]
        inputs = [self.values[name] for name in op.inputs]
        room = op.primitive.room(self.dtype, *(x.shape for x in inputs))
        if room:
            with np.errstate(all="ignore"):
                op.primitive.forward(np.empty(self.shapes[output], self.dtype), room, *inputs)
        return room

    def arrays(self) -> Iterator[Array]:
        """Iterate over the arrays that are in memory."""
        yield from (*self.numbers.values.held, *self.numbers.cotangents.held, self.gradient, self.parameters)

    def checked(self) -> Iterator[Array]:
        """Iterate over arrays in which a NaN or an infinity shows: it was looked for when the step was recorded."""
        if self.numbers.step.bad:
            yield np.array(np.nan)

    def steps(self) -> Iterator[None]:
        """Walk down the list: everything is known."""
        yield from (None for _ in self.ops)

    def forward(self, start: int = 0, stop: int | None = None) -> Array:
        """Return the recorded loss, an array of shape ()."""
        return self.values[self.graph.loss]

    def backward(self) -> Array:
        """Return the recorded gradient, shape (P,)."""
        return self.gradient
