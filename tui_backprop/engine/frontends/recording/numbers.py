"""The numbers of a recorded step by the names of its graph: as PyTorch computed them, or else computed from those."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping

from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.engine.frontends.recording.graph import RecordedGraph
from tui_backprop.engine.frontends.recording.recorded import RecordedIteration
from tui_backprop.engine.network.operation import Op

HELD = 2**28  # bytes of arrays that are held in memory, beside those in use


class Held(Mapping[str, Array]):
    """Arrays by name, each made when it is asked for; the last ones are held, as far as they fit into HELD bytes."""

    def __init__(self, names: Mapping[str, object], make: Callable[[str], Array]) -> None:
        self._names, self._make = names, make
        self._held: OrderedDict[str, Array] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, name: str) -> Array:
        found = self._held.get(name)
        if found is None:
            if name not in self._names:
                raise KeyError(name)
            found = self._make(name)
            found.setflags(write=False)
            self._held[name] = found
            self._bytes += found.nbytes
            while self._bytes > HELD and len(self._held) > 1:
                self._bytes -= self._held.popitem(last=False)[1].nbytes
        else:
            self._held.move_to_end(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def held(self) -> tuple[Array, ...]:
        """The arrays that are in memory."""
        return tuple(self._held.values())


class RecordedNumbers:
    """The ``values`` and the ``cotangents`` of a recorded step, in precision ``dtype``."""

    def __init__(
        self, step: RecordedIteration, recording: RecordedGraph, arrays: Mapping[str, Array], dtype: str
    ) -> None:
        self.step, self.recording, self.arrays, self.dtype = step, recording, arrays, np.dtype(dtype)
        self.graph = recording.graph
        self.number = {name: k for k, name in enumerate(recording.names)}
        self.values = Held(self.graph.by_name, self._value)
        flowing = dict.fromkeys((*self.graph.differentiable, *self.graph.trained))
        self.cotangents = Held(flowing, self._cotangent)

    def recorded(self, name: str, key: str = "array") -> Array | None:
        """Return what was recorded of a value: its ``array``, its ``cotangent``, or what was in .grad ``before``;
        None if it was not kept."""
        number = self.number.get(name)
        if number is None:
            return None
        found = getattr(self.step.values[number], key)
        return self.arrays[found].astype(self.dtype, copy=False) if found in self.arrays else None

    def _value(self, name: str) -> Array:
        found = self.recorded(name)
        if found is not None:
            return found
        if name in self.graph.by_output:
            return self.forward(self.graph.by_output[name])
        value = self.graph.by_name[name]
        return np.array(value.read() if value.read else np.full(value.shape, value.constant), self.dtype)

    def forward(self, op: Op) -> Array:
        """Compute an operation's output from the values of its inputs."""
        inputs = [self.values[name] for name in op.inputs]
        made = np.empty(self.graph.by_name[op.output].shape, self.dtype)
        with np.errstate(all="ignore"):
            op.primitive.forward(made, op.primitive.room(self.dtype, *(x.shape for x in inputs)), *inputs)
        return made

    def _cotangent(self, name: str) -> Array:
        """A cotangent as it was recorded, or else the sum of what the operations that read the value contribute."""
        found = self.recorded(name, "cotangent")
        if found is not None:
            return found
        shape = self.graph.by_name[name].shape
        if name == self.graph.loss:
            return np.ones(shape, self.dtype)
        total = np.zeros(shape, self.dtype)
        for op in self.graph.readers.get(name, ()):
            if op.output in self.graph.differentiable:
                for read, term in self.pull(op, self.cotangents[op.output], only=name):
                    total += term if read == name else 0
        return total

    def pull(self, op: Op, g: Array, only: str = "") -> Iterator[tuple[str, Array]]:
        """Yield what an operation contributes to the cotangents of its inputs, or to that of one ``only``."""
        wanted = [
            i
            for i, name in enumerate(op.differentiated)
            if name in self.graph.differentiable and only in ("", name)
        ]
        if not wanted:
            return
        inputs, y, row = [self.values[name] for name in op.inputs], self.values[op.output], op.primitive
        room = row.room(self.dtype, *(x.shape for x in inputs))
        with np.errstate(all="ignore"):
            if room:
                row.forward(np.empty_like(y), room, *inputs)
            for i in wanted:
                made = np.empty(inputs[i].shape, self.dtype)
                row.vjps[i](made, g, y, room, *inputs)
                yield op.inputs[i], made
