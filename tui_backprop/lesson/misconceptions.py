"""The table of misconceptions: for each, what refutes it, in words and on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tui_backprop.engine.mutants.answers import Diagnosis
from tui_backprop.lesson import misconceptions_in_words, misconceptions_with_numbers
from tui_backprop.lesson.misconception import Misconception

MISCONCEPTIONS: Mapping[str, Misconception] = MappingProxyType(
    {row.name: row for row in (*misconceptions_with_numbers.ROWS, *misconceptions_in_words.ROWS)}
)


def told(diagnosis: Diagnosis) -> str:
    """Say what a number is that someone gave: right, or what it is the result of; "" if that is not known."""
    if diagnosis.right:
        return "Right."
    if not diagnosis.mutants:
        return ""
    first, *others = diagnosis.mutants
    refutation = MISCONCEPTIONS[first.name].refutation
    return (
        f"This is what comes out {' or '.join([first.about, *(each.about for each in others)])}. {refutation}"
    )
