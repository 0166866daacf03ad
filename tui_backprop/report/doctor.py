"""What ``doctor`` prints: its findings as text, or as an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.rows import BLANK, Fact, Forms, Group, Row, text_of


@dataclass(frozen=True)
class Finding:
    """What was found: of what, the value, and why it is so, where that is not plain."""

    name: str
    value: str
    why: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Findings in groups, each with its title."""

    groups: Mapping[str, tuple[Finding, ...]]


def doctor_text(diagnosis: Diagnosis, context: RenderContext) -> str:
    """A block for each group, a line for each finding, with its reason in brackets."""
    return text_of(_rows(diagnosis), context)


def _rows(diagnosis: Diagnosis) -> Iterator[Row]:
    for i, (title, findings) in enumerate(diagnosis.groups.items()):
        if i:
            yield Forms(written=(BLANK,))
        yield Group(title, tuple(Fact(found.name, found.value, found.why) for found in findings))


def doctor_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """What ``doctor --json`` prints: groups of findings, each with ``value`` and ``why``."""
    return {
        title: {found.name: {"value": found.value, "why": found.why} for found in findings}
        for title, findings in diagnosis.groups.items()
    }
