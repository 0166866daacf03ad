"""What the description of a recording has to be before a graph is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tui_backprop.engine.arrays.types import Shape
from tui_backprop.engine.frontends.recording.recorded import (
    NAMED,
    NUMBER,
    VALUE,
    RecordedIteration,
    RecordingHeader,
)

VERSION = 1
MOST_OPS = 200_000  # in all iterations
MOST_RANK, MOST_DEPTH = 16, 4  # axes of a tensor, lists in lists of arguments
MOST_ENTRIES = 2**40  # of a tensor


def check_header(header: RecordingHeader, shapes: Mapping[str, Shape]) -> str:
    """Say what is wrong with a description, the arrays in the file having these ``shapes``; "" if nothing is."""
    if header.version != VERSION:
        return f"it is of version {header.version}; this program reads version {VERSION}"
    if not header.iterations:
        return "it has no iterations"
    if sum(len(each.ops) for each in header.iterations) > MOST_OPS:
        return f"it has more than {MOST_OPS:,} operations"
    return next((wrong for each in header.iterations for wrong in _wrong(each, shapes)), "")


def _wrong(step: RecordedIteration, shapes: Mapping[str, Shape]) -> Iterator[str]:
    """Yield what is wrong with an iteration."""
    yield from _wrong_values(step, shapes)
    for k, module in enumerate(step.modules):
        if module.inside is not None and not 0 <= module.inside < k:
            yield f"module {k} is not inside an earlier one"
    known = set(range(len(step.values))) - {out for op in step.ops for out in op.outputs}
    for k, op in enumerate(step.ops):
        used = [*values_in(op.arguments), *values_in([*op.keywords.values()])]
        if not all(each in known for each in (*used, *(value for value, _ in op.terms))):
            yield f"operation {k} reads a value that is not computed before it"
        if not op.outputs or not all(0 <= out < len(step.values) and out not in known for out in op.outputs):
            yield f"operation {k} computes no value of its own"
        if not 0 <= op.module < max(len(step.modules), 1):
            yield f"operation {k} is in no module"
        if op.function is not None and not 0 <= op.function < len(step.functions):
            yield f"operation {k} is in no function"
        known.update(op.outputs)
    for each in step.functions:
        if not all(0 <= value < len(step.values) for value in (*each.inputs, *each.outputs)):
            yield "a function reads or computes a value that there is not"
    if not all(0 <= value < len(step.values) for value, _ in step.roots):
        yield "the backward pass begins at a value that there is not"


def _wrong_values(step: RecordedIteration, shapes: Mapping[str, Shape]) -> Iterator[str]:
    for k, value in enumerate(step.values):
        if len(value.shape) > MOST_RANK or min([0, *value.shape]) < 0:
            yield f"value {k} has no shape that a tensor can have"
            continue
        entries = 1
        for n in value.shape:
            entries *= n
        if entries > MOST_ENTRIES:
            yield f"value {k} has {entries:,} entries"
        for key in filter(None, (value.array, value.cotangent, value.before)):
            if key not in shapes and key not in step.statistics:
                yield f"value {k} has an array that is not in the file"
            elif key in shapes and shapes[key] != value.shape:
                yield f"value {k} and its array have different shapes"


def values_in(arguments: Sequence[Any], depth: int = 0) -> Iterator[int]:
    """Yield the values among arguments, in order. What is no argument is none of them: −1."""
    for each in arguments:
        if isinstance(each, dict):
            found = each.get(VALUE)
            if isinstance(found, int) and not isinstance(found, bool):
                yield found
            elif not (each.keys() <= {NAMED, NUMBER}):
                yield -1
        elif isinstance(each, (list, tuple)):
            if depth == MOST_DEPTH:
                yield -1
            else:
                yield from values_in(each, depth + 1)
