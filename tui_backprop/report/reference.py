"""The report of ``check --reference``: somebody else's arrays against ours, and what is wrong with the first that
differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.matching import match
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.mutants.reference import Compared, Explanation, Reference, order
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.files.arrays import ArraysFile
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.walk.equation import shape_text
from tui_backprop.report.place import data_text, first_sample_text, samples_dict, split_rows
from tui_backprop.report.rows import BLANK, Column, Fact, Row, Sentence, Table, text_of
from tui_backprop.session.state import Session
from tui_backprop.support.errors import FileError, UserError
from tui_backprop.support.format import counted, format_number
from tui_backprop.support.validation import quoted

FIELD = "reference"
GRAD = ".grad"
LOSS = "loss"
TARGET = "target"
COLUMNS = (
    Column("array", "left"),
    Column("yours", "left"),
    Column("shape", "left"),
    Column("difference"),
    Column("allowed"),
    Column("verdict", "left"),
)


def matched(session: Session, file: ArraysFile) -> dict[str, tuple[str, Array]]:
    """Return the arrays of a file by our names, each with its name there. Raises FileError if there is none."""
    graph, known = session.network.graph, _spellings(session.network.graph)
    theirs: dict[str, tuple[str, Array]] = {
        known[name]: (name, array) for name, array in file.arrays.items() if name in known
    }
    gradients = {name for name, gradient in order(graph) if gradient}
    if not gradients.intersection(theirs):
        own = _by_parameter(session, file)
        sources = {source for source, _ in own.values()}
        theirs = {name: each for name, each in theirs.items() if each[0] not in sources} | own
    if not gradients.intersection(theirs):
        wanted = ", ".join(sorted(map(ascii_formula, gradients))[:12])
        has = ", ".join(map(quoted, [*file.arrays][:12]))
        raise FileError(FIELD, f"{quoted(file.name)} has no gradient of this network: {wanted}; it has {has}")
    return theirs


def _spellings(graph: Graph) -> dict[str, str]:
    """Return our names by all their spellings: dW1, W1.grad, W1_grad, grad_W1; delta1, dz1."""
    found = (
        {LOSS: graph.loss, TARGET: graph.target} | dict(graph.aliases) if graph.fed else {LOSS: graph.loss}
    )
    for name, gradient in order(graph):
        found |= {name: name, ascii_formula(name): name}
        if gradient:
            value = graph.value_of(name)
            every = f"d{value}", f"{value}.grad", f"{value}_grad", f"grad_{value}"
            found |= dict.fromkeys((*every, *map(ascii_formula, every)), name)
    return found


def _by_parameter(session: Session, file: ArraysFile) -> dict[str, tuple[str, Array]]:
    """Return gradients that are named as their parameters, ours or those of PyTorch's modules."""
    network = session.network
    own = {name: (name, file.arrays[name]) for name in network.graph.parameters if name in file.arrays}
    if not own and isinstance(network, NetworkSpec):
        plain = {name.removesuffix(GRAD): array for name, array in file.arrays.items()}
        try:
            found = match(plain, start.shapes_of(network), quoted(file.name))
        except UserError as error:
            raise FileError(FIELD, error.message) from None
        own = {name: (found.sources[name].key, array) for name, array in found.arrays.items()}
        names = {name.removesuffix(GRAD): name for name in file.arrays}
        own = {name: (names[source], array) for name, (source, array) in own.items()}
    return {network.graph.gradient_of(name): each for name, each in own.items()}


def reference_text(
    session: Session,
    iteration: Iteration,
    name: str,
    found: Reference,
    unused: Sequence[str],
    context: RenderContext,
) -> str:
    """Format what was compared, a line for each array in the order of the walk, and the verdict."""
    return text_of(_rows(session, iteration, name, found, unused), context)


def _rows(
    session: Session, iteration: Iteration, name: str, found: Reference, unused: Sequence[str]
) -> Iterator[Row]:
    yield Fact("network", f"{session.network.title}, {counted(session.network.parameters, 'parameter')}")
    yield Fact(
        "data", f"{data_text(session, first_sample_text(session))}, loss {format_number(iteration.loss, 6)}"
    )
    yield from split_rows(session)
    not_used = f"; not used: {', '.join(map(quoted, unused[:6]))}" if unused else ""
    more = f" and {len(unused) - 6} more" if len(unused) > 6 else ""
    yield Fact("yours", f"{quoted(name)}, {len(found.compared)} arrays compared{not_used}{more}")
    yield BLANK
    yield Table(COLUMNS, tuple(map(_cells, found.compared)))
    yield BLANK
    for sentence in sentences(found, session):
        yield Sentence(sentence)


