"""Hessians and Jacobians as plain text: rows from their frozen values, for the eye and for screen readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from tui_backprop.engine.gradients.hessian import Hessian
from tui_backprop.engine.gradients.jacobian import Jacobian, JacobianCost
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.rows import BLANK, Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.support.format import format_count, format_duration, format_number

ACROSS = 8  # columns of a matrix side by side; more are below
COLUMNS = 100
ENTRY = 11  # columns of an entry of a matrix, with the gap before it
NAME = 13  # columns of the names of facts
NEGLIGIBLE = 1e-12  # times the largest eigenvalue: smaller ones are round-off


def hessian_text(found: Hessian, context: RenderContext, columns: int = COLUMNS) -> str:
    """Return the report on a Hessian, in so many columns."""
    across = max((columns - max(map(len, found.names))) // ENTRY, 1)
    return text_of(hessian_rows(found, min(across, ACROSS)), context, columns)


def jacobian_text(found: Jacobian, context: RenderContext) -> str:
    """Return the report on a Jacobian."""
    return text_of(jacobian_rows(found), context, COLUMNS)


def hessian_dict(found: Hessian) -> dict[str, Any]:
    """Return the object of ``hessian --json``; ``seconds`` are measured."""
    return {
        "names": found.names, "matrix": found.matrix.tolist(), "gradient": found.gradient.tolist(),
        "eigenvalues": found.eigenvalues.tolist(), "kind": found.kind, "asymmetry": found.asymmetry,
        "method": found.method, "passes": found.passes, "flops": found.flops, "seconds": found.seconds,
    }  # fmt: skip


def jacobian_dict(found: Jacobian) -> dict[str, Any]:
    """Return the object of ``jacobian --json``; ``seconds`` are measured."""
    return {
        "outputs": found.outputs, "names": found.names, "value": found.value.tolist(),
        "matrix": found.matrix.tolist(), "rows": asdict(found.rows), "columns": asdict(found.columns),
        "finite": found.finite, "difference": found.difference,
    }  # fmt: skip


def hessian_rows(found: Hessian, across: int = ACROSS) -> Iterator[Row]:
    """Yield the gradient and the second derivatives, ``across`` columns side by side, their eigenvalues, and how they
    were computed."""
    count = len(found.names)
    yield Sentence(f"Hessian of {count} parameter{'s' * (count != 1)}")
    yield Fact("method", found.method, columns=NAME)
    yield Fact("accuracy", _accuracy(found.kind == "exact"), columns=NAME)
    yield Fact("asymmetry", f"{format_number(found.asymmetry)} at most, from round-off alone", columns=NAME)
    yield Fact("cost", _cost("pass", found.passes, found.flops, found.seconds), columns=NAME)
    yield BLANK
    rows = zip(found.matrix.tolist(), found.gradient.tolist(), strict=True)
    yield from _matrix(
        found.names, (*found.names, "gradient"), [[*row, slope] for row, slope in rows], across
    )
    yield BLANK
    yield Fact("eigenvalues", ", ".join(map(format_number, found.eigenvalues.tolist())), columns=NAME)
    yield Sentence(_curvature(found))


def jacobian_rows(found: Jacobian) -> Iterator[Row]:
    """The derivatives of each entry of a value by each parameter, and the cost of both ways."""
    outputs, count = found.matrix.shape
    yield Sentence(f"Jacobian of {outputs} by {count}: value by parameter")
    yield Fact("accuracy", _accuracy(found.finite), columns=NAME)
    yield Fact("by rows", _way(found.rows, "value"), columns=NAME)
    yield Fact("by columns", _way(found.columns, "parameter"), columns=NAME)
    yield Fact("both agree", f"to {format_number(found.difference)}", columns=NAME)
    yield Sentence(_cheaper(found))
    yield BLANK
    pairs = zip(found.value.reshape(-1).tolist(), found.matrix.tolist(), strict=True)
    yield from _matrix(found.outputs, ("value", *found.names), [[value, *row] for value, row in pairs])


def _accuracy(finite: bool) -> str:
    return "exact to round-off" if finite else "some entries are NaN or infinite"


def _way(way: JacobianCost, noun: str) -> str:
    return f"one {way.kind} for each {noun}: {_cost(way.kind, way.passes, way.flops, way.seconds)}"


def _cost(kind: str, passes: int, flops: int, seconds: float) -> str:
    many = "" if passes == 1 else "es" if kind == "pass" else "s"
    return f"{passes:,} {kind}{many}, {format_count(flops)} FLOPs, {format_duration(seconds)} measured"


def _cheaper(found: Jacobian) -> str:
    rows, columns = found.rows.flops, found.columns.flops
    if rows == columns:
        return "Both ways take the same number of FLOPs."
    way = "rows" if rows < columns else "columns"
    if not min(rows, columns):
        return f"By {way} takes no FLOPs at all."
    times = format_number(max(rows, columns) / min(rows, columns))
    return f"The other way takes {times} times the FLOPs of that by {way}."


def _curvature(found: Hessian) -> str:
    """Say what the signs of the eigenvalues mean, beyond round-off."""
    if found.kind != "exact":
        return "No eigenvalues: some second derivatives are NaN or infinite."
    values = found.eigenvalues
    least = NEGLIGIBLE * float(abs(values).max(initial=0.0))
    up, down = int((values > least).sum()), int((values < -least).sum())
    parts = [
        f"{word} in {count} of {len(values)} independent directions"
        for word, count in (("upward", up), ("downward", down))
        if count
    ]
    return f"The loss curves {' and '.join(parts)}." if parts else "The loss curves in no direction."


def _matrix(
    names: Sequence[str], heads: Sequence[str], rows: Iterable[Sequence[float]], across: int = ACROSS
) -> Iterator[Table]:
    """Yield tables of at most so many columns each, one below the other."""
    numbers = [[format_number(value) for value in row] for row in rows]
    for start in range(0, len(heads), across):
        part = slice(start, start + across)
        columns = (Column("", "left"), *map(Column, heads[part]))
        yield Table(columns, tuple((name, *row[part]) for name, row in zip(names, numbers, strict=True)))
