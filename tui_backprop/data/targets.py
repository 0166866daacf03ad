"""The target of samples: which column it is, and whether it names classes."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import printable
from tui_backprop.support.validation import quoted

MOST_CLASSES = 20  # whole numbers with more values than this are real values


def column_of(target: str, names: list[str]) -> int:
    """Return the place of a column by its name; the last one if none is named."""
    if not target:
        return len(names) - 1
    if target not in names:
        has = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise InputError("target", f"there is no column {quoted(target)}; choose from {printable(has, 200)}")
    return names.index(target)


def classes_of(target: Array) -> tuple[tuple[str, ...], Array]:
    """Return the names of the classes and the labels of a target of a few whole numbers; otherwise no names, and the
    real values, (samples, outputs)."""
    if target.ndim == 1:
        values = np.unique(target[:10_000])
        if len(values) <= MOST_CLASSES and (values == np.round(values)).all():
            values, labels = np.unique(target, return_inverse=True)
            if 2 <= len(values) <= MOST_CLASSES and (values == np.round(values)).all():
                return tuple(str(int(value)) for value in values), labels.astype(np.int64)
    return (), target.reshape(len(target), -1).astype(float)
