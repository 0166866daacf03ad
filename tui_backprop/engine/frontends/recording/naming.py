"""What the values and the blocks of a recording are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui_backprop.engine.frontends.recording.recorded import RecordedIteration, RecordedValue
from tui_backprop.engine.network.value import Block
from tui_backprop.support.format import printable

NAME = 200  # characters of a name, at most


def symbols(step: RecordedIteration) -> Iterator[str]:
    """Yield the names of all values: of parameters and buffers PyTorch's, of others v1, v2, ... where an operation
    computes them, x1, x2, ... where they are given."""
    computed = {out for op in step.ops for out in op.outputs}
    own = [_own(value) for value in step.values]
    taken = set(filter(None, own))
    counts = dict.fromkeys("wvx", 0)
    seen: set[str] = set()
    for k, (value, name) in enumerate(zip(step.values, own, strict=True)):
        letter = "w" if value.parameter else "v" if k in computed else "x"
        unnamed = not name or name in seen
        while unnamed and (not name or name in taken):
            counts[letter] += 1
            name = f"{letter}{counts[letter]}"
        seen.add(name)
        yield name


def _own(value: RecordedValue) -> str:
    """Return the name of a parameter or a buffer in its model; one that is a number gets a letter."""
    name = printable(value.name, NAME)
    return f"p{name}" if name.isdecimal() else name


def blocks_of(step: RecordedIteration) -> tuple[list[Block], Mapping[int, int]]:
    """Return a block for what is outside of all modules, and for each call of a module that computes something; and
    the number of the block of each such call."""
    calls = sorted({op.module for op in step.ops} - {0})
    blocks = [Block("outside of modules")]
    for call in calls:
        module = step.modules[call]
        again = f" (call {module.call})" if module.call > 1 else ""
        blocks.append(Block(f"{printable(module.name or module.kind, NAME)}{again}"))
    return blocks, {0: 0} | {call: k for k, call in enumerate(calls, 1)}
