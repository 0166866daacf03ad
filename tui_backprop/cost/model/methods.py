"""What one gradient takes by each method: how many passes, of what kind. The table behind the cost chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CostMethod:
    """A way to a gradient: ``passes(P)`` of a ``kind`` (see work.KINDS), what it is called (in the chart by a
    ``letter``), and which of engine.methods.METHODS it is."""

    name: str
    letter: str
    kind: str
    passes: Callable[[float], float]
    about: str
    method: str


COST_METHODS: dict[str, CostMethod] = {
    "naive": CostMethod(
        "naive", "n", "forward", lambda p: p + 1, "P + 1 forward passes", "forward-difference"
    ),
    "central": CostMethod(
        "central", "2", "forward", lambda p: 2 * p, "2P forward passes", "central-difference"
    ),
    "complex": CostMethod("complex step", "c", "complex", lambda p: p, "P complex passes", "complex-step"),
    "forward-mode": CostMethod(
        "forward mode", "f", "jvp", lambda p: p, "P passes of tangents (JVPs)", "forward-mode"
    ),
    "improved": CostMethod(
        "improved", "i", "batched", lambda p: p + 1, "P parts of passes, 256 a go", "batched-difference"
    ),
    "spsa": CostMethod("SPSA", "s", "forward", lambda p: 2.0, "2 forward passes, very noisy", "spsa"),
    "backprop": CostMethod("backprop", "b", "backprop", lambda p: 1.0, "1 pass down, 1 up", "backprop"),
}
