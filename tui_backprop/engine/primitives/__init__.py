"""The table of primitives: everything the engine knows about calculus is in this folder.

``base`` defines a row; ``linear``, ``activations`` (each made a primitive by ``elementwise``), ``normalization``,
``losses`` and ``l2_penalty`` hold the rows."""

from tui_backprop.engine.arrays.types import Array, Shape, in_shape, index_at, size
from tui_backprop.engine.primitives.activations import ACTIVATIONS, ELEMENTWISE, IDENTITY
from tui_backprop.engine.primitives.base import Cache, Primitive, Rule, fields
from tui_backprop.engine.primitives.l2_penalty import L2_PENALTY
from tui_backprop.engine.primitives.linear import BIAS_ADD, MATMUL, RESIDUAL_ADD
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.primitives.normalization import DROPOUT, LAYER_NORM, draw_mask

PRIMITIVES: tuple[Primitive, ...] = (
    MATMUL,
    BIAS_ADD,
    *ELEMENTWISE.values(),
    LAYER_NORM,
    DROPOUT,
    RESIDUAL_ADD,
    *LOSSES.values(),
    L2_PENALTY,
)

__all__ = [
    "ACTIVATIONS", "BIAS_ADD", "DROPOUT", "ELEMENTWISE", "IDENTITY", "L2_PENALTY", "LAYER_NORM", "LOSSES", "MATMUL",
    "PRIMITIVES", "RESIDUAL_ADD", "Array", "Cache", "Primitive", "Rule", "Shape", "draw_mask", "fields",
    "in_shape", "index_at", "size",
]  # fmt: skip
