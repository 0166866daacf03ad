"""A recurrent character network of scalars, written from its equations: the reference of ``--preset rnn``.

For the tokens x_0 ... x_(n-1) of a document, each predicting the next one, with h_(-1) = 0:

    h_t = tanh(Wx[x_t] + h_(t-1) Wh + b)       Wx[x] is the row of Wx that a one-hot x selects
    loss = mean over t of −ln softmax(h_t U + c)[x_(t + 1)]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from tests.reference.scalar import Scalar, Vector, cross_entropy, matrices, mean, plus, times

Shapes = dict[str, tuple[int, int]]


def shapes(tokens: int, hidden: int) -> Shapes:
    """Return the shapes (fan_in, fan_out) of the parameters, in the order of the flat vector; biases have one row."""
    return {
        "Wx": (tokens, hidden), "Wh": (hidden, hidden), "b": (1, hidden), "U": (hidden, tokens), "c": (1, tokens),
    }  # fmt: skip


def gradient(flat: Iterable[float], of: Shapes, tokens: Sequence[int]) -> tuple[float, np.ndarray]:
    """Return the loss of a document, and its gradient, a flat vector."""
    parameters, weights = matrices(flat, of)
    h: Vector = [Scalar(0.0) for _ in range(of["Wh"][0])]
    losses = []
    for token, following in pairwise(tokens):
        z = plus(plus(weights["Wx"][token], times(h, weights["Wh"])), weights["b"][0])
        h = [each.tanh() for each in z]
        losses.append(cross_entropy(plus(times(h, weights["U"]), weights["c"][0]), following))
    loss = mean(losses)
    loss.backward()
    return loss.value, np.array([each.grad for each in parameters])
