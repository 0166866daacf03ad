"""Networks that differ in all that counts for the work of a pass."""

from __future__ import annotations

from tui_backprop.engine.frontends.dense.spec import NetworkSpec

SPECS = [
    NetworkSpec(),
    NetworkSpec((784, 1000, 10)),
    NetworkSpec((64, 128, 128, 128, 128, 10), layer_norm=True, residual=True),
    NetworkSpec((500, 10), dtype="float64"),
    NetworkSpec((300, 200, 100, 10), bias=False),
    NetworkSpec((2, 128, 1), loss="binary-cross-entropy", layer_norm=True),
]
