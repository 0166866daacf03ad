"""Every operation of a recording computed again by its row: forward from its recorded inputs, backward from the
recorded cotangent of its output, each by itself, so that what is wrong shows where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.frontends.recording.graph import RecordedGraph
from tui_backprop.engine.frontends.recording.numbers import RecordedNumbers
from tui_backprop.engine.frontends.recording.recorded import RecordedIteration
from tui_backprop.engine.frontends.recording.recorded_only import RecordedOnly
from tui_backprop.engine.frontends.recording.spec import RecordingSpec
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array
from tui_backprop.support.errors import InputError

# Differences up to which numbers agree, relative to the largest one of the tensor.
TOLERANCES = {"float64": 1e-9, "float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2}
HELD_AS = {"float32": np.float32, "float16": np.float32, "bfloat16": np.float32}  # what overflows there is ∞
ROUNDINGS = 8  # times the rounding error of the same operation that is allowed
CANCELLED = 0.01  # a sum that is smaller than this share of its terms is compared with this share


@dataclass(frozen=True, eq=False)
class Pair:
    """An array as it was ``recorded``, of PyTorch's type ``dtype``, and as it was ``derived``; ``size`` is that of
    the terms that its entries are sums of: where those cancel, nothing but rounding is left of them."""

    name: str
    recorded: Array
    derived: Array
    dtype: str
    size: float = 0.0


@dataclass(frozen=True)
class Compared:
    """A recorded array and the one computed again: their largest difference, relative to the largest recorded number,
    the ``index`` of it, both numbers there, and how far they may be apart."""

    name: str
    difference: float
    index: tuple[int, ...]
    recorded: float
    derived: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance


@dataclass(frozen=True)
class Rederived:
    """What was found of operation ``k`` of a recording: its outputs, and its contributions to cotangents; an empty
    tuple where nothing was recorded to compare with. ``name`` is PyTorch's, ``function`` that of the function with a
    backward pass of its own whose parts these are."""

    k: int
    name: str
    block: int
    outputs: tuple[Compared, ...] = ()
    terms: tuple[Compared, ...] = ()
    has_row: bool = True
    function: str = ""

    @property
    def every(self) -> tuple[Compared, ...]:
        """All that was compared."""
        return self.outputs + self.terms

    @property
    def agrees(self) -> bool:
        return all(each.agrees for each in self.every)

    @property
    def worst(self) -> Compared | None:
        """The comparison that is furthest beyond its tolerance."""
        return max(self.every, key=lambda each: each.difference / each.tolerance, default=None)


def rederived_of(model: Model) -> list[Rederived]:
    """Compute all operations of a recorded step again. Raises InputError for a model that is no recording."""
    if not isinstance(model, RecordingSpec):
        raise InputError("recording", f"{model.title} was not recorded")
    return rederived(model.iteration, model.recorded_graph, model.held.arrays, model.dtype)


def rederived(
    step: RecordedIteration, recording: RecordedGraph, arrays: Mapping[str, Array], dtype: str
) -> list[Rederived]:
    """Compute all operations of a step again, in double precision; return what was found of each, in order. Where one
    differs by more than its tolerance, it is computed in ``dtype``, too: rounding errors of that size are allowed."""
    exact = RecordedNumbers(step, recording, arrays, "float64")
    rounded = RecordedNumbers(step, recording, arrays, dtype)
    found = []
    for k, ops in groups_of(recording).items():
        pairs = [*outputs_again(exact, ops)], [*terms_again(exact, k, ops)]
        outputs, terms = (tuple(map(compare, each)) for each in pairs)
        if not all(each.agrees for each in (*outputs, *terms)):
            again = [*outputs_again(rounded, ops)], [*terms_again(rounded, k, ops)]
            outputs, terms = (tuple(map(compare, *each)) for each in zip(pairs, again, strict=True))
        at = recording.functions.get(ops[0].output)
        function = "" if at is None else step.functions[at].name
        has_row = k not in recording.without_row
        found.append(Rederived(k, step.ops[k].name, ops[0].block, outputs, terms, has_row, function))
    return found


def groups_of(recording: RecordedGraph) -> dict[int, list[Op]]:
    """Return the operations of the graph by the recorded one that they are parts of; those of a function with a
    backward pass of its own are together, by its last one."""
    last = {at: recording.made_by[name] for name, at in recording.functions.items()}
    groups: dict[int, list[Op]] = {}
    for op in recording.graph.ops:
        if op.output in recording.made_by:
            function = recording.functions.get(op.output)
            k = recording.made_by[op.output] if function is None else last[function]
            groups.setdefault(k, []).append(op)
    return dict(sorted(groups.items()))


def outputs_again(numbers: RecordedNumbers, ops: list[Op]) -> Iterator[Pair]:
    """Compute the outputs of an operation that are recorded."""
    for op in ops:
        recorded = numbers.recorded(op.output)
        if recorded is not None and not isinstance(op.primitive, RecordedOnly):
            dtype = numbers.step.values[numbers.number[op.output]].dtype
            yield Pair(op.output, recorded, numbers.forward(op), dtype)


def terms_again(numbers: RecordedNumbers, k: int, ops: list[Op]) -> Iterator[Pair]:
    """Compute the contributions of an operation to the cotangents of its inputs that are recorded."""
    if any(isinstance(op.primitive, RecordedOnly) for op in ops):
        return
    inside = {op.output for op in ops}
    pulled: dict[str, Array] = {}
    sizes: dict[str, Array] = {}  # of the terms that those are sums of
    for op in reversed(ops):
        if op.output in numbers.graph.differentiable:
            g = numbers.cotangents[op.output]
            for name, term in numbers.pull(op, g):
                pulled[name] = pulled[name] + term if name in pulled else term
            sizes |= {name: np.abs(term) for name, term in numbers.pull(op, np.abs(g))}
    for name, term in pulled.items():
        recorded = _recorded_term(numbers, k, ops, name)
        if recorded is not None and name not in inside:
            dtype = numbers.step.values[numbers.number[name]].dtype
            size = float(sizes[name].max(initial=0))
            yield Pair(numbers.graph.gradient_of(name), recorded, term, dtype, size)


def _recorded_term(numbers: RecordedNumbers, k: int, ops: list[Op], name: str) -> Array | None:
    """Return what PyTorch contributed to a cotangent here: a recorded term, or the whole cotangent where nothing else
    contributes to it."""
    number, recording = numbers.number.get(name), numbers.recording
    if number is None:
        return None
    function = recording.functions.get(ops[0].output)
    every = (numbers.step.ops[k] if function is None else numbers.step.functions[function]).terms
    found = [numbers.arrays[key] for value, key in every if value == number and key in numbers.arrays]
    if found:
        return np.asarray(sum(found), numbers.dtype)
    readers = {
        (recording.functions.get(op.output), recording.made_by.get(op.output))
        if recording.functions.get(op.output) is None
        else (recording.functions[op.output], None)
        for op in numbers.graph.readers[name]
    }
    return numbers.recorded(name, "cotangent") if len(readers) == 1 else None


def compare(pair: Pair, rounded: Pair | None = None, tolerance: float | None = None) -> Compared:
    """Compare two arrays of one shape, within a ``tolerance``, by default that of their type. Where both are not
    finite in the same way, they agree. ``rounded`` has the array computed again in the precision of the recording:
    ROUNDINGS times its difference is allowed, too."""
    if tolerance is None:
        tolerance = TOLERANCES.get(pair.dtype, TOLERANCES["float32"])
    with np.errstate(all="ignore"):
        recorded, derived = pair.recorded, pair.derived.astype(HELD_AS.get(pair.dtype, float)).astype(float)
        apart = _apart(recorded, derived)
        sizes = np.abs(recorded[np.isfinite(recorded)])
        largest = max(float(sizes.max(initial=0)), CANCELLED * pair.size, float(np.finfo(np.float32).tiny))
        if rounded is not None and apart.size:
            error = float(_apart(np.asarray(rounded.derived, float), derived).max()) / largest
            tolerance = max(tolerance, ROUNDINGS * error if np.isfinite(error) else 0)
    if not apart.size:
        return Compared(pair.name, 0.0, (), 0.0, 0.0, tolerance)
    index = tuple(map(int, np.unravel_index(int(np.argmax(apart)), apart.shape)))
    numbers = float(recorded[index]), float(derived[index])
    return Compared(pair.name, float(apart[index]) / largest, index, *numbers, tolerance)


def _apart(a: Array, b: Array) -> Array:
    """Return the differences: 0 where both are the same number, or none; ∞ where one is none."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    apart = np.where(same, 0, np.abs(a - b))
    return np.where(np.isnan(apart), np.inf, apart)
