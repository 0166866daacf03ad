"""The forward passes of the reference networks on whole arrays, which take complex parameters, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.reference import microgpt


def views(flat: np.ndarray, shapes: dict[str, tuple[int, int]]) -> dict[str, np.ndarray]:
    """Return the matrices of a flat vector."""
    ends = np.cumsum([rows * columns for rows, columns in shapes.values()])
    parts = np.split(flat, ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.real.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> complex:
    p = softmax(logits)
    return -np.log(p[np.arange(len(p)), targets]).mean()


def norm(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + microgpt.EPSILON)


def microgpt_loss(flat: np.ndarray, tokens: Sequence[int]) -> complex:
    """Return the mean loss of a document, of real or complex parameters (4192,)."""
    w = views(flat, microgpt.SHAPES)
    x, targets = np.array(tokens[:-1])[: microgpt.CONTEXT], np.array(tokens[1:])[: microgpt.CONTEXT]
    n = len(x)
    r = norm(w["E"][x] + w["P"][:n])
    heads = lambda a: a.reshape(n, microgpt.HEADS, -1).swapaxes(0, 1)  # noqa: E731
    q, k, v = (heads(norm(r) @ w[name]) for name in ("Wq", "Wk", "Wv"))
    scores = np.where(np.tri(n, dtype=bool), q @ k.swapaxes(1, 2) / np.sqrt(microgpt.HEAD), -np.inf)
    r = r + (softmax(scores) @ v).swapaxes(0, 1).reshape(n, -1) @ w["Wo"]
    hidden = norm(r) @ w["W1"]
    r = r + np.where(hidden.real > 0, hidden, 0) @ w["W2"]
    return cross_entropy(r @ w["U"], targets)


def rnn_loss(flat: np.ndarray, shapes: dict[str, tuple[int, int]], tokens: Sequence[int]) -> complex:
    """Return the mean loss of a document, of real or complex parameters."""
    w = views(flat, shapes)
    h, states = np.zeros((1, shapes["Wh"][0])), []
    for token in tokens[:-1]:
        h = np.tanh(w["Wx"][token] + h @ w["Wh"] + w["b"])
        states.append(h[0])
    return cross_entropy(np.array(states) @ w["U"] + w["c"], np.array(tokens[1:]))
