"""The rows for expressions and graphs of any shapes, with an instance of each that takes parameters."""

from __future__ import annotations

from tui_backprop.engine.primitives.arithmetic import ARITHMETIC, arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.batch_norm import BATCH_NORM
from tui_backprop.engine.primitives.convolution import channel_bias_add, conv1d, conv2d
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.functions import COPY, DETACH, FUNCTIONS
from tui_backprop.engine.primitives.layouts import (
    MERGE_HEADS,
    concatenate,
    gather,
    reshape,
    slicing,
    split_heads,
    stack,
    transpose,
)
from tui_backprop.engine.primitives.normalization import RMS_NORM
from tui_backprop.engine.primitives.pooling import average_pooling, max_pooling
from tui_backprop.engine.primitives.products import DOT, MATRIX_PRODUCT
from tui_backprop.engine.primitives.reductions import REDUCTIONS, reduction
from tui_backprop.engine.primitives.softmax import softmax

GENERAL: tuple[Primitive, ...] = (
    *map(arithmetic, ARITHMETIC),
    *FUNCTIONS.values(),
    COPY,
    *(reduction(name, (-2,), whole=False) for name in REDUCTIONS),
    MATRIX_PRODUCT,
    DOT,
    reshape((4, 6)),
    transpose((-1, -3, -2)),
    slicing((1, (0, None, 2), (None, 2, None))),
    concatenate(-2, 3),
    gather((1, 0, 1), -2),
    conv2d(),
    conv1d(),
    channel_bias_add(),
    max_pooling((2, 2)),
    average_pooling((2, 2)),
    BATCH_NORM,
    DETACH,
    EMBEDDING,
    RMS_NORM,
    split_heads(2),
    MERGE_HEADS,
    stack(3),
    softmax(),
    softmax(causal=True),
)
