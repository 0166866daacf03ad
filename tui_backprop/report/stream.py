"""What ``trace --stream`` prints: a pass whose weight gradients were looked at in passing, and not kept."""

from __future__ import annotations

from typing import Any

import msgspec

from tui_backprop.engine.training.streaming import LayerReport, StreamReport
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.plain import spoken, table, told
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_duration, format_number

HEADS = ("layer", "W", "forward", "backward", "|a|", "|δ|", "|dW|", "largest entries of dW")
SHOWN = 3


def stream_text(session: Session, report: StreamReport, drawn: float, context: RenderContext) -> str:
    """A line for each layer, and the totals."""
    spec = session.network
    total = report.forward + report.backward
    lines = [
        f"network  {','.join(map(str, spec.layers))} {spec.activation}, {spec.loss}, init {spec.init},"
        f" seed {spec.seed}, {spec.dtype}, {spec.parameters:,} parameters",
        f"data     {session.data}, sample {session.sample}, batch {session.batch}, loss"
        f" {format_number(report.loss, 6)}",
        "",
        *table([HEADS, *map(_row, report.layers)], (0, 1, 7), context),
        "",
        f"forward {format_duration(report.forward)}, backward {format_duration(report.backward)},"
        f" {total / report.forward:.2f}x a forward pass together",
        f"drawing the weights took {format_duration(drawn)}; their gradients were not kept, but looked at"
        " tile by tile",
    ]
    return "\n".join(spoken(told(text)) if context.linear else context.text(text) for text in lines)


def stream_dict(session: Session, report: StreamReport, drawn: float) -> dict[str, Any]:
    """What ``trace --stream --json`` prints; seconds."""
    return {"parameters": session.network.parameters, "drawn": drawn, **msgspec.to_builtins(report)}


def _row(layer: LayerReport) -> tuple[str, ...]:
    top = "  ".join(
        f"[{e.row},{e.column}] {format_number(e.value, sign=True)}" for e in layer.largest[:SHOWN]
    )
    return (
        str(layer.layer),
        f"{layer.shape[0]}x{layer.shape[1]}",
        format_duration(layer.forward),
        format_duration(layer.backward),
        format_number(layer.activation_norm),
        format_number(layer.delta_norm),
        format_number(layer.gradient_norm),
        f"{layer.bad:,} NaN or infinite" if layer.bad else top,
    )
