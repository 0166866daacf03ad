"""The statistics of a recorded step whose arrays were not kept: a row for each value, in the order of the step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from tui_backprop.engine.frontends.recording.naming import symbols
from tui_backprop.engine.frontends.recording.recorded import RecordedIteration, Statistics
from tui_backprop.engine.frontends.recording.statistics import statistics_of
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.rows import Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.support.format import format_number, printable

NAMES, LONGEST = 12, 40  # columns of the names of facts; characters of a name
COLUMNS = (
    Column("value", "left"),
    Column("module", "left"),
    Column("operation", "left"),
    Column("shape", "left"),
    Column("smallest"),
    Column("largest"),
    Column("rms"),
    Column("zeros"),
    Column("bad", spoken="not finite"),
    Column("gradient rms"),
    Column("bad", spoken="of the gradient not finite"),
)
Arrays = Mapping[str, Array]


def statistics_text(name: str, step: RecordedIteration, arrays: Arrays, context: RenderContext) -> str:
    """Format the statistics of all values."""
    return text_of(_rows(name, step, arrays), context)


def _rows(name: str, step: RecordedIteration, arrays: Arrays) -> Iterator[Row]:
    yield Fact("recording", f"{name}, step {step.number}, kept as statistics", columns=NAMES)
    yield Sentence("")
    yield Table(COLUMNS, tuple(_cells(row) for row in statistics_rows(step, arrays)))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    value, gradient = row["statistics"], row["gradient"]
    size = int(np.prod(row["shape"]))
    numbers: tuple[str, ...] = ("",) * 5
    if value is not None:
        zeros = f"{value.zeros / size:.0%}" if size and value.zeros else ""
        ends = (format_number(each, 3) for each in (value.least, value.largest, value.rms))
        numbers = (*ends, zeros, f"{value.nonfinite:,}" if value.nonfinite else "")
    back = ("", "")
    if gradient is not None:
        back = format_number(gradient.rms, 3), f"{gradient.nonfinite:,}" if gradient.nonfinite else ""
    shape = "×".join(map(str, row["shape"])) or "number"
    return row["name"], row["module"], row["operation"], shape, *numbers, *back


def statistics_rows(step: RecordedIteration, arrays: Arrays) -> list[dict[str, Any]]:
    """Return what is known of each value: its name, its module and operation, its shape, and the statistics of it and
    of its gradient; None where nothing is known."""
    made = {out: op for op in step.ops for out in op.outputs}
    rows = []
    for k, (value, name) in enumerate(zip(step.values, symbols(step), strict=True)):
        found = [_known(step, arrays, key) for key in (value.array, value.cotangent)]
        if any(found):
            op = made.get(k)
            operation = "parameter" if value.parameter else "given"
            rows.append({
                "name": name,
                "module": printable(step.modules[op.module].name, LONGEST) if op and step.modules else "",
                "operation": printable(op.name.removeprefix("aten."), LONGEST).partition(".")[0] if op else operation,
                "shape": value.shape,
                "statistics": found[0],
                "gradient": found[1],
            })  # fmt: skip
    return rows


def _known(step: RecordedIteration, arrays: Arrays, key: str) -> Statistics | None:
    if key in step.statistics:
        return step.statistics[key]
    return statistics_of(arrays[key]) if key in arrays else None


def statistics_dict(name: str, step: RecordedIteration, arrays: Arrays) -> dict[str, Any]:
    """Return the statistics of all values."""
    rows = map(_plain, statistics_rows(step, arrays))
    return {"recording": name, "iteration": step.number, "values": list(rows)}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON can have it."""
    return (
        row
        | {key: None if row[key] is None else asdict(row[key]) for key in ("statistics", "gradient")}
        | {"shape": list(row["shape"])}
    )
