"""The samples that a network misclassifies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis.parameter_detail import only_position
from tui_backprop.engine.network.inference import at_once
from tui_backprop.engine.network.predictions import class_of, predicted_classes
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.session.state import Session

AT_ONCE = 256  # samples in a pass, at most


class Mistake(NamedTuple):
    """A sample that is misclassified: its number, its label, and the class predicted (NO_CLASS: none)."""

    sample: int
    label: int
    predicted: int


def first_class(session: Session, iteration: Iteration) -> int | None:
    """The label of the first sample of the batch of an iteration; of a text, its only target. None where there is no
    class, or more than one."""
    about, position = info(session.data), only_position(iteration)
    if position is None and not about.classes:
        return None
    t = np.asarray(iteration.tensor(iteration.graph.target)[0])
    return class_of(t) if position is None else int(t[position])


def confusion(session: Session, parameters: Array) -> Array:
    """Count the samples of the whole data set by label and prediction, (classes, classes + 1), labels in rows, for a
    network with these ``parameters`` (P,); in the last column those for which nothing is predicted. Nothing is
    dropped."""
    classes = info(session.data).classes
    counts = np.zeros((classes, classes + 1), int)
    for _, target, predicted in _predictions(session, parameters, 0, 1):
        np.add.at(counts, (target, predicted), 1)  # NO_CLASS is the last column
    return counts


def next_mistake(
    session: Session, parameters: Array, direction: int = 1, sought: tuple[int, int] | None = None
) -> Mistake | None:
    """The next sample after the session's (or the one before) that a network with these ``parameters`` (P,) does not
    predict correctly, or is ``sought``: (label, predicted class). Goes round at the ends, the session's own coming
    last; None if there is none, or if they have no classes. Nothing is dropped."""
    about = info(session.data)
    if not about.classes:
        return None
    start = session.sample + (1 if direction > 0 else 0)
    for first, target, predicted in _predictions(session, parameters, start, direction):
        found = predicted != target if sought is None else (target == sought[0]) & (predicted == sought[1])
        if found.any():
            at = int(np.flatnonzero(found)[0 if direction > 0 else -1])
            return Mistake((first + at) % about.samples, int(target[at]), int(predicted[at]))
    return None


def _predictions(
    session: Session, parameters: Array, start: int, direction: int
) -> Iterator[tuple[int, Array, Array]]:
    """(first sample, labels, predicted classes) of all samples, some at a time: from ``start`` on, or back from the
    one before it, each sample once."""
    spec, samples = session.network, info(session.data).samples
    size = at_once(spec, AT_ONCE)
    program = Program(spec, size, parameters)
    for done in range(0, samples, size):
        count = min(size, samples - done)
        first = (start + done if direction > 0 else start - done - count) % samples
        batch = cut(spec, session.data, first, size)
        program.feed(batch.x, batch.t)
        program.forward()
        predicted = predicted_classes(program.values[spec.graph.output], spec.graph.loss_rule)
        yield first, batch.target[:count], predicted[:count]
