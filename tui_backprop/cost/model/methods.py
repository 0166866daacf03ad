"""The methods of the cost chart: number and kind of passes for a gradient, and how each is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CostMethod:
    """A method: ``passes(P)`` of a ``kind`` (one of workload.PASS_KINDS), its name, its ``letter`` in the chart, and
    its key in METHODS of ``engine/gradients/methods.py``.

    ``about`` says what passes it makes; ``unstacked`` what it makes of a network whose copies cannot be stacked, if
    that is different. Its line in the chart has the color of a ``role``, and a ``marker`` where there is no braille;
    lines are drawn in the order of their ``weight``, and where there is little room, only those of ESSENTIAL weight
    or more. ``fewest`` is the number of forward passes below which no gradient is found, where that does not follow
    from its passes."""

    name: str
    letter: str
    kind: str
    passes: Callable[[float], float]
    about: str
    engine_method: str
    role: str = "mark"
    marker: str = ","
    weight: int = 0
    fewest: float = 0
    unstacked: str = ""


ESSENTIAL = 5
COST_METHODS: dict[str, CostMethod] = {
    "naive": CostMethod(
        "naive", "n", "naive", lambda p: p + 1, "P + 1 forward passes", "forward-difference", "naive", "*", 6
    ),
    "central": CostMethod(
        "central", "2", "central", lambda p: 2 * p, "2P forward passes", "central-difference", weight=4
    ),
    "complex": CostMethod(
        "complex step", "c", "complex", lambda p: p, "P complex passes", "complex-step", weight=3
    ),
    "forward-mode": CostMethod(
        "forward mode", "f", "jvp", lambda p: p, "P forward-mode JVPs", "forward-mode", weight=2
    ),
    "batched": CostMethod(
        "batched", "a", "batched", lambda p: p + 1, "P + 1 partial passes, batched", "batched-difference",
        "batched", "-", 5, 2, "P + 1 forward passes: copies do not stack",
    ),
    "spsa": CostMethod(
        "SPSA", "s", "spsa", lambda p: 2.0, "2 forward passes, very noisy", "spsa", "spsa", ".", 1
    ),
    "backprop": CostMethod(
        "backprop", "b", "backprop", lambda p: 1.0, "1 pass down, 1 up", "backprop", "backprop", "+", 7, 1
    ),
}  # fmt: skip


def cost_method_of(engine_method: str) -> str | None:
    """Return the key in this table of a method in ``engine/gradients/methods.py``; None if it is not compared."""
    return next((name for name, row in COST_METHODS.items() if row.engine_method == engine_method), None)
