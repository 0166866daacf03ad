"""Samples that are typed: rows of inputs, and rows of real values or a list of class labels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from tui_backprop.data.own import Own, parsed
from tui_backprop.support.errors import InputError, UserError

if TYPE_CHECKING:
    from tui_backprop.engine.arrays.types import Shape

TYPED = "typed"  # their name
MOST_LABEL = 999


def typed_samples(x: str, y: str) -> str:
    """Return the text of the data that two texts describe: ``x`` has a row of inputs for each sample, ``y`` a row of
    real values for each, or is a list of class labels. Raises InputError for the first thing that is wrong."""
    (numbers, shape), (targets, of_y) = _array("x", x), _array("y", y)
    if len(shape) == 1:  # one sample
        shape, of_y = (1, *shape), (1, *of_y) if len(of_y) == 1 else of_y
    if len(shape) != 2:
        raise InputError("x", "write a row for each sample, such as [[0.05, 0.1]]")
    rows = tuple(numbers[i : i + shape[1]] for i in range(0, len(numbers), shape[1]))
    if len(of_y) not in (1, 2) or of_y[0] != len(rows):
        raise InputError(
            "y", f"write {len(rows)} rows of values, or {len(rows)} class labels, one for each row of x"
        )
    if len(of_y) == 2:
        return Own(
            TYPED, rows, y=tuple(targets[i : i + of_y[1]] for i in range(0, len(targets), of_y[1]))
        ).text
    if any(label < 0 or label != int(label) or label > MOST_LABEL for label in targets):
        raise InputError(
            "y", "class labels are whole numbers from 0; write real values as rows, such as [[0.5]]"
        )
    classes = tuple(map(str, range(max(2, int(max(targets)) + 1))))
    return Own(TYPED, rows, labels=tuple(map(int, targets)), classes=classes).text


def _array(field: str, text: str) -> tuple[tuple[float, ...], Shape]:
    from tui_backprop.engine.frontends.expression.lets import ENTRIES, array_of
    from tui_backprop.engine.frontends.expression.syntax import checked_text

    numbers, shape = array_of(field, field, checked_text(field, text.strip(), 20 * ENTRIES))
    if len(numbers) > ENTRIES // 4:
        raise InputError(
            field, f"{len(numbers):,} numbers; give more than {ENTRIES // 4:,} in a file, with --data"
        )
    return numbers, shape


@lru_cache(maxsize=4)
def texts_typed(data: str) -> tuple[str, str] | None:
    """Return the two texts of data that were typed; None for any other."""
    own = parsed(data)
    if own.name != TYPED or own.sha256:
        return None
    x, y = (msgspec.json.encode(each).decode() for each in (own.x, own.labels if own.classes else own.y))
    try:
        return (x, y) if typed_samples(x, y) == data else None
    except UserError:
        return None  # a file of that name has more
