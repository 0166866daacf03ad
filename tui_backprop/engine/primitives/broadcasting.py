"""Broadcasting as numpy has it, for rules: the VJP sums over the axes along which an input was repeated."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import Array, Shape


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape that arrays of these shapes have together. Raises ValueError if they do not fit."""
    made: list[int] = []
    for axis in range(max(map(len, shapes), default=0)):
        sizes = {shape[-1 - axis] for shape in shapes if axis < len(shape)} - {1}
        if len(sizes) > 1:
            raise ValueError(f"shapes {' and '.join(map(str, shapes))} do not fit together")
        made.insert(0, sizes.pop() if sizes else 1)
    return tuple(made)


def sum_to(to: Array, terms: Array) -> None:
    """Sum ``terms`` over the axes that ``to`` lacks, or has a single entry in."""
    lead = terms.ndim - to.ndim
    single = [lead + i for i, n in enumerate(to.shape) if n == 1 and terms.shape[lead + i] != 1]
    axes = (*range(lead), *single)
    to[...] = (terms.sum(axis=axes, keepdims=True) if axes else terms).reshape(to.shape)


def lifted(tangent: Array, x: Array, rank: int) -> Array:
    """Return tangents of ``x`` with as many axes, after those in front, as an array of a ``rank``."""
    lead = tangent.shape[: tangent.ndim - x.ndim]
    return tangent.reshape((*lead, *(1,) * (rank - x.ndim), *x.shape))
