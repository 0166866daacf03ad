"""Receipts of the update: from a weight, its gradient and the slots to the new weight, for each optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui_backprop.engine.explain.receipts.rows import ReceiptRow, product
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.training.iteration import Iteration, TrainingState
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES

_UNDECAYED = ReceiptRow("+", "decay of weights only", 0.0)


@dataclass(frozen=True)
class UpdatedWeight:
    """One weight in an update: its name, value and gradient, and its slots before and after."""

    name: str
    w: float
    g: float
    gradient: str  # the name of g in the rows
    old: dict[str, float]
    new: dict[str, float]
    alpha: float
    updates: int  # by this optimizer, including this one
    spec: OptimizerSpec


def update(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[ReceiptRow]:
    """Return the update of one parameter of the layer of the step."""
    spec, before, at = iteration.optimizer, iteration.before, entry_name(tensor, index)

    def slots(state: TrainingState) -> dict[str, float]:
        return {
            slot: float(iteration.graph.views(array)[tensor][index]) for slot, array in state.slots.items()
        }

    w, g = (
        float(iteration.tensor(tensor)[index]),
        float(iteration.tensor(iteration.graph.gradient_of(tensor))[index]),
    )
    dw = entry_name(iteration.graph.gradient_of(tensor), index)
    prepared, g, gradient = _prepared(iteration, tensor, at, dw, w, g)
    updates = before.t - iteration.began + 1
    entry = UpdatedWeight(
        at, w, g, gradient, slots(before), slots(iteration.after), iteration.lr, updates, spec
    )
    rows = [ReceiptRow("+", f"{at} before", w)]
    if spec.weight_decay and UPDATE_RULES[spec.name].decoupled:
        rows.append(
            product("-", f"α decay · {at}", iteration.lr, spec.weight_decay, w)
            if iteration.graph.decays(tensor, spec.decay_bias)
            else _UNDECAYED
        )
    averages, steps = _STEPS[spec.name](entry)
    return [
        *prepared,
        *averages,
        *rows,
        *steps,
        ReceiptRow("=", f"{at} after", float(iteration.new[tensor][index])),
    ]


def _prepared(
    iteration: Iteration, tensor: str, at: str, dw: str, w: float, g: float
) -> tuple[list[ReceiptRow], float, str]:
    """Return the rows that clip the gradient and add the decay to it, the resulting value and its name."""
    spec, factor = iteration.optimizer, iteration.clipping
    rows = [product("+", f"{dw}, clipped", g, factor)] if factor < 1 else [ReceiptRow("+", dw, g)]
    if spec.weight_decay and not UPDATE_RULES[spec.name].decoupled:
        decays = iteration.graph.decays(tensor, spec.decay_bias)
        rows.append(product("+", f"decay · {at}", spec.weight_decay, w) if decays else _UNDECAYED)
    if rows == [ReceiptRow("+", dw, g)]:
        return [], g, dw
    total = sum(row.value for row in rows)
    return [*rows, ReceiptRow("=", "g", total)], total, "g"


def _sgd(e: UpdatedWeight) -> tuple[list[ReceiptRow], list[ReceiptRow]]:
    return [], [product("-", f"α · {e.gradient}", e.alpha, e.g)]


def _velocity(e: UpdatedWeight) -> list[ReceiptRow]:
    return [
        product("+", "μ · v before", e.spec.momentum, e.old["v"]),
        ReceiptRow("+", e.gradient, e.g),
        ReceiptRow("=", "v", e.new["v"]),
    ]


def _momentum(e: UpdatedWeight) -> tuple[list[ReceiptRow], list[ReceiptRow]]:
    return _velocity(e), [product("-", "α · v", e.alpha, e.new["v"])]


def _nesterov(e: UpdatedWeight) -> tuple[list[ReceiptRow], list[ReceiptRow]]:
    return _velocity(e), [
        product("-", f"α · {e.gradient}", e.alpha, e.g),
        product("-", "α μ · v", e.alpha, e.spec.momentum, e.new["v"]),
    ]


def _average(e: UpdatedWeight, slot: str, beta: str, share: float, *sample: float) -> list[ReceiptRow]:
    """Return the rows of the running mean of the gradient, or of its square."""
    square = "²" if len(sample) > 1 else ""
    return [
        product("+", f"{beta} · {slot} before", share, e.old[slot]),
        product("+", f"(1 − {beta}) · {e.gradient}{square}", 1 - share, *sample),
        ReceiptRow("=", slot, e.new[slot]),
    ]


def _rmsprop(e: UpdatedWeight) -> tuple[list[ReceiptRow], list[ReceiptRow]]:
    ratio = e.g / (e.new["v"] ** 0.5 + e.spec.epsilon)
    move = product("-", f"α · {e.gradient} / (√v + ε)", e.alpha, ratio)
    return _average(e, "v", "ρ", e.spec.rho, e.g, e.g), [move]


def _rmsprop_momentum(e: UpdatedWeight) -> tuple[list[ReceiptRow], list[ReceiptRow]]:
    ratio = e.g / (e.new["v"] ** 0.5 + e.spec.epsilon)
    steps = [
        product("+", "μ · u before", e.spec.momentum, e.old["u"]),
        ReceiptRow("+", f"{e.gradient} / (√v + ε)", ratio),
        ReceiptRow("=", "u", e.new["u"]),
    ]
    averages = _average(e, "v", "ρ", e.spec.rho, e.g, e.g)
    return [*averages, *steps], [product("-", "α · u", e.alpha, e.new["u"])]


def _adam(e: UpdatedWeight) -> tuple[list[ReceiptRow], list[ReceiptRow]]:
    averages, corrected = [], {}
    for slot, beta, share, sample in (
        ("m", "β₁", e.spec.beta1, (e.g,)),
        ("v", "β₂", e.spec.beta2, (e.g, e.g)),
    ):
        bias = 1 - share**e.updates
        corrected[slot] = e.new[slot] / bias
        averages += _average(e, slot, beta, share, *sample)[:-1]
        averages += [
            ReceiptRow("/", f"1 − {beta}^{e.updates}", bias),
            ReceiptRow("=", slot.upper(), corrected[slot]),
        ]
    ratio = corrected["m"] / (corrected["v"] ** 0.5 + e.spec.epsilon)
    return averages, [product("-", "α · M / (√V + ε)", e.alpha, ratio)]


# The rows of the running means, and those of the step that the weight takes.
_STEPS: dict[str, Callable[[UpdatedWeight], tuple[list[ReceiptRow], list[ReceiptRow]]]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "nesterov": _nesterov,
    "rmsprop": _rmsprop,
    "rmsprop-momentum": _rmsprop_momentum,
    "adam": _adam,
    "adamw": _adam,
}
