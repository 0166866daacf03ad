"""The predictions of a network over the plane of its two inputs, and the number of samples it predicts correctly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import load
from tui_backprop.engine.network.inference import grid, outputs
from tui_backprop.engine.network.predictions import predicted_classes
from tui_backprop.engine.primitives import Array
from tui_backprop.session.state import Session

MARGIN = 0.08  # of the range of the samples: free space on each side of a picture


@dataclass(frozen=True, eq=False)
class Plane:
    """The predictions of a network in the plane of its two inputs, from the corner ``low`` to ``high``.

    ``predicted`` (rows, columns) is the class of each cell, the top row first, NO_CLASS where there is none; ``sure``
    its probability, None for a loss without probabilities. ``points`` (n, 2) are the samples, ``classes`` (n,) their
    labels, ``predictions`` (n,) their predicted classes; ``sample`` is the one in view.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    predicted: Array
    sure: Array | None
    points: Array
    classes: Array
    predictions: Array
    sample: int

    @property
    def correct(self) -> Array:
        """Mark the samples that are predicted correctly; shape (n,)."""
        correct: Array = self.predictions == self.classes
        return correct


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted curve: the output ``y`` (n,) at the inputs ``x`` (n,), the samples as ``points`` and ``targets``, and
    which of them are in the batch."""

    x: Array
    y: Array
    points: Array
    targets: Array
    batch: Array


def plane_of(session: Session, parameters: Array, columns: int = 40, rows: int = 20) -> Plane | Fit | None:
    """Evaluate the network with these ``parameters`` (P,) for a picture of so many cells: the classes over the plane
    of its two inputs, or a curve at twice as many inputs as ``columns``. Returns None if the network has more than
    two inputs. Dropout is off."""
    about = info(session.data)
    if about.inputs == 2 and about.classes:
        return _plane(session, parameters, columns, rows)
    if about.inputs == about.outputs == 1 and not about.classes:
        return _fit(session, parameters, 2 * columns)
    return None


def _plane(session: Session, parameters: Array, columns: int, rows: int) -> Plane:
    data = load(session.data, session.network.seed)
    least, most = data.x.min(axis=0), data.x.max(axis=0)
    margin = MARGIN * (most - least)
    low, high = _corner(least - margin), _corner(most + margin)
    cells = grid(low, high, rows, columns)
    z, p = outputs(session.network, parameters, np.concatenate([cells, data.x]))
    predicted = predicted_classes(z, session.network.graph.loss_rule)
    sure = None
    if p is not None:
        both = np.hstack([1 - p, p]) if p.shape[1] == 1 else p
        sure = both[np.arange(len(cells)), predicted[: len(cells)]].reshape(rows, columns)
    return Plane(
        low,
        high,
        predicted[: len(cells)].reshape(rows, columns),
        sure,
        data.x,
        data.target,
        predicted[len(cells) :],
        session.sample,
    )


def _corner(at: Array) -> tuple[float, float]:
    return float(at[0]), float(at[1])


def _fit(session: Session, parameters: Array, n: int) -> Fit:
    data = load(session.data, session.network.seed)
    x = np.linspace(data.x.min(), data.x.max(), n)
    z, _ = outputs(session.network, parameters, x[:, None])
    batch = np.arange(len(data.x))[session.part.rows(session.sample, session.batch)]
    order = np.argsort(data.x[:, 0])
    return Fit(x, z[:, 0], data.x[order, 0], data.target[order, 0], np.flatnonzero(np.isin(order, batch)))
