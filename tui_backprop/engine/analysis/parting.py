"""Where two recordings of one model part: the first value on the way down, the first gradient on the way up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from tui_backprop.engine.analysis.rederived import Compared, Pair, compare
from tui_backprop.engine.frontends.recording.recorded import RecordedIteration, RecordedOp
from tui_backprop.engine.frontends.recording.spec import RecordingSpec
from tui_backprop.engine.frontends.recording.validity import values_in
from tui_backprop.engine.primitives import Array


@dataclass(frozen=True)
class Parted:
    """One comparison: what the ``kind`` of array is of (parameter, input, value, gradient), in which module, by which
    operation it is computed, or, of a gradient, which operations contribute to it, and the numbers of both
    recordings; None where their shapes differ."""

    kind: str
    name: str
    module: str
    op: str
    compared: Compared | None
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def agrees(self) -> bool:
        return self.compared is not None and self.compared.agrees


@dataclass(frozen=True)
class Parting:
    """All comparisons of two recordings, in the order of the way down and then up: of what is ``given``, of computed
    ``values``, and of ``gradients``. ``matched`` operations are in both; ``alone`` are how many are in one only."""

    given: tuple[Parted, ...]
    values: tuple[Parted, ...]
    gradients: tuple[Parted, ...]
    matched: int
    alone: tuple[int, int]

    @property
    def agrees(self) -> bool:
        return not any(self.alone) and all(each.agrees for each in self.every)

    @property
    def every(self) -> tuple[Parted, ...]:
        return self.given + self.values + self.gradients


def parting(a: RecordingSpec, b: RecordingSpec, tolerance: float | None = None) -> Parting:
    """Compare two recorded steps: operations are matched in their order, by PyTorch's names and modules. The
    ``tolerance`` is relative to the largest number of a tensor; by default that of its type."""
    return _Two(a, b, tolerance).whole()


@dataclass
class _Two:
    a: RecordingSpec
    b: RecordingSpec
    tolerance: float | None

    def whole(self) -> Parting:
        one, two = self.a.iteration, self.b.iteration
        ours, theirs = ([_key(step, op) for op in step.ops] for step in (one, two))
        blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
        pairs = [(one.ops[block.a + i], two.ops[block.b + i]) for block in blocks for i in range(block.size)]
        computed = [
            (x, y, op) for op, other in pairs for x, y in zip(op.outputs, other.outputs, strict=False)
        ]
        known = {x for x, _, _ in computed}
        read = dict[int, tuple[int, RecordedOp]]()
        for op, other in pairs:
            for x, y in zip(_read(op), _read(other), strict=False):
                if x not in known:
                    read.setdefault(x, (y, op))
        first = [self._parted("array", self._kind(x), x, y, op) for x, (y, op) in read.items()]
        values = [self._parted("array", "value", x, y, op) for x, y, op in computed]
        up = [(x, y, op) for x, y, op in reversed(computed)] + [(x, y, op) for x, (y, op) in read.items()]
        readers = dict[int, list[RecordedOp]]()
        for op, _ in pairs:
            for x in _read(op):
                readers.setdefault(x, []).append(op)
        gradients = [self._parted("cotangent", "gradient", x, y, *readers.get(x, [op])) for x, y, op in up]
        given, made, back = (
            tuple(each for each in group if each is not None) for group in (first, values, gradients)
        )
        alone = len(one.ops) - len(pairs), len(two.ops) - len(pairs)
        return Parting(given, made, back, len(pairs), alone)

    def _kind(self, value: int) -> str:
        return "parameter" if self.a.iteration.values[value].parameter else "input"

    def _parted(self, what: str, kind: str, x: int, y: int, *ops: RecordedOp) -> Parted | None:
        """Compare one array of both, which ``ops`` compute or contribute to; None if it is not recorded in both."""
        arrays = self._array(self.a, x, what), self._array(self.b, y, what)
        if arrays[0] is None or arrays[1] is None:
            return None
        step = self.a.iteration
        name = self.a.recorded_graph.names[x]
        found = None
        if arrays[0].shape == arrays[1].shape:
            one, two = (np.asarray(array, float) for array in arrays)
            found = compare(Pair(name, one, two, step.values[x].dtype), tolerance=self.tolerance)
        shapes = arrays[0].shape, arrays[1].shape
        label = f"d{name}" if what == "cotangent" else name
        made = ", ".join(dict.fromkeys(self._name(op) for op in ops))
        return Parted(kind, label, step.modules[ops[0].module].name, made, found, shapes)

    def _name(self, op: RecordedOp) -> str:
        if op.function is not None:
            return self.a.iteration.functions[op.function].name
        return op.name.removeprefix("aten.").partition(".")[0]

    @staticmethod
    def _array(model: RecordingSpec, value: int, what: str) -> Array | None:
        key = getattr(model.iteration.values[value], what)
        return model.held.arrays.get(key)


def _key(step: RecordedIteration, op: RecordedOp) -> tuple[str, str]:
    return op.name, step.modules[op.module].name


def _read(op: RecordedOp) -> Iterator[int]:
    yield from values_in(op.arguments)
    yield from values_in([*op.keywords.values()])
