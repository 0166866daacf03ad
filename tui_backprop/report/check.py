"""The report of ``check``: how two gradient methods compare, tensor by tensor, as text or as an object."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, isfinite
from typing import Any

import msgspec

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.gradients.check.report import CheckedEntry, Fault, Report, TensorCheck, Verdict
from tui_backprop.engine.gradients.check.tolerance import STANDARD_ERRORS, Noise
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.gradients.quotient import Quotient
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.walk.equation import shape_text
from tui_backprop.report.place import data_text, first_sample_text, samples_dict, split_rows
from tui_backprop.report.rows import BLANK, ENDLESS, Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.session.state import Session
from tui_backprop.support.format import counted, format_number

WORDS = {
    Verdict.OK: "ok",
    Verdict.ZERO: "0 within round-off",
    Verdict.NOT_TOLD_APART: "not told apart",
}
DIGITS = {"float32": 12, "float64": 17}  # significant digits, enough to repeat a subtraction


def check_text(session: Session, report: Report, context: RenderContext, columns: int = ENDLESS) -> str:
    """Format what was compared, a line for each tensor, the operations, and the verdict."""
    return text_of(_rows(session, report), context, columns)


def _rows(session: Session, report: Report) -> Iterator[Row]:
    yield from _compared(session, report)
    yield BLANK
    yield Table(_columns(report), tuple(_cells(tensor, _arbitrated(report)) for tensor in report.tensors))
    yield BLANK
    if report.finite:
        yield from _worked_out(report)
    cosine = "undefined, as one of the gradients is 0 or not finite"
    if report.cosine is not None:
        cosine = f"{report.cosine:.12f}"
    yield Sentence(f"cosine similarity{_with_artifacts(report)}: {cosine}")
    yield from _sharpness(report)
    if report.bad:
        yield Sentence(f"overflow: {report.bad}")
    if report.noise is not None:
        yield from noise_sentences(report.noise)
    if any(tensor.kinks or tensor.bends for tensor in report.tensors):
        agrees = "; the complex step agrees with the derivative" if _arbitrated(report) else ""
        yield Sentence(f"at kinks and sharp bends the finite difference is wrong, not the derivative{agrees}")
    found = f"{len(report.faults)} WRONG" if report.faults else "all correct"
    if report.overflowed:
        found += f", {report.overflowed} not compared: their numbers overflow"
    operations = f"{report.operations} operations one by one"
    if report.operations:
        yield Sentence(f"{operations}, VJP and JVP against the complex step: {found}")
    for fault in report.faults:
        yield Sentence(_sentence(fault), indent=2)
    yield Sentence(verdict(report))


def _with_artifacts(report: Report) -> str:
    """Say that entries at kinks count in the cosine, where there are any: the difference quotient is wrong there."""
    number = sum(tensor.kinks + tensor.bends for tensor in report.tensors)
    return f", with {number} entr{'y' if number == 1 else 'ies'} at kinks or bends" if number else ""


def _compared(session: Session, report: Report) -> Iterator[Fact]:
    """State the network, data and methods."""
    spec = session.network
    parameters = counted(spec.parameters, "parameter")
    yield Fact("network", f"{spec.title}, {parameters}, in {report.dtype}")
    yield from _trained(session, report.dtype)
    yield Fact(
        "data", f"{data_text(session, first_sample_text(session))}, loss {format_number(report.loss, 4)}"
    )
    yield from split_rows(session)
    step = max((tensor.worst.step for tensor in report.tensors if tensor.worst), default=0.0)
    h = f", h = {step:.1e}" if step else ""
    yield Fact("methods", f"{report.first} against {report.second}{h}, {report.evaluations:,} evaluations")


def _trained(session: Session, dtype: str) -> Iterator[Fact]:
    """State in which precision the parameters were trained, where they were or where it differs."""
    if session.t or session.network.dtype != dtype:
        made = "trained" if session.t else "initialized"
        yield Fact("weights", f"{made} in {session.network.dtype}, checked in {dtype}")


def _worked_out(report: Report) -> Iterator[Sentence]:
    """Work out the numbers of the entry that is closest to its limit or farthest beyond it, with their formulas."""
    tensor = report.closest
    if tensor is None or tensor.worst is None:
        return
    entry, digits = tensor.worst, DIGITS[report.dtype]
    of = f"at {entry_name('', entry.index)}" if entry.index else "along a direction"
    used = "uses most of" if entry.used <= 1 else "exceeds" if isfinite(entry.used) else "is beyond"
    yield Sentence(f"{tensor.tensor} {of} {used} its allowed difference ({_share(entry)}):")
    for name, quotient in zip((report.first, report.second), report.quotients, strict=True):
        if quotient is not None:
            yield from _quotient_lines(name, quotient, digits, along=not entry.index)
    sizes = f"|{entry.first:.{digits}g} - {entry.second:.{digits}g}|"
    most = max(abs(entry.first), abs(entry.second))
    if most:
        yield Sentence("rel. error = |a - n| / max(|a|, |n|)", indent=2)
        yield Sentence(f"= {sizes} / {most:.{digits}g} = {entry.error:.1e}", indent=4)
    yield Sentence("allowed = rtol max(|a|, |n|) + atol", indent=2)
    yield Sentence(f"= {entry.rtol:.2e} x {most:.2e} + {entry.atol:.2e} = {entry.allowed:.1e}", indent=4)


def _share(entry: CheckedEntry) -> str:
    """Write how much of its allowed difference an entry uses, or how many times as much."""
    if not isfinite(entry.used):
        return "not finite"
    share = f"{format_number(100 * entry.used, 2)}%"
    return share if entry.used <= 1 else f"{format_number(entry.used, 2)} times as much"


def _quotient_lines(name: str, quotient: Quotient, digits: int, along: bool) -> Iterator[Sentence]:
    """Write a difference quotient as its formula, with its numbers."""
    above, below, divisor = (
        f"{number:.{digits}g}" for number in (quotient.above, quotient.below, quotient.divisor)
    )
    up, down = f"{quotient.up:.{digits}g}", f"{quotient.down:.{digits}g}"
    nominal = "" if quotient.up or quotient.down else " (the nominal step)"
    if along:
        formula = "(L(w + hd) - L(w - hd)) / 2h" if quotient.central else "(L(w + hd) - L(w)) / h"
    elif quotient.central:
        formula = "(L(w + h) - L(w - h)) / ((w + h) - (w - h))"
    else:
        formula = "(L(w + h) - L(w)) / ((w + h) - w)"
    yield Sentence(f"{name} = {formula}", indent=2)
    yield Sentence(f"= ({above} - {below}) / {divisor}{nominal} = {quotient.slope:.{digits}g}", indent=4)
    if not along:
        steps = f"(w + h) - w = {up}" + (f", w - (w - h) = {down}" if quotient.central else "")
        yield Sentence(steps, indent=4)


def noise_sentences(noise: Noise) -> Iterator[Sentence]:
    """State the standard error of a noisy method, and what that means for the check."""
    norm, error = format_number(noise.norm, 3), format_number(noise.standard_error, 3)
    formula = f"|gradient| / sqrt(probes) = {norm} / sqrt({noise.probes:,}) = {error}"
    yield Sentence(f"spsa is noisy: the standard error of each derivative is {formula}")
    allowed = f"{STANDARD_ERRORS:.0f} standard errors are allowed, {format_number(noise.allowed, 3)}"
    yield Sentence(f"{allowed}; the largest derivative is {format_number(noise.largest, 3)}", indent=2)
    if noise.hides_all:
        needed = noise.probes_needed
        hint = f"; with more than {ceil(needed):,} probes it could" if isfinite(needed) else ""
        yield Sentence(f"so this comparison can hardly fail{hint}", indent=2)


def _sharpness(report: Report) -> Iterator[Sentence]:
    """State the least relative error that would have failed in every tensor that is ok."""
    found = [tensor.detectable for tensor in report.tensors if tensor.verdict is Verdict.OK]
    least = max((each for each in found if each is not None), default=None)
    if least is not None:
        where = "every tensor" if len(found) == len(report.tensors) else "every tensor that is ok"
        yield Sentence(f"a gradient scaled by 1 + {least:.1e} would fail in {where}")


def verdict(report: Report) -> str:
    """Return the last line: whether the check passed, with what it leaves open, or what failed."""
    return f"FAILED: {reason(report)}" if not report.passed else _passed(report)


def _passed(report: Report) -> str:
    judged = [tensor for tensor in report.tensors if tensor.verdict is not Verdict.ARTIFACT]
    if judged and all(tensor.verdict is Verdict.ZERO for tensor in judged):
        return "passed, but every gradient compared is 0 within round-off, which shows little"
    parts = []
    unknown = report.named(Verdict.ARTIFACT)
    if unknown and not _arbitrated(report):
        parts.append(f"inconclusive for {', '.join(unknown)}: kinks; try a smaller --step")
    open_ = report.named(Verdict.NOT_TOLD_APART)
    if open_:
        count = f"{len(open_)} of {len(report.tensors)} tensors"
        parts.append(
            f"not told apart: {', '.join(open_)} ({count}), whose allowed difference exceeds their gradient"
        )
    return f"passed, but {'; '.join(parts)}" if parts else "passed"


def reason(report: Report) -> str:
    """Return what failed, in one line; empty if the check passed."""
    if report.passed:
        return ""
    wrong = [tensor.tensor for tensor in report.tensors if tensor.verdict is Verdict.DIFFERS]
    parts = [f"{', '.join(wrong)} differ{'s' if len(wrong) == 1 else ''}"] if wrong else []
    parts += [_named(report.faults[0])] if report.faults else []
    strange = report.named(Verdict.NOT_FINITE)
    if strange:
        parts.append(f"{', '.join(strange)} {'is' if len(strange) == 1 else 'are'} NaN or infinite")
    if not isfinite(report.loss):
        parts.append(f"the loss is {format_number(report.loss)}")
    if report.bad:
        parts.append(report.bad)
    return "; ".join(parts)


def check_dict(session: Session, report: Report) -> dict[str, Any]:
    """Return the object that ``check --json`` prints."""
    found: dict[str, Any] = msgspec.to_builtins(report)
    for tensor in found["tensors"]:
        tensor["tensor"] = ascii_formula(tensor["tensor"])
    for fault in found["faults"]:
        fault["of"] = ascii_formula(fault["of"])
    why = ascii_formula(reason(report)) or None
    counts = {"not_told_apart": len(report.named(Verdict.NOT_TOLD_APART))}
    place = {"iteration": session.t, "trained_in": session.network.dtype, **samples_dict(session)}
    return {"passed": report.passed, "reason": why, **counts, **place, **found}


def _columns(report: Report) -> tuple[Column, ...]:
    """Name the methods by the first word of their names that differs, so that a line fits into 100 columns."""
    names = [name.split("-") for name in (report.first, report.second)]
    while names[0] != names[1] and names[0][0] == names[1][0]:
        names = [words[1:] for words in names]
    return (
        Column("tensor", "left"),
        Column("shape", "left", spare=True),
        Column("compared", spare=True),
        Column("worst at", "left"),
        *(Column(words[0]) for words in names),
        Column("rel. error"),
        Column("difference", spare=True),
        Column("allowed", spare=True),
        Column("verdict", "left"),
    )


def _cells(tensor: TensorCheck, arbitrated: bool) -> tuple[str, ...]:
    front = tensor.tensor, shape_text(tensor.shape), f"{tensor.checked:,}"
    worst, notes = tensor.worst, ", ".join(_notes(tensor, arbitrated))
    if worst is None:
        return (*front, "", "", "", "", "", "", notes)
    place = entry_name("", worst.index) if worst.index else "direction"
    values = (f"{worst.first:+.7e}", f"{worst.second:+.7e}")
    sizes = (worst.error, abs(worst.first - worst.second), worst.allowed)
    return (*front, place, *values, *(f"{size:.1e}" for size in sizes), notes)


def _notes(tensor: TensorCheck, arbitrated: bool) -> Iterator[str]:
    """State the verdict on a tensor in a few words."""
    if tensor.nonfinite:
        yield f"{tensor.nonfinite} NaN or infinite"
    if tensor.failed > tensor.nonfinite:
        yield f"{tensor.failed - tensor.nonfinite} DIFFER"
    if tensor.verdict is Verdict.ARTIFACT:
        yield "ok by complex step" if arbitrated else "inconclusive"
    elif not tensor.failed:
        yield WORDS[tensor.verdict]
    if tensor.kinks:
        yield f"{tensor.kinks} at kinks"
    if tensor.bends:
        yield f"{tensor.bends} at bends"


def _arbitrated(report: Report) -> bool:
    """True if the complex step could decide, which it cannot between two finite differences."""
    return not (METHODS[report.first].subtracts and METHODS[report.second].subtracts)


def _named(fault: Fault) -> str:
    return f"the {fault.rule} of {fault.primitive} by {fault.of} in layer {fault.block} is wrong"


def _sentence(fault: Fault) -> str:
    return f"{_named(fault)}: {fault.found:+.9e} along a random direction, expected {fault.right:+.9e}"
