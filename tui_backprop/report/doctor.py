"""What ``doctor`` prints: its findings as text, or as an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui_backprop.render.draw.context import LINEAR, RenderContext
from tui_backprop.report.columns import columns


def doctor_text(diagnosis: Diagnosis, context: RenderContext) -> str:
    """A block for each group, a line for each finding, with its reason in brackets."""
    if context.linear:
        return "\n".join(_told(title, row) for title, rows in diagnosis.groups.items() for row in rows)
    lines = []
    for title, rows in diagnosis.groups.items():
        cells = [[f"  {row.name}", row.value, f"({row.why})" if row.why else ""] for row in rows]
        lines += [
            title,
            *columns([[context.text(cell) for cell in row] for row in cells], left=(0, 1, 2)),
            "",
        ]
    return "\n".join(lines[:-1])


def _told(title: str, row: Row) -> str:
    return LINEAR.text(f"{title}, {row.name}: {row.value}{f' ({row.why})' if row.why else ''}")


def doctor_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """What ``doctor --json`` prints: groups of findings, each with ``value`` and ``why``."""
    return {
        title: {row.name: {"value": row.value, "why": row.why} for row in rows}
        for title, rows in diagnosis.groups.items()
    }


@dataclass(frozen=True)
class Row:
    """One finding: what of, what, and why it is so, where that is not plain."""

    name: str
    value: str
    why: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Findings in groups, each with its title."""

    groups: Mapping[str, tuple[Row, ...]]
