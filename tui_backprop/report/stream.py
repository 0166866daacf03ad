"""The report of ``trace --stream``: a pass whose weight gradients are examined tile by tile and not kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tui_backprop.data.catalogue import title
from tui_backprop.engine.training.streaming import LayerReport, StreamReport
from tui_backprop.render.draw.context import LINEAR, RenderContext
from tui_backprop.render.session_text import in_part
from tui_backprop.report.place import init_text, place_text
from tui_backprop.report.rows import BLANK, Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.session.state import Session
from tui_backprop.support.format import counted, format_number
from tui_backprop.support.quantity import Content, Text, joined, phrase, ratio, seconds

COLUMNS = (
    Column("layer", "left"),
    Column("W", "left"),
    Column("forward"),
    Column("backward"),
    Column("|a|"),
    Column("|δ|"),
    Column("|dW|"),
    Column("largest entries of dW", "left"),
)
SHOWN = 3  # of the largest entries


def stream_text(session: Session, report: StreamReport, drawn: float, context: RenderContext) -> str:
    """A line for each layer, and the totals; ``drawn`` are the seconds that initializing the weights took."""
    return text_of(_rows(session, report, drawn), context)


def _rows(session: Session, report: StreamReport, drawn: float) -> Iterator[Row]:
    spec = session.network
    yield Fact(
        "network",
        f"{spec.title}, {init_text(spec)}, seed {spec.seed}, {spec.dtype}, {counted(spec.parameters, 'parameter')}",
    )
    samples = f"{in_part(session, f'sample {session.sample}')}, batch {session.batch}{place_text(session)}"
    yield Fact("data", f"{title(session.data)}, {samples}, loss {format_number(report.loss, 6)}")
    if report.reason:
        yield Sentence(report.reason)
    yield BLANK
    yield Table(COLUMNS, tuple(map(_cells, report.layers)))
    yield BLANK
    together = ratio((report.forward + report.backward) / report.forward)
    words = "forward {}, backward {}, together {} a forward pass"
    yield Sentence(phrase(words, seconds(report.forward), seconds(report.backward), together))
    words = "initializing the weights took {}; their gradients were examined tile by tile and not kept"
    yield Sentence(phrase(words, seconds(drawn)))


def _cells(layer: LayerReport) -> tuple[Content, ...]:
    largest = (f"[{e.row},{e.column}] {format_number(e.value, sign=True)}" for e in layer.largest[:SHOWN])
    return (
        Text(str(layer.layer), f"layer {layer.layer}"),
        f"{layer.shape[0]}x{layer.shape[1]}",
        seconds(layer.forward),
        seconds(layer.backward),
        format_number(layer.activation_norm),
        format_number(layer.delta_norm),
        format_number(layer.gradient_norm),
        f"{layer.bad:,} NaN or infinite" if layer.bad else joined(tuple(largest), "  "),
    )


def stream_dict(session: Session, report: StreamReport, drawn: float) -> dict[str, Any]:
    """The object that ``trace --stream --json`` prints; times are in seconds."""
    return {
        "parameters": session.network.parameters,
        "iteration": session.t,
        "drawn": drawn,
        **msgspec.to_builtins(report),
        "reason": report.reason and LINEAR.text(report.reason),
    }
