"""Where two recordings part, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tui_backprop.engine.analysis.parting import Parted, Parting
from tui_backprop.engine.frontends.recording.spec import RecordingSpec
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.rows import Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.support.format import counted, format_number, printable

BLANK = Sentence("")
NAMES = 12  # columns of the names of facts
MOST = 10  # rows of a table
LONGEST = 60  # characters of a name


def parting_text(a: RecordingSpec, b: RecordingSpec, found: Parting, context: RenderContext) -> str:
    """Format where two recordings part."""
    return text_of(_rows(a, b, found), context)


def _rows(a: RecordingSpec, b: RecordingSpec, found: Parting) -> Iterator[Row]:
    for label, model in (("first", a), ("second", b)):
        about = f"{model.title}, {model.details}, {counted(model.parameters, 'parameter')}, {model.dtype}"
        yield Fact(label, about, columns=NAMES)
    alone = ""
    if any(found.alone):
        alone = f"; {found.alone[0]:,} are in the first alone, {found.alone[1]:,} in the second"
    yield Fact("operations", f"{found.matched:,} match{alone}", columns=NAMES)
    numbers = f"{counted(len(found.values), 'value')}, {counted(len(found.gradients), 'gradient')}"
    yield Fact("compared", f"{counted(len(found.given), 'input')}, {numbers}", columns=NAMES)
    yield BLANK
    groups = (
        ("What is given differs already:", found.given),
        ("Values that part, on the way down:", found.values),
        ("Gradients that part, on the way up:", found.gradients),
    )
    for head, every in groups:
        if differ := [each for each in every if not each.agrees]:
            yield Sentence(head)
            yield Table(_columns(a, b), tuple(map(_cells, differ[:MOST])))
            if len(differ) > MOST:
                yield Sentence(f"and {len(differ) - MOST:,} more")
            yield BLANK
    yield Sentence(verdict(found))


def _columns(a: RecordingSpec, b: RecordingSpec) -> tuple[Column, ...]:
    return (
        Column("module", "left"),
        Column("operation", "left"),
        Column("number", "left"),
        Column("first"),
        Column("second"),
        Column("off by", spoken="off by, relative to the largest number"),
    )


def _cells(each: Parted) -> tuple[str, ...]:
    module, op = printable(each.module, LONGEST) or "outside", _short(each)
    if each.compared is None:
        return module, op, each.name, *(str(shape) for shape in each.shapes), "another shape"
    place = entry_name(each.name, each.compared.index) if each.compared.index else each.name
    numbers = format_number(each.compared.recorded, 6), format_number(each.compared.derived, 6)
    return module, op, place, *numbers, format_number(each.compared.difference, 2)


def _short(each: Parted) -> str:
    if each.kind in ("parameter", "input"):
        return each.kind
    return printable(each.op, LONGEST)


def verdict(found: Parting) -> str:
    """Say where they part first."""

    def first(every: Sequence[Parted]) -> str:
        each = next((each for each in every if not each.agrees), None)
        where = f" in {printable(each.module, LONGEST)}" if each and each.module else ""
        by = "which comes from" if each and each.kind == "gradient" else "of"
        return "" if each is None else f"{each.name}, {by} {_short(each)}{where}"

    down, up, given = first(found.values), first(found.gradients), first(found.given)
    if given:
        return f"they part before the first operation: {given}"
    if down:
        return f"they part on the way down, first at {down}"
    if up:
        return f"all values agree; gradients part on the way up, first at {up}; check tells which is wrong"
    if any(found.alone):
        return "what matches agrees; the other operations are in one of them only"
    return "they agree"


def parting_dict(a: RecordingSpec, b: RecordingSpec, found: Parting) -> dict[str, Any]:
    """Return all comparisons."""
    return {
        "first": a.held.name,
        "second": b.held.name,
        "agree": found.agrees,
        "verdict": verdict(found),
        "operations": {
            "matched": found.matched,
            "first_alone": found.alone[0],
            "second_alone": found.alone[1],
        },
        **{
            name: list(map(_dict, every))
            for name, every in (
                ("given", found.given),
                ("values", found.values),
                ("gradients", found.gradients),
            )
        },
    }


def _dict(each: Parted) -> dict[str, Any]:
    compared = each.compared
    return {
        "kind": each.kind,
        "name": each.name,
        "module": each.module,
        "operation": each.op,
        "agrees": each.agrees,
        "shapes": [list(shape) for shape in each.shapes],
        "difference": compared and compared.difference,
        "tolerance": compared and compared.tolerance,
        "index": compared and list(compared.index),
        "first": compared and compared.recorded,
        "second": compared and compared.derived,
    }
