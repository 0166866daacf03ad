"""Names of arrays and of their entries, and what they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

SO_FAR = " so far"  # suffix of the name of a sum that lacks some of its terms
TensorEntry = tuple[str, tuple[int, ...]]  # the name of a tensor, and an index into it


class Tensor(NamedTuple):
    """What a name in formulas stands for: a value, its gradient, the first terms of that, or what the operation that
    computes the value has saved."""

    value: str
    what: Literal["value", "gradient", "partial", "saved"] = "value"
    terms: int = 0  # of a partial gradient


def entry_name(tensor: str, index: Sequence[object]) -> str:
    """Return the name of an entry, such as W2[13,200]; of a single number, its own. The suffix of a partial sum stays
    at the end."""
    whole, suffix, rest = tensor.partition(SO_FAR)
    return f"{whole}[{','.join(map(str, index))}]{suffix}{rest}" if index else tensor


def so_far(terms: int) -> str:
    """Return the suffix of a gradient of which so many terms are added: the first, or several."""
    return SO_FAR if terms == 1 else f"{SO_FAR} ({terms} terms)"
