"""The class that a network predicts from its outputs, and none where they are not finite.

The largest output decides. Where it is infinite or NaN there is nothing to decide with: softmax takes the largest
logit from each, and ∞ − ∞ is NaN; the loss of an infinite output is NaN or infinite, too. A logit of −∞ beside a
finite one is an ordinary loser: its softmax is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.losses import Loss
from tui_backprop.support.format import format_number

NO_CLASS = -1  # in an array of predicted classes: nothing is predicted. It equals no label.


def predicted_classes(z: Array, loss: Loss) -> Array:
    """The classes predicted by outputs (n, outputs), (n,): the index of the largest one, or class 1 where a single
    one is above a threshold: 0 for a logit, a half for a loss of squares, whose targets are 0 and 1. NO_CLASS where
    the largest output is NaN or infinite."""
    if z.shape[1] > 1:
        classes: Array = np.argmax(z, axis=1)
    else:
        classes = (z[:, 0] > (0.5 if loss.output_is_value else 0)).astype(int)
    return np.where(np.isfinite(z.max(axis=1)), classes, NO_CLASS)


@dataclass(frozen=True)
class Prediction:
    """The class predicted for one sample, None where there is none, beside its ``label``. ``output`` is the largest
    output, which decides: NaN or infinite where nothing is predicted."""

    label: int
    predicted: int | None
    output: float

    @property
    def correct(self) -> bool:
        return self.predicted == self.label

    @property
    def words(self) -> str:
        """The prediction and its verdict: predicted 3: wrong."""
        if self.predicted is None:
            return f"no prediction: an output is {format_number(self.output)}"
        return f"predicted {self.predicted}: {'correct' if self.correct else 'wrong'}"

    @property
    def brief(self) -> str:
        """The words where there is little room."""
        return f"no prediction ({format_number(self.output)})" if self.predicted is None else self.words


def prediction_of(z: Array, t: Array, loss: Loss) -> Prediction:
    """The prediction for a sample, from its outputs ``z`` (outputs,) and its target ``t``."""
    predicted = int(predicted_classes(z[None], loss)[0])
    return Prediction(class_of(np.asarray(t)), None if predicted == NO_CLASS else predicted, float(z.max()))


def class_of(t: Array) -> int:
    """The class of a sample's target: a label, a single output of 0 or 1, or the largest of one for each class."""
    return int(t.flat[0]) if t.size == 1 else int(np.argmax(t))
