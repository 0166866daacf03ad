"""What ``check`` prints: how two gradient methods compare, tensor by tensor, as text or as an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.gradients.check.compare import Fault, Report, TensorCheck
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.walk.equation import shape_text
from tui_backprop.report.rows import BLANK, Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number


def check_text(session: Session, report: Report, context: RenderContext) -> str:
    """What was compared, a line for each tensor, the operations, and the verdict."""
    return text_of(_rows(session, report), context)


def _rows(session: Session, report: Report) -> Iterator[Row]:
    yield from _compared(session, report)
    yield BLANK
    yield Table(_columns(report), tuple(_cells(tensor, _arbitrated(report)) for tensor in report.tensors))
    yield BLANK
    yield Sentence(f"cosine similarity: {report.cosine:.12f}")
    if report.bad:
        yield Sentence(f"overflow: {report.bad}")
    if any(tensor.kinks or tensor.bends for tensor in report.tensors):
        agrees = "; the complex step agrees with the derivative" if _arbitrated(report) else ""
        yield Sentence(f"at kinks and sharp bends the finite difference is wrong, not the derivative{agrees}")
    found = f"{len(report.faults)} WRONG" if report.faults else "all correct"
    if report.overflowed:
        found += f", {report.overflowed} not compared: their numbers overflow"
    operations = f"{report.operations} operations one by one"
    yield Sentence(f"{operations}, VJP and JVP against the complex step: {found}")
    for fault in report.faults:
        yield Sentence(_sentence(fault), indent=2)
    yield Sentence(verdict(report))


def _compared(session: Session, report: Report) -> Iterator[Fact]:
    """Which network, data and methods."""
    spec = session.network
    layers = ",".join(map(str, spec.layers))
    parameters = f"{spec.parameters:,} parameters"
    yield Fact("network", f"{layers} {spec.activation}, {spec.loss}, {parameters}, in {report.dtype}")
    samples = f"sample {session.sample}" + (f" and {session.batch - 1} more" if session.batch > 1 else "")
    yield Fact("data", f"{session.data}, {samples}, loss {format_number(report.loss, 4)}")
    step = max((tensor.worst.step for tensor in report.tensors if tensor.worst), default=0.0)
    h = f", h = {step:.1e}" if step else ""
    yield Fact("methods", f"{report.first} against {report.second}{h}, {report.evaluations:,} evaluations")


def verdict(report: Report) -> str:
    """The last line: whether the check passed, and if not, what did not."""
    if report.passed:
        worst = [tensor.worst for tensor in report.tensors if tensor.worst]
        unknown = [tensor.tensor for tensor in report.tensors if _only_excused(tensor)]
        if unknown and not _arbitrated(report):
            return f"passed, but inconclusive for {', '.join(unknown)}: kinks; try a smaller --step"
        if worst and all(entry.first == entry.second == 0 for entry in worst):
            return "passed, but every gradient compared is 0, which shows little"
        return "passed"
    wrong = [tensor.tensor for tensor in report.tensors if tensor.failed]
    parts = [f"{', '.join(wrong)} differ{'s' if len(wrong) == 1 else ''}"] if wrong else []
    parts += [_named(report.faults[0])] if report.faults else []
    parts += ["some numbers are NaN or infinite"] if report.bad else []
    return f"FAILED: {'; '.join(parts)}"


def check_dict(report: Report) -> dict[str, Any]:
    """What ``check --json`` prints."""
    found: dict[str, Any] = msgspec.to_builtins(report)
    for tensor in found["tensors"]:
        tensor["tensor"] = ascii_formula(tensor["tensor"])
    for fault in found["faults"]:
        fault["of"] = ascii_formula(fault["of"])
    found["reason"] = found.pop("bad")
    return {"passed": report.passed, **found}


def _columns(report: Report) -> tuple[Column, ...]:
    """Methods by the first word of their names that tells them apart, so that a line fits into 100 columns."""
    names = [name.split("-") for name in (report.first, report.second)]
    while names[0] != names[1] and names[0][0] == names[1][0]:
        names = [words[1:] for words in names]
    return (
        Column("tensor", "left"),
        Column("shape", "left"),
        Column("compared"),
        Column("worst at", "left"),
        *(Column(words[0]) for words in names),
        Column("rel. error"),
        Column("difference"),
        Column("allowed"),
        Column("verdict", "left"),
    )


def _cells(tensor: TensorCheck, arbitrated: bool) -> tuple[str, ...]:
    verdict = "ok"
    if _only_excused(tensor):
        verdict = "ok by complex step" if arbitrated else "inconclusive"
    notes = [f"{tensor.failed} DIFFER" if tensor.failed else verdict]
    notes += [f"{tensor.kinks} at kinks"] if tensor.kinks else []
    notes += [f"{tensor.bends} at bends"] if tensor.bends else []
    front = tensor.tensor, shape_text(tensor.shape), f"{tensor.checked:,}"
    worst = tensor.worst
    if worst is None:
        return (*front, "", "", "", "", "", "", ", ".join(notes))
    place = entry_name("", worst.index) if worst.index else "direction"
    values = (f"{worst.first:+.7e}", f"{worst.second:+.7e}")
    sizes = (worst.error, abs(worst.first - worst.second), worst.allowed)
    return (*front, place, *values, *(f"{size:.1e}" for size in sizes), ", ".join(notes))


def _only_excused(tensor: TensorCheck) -> bool:
    """True if no entry of a tensor could be compared."""
    return tensor.kinks + tensor.bends == tensor.checked


def _arbitrated(report: Report) -> bool:
    """True if the complex step could judge, which it cannot between two finite differences."""
    return not (METHODS[report.first].subtracts and METHODS[report.second].subtracts)


def _named(fault: Fault) -> str:
    return f"the {fault.rule} of {fault.primitive} by {fault.of} in layer {fault.layer} is wrong"


def _sentence(fault: Fault) -> str:
    return f"{_named(fault)}: {fault.found:+.9e} along a random direction, expected {fault.right:+.9e}"
