"""What came out when the operations of a recording were computed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tui_backprop.engine.analysis.rederived import Compared, Rederived
from tui_backprop.engine.explain.no_gradient import without_gradient
from tui_backprop.engine.frontends.recording.recorded import LEFT_OVER
from tui_backprop.engine.frontends.recording.spec import RecordingSpec
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.network.value import Block
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.rows import Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.session.state import Session
from tui_backprop.support.format import counted, format_number, printable

BLANK = Sentence("")
LONGEST = 60  # characters of a name
NAMES = 12  # columns of the names of facts
MOST = 20  # rows of a table
COLUMNS = (
    Column("module", "left"),
    Column("operation", "left"),
    Column("computes", "left"),
    Column("recorded"),
    Column("computed again", spoken="computed again"),
    Column("off by", spoken="off by, relative to the largest number of the tensor"),
)
NOTES = {LEFT_OVER: "gradients were left over from before: .grad was not cleared, so they add up"}


def recording_text(session: Session, found: Sequence[Rederived], context: RenderContext) -> str:
    """Format what was compared, the operations that differ, and the verdict."""
    return text_of(_rows(session, found), context)


def _rows(session: Session, found: Sequence[Rederived]) -> Iterator[Row]:
    model = session.network
    assert isinstance(model, RecordingSpec)
    step, graph = model.iteration, model.graph
    with_row = [each for each in found if each.has_row]
    values = sum(len(each.outputs) for each in found)
    terms = sum(len(each.terms) for each in found)
    yield Fact(
        "recording", f"{model.title}, {model.details}, {counted(model.parameters, 'parameter')}", columns=10
    )
    yield Fact("operations", f"{len(found):,}, of which {len(with_row):,} were computed again", columns=NAMES)
    yield Fact("compared", f"{counted(values, 'value')}, {counted(terms, 'gradient')}", columns=NAMES)
    for sentence in without_gradient(graph):
        yield Fact("note", sentence, columns=NAMES)
    for note in step.notes:
        yield Fact("note", NOTES.get(note, note), columns=NAMES)
    if step.bad:
        yield Fact(
            "note",
            f"{counted(len(step.bad), 'array')} hold NaN or infinity; trace names the first",
            columns=10,
        )
    yield BLANK
    differ = [each for each in found if not each.agrees]
    if differ:
        yield Sentence(
            "These differ from what the operation, or its derivative, comes to, in the order of the step:"
        )
        yield Table(COLUMNS, tuple(_cells(each, graph.blocks[each.block].title) for each in differ[:MOST]))
        if len(differ) > MOST:
            yield Sentence(f"and {len(differ) - MOST:,} more")
        yield BLANK
    without = [each for each in found if not each.has_row]
    if without:
        names = ", ".join(dict.fromkeys(_short(each) for each in without))
        yield Sentence(f"only recorded, not computed again: {counted(len(without), 'operation')} ({names})")
    yield from _verdict(found, differ, not step.bad, graph.blocks)


def passed(session: Session, found: Sequence[Rederived]) -> bool:
    """Return whether all operations agree, and all numbers are finite."""
    assert isinstance(session.network, RecordingSpec)
    return not session.network.iteration.bad and all(each.agrees for each in found)


def _verdict(
    found: Sequence[Rederived], differ: Sequence[Rederived], finite: bool, blocks: Sequence[Block]
) -> Iterator[Row]:
    if not differ:
        yield Sentence(f"{'passed: ' if finite else ''}every operation that was computed again agrees")
        if not finite:
            yield Sentence("FAILED: numbers are not finite; trace names the first, and what computed it")
        return
    backward = [each for each in differ if all(one.agrees for one in each.outputs)]
    forward = [each for each in differ if not all(one.agrees for one in each.outputs)]
    each, way = (forward[0], "down") if forward else (backward[-1], "up")
    passing = "forward" if forward else "backward"
    where = f"{_short(each)} in {blocks[each.block].title}"
    yield Sentence(f"FAILED: the {passing} pass of {where} is the first that differs, on the way {way}")


def _short(each: Rederived) -> str:
    return printable(each.function or each.name.removeprefix("aten.").partition(".")[0], LONGEST)


def _cells(each: Rederived, module: str) -> tuple[str, ...]:
    worst = each.worst
    assert worst is not None
    place = entry_name(worst.name, worst.index) if worst.index else worst.name
    if worst in each.terms:
        place = f"its part of {place}"
    numbers = (format_number(number, 6) for number in (worst.recorded, worst.derived))
    return module, _short(each), place, *numbers, format_number(worst.difference, 2)


def recording_dict(session: Session, found: Sequence[Rederived]) -> dict[str, Any]:
    """Return what was compared, by operation."""
    model = session.network
    assert isinstance(model, RecordingSpec)
    return {
        "recording": model.held.name,
        "iteration": model.iteration.number,
        "passed": passed(session, found),
        "finite": not model.iteration.bad,
        "operations": [
            {
                "name": each.name,
                "module": model.graph.blocks[each.block].title,
                "function": each.function or None,
                "computed_again": each.has_row,
                "agrees": each.agrees,
                "outputs": list(map(_compared, each.outputs)),
                "gradients": list(map(_compared, each.terms)),
            }
            for each in found
        ],
    }


def _compared(each: Compared) -> dict[str, Any]:
    return {
        "name": each.name,
        "difference": each.difference,
        "tolerance": each.tolerance,
        "index": list(each.index),
        "recorded": each.recorded,
        "computed_again": each.derived,
    }
