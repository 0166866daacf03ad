"""What a network's outputs say, where they stand for classes."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.primitives import LOSSES, Array


def predicted_classes(z: Array, loss: str) -> Array:
    """The classes that outputs (n, outputs) say, (n,): the largest one's, or class 1 where an only one says that this
    is likelier than not: a logit above 0, or with a loss of squares, whose targets are 0 and 1, above a half."""
    if z.shape[1] > 1:
        classes: Array = np.argmax(np.nan_to_num(z, nan=-np.inf), axis=1)
    else:
        classes = (z[:, 0] > (0.5 if LOSSES[loss].output_is_value else 0)).astype(int)
    return classes


def class_of(t: Array) -> int:
    """The class that a sample's target stands for: a label, an only output of 0 or 1, or one for each class."""
    return int(t.flat[0]) if t.size == 1 else int(np.argmax(t))
