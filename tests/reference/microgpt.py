"""A character GPT of scalars, written from its equations: the reference of ``--preset microgpt``.

For the tokens x_0 ... x_(n-1) of a document, each predicting the next one:

    r_t = norm(E[x_t] + P[t])                   norm(r) = r / √(mean(r²) + 1e-5)
    a_t = norm(r_t);  q, k, v = a Wq, a Wk, a Wv
    w   = softmax over s ≤ t of (q_t · k_s / √4), for each of 4 heads: entries 4h ... 4h + 3
    r_t ← r_t + (Σ_s w_s v_s, of all heads side by side) Wo
    r_t ← r_t + relu(norm(r_t) W1) W2
    loss = mean over t of −ln softmax(r_t U)[x_(t + 1)]

Adam with a learning rate that falls linearly to 0; one document for each iteration, in their order.

    python -m tests.reference.microgpt          records the losses in about a minute, and prints the time of a step
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import numpy as np

from tests.reference.scalar import (
    Matrix,
    Scalar,
    Vector,
    cross_entropy,
    dot,
    matrices,
    mean,
    plus,
    softmax,
    times,
)

TOKENS, CONTEXT, WIDTH, HEADS, HIDDEN = 27, 16, 16, 4, 64
HEAD = WIDTH // HEADS
EPSILON = 1e-5  # of the norm
DEVIATION = 0.08  # of the initial parameters
SHAPES = {  # (fan_in, fan_out), in the order of the flat vector
    "E": (TOKENS, WIDTH), "P": (CONTEXT, WIDTH),
    "Wq": (WIDTH, WIDTH), "Wk": (WIDTH, WIDTH), "Wv": (WIDTH, WIDTH), "Wo": (WIDTH, WIDTH),
    "W1": (WIDTH, HIDDEN), "W2": (HIDDEN, WIDTH), "U": (WIDTH, TOKENS),
}  # fmt: skip
STREAMS = (  # of the initial parameters of a seed: block, or block, 0 and the number of the tensor in it
    (1,), (1, 0, 1),
    (2,), (2, 0, 1), (2, 0, 2), (2, 0, 3),
    (3,), (3, 0, 1), (4,),
)  # fmt: skip
PARAMETERS = sum(rows * columns for rows, columns in SHAPES.values())

RATE, BETA1, BETA2, ADAM_EPSILON = 0.01, 0.85, 0.99, 1e-8
SEED, ITERATIONS = 0, 1000
RECORD = Path(__file__).with_name("microgpt_losses.txt")


def initial(seed: int = SEED) -> np.ndarray:
    """Draw the initial parameters, float64 (4192,): each tensor from a stream of its own, as the engine does."""
    drawn = [
        DEVIATION
        * np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key)).standard_normal(shape).ravel()
        for key, shape in zip(STREAMS, SHAPES.values(), strict=True)
    ]
    return np.concatenate(drawn)


def names() -> list[list[int]]:
    """Return the shipped names as tokens: 0 to 25 for a to z, 26 at both ends."""
    import tui_backprop.data

    lines = Path(tui_backprop.data.__file__).with_name("names.txt").read_text("ascii").split()
    return [[26, *(ord(letter) - ord("a") for letter in line), 26] for line in lines]


def norm(x: Vector) -> Vector:
    scale = (dot(x, x) * (1 / len(x)) + EPSILON).sqrt()
    return [each / scale for each in x]


def attention(q: Vector, keys: Sequence[Vector], values: Sequence[Vector]) -> Vector:
    """Return what one position reads from itself and those before it, all heads side by side."""
    read: Vector = []
    for start in range(0, WIDTH, HEAD):
        part = slice(start, start + HEAD)
        weights = softmax([dot(q[part], key[part]) * (1 / math.sqrt(HEAD)) for key in keys])
        read += [dot(weights, [value[i] for value in values]) for i in range(start, start + HEAD)]
    return read


def loss_of(weights: dict[str, Matrix], tokens: Sequence[int]) -> Scalar:
    """Return the mean loss of the predictions of a document, of at most CONTEXT tokens but its last one."""
    keys: list[Vector] = []
    values: list[Vector] = []
    losses: list[Scalar] = []
    for t, (token, following) in enumerate(pairwise(tokens[: CONTEXT + 1])):
        r = norm(plus(weights["E"][token], weights["P"][t]))
        a = norm(r)
        keys.append(times(a, weights["Wk"]))
        values.append(times(a, weights["Wv"]))
        r = plus(r, times(attention(times(a, weights["Wq"]), keys, values), weights["Wo"]))
        hidden = [each.relu() for each in times(norm(r), weights["W1"])]
        r = plus(r, times(hidden, weights["W2"]))
        losses.append(cross_entropy(times(r, weights["U"]), following))
    return mean(losses)


def gradient(flat: Iterable[float], tokens: Sequence[int]) -> tuple[float, np.ndarray]:
    """Return the loss of a document, and its gradient (4192,)."""
    parameters, weights = matrices(flat, SHAPES)
    loss = loss_of(weights, tokens)
    loss.backward()
    return loss.value, np.array([each.grad for each in parameters])


def training(flat: np.ndarray, documents: Sequence[Sequence[int]]) -> Iterator[float]:
    """Train by Adam, and yield the loss of each iteration before its update."""
    parameters, weights = matrices(flat, SHAPES)
    m, v = [0.0] * PARAMETERS, [0.0] * PARAMETERS
    for t in range(ITERATIONS):
        loss = loss_of(weights, documents[t % len(documents)])
        loss.backward()
        rate = RATE * (1 - t / ITERATIONS)
        for i, w in enumerate(parameters):
            m[i] = BETA1 * m[i] + (1 - BETA1) * w.grad
            v[i] = BETA2 * v[i] + (1 - BETA2) * w.grad**2
            corrected = m[i] / (1 - BETA1 ** (t + 1)), v[i] / (1 - BETA2 ** (t + 1))
            w.value -= rate * corrected[0] / (math.sqrt(corrected[1]) + ADAM_EPSILON)
            w.grad = 0.0
        yield loss.value


def recorded() -> np.ndarray:
    """Return the losses of all iterations, as they were recorded."""
    return np.loadtxt(RECORD)


def record() -> None:
    begun = perf_counter()
    losses = [*training(initial(), names())]
    step = (perf_counter() - begun) / ITERATIONS
    RECORD.write_text("".join(f"{loss!r}\n" for loss in losses))
    print(
        f"{ITERATIONS:,} iterations, {1000 * step:.0f} ms each; loss {losses[0]:.4f}, at last {losses[-1]:.4f}"
    )


if __name__ == "__main__":
    record()