def _cells(each: Compared) -> tuple[str, ...]:
    shape = shape_text(each.theirs.shape) or "number"
    if not each.same_shape:
        ours = shape_text(each.ours.shape) or "a number"
        return each.name, quoted(each.source), shape, "", "", f"DIFFERS: ours is {ours}"
    sizes = format_number(each.difference, 2), format_number(each.allowed, 2)
    verdict = "ok" if each.agrees else f"DIFFERS at {entry_name('', each.index)}" if each.index else "DIFFERS"
    return each.name, quoted(each.source), shape, *sizes, verdict


def sentences(found: Reference, session: Session) -> Iterator[str]:
    """Say where the arrays part, what is wrong there, and the verdict."""
    first = found.first
    if first is None:
        yield "passed: all arrays agree"
        return
    if found.turned:
        yield "passed: all arrays agree, some transposed, which is a matter of convention"
        return
    where = f"{first.name} is the first that differs, " + (
        "from the loss back" if first.gradient else "before any gradient"
    )
    if first.same_shape:
        at = entry_name(first.name, first.index)
        ours, theirs = (format_number(float(array[first.index]), 8) for array in (first.ours, first.theirs))
        where += f": {at} is {ours}, yours is {theirs}"
    yield where
    yield from explained(found, first, session)
    differing = [each.name for each in found.compared if not each.agrees]
    yield f"FAILED: {', '.join(differing)} differ{'s' if len(differing) == 1 else ''}"


def explained(found: Reference, first: Compared, session: Session) -> Iterator[str]:
    """Say what is wrong with the first array that differs, as far as that is known."""
    if not first.gradient:
        yield "the forward pass differs, so gradients cannot agree; are parameters and data the same?"
        return
    if first.turned:
        yield f"your {first.name} is ours transposed"
    elif (factor := first.factor) is not None:
        yield f"your {first.name} is ours times {factor:.6g}{_factor_words(factor, session.batch)}"
    gradients = sum(each.gradient for each in found.compared)
    for each in found.explanations:
        yield f"this is what comes out {each.mutant.about}{_place(each)}: {each.given} of {gradients} gradients agree"
    if not found.explanations and not first.turned and first.factor is None:
        yield "no common mistake gives these numbers"
        if between := _between(found, first, session.network.graph):
            yield f"save {' and '.join(between)}, too, to see where it begins"


def _between(found: Reference, first: Compared, graph: Graph) -> list[str]:
    """Return the gradients that the first one that differs follows from, back to the one before that agrees; at most
    the last four."""
    names, compared = (
        [name for name, gradient in order(graph) if gradient],
        {each.name for each in found.compared},
    )
    before = names[: names.index(first.name)]
    agreeing = [at for at, name in enumerate(before, 1) if name in compared]
    return [ascii_formula(name) for name in before[max(agreeing, default=0) :]][-4:]


def _factor_words(factor: float, samples: int) -> str:
    """Say where a factor may come from: the number of samples."""
    if samples > 1 and abs(factor - samples) < 1e-3 * samples:
        return f": yours lacks 1/n, with n = {samples} samples"
    if samples > 1 and abs(factor * samples - 1) < 1e-3:
        return f": yours has 1/n once more, with n = {samples} samples"
    return ": the sign is wrong" if abs(factor + 1) < 1e-3 else ""


def _place(each: Explanation) -> str:
    return f" (in the operation that computes {', '.join(each.at)})" if each.at else ""


def reference_dict(session: Session, found: Reference, unused: Sequence[str]) -> dict[str, Any]:
    """Return the object that ``check --reference --json`` prints."""
    first = found.first
    return {
        "passed": found.passed or found.turned,
        "transposed": found.turned,
        **samples_dict(session),
        "first": ascii_formula(first.name) if first else None,
        "reason": None if found.passed else ascii_formula("; ".join(sentences(found, session))),
        "explanations": [
            {"name": each.mutant.name, "about": ascii_formula(each.mutant.about), "at": each.at, "agree": each.given}
            for each in found.explanations
        ],
        "arrays": [
            {
                "array": ascii_formula(each.name), "yours": each.source, "agrees": each.agrees,
                "shape": each.theirs.shape, "expected_shape": each.ours.shape,
                "difference": each.difference if each.same_shape else None, "allowed": each.allowed,
                "index": each.index if each.same_shape else None,
            }
            for each in found.compared
        ],
        "unused": unused,
    }  # fmt: skip
