"""What ``cost --plain`` says in other words than ``cost``: a summary first, and units in words."""

from __future__ import annotations

from tui_backprop.cost.model.cost_model import Estimate
from tui_backprop.cost.model.landmarks import KNOWN, TRAINING_STEPS
from tui_backprop.render.cost.cost import spread
from tui_backprop.report.cost_result import CostResult
from tui_backprop.report.plain import spoken, told
from tui_backprop.support.format import format_duration, format_ratio

STEPS = f"{TRAINING_STEPS:,} steps"
KNOWN_HEADS = (
    "", "parameters", "one gradient by naive", "one gradient by backprop", "backprop is faster by", "a run by naive",
    "a run by backprop", "how sure these times are",
)  # fmt: skip


def said(row: str) -> str:
    """A line for screen readers; names of processors stay what they are."""
    text = told(row)
    return text if text.startswith("machine: ") else spoken(text)


def summary(result: CostResult) -> list[str]:
    """The most important of it, a sentence a line."""
    cost_model, shape = result.cost_model, result.shape
    name, parameters = KNOWN[-1]
    (naive, backprop), (later, soon) = (
        [cost_model.gradient(way, at) for way in ("naive", "backprop")]
        for at in (shape, shape.at(float(parameters)))
    )
    forward = cost_model.seconds("forward", shape)
    known = "as measured" if backprop.measured else "as projected"
    return [
        f"One gradient of this network of {result.session.network.parameters:,} parameters takes"
        f" {format_duration(backprop.middle)} by backprop, {known}, and would take {format_duration(naive.middle)}"
        " by the naive method, which repeats the forward pass for every parameter.",
        f"So backprop is {format_ratio(result.ratio(shape))} times faster here, and takes"
        f" {backprop.middle / forward.middle:.2f}x as long as one forward pass.",
        f"Training for {STEPS} would take {format_duration(TRAINING_STEPS * backprop.middle)} by backprop, and"
        f" {format_duration(TRAINING_STEPS * naive.middle)} by the naive method.",
        f"For a network as large as {name}, one gradient is projected to take {format_duration(soon.middle)}"
        f" by backprop, and {format_duration(later.middle)} by the naive method, {spread(less_sure(soon, later))}.",
    ]


def less_sure(*estimates: Estimate) -> Estimate:
    """The one of them that may be further off."""
    return max(estimates, key=lambda one: one.high / one.middle if one.middle else 1.0)
