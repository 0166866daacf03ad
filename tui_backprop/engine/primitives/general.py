"""The rows for expressions and graphs of any shapes, with an instance of each that takes parameters."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.primitives.arithmetic import ARITHMETIC, arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.batch_norm import BATCH_NORM
from tui_backprop.engine.primitives.convolution import channel_bias_add, conv1d, conv2d
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.functions import COPY, DETACH, FUNCTIONS
from tui_backprop.engine.primitives.general_convolution import (
    Sliding,
    general_convolution,
    transposed_convolution,
)
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
from tui_backprop.engine.primitives.placing import WHERE, expand, overwritten, placed, running_sum
from tui_backprop.engine.primitives.pointwise import pointwise
from tui_backprop.engine.primitives.pooling import average_pooling, max_pooling
from tui_backprop.engine.primitives.products import DOT, MATRIX_PRODUCT
from tui_backprop.engine.primitives.reductions import REDUCTIONS, reduction
from tui_backprop.engine.primitives.row_functions import ROWS, row_function
from tui_backprop.engine.primitives.softmax import softmax

PLACES = np.array([[3, 0, 5], [5, -1, 2]])
PLACES_LINE = "F.pad({0}.flatten(), (0, 1))[torch.tensor([[3, 0, 5], [5, 6, 2]])]"
POINTWISE: tuple[tuple[str, *tuple[float, ...]], ...] = (
    ("reciprocal",), ("rsqrt",), ("square",), ("log1p",), ("expm1",), ("tan",), ("atan",), ("sinh",), ("cosh",),
    ("erf",), ("exact gelu",), ("mish",), ("log sigmoid",), ("leaky relu", 0.2), ("elu", 1.5, 1.1, 1.0),
    ("softplus", 2.0, 20.0), ("clamp", -0.5, 1.0), ("hard tanh", -1.0, 1.0), ("hard sigmoid",), ("hard swish",),
    ("huber", 0.7), ("smooth l1", 0.7),
)  # fmt: skip

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
    *(pointwise(*row) for row in POINTWISE),
    *(row_function(name, (-1,), 1e-5) for name in ROWS),
    placed("place", PLACES, "place( {0} )", PLACES_LINE),
    overwritten(np.array([1, 3]), np.array([0, 2])),
    expand((2, 3, 4)),
    running_sum(-2),
    WHERE,
    general_convolution(Sliding((1, 1), (0, 0), (2, 1), 2)),
    transposed_convolution(Sliding((2, 2), (1, 1), (1, 1))),
)
