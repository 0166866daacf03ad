"""Conventions of the update in sentences: what sources define differently, and which parameters are regularized."""

from __future__ import annotations

from tui_backprop.engine.explain.no_gradient import without_gradient
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.value import Role
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import SYMBOLS, UPDATE_RULES
from tui_backprop.support.format import format_setting

PLURALS: dict[Role, str] = {
    "weight": "weights",
    "bias": "biases",
    "gain": "gains",
    "shift": "shifts",
    "parameter": "parameters",
}


def scope(network: Model, everything: bool) -> str:
    """Name the parameters that weight decay or an L2 penalty acts on: ``everything``, or weights only."""
    roles = {network.graph.role(name) for name in network.graph.parameters}
    *first, last = [plural for role, plural in PLURALS.items() if role in roles]
    if not first:
        return last
    return f"{', '.join(first)} and {last}" if everything else "weights only"


def settings_of(optimizer: OptimizerSpec) -> dict[str, str]:
    """Return the settings that an optimizer has, by their symbols: {"μ": "0.9"}."""
    names = UPDATE_RULES[optimizer.name].settings
    return {SYMBOLS[name]: format_setting(getattr(optimizer, name)) for name in names}


def decay_text(network: Model, optimizer: OptimizerSpec) -> str:
    """Describe weight decay: "weight decay 0.1 of weights only"; empty if there is none."""
    if not optimizer.weight_decay:
        return ""
    amount = format_setting(optimizer.weight_decay)
    return f"weight decay {amount} of {scope(network, optimizer.decay_bias)}"


def conventions(network: Model, optimizer: OptimizerSpec, began: int = 0) -> tuple[str, ...]:
    """Return a sentence for each convention that the update of a network depends on, and, of a graph without layers,
    for each derivative where there is none. ``began`` is the iteration at which the optimizer began."""
    row = UPDATE_RULES[optimizer.name]
    found = [row.convention]
    if began:
        slots = f" with {' = '.join(row.slots)} = 0" if row.slots else ""
        found.append(
            f"{row.title or optimizer.name} began at iteration {began:,}{slots}, and its t counts from there,"
            " as with a new optimizer in PyTorch"
        )
    if optimizer.clip:
        before = ", before weight decay is added" if optimizer.weight_decay and not row.decoupled else ""
        found.append(
            f"the gradient of all parameters is clipped by its norm{before}; PyTorch divides by the norm + 1e-6"
        )
    if optimizer.weight_decay:
        kind = "is decoupled: it is no part of the gradient" if row.decoupled else "is added to the gradient"
        found.append(f"weight decay {kind}; it acts on {scope(network, optimizer.decay_bias)}")
    if penalized := network.graph.penalized:
        of = scope(network, everything=len(penalized) == len(network.graph.parameters))
        found.append(f"the L2 penalty is part of the loss and of its gradient; it acts on {of}")
    found += without_gradient(network.graph)
    if not network.graph.layered:
        found += dict.fromkeys(op.primitive.convention for op in network.graph.ops)
    return tuple(filter(None, found))
