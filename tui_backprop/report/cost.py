"""The text of ``cost``: cost of one gradient by every method, measured and projected."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tui_backprop.cost.measure.cache import machine
from tui_backprop.cost.model.certainty import (
    BUSY,
    TOLERANCES,
    brief_tolerance,
    busy_sentence,
    longer_now,
    machines_to_match,
    source,
    tolerance,
)
from tui_backprop.cost.model.claims import claims_of
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Estimate
from tui_backprop.cost.model.landmarks import KNOWN, TRAINING_STEPS
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import CostShape
from tui_backprop.cost.model.workload import passes_in_words
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.report.cost_ledger import ledger_rows, memory_rows
from tui_backprop.report.cost_result import CostResult, time_ratio
from tui_backprop.report.cost_runs import chart_rows, race_rows, sweep_rows
from tui_backprop.report.cost_trust import trust_rows
from tui_backprop.report.rows import BLANK, Column, Fact, Forms, Row, Sentence, Table, text_of
from tui_backprop.support.format import counted, format_faster, format_short_count
from tui_backprop.support.quantity import Content, Quantity, Text, joined, phrase, ratio, seconds

WIDE = 100  # columns of the text
NAME = 11  # columns of the label of a line
STEPS = f"{TRAINING_STEPS:,} steps"
METHODS = (
    Column("one gradient by", "left"),
    Column("work", "left"),
    Column("passes"),
    Column("time", "unit"),
    Column("basis", "left"),
)
CLAIMS = (
    Column("", "left"),
    Column("the lesson", "left"),
    Column("here", "left"),
    Column("", "left", wrapped=True),
)
NETWORKS = (
    Column("", "left"),
    Column("size", spoken="parameters"),
    Column("naive", "unit", "one gradient by naive"),
    Column("backprop", "unit", "one gradient by backprop"),
    Column("ratio", spoken="backprop is"),
    Column("naive training", "unit", "training by naive"),
    Column("backprop training", "unit", "training by backprop"),
    Column("within", "left", "how sure these times are"),
)


def cost_text(result: CostResult, context: RenderContext) -> str:
    """Return the whole text, at most 100 columns wide; sweep, chart and race come last. Spoken, a summary comes
    first."""
    parts = [
        [Forms(spoken=(*_summary(result), BLANK)), *_head(result)],
        _methods(result),
        ledger_rows(result),
        memory_rows(result),
        _claims(result),
        *([_known(result)] if result.shape.grows else []),
        trust_rows(result.cost_model),
    ]
    parts += [sweep_rows(result, result.swept)] if result.swept else []
    parts += [chart_rows(result, context)] if result.chart else []
    parts += [race_rows(result, result.raced)] if result.raced else []
    first, *others = parts
    rows = chain(first, *((BLANK, *part) for part in others))
    return text_of(rows, context, WIDE)


def _summary(result: CostResult) -> Iterator[Row]:
    """Yield the most important findings, one sentence a line."""
    cost_model, shape = result.cost_model, result.shape
    name, parameters = KNOWN[-1]
    naive, backprop = _both(cost_model, shape)
    later, soon = _both(cost_model, shape.at(float(parameters)))
    known = "as measured" if backprop.measured else "as projected"
    yield Sentence(
        phrase(
            f"One gradient of this network of {counted(result.session.network.parameters, 'parameter')} takes {{}} by"
            f" backprop, {known}, and would take {{}} by the naive method, which repeats the forward pass for every"
            " parameter.",
            seconds(backprop.middle),
            seconds(naive.middle),
        )
    )
    yield Sentence(
        phrase(
            f"So backprop is {format_faster(result.ratio(shape))} here, and takes {{}} as long as one"
            " forward pass.",
            time_ratio(result),
        )
    )
    yield Sentence(
        phrase(
            f"Training for {STEPS} would take {{}} by backprop, and {{}} by the naive method.",
            seconds(TRAINING_STEPS * backprop.middle),
            seconds(TRAINING_STEPS * naive.middle),
        )
    )
    if not shape.grows:
        return
    yield Sentence(
        phrase(
            f"For a network as large as {name}, one gradient is projected to take {{}} by backprop, and {{}} by the"
            " naive method, {}.",
            seconds(soon.middle),
            seconds(later.middle),
            tolerance(_less_sure(soon, later)) or "",
        )
    )


def _head(result: CostResult) -> Iterator[Row]:
    """Yield the network, the machine and the measurements."""
    spec, here = result.session.network, machine()
    found = result.swept.cost_model if result.swept else result.cost_model
    sizes = [point.parameters for point in found.points if point.kind == "forward"]
    since = "in a saved sweep; this network just now" if result.kept else "just now"
    about = f"{spec.title}, {counted(spec.parameters, 'parameter')}, in {spec.dtype}"
    yield Fact("network", about, columns=NAME)
    processor = " ".join(here["processor"].split())
    libraries = f"Python {here['python']}, numpy {here['numpy']}, {here['blas']}"
    yield Fact("machine", f"{processor}, {here['cores']} cores, {here['memory']}; {libraries}", columns=NAME)
    measured = phrase(
        f"passes of one sample through {len(sizes)} networks of {{}} to {{}} parameters, {since}",
        Quantity(min(sizes), "count"),
        Quantity(max(sizes), "count"),
    )
    if len(sizes) == 1:
        measured = Text("its own passes, just now", "its own passes, just now")
    yield Fact("measured", measured, columns=NAME)


def _methods(result: CostResult) -> Iterator[Row]:
    """Yield the cost of each method, and how they compare."""
    cost_model, shape = result.cost_model, result.shape
    forward = cost_model.seconds("forward", shape)
    both = _both(cost_model, shape)
    naive, backprop = (each.middle for each in both)
    once = Text("(one forward pass)", "one forward pass")
    rows: list[tuple[Content, ...]] = [
        (once, "", "", seconds(forward.middle, brief=True), source(forward, cost_model))
    ]
    for name, method in COST_METHODS.items():
        takes, passes = cost_model.gradient(name, shape), f"{method.passes(shape.parameters):,.0f}"
        time = seconds(takes.middle, brief=True)
        rows.append((method.name, passes_in_words(method, shape), passes, time, source(takes, cost_model)))
    each = [cost_model.gradient(name, shape) for name in COST_METHODS]
    if words := busy_sentence(cost_model, forward, *each):
        yield Sentence(f"The machine was {words}. Figures marked busy are less sure.")
        if (times := longer_now(cost_model)) > 1:
            yield Sentence(
                phrase(
                    "Times are those of an idle core; with that share of one, they are about {} as long.",
                    ratio(times, 1),
                )
            )
        yield BLANK
    yield Forms(spoken=(Sentence("One gradient by each method"),))
    yield Table(METHODS, tuple(rows))
    if not cost_model.assumed:
        yield Sentence(TOLERANCES)
    yield BLANK
    faster = result.ratio(shape)
    machines = machines_to_match(faster)
    match = f": it would take {machines} machines, scaling perfectly, to match it" if faster > 1 else ""
    yield Sentence(f"Backprop is {format_faster(faster)} than the naive method{match}.")
    yield Sentence(
        phrase(
            f"Training for {STEPS}: {{}} by the naive method, {{}} by backprop.",
            seconds(TRAINING_STEPS * naive),
            seconds(TRAINING_STEPS * backprop),
        )
    )
    yield Sentence(phrase("Backprop takes {} a forward pass in time.", time_ratio(result)))


def _claims(result: CostResult) -> Iterator[Row]:
    """Yield the claims of the lesson beside the figures of this machine."""
    claims = claims_of(result.session.network, result.cost_model, result.costs.raced)
    yield Forms(spoken=(Sentence("What the lesson claims, and what was found here"),))
    yield Table(CLAIMS, tuple((claim.what, claim.claimed, claim.here, claim.how) for claim in claims))


def _known(result: CostResult) -> Iterator[Row]:
    """Yield well-known networks, by the cost model."""
    yield Sentence(
        f"Networks of this shape at well-known sizes, projected: one gradient, and {TRAINING_STEPS:,} training steps"
    )
    yield Table(NETWORKS, tuple(_known_network(result, name, parameters) for name, parameters in KNOWN))


def _known_network(result: CostResult, name: str, parameters: int) -> tuple[Content, ...]:
    shape = result.shape.at(float(parameters))
    both = _both(result.cost_model, shape)
    faster = result.ratio(shape)
    busy = BUSY if any(each.busy for each in both) else ""
    return (
        name,
        Quantity(parameters, "count"),
        *(seconds(once.middle, brief=True) for once in both),
        Text(format_short_count(float(f"{faster:.1e}")), format_faster(faster)),
        *(seconds(TRAINING_STEPS * once.middle, brief=True) for once in both),
        joined(tuple(filter(None, (brief_tolerance(_less_sure(*both)), busy))), " "),
    )


def _both(cost_model: CostModel, shape: CostShape) -> tuple[Estimate, Estimate]:
    """Return one gradient by the naive method and by backprop."""
    return cost_model.gradient("naive", shape), cost_model.gradient("backprop", shape)


def _less_sure(*estimates: Estimate) -> Estimate:
    """Return the estimate with the larger tolerance."""
    return max(estimates, key=lambda one: one.high / one.middle if one.middle else 1.0)
