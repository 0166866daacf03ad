"""Load a data set, and select the batch that a pass runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tui_backprop.data import own
from tui_backprop.data.catalogue import DATASETS, TEXTS, info
from tui_backprop.data.passage import Passage
from tui_backprop.data.split import Part, split_of
from tui_backprop.data.text import NO_TARGET, Text, shipped
from tui_backprop.engine.network.model import Model, no_data
from tui_backprop.engine.primitives import Array
from tui_backprop.support.validation import one_of

Generator = np.random.Generator


@dataclass(frozen=True)
class Dataset:
    """Inputs ``x`` (samples, inputs), to be divided by ``scale``; ``target``: integer class labels (samples,) or real
    values (samples, outputs)."""

    x: Array
    target: Array
    scale: int = 1


@dataclass(frozen=True)
class Batch:
    """Samples for one pass: ``x`` (n, inputs); ``target`` as in the data set; ``t`` as the network's loss takes it:
    class labels (n,), or numbers (n, outputs), one-hot for classes.

    Of text, with a context of T: ``x`` (n, T) has tokens, in the network's precision, and both ``target`` and ``t``
    (n, T) have the next tokens, int64, -1 where there is none."""

    x: Array
    target: Array
    t: Array


def digits(rng: Generator, n: int) -> tuple[Array, Array]:
    """Load the handwritten digits: pixels 0 to 255, flattened row by row. See NOTICE.md for their source."""
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        return file["images"].reshape(n, -1), file["labels"].astype(np.int64)


def xor(rng: Generator, n: int) -> tuple[Array, Array]:
    """Generate the four corners first, exactly; then corners with a little noise."""
    labels = np.arange(n) % 4
    corners = np.array([[0, 1], [1, 0], [0, 0], [1, 1]], float)[labels]
    noise = rng.normal(scale=0.1, size=(n, 2))
    noise[:4] = 0
    return corners + noise, labels < 2


def circles(rng: Generator, n: int) -> tuple[Array, Array]:
    """Generate class 0, a disc of radius 0.5, and class 1, a ring of radius 1, both noisy."""
    label = np.arange(n) % 2
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = np.where(label == 1, 1.0, 0.5 * np.sqrt(rng.uniform(0, 1, n))) + rng.normal(scale=0.05, size=n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), label


def spiral(rng: Generator, n: int) -> tuple[Array, Array]:
    """Generate three arms, each a little over half a turn, a third of a turn apart."""
    label = np.arange(n) % 3
    along = rng.uniform(0.05, 1, n)
    angle = 4 * along + 2 * np.pi / 3 * label + rng.normal(scale=0.1, size=n)
    return np.stack([along * np.sin(angle), along * np.cos(angle)], axis=1), label


def moons(rng: Generator, n: int) -> tuple[Array, Array]:
    """Generate two interleaved half circles with noise."""
    label = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + rng.normal(scale=0.1, size=(n, 2)), label


def sine(rng: Generator, n: int) -> tuple[Array, Array]:
    """Generate x uniform in [-pi, pi] with target sin(x)."""
    x = rng.uniform(-np.pi, np.pi, (n, 1))
    return x, np.sin(x)


def symmetry(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return the numbers 0 to 63 as six bits; class 1 if they read the same from both ends."""
    bits = (np.arange(n)[:, None] >> np.arange(6)[::-1]) & 1
    return bits.astype(float), (bits == bits[:, ::-1]).all(1)


def mazur(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return the sample of "A Step by Step Backpropagation Example" (M. Mazur, 2015)."""
    return np.array([[0.05, 0.1]]), np.array([[0.01, 0.99]])


MAKERS: dict[str, Callable[[Generator, int], tuple[Array, Array]]] = {
    "digits": digits, "xor": xor, "circles": circles, "spiral": spiral, "moons": moons, "sine": sine,
    "symmetry": symmetry,
    "mazur": mazur,
}  # fmt: skip


@lru_cache(maxsize=8)
def _load(data: str, seed: int) -> Dataset:
    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    x, target = MAKERS[data](stream, DATASETS[data].samples)
    if DATASETS[data].classes:
        target = target.astype(np.int64)
    for array in (x, target):
        array.setflags(write=False)
    return Dataset(x, target, scale=255 if x.dtype == np.uint8 else 1)


def load(data: str, seed: int) -> Dataset:
    """Load the whole data set; toy data are generated from the seed. Raises InputError for an unknown name, and for
    text."""
    if own.is_own(data):
        table = own.table_of(data)
        return Dataset(table.x, table.target)
    one_of("data", data, DATASETS)
    return _load(data, 0 if data == "digits" else seed)


def load_text(data: str) -> Text:
    """Load a text, by the name of a data set or as a user brought it. Raises InputError for data that has none."""
    return own.documents(data) if own.is_own(data) else shipped(one_of("data", data, TEXTS))


def cut(
    spec: Model,
    data: str,
    sample: int,
    batch: int,
    part: Part | None = None,
    passage: Passage | None = None,
) -> Batch:
    """Return the ``batch`` samples of a part (default: of the whole data set) from ``sample`` on, going round at the
    end, in the network's precision; or a ``passage`` in their place."""
    if passage is not None:
        return _passage_batch(spec, load_text(data), passage)
    if spec.holds_numbers:
        nothing = no_data(spec.dtype)
        return Batch(nothing, nothing, nothing)
    rows = (part or _whole(data)).rows(sample, batch)
    if spec.context:
        tokens, following = load_text(data).windows(np.arange(info(data).samples)[rows], spec.context)
        return Batch(tokens.astype(spec.dtype), following, following)
    return _selected(spec, load(data, spec.seed), rows)


def _passage_batch(spec: Model, text: Text, passage: Passage) -> Batch:
    """Return a passage as a batch of one sample; with the target of one letter alone, if it has one."""
    tokens, following = text.window(text.encode(passage.characters)[1:-1], spec.context)
    if passage.letter:
        following = np.where(np.arange(spec.context) == passage.position, following, NO_TARGET)
    return Batch(tokens[None].astype(spec.dtype), following[None], following[None])


def batches(spec: Model, data: str, part: Part | None = None) -> Callable[[int, int], Batch]:
    """Return ``cut`` for many batches of a part: they come from all samples in the network's precision, except those
    of text, as views where they follow each other."""
    part = part or _whole(data)

    def batch(sample: int, size: int) -> Batch:
        if spec.holds_numbers or spec.context:
            return cut(spec, data, sample, size, part)
        whole, rows = _all(spec, data), part.rows(sample, size)
        return Batch(whole.x[rows], whole.target[rows], whole.t[rows])

    return batch


def _whole(data: str) -> Part:
    return split_of(info(data).samples, 0, 0).training


@lru_cache(maxsize=1)
def _all(spec: Model, data: str) -> Batch:
    whole = _selected(spec, load(data, spec.seed), slice(None))
    for array in (whole.x, whole.t):
        array.setflags(write=False)
    return whole


def _selected(spec: Model, whole: Dataset, rows: slice | Array) -> Batch:
    x, target, graph = (whole.x[rows] / whole.scale).astype(spec.dtype), whole.target[rows], spec.graph
    outputs = graph.width(graph.depth)
    if graph.loss_rule.labels:
        return Batch(x, target, target)
    if target.ndim == 2:
        t = target
    elif outputs == 1:
        t = target[:, None]
    else:
        t = target[:, None] == np.arange(outputs)
    return Batch(x, target, t.astype(spec.dtype))
