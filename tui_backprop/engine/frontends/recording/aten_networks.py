"""PyTorch's operations of networks: convolutions, pooling, normalizations, attention, embeddings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.frontends.recording.aten_layouts import padded_positions
from tui_backprop.engine.frontends.recording.translation import NoRow, Translation
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.convolution import channel_bias_add, conv1d, conv2d
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.functions import FUNCTIONS
from tui_backprop.engine.primitives.general_convolution import (
    Sliding,
    general_convolution,
    transposed_convolution,
)
from tui_backprop.engine.primitives.layouts import reshape
from tui_backprop.engine.primitives.placing import placed
from tui_backprop.engine.primitives.pooling import average_pooling, max_pooling
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT
from tui_backprop.engine.primitives.reductions import reduction
from tui_backprop.engine.primitives.row_functions import row_function
from tui_backprop.engine.primitives.softmax import softmax

Translate = Callable[[Translation], None]


def _convolution(t: Translation) -> None:
    x, w = t.value(0), t.value(1)
    rank = t.rank(x) - 2
    stride, padding, dilation = (_each(t.argument(i), rank) for i in (3, 4, 5))
    transposed, extra, groups = t.argument(6), _each(t.argument(7), rank), t.argument(8)
    sliding = Sliding(stride, padding, dilation, groups, extra if transposed else ())
    if transposed:
        row = transposed_convolution(sliding)
    elif groups == 1 and set(dilation) == {1} and rank in (1, 2):
        row = (
            conv1d(*stride, *padding)
            if rank == 1
            else conv2d((stride[0], stride[1]), (padding[0], padding[1]))
        )
    else:
        row = general_convolution(sliding)
    if t.present(2):
        t.make(_channel_bias(rank), t.apply(row, x, w), t.value(2))
    else:
        t.make(row, x, w)


def _channel_bias(rank: int) -> Primitive:
    """Return the row that adds a number to each channel, without sharing memory: recorded values stay."""
    return replace(channel_bias_add(rank), in_place=False, passes_on=False)


def _each(given: Any, rank: int) -> tuple[int, ...]:
    """Return a setting for each spatial axis."""
    values = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    return tuple(map(int, values * rank if len(values) == 1 else values))


def _max_pool(t: Translation) -> None:
    x = t.value(0)
    rank = t.rank(x) - 2
    window = _each(t.argument(1), rank)
    stride = _each(t.argument(2) or window, rank)
    padding, dilation = _each(t.argument(3, 0), rank), _each(t.argument(4, 1), rank)
    if set(dilation) != {1} or t.argument(5, False):
        raise NoRow
    t.make(max_pooling(window, stride), _padded(t, x, padding, -np.inf))


def _average_pool(t: Translation) -> None:
    x = t.value(0)
    rank = t.rank(x) - 2
    window = _each(t.argument(1), rank)
    stride = _each(t.argument(2) or window, rank)
    padding = _each(t.argument(3, 0), rank)
    if t.argument(4, False) or (any(padding) and not t.argument(5, True)) or t.argument(6):
        raise NoRow
    t.make(average_pooling(window, stride), _padded(t, x, padding, 0.0))


def _padded(t: Translation, x: str, padding: tuple[int, ...], fill: float) -> str:
    if not any(padding):
        return x
    at = padded_positions(t.shape(x), [n for p in padding[::-1] for n in (p, p)])
    return t.apply(placed("pad", at, "pad( {0} )", fill=fill), x)


def _adaptive_average_pool(t: Translation) -> None:
    x = t.value(0)
    if set(t.made_shape(0)[2:]) != {1}:
        raise NoRow
    mean = reduction("mean", tuple(range(2 - t.rank(x), 0)), False)
    t.make(reshape(t.made_shape(0)), t.apply(mean, x))


# --- normalizations -------------------------------------------------------------------------------------------


def _ended(t: Translation, v: str, gain: str | None, shift: str | None) -> None:
    """Make output 0 from what was standardized: times gain, plus shift, where there are such."""
    steps = [(name, other) for name, other in (("multiply", gain), ("add", shift)) if other is not None]
    for k, (name, other) in enumerate(steps):
        assert other is not None
        row = t.arithmetic(name, v, other)
        if k == len(steps) - 1:
            t.make(*row)
            return
        v = t.apply(*row)
    t.rename(v)


def _given(t: Translation, i: int) -> str | None:
    return t.value(i) if t.present(i) else None


def _layer_norm(t: Translation) -> None:
    x, shape = t.value(0), t.argument(1)
    axes = tuple(range(-len(shape), 0))
    v = t.apply(row_function("standardize", axes, float(t.argument(4, 1e-5))), x)
    _ended(t, v, _given(t, 2), _given(t, 3))


def _rms_norm(t: Translation) -> None:
    x, shape, epsilon = t.value(0), t.argument(1), t.argument(3)
    axes = tuple(range(-len(shape), 0))
    epsilon = float(np.finfo(np.float32).eps) if epsilon is None else float(epsilon)
    _ended(t, t.apply(row_function("divide by RMS", axes, epsilon), x), _given(t, 2), None)


def _batch_norm(t: Translation) -> None:
    """With the statistics of the batch in training, else with those that were kept."""
    x = t.value(0)
    rank = t.rank(x)
    training, epsilon = t.argument(5), float(t.argument(7))
    gain, shift = (t.channels(t.value(i), rank) if t.present(i) else None for i in (1, 2))
    if training:
        axes = tuple(k - rank for k in range(rank) if k != 1)
        v = t.apply(row_function("standardize", axes, epsilon), x)
    else:
        mean, variance = (t.channels(t.value(i), rank) for i in (3, 4))
        centered = t.apply(*t.arithmetic("subtract", x, mean))
        raised = t.apply(*t.arithmetic("add", variance, t.constant(epsilon)))
        v = t.apply(*t.arithmetic("divide", centered, t.apply(FUNCTIONS["sqrt"], raised)))
    _ended(t, v, gain, shift)


def _group_norm(t: Translation) -> None:
    x, groups, epsilon = t.value(0), t.argument(6), float(t.argument(7))
    shape = t.shape(x)
    grouped = t.reshaped(x, (shape[0], groups, -(-int(np.prod(shape[1:])) // groups)))
    v = t.reshaped(t.apply(row_function("standardize", (-1,), epsilon), grouped), shape)
    gain, shift = (t.channels(t.value(i), len(shape)) if t.present(i) else None for i in (1, 2))
    _ended(t, v, gain, shift)


def _dropout(t: Translation) -> None:
    """x times the mask that was drawn, which is recorded, over the share that is kept."""
    if not t.argument(2, True):
        raise NoRow
    mask = t.output(1)
    kept = t.scaled(mask, 1 / (1 - float(t.argument(1))))
    t.make(*t.arithmetic("multiply", t.value(0), kept))


# --- attention and embeddings -----------------------------------------------------------------------------------


def _attention(mask: int, causal: int) -> Translate:
    """softmax(q kᵀ / √d + mask) v, with the scores that the fused operation does not show. ``mask`` is the place of
    the argument, 0 for none."""

    def translate(t: Translation) -> None:
        q, k, v = (t.value(i) for i in range(3))
        if float(t.argument(3, 0.0, "dropout_p")):
            raise NoRow
        is_causal = bool(t.argument(causal, False, "is_causal"))
        scale = t.argument(99, None, "scale") or t.shape(q)[-1] ** -0.5
        rank = t.rank(k)
        scores = t.apply(MATRIX_PRODUCT, q, t.turned(k, (*range(rank - 2), rank - 1, rank - 2)))
        scores = t.scaled(scores, float(scale))
        given = t.keyword_value("attn_mask") or (t.value(mask) if mask and t.present(mask) else None)
        if given is not None:
            scores = t.apply(*t.arithmetic("add", scores, given))
        t.make(MATRIX_PRODUCT, t.apply(softmax(is_causal), scores), v)

    return translate


def _embedding(t: Translation) -> None:
    padding = t.argument(2, -1, "padding_idx")
    if padding is not None and padding >= 0:
        raise NoRow
    t.make(EMBEDDING, t.value(0), t.value(1))


def _embedding_bag(t: Translation) -> None:
    """Sums or means of rows of a table, for bags of the same size."""
    table, ids, offsets = t.value(0), t.integers(1), t.integers(2)
    mode, bags = t.argument(4, 0), len(offsets)
    if mode not in (0, 1) or t.present(6) or len(ids) % bags or (np.diff(offsets) != len(ids) // bags).any():
        raise NoRow
    rows = t.apply(EMBEDDING, table, t.value(1))
    bagged = t.reshaped(rows, (bags, len(ids) // bags, t.shape(table)[-1]))
    t.make(reduction("sum" if mode == 0 else "mean", (-2,), False), bagged)


NETWORKS: dict[str, Translate] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _max_pool,
    "avg_pool1d": _average_pool,
    "avg_pool2d": _average_pool,
    "_adaptive_avg_pool2d": _adaptive_average_pool,
    "native_layer_norm": _layer_norm,
    "_fused_rms_norm": _rms_norm,
    "native_batch_norm": _batch_norm,
    "_native_batch_norm_legit": _batch_norm,
    "native_group_norm": _group_norm,
    "native_dropout": _dropout,
    "_scaled_dot_product_flash_attention_for_cpu": _attention(0, 4),
    "_scaled_dot_product_flash_attention": _attention(0, 4),
    "_scaled_dot_product_efficient_attention": _attention(3, 6),
    "embedding": _embedding,
    "_embedding_bag": _embedding_bag,
}
