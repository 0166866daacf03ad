"""One operation of the computation graph in full: its rules with their costs and times, and how a gradient that
several uses of a value have a part in adds up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tui_backprop.cost.accounting.operation_times import Timing, rule_of
from tui_backprop.engine.analysis.visit_norms import cheap, written, written_norm
from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.explain.receipts import ReceiptRow
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array, Shape, index_at, size
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, line, width, wrap
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.equation import receipt, shape_text
from tui_backprop.support.format import format_duration, format_number, format_work

LABEL_COLUMNS = 9  # columns of what stands before a rule
NO_OPERATION = {
    "forward": "The batch enters at the top and flows down to the loss.",
    "update": "All gradients are known. The optimizer updates the parameters of layer {layer}, outside the graph.",
}  # of steps that no operation belongs to
NO_OPERATION_OF_VALUES = {
    "forward": "The values that are given stand above the operations that read them.",
    "update": "All gradients are known. The optimizer updates the parameters, outside the graph.",
}


def passes_on(graph: Graph, visit: Visit) -> bool:
    """Check whether a visit only passes its cotangent on, under the same name."""
    return visit.of is not None and graph.gradient_of(visit.writes) == graph.gradient_of(visit.op.output)


def rule_text(graph: Graph, visit: Visit) -> str:
    """The right-hand side of a rule, with the names of this operation's values."""
    op, row = visit.op, visit.op.primitive
    output = graph.by_name[op.output]
    names = {"y": output.name, "g": output.gradient, "v": output.saved}
    formula = row.formula if visit.of is None else row.vjp_formulas[visit.of]
    return tidy(formula.format(*op.inputs, **names))


def equation(graph: Graph, visit: Visit) -> str:
    """A rule with what it makes; one that adds to what is there says so."""
    if passes_on(graph, visit):
        return f"{graph.gradient_of(visit.writes)} passes on unchanged"
    made = visit.writes if visit.of is None else graph.gradient_of(visit.writes)
    return f"{made} {'+=' if visit.adds else '='} {rule_text(graph, visit)}"


# --- where the gradients of several uses add ---------------------------------------------------------------


def sum_line(
    iteration: Iteration,
    value: str,
    readers: Sequence[Op],
    terms: Sequence[Visit],
    done: int,
    columns: int,
    g: RenderContext,
) -> list[Span]:
    """The line where a value branches to its ``readers``; once ``done`` of the terms of its gradient are known,
    these terms with their norms; as much as fits."""
    if not done:
        names = " and ".join(f"{op.primitive.brief} {op.output}" for op in readers)
        note = "" if terms else ", and needs no gradient"
        choices = (
            f" is used by {names}{note}",
            f" is used {_times(len(readers))}{note}",
            f" {_times(len(readers))}",
        )
        return _first_fitting([[(value, "strong"), (choice, "muted")] for choice in choices], columns, g)
    graph = iteration.graph
    name = graph.gradient_of(value)
    norms = [written_norm(iteration, visit) for visit in terms[:done]]
    texts = ["…" if norm is None else format_number(norm) for norm in norms]
    total = f" → {format_number(iteration.summary(name).norm)}" if done == len(terms) else " + …"
    rules = " + ".join(rule_text(graph, term) for term in terms)
    formula: list[Span] = [(name, "backward"), (f" = {rules}", "text")]
    sizes: list[Span] = [(" + ".join(texts), "text"), (total, "backward")]
    closing: list[Span] = [("   gradients of all uses are summed elementwise", "muted")]
    short: list[Span] = [(f"{name} ", "backward"), *sizes]
    named = [*formula, ("   norms ", "muted"), *sizes]
    return _first_fitting(
        [[*named, *closing], named, [*formula, ("   ", "text"), *sizes], short, formula], columns, g
    )


def _times(n: int) -> str:
    return "twice" if n == 2 else f"{n} times"


def _first_fitting(choices: list[list[Span]], columns: int, context: RenderContext) -> list[Span]:
    fitted = [context.fit(tuple(choice)) for choice in choices]
    return list(next((choice for choice in fitted if width(choice) <= columns), fitted[-1]))


def _entry_sum(snapshot: Snapshot, visit: Visit, columns: int, context: RenderContext) -> list[Line]:
    """One entry of a gradient as the sum of its terms up to a visit: of the unit that is shown, where it is
    largest."""
    iteration, graph, value = snapshot.iteration, snapshot.graph, visit.writes
    terms = graph.visits_of[value]
    terms = terms[: terms.index(visit) + 1]
    if not all(cheap(iteration, visit) for visit in terms):
        return []
    name = graph.written(visit)
    total = iteration.tensor(name)
    at = _largest(total, snapshot.unit(graph.block(value))) if graph.layered else _largest_entry(total)
    rows = [
        ReceiptRow(
            "+", f"by {visit.op.primitive.name} {visit.op.output}", float(written(iteration, visit)[at])
        )
        for visit in terms
    ]
    rows.append(ReceiptRow("=", entry_name(name, at), float(total[at])))
    return receipt(rows, columns, "backward", context)


def _largest(values: Array, unit: int) -> tuple[int, ...]:
    """The index of a unit's entry that is largest in magnitude."""
    if values.ndim < 2:
        return (min(unit, values.size - 1),)
    unit = min(unit, values.shape[1] - 1)
    return int(np.abs(values[:, unit]).argmax()), unit


def _largest_entry(values: Array) -> tuple[int, ...]:
    """The index of the entry that is largest in magnitude."""
    return index_at(int(np.nan_to_num(np.abs(values)).argmax()), values.shape)


# --- the rules of an operation -----------------------------------------------------------------------------


def operation_lines(
    snapshot: Snapshot,
    timing: Timing | None,
    current: Sequence[Visit],
    columns: int,
    rows: int,
    context: RenderContext,
) -> list[Line]:
    """The operations at the cursor, one after the other, in at most ``rows`` lines; where room is short, only the
    rules that the cursor is on."""
    step = snapshot.step
    if not current:
        words = NO_OPERATION if snapshot.graph.layered else NO_OPERATION_OF_VALUES
        return wrap(words[step.phase].format(layer=step.block), columns, "muted")[:rows]
    sums = [_entry_sum(snapshot, visit, columns, context) for visit in current if visit.adds]
    ops = {visit.op.output: visit.op for visit in current}.values()
    blocks: list[list[Line]] = []
    for brief in (False, True):
        operations = (_operation(snapshot, timing, op, current, columns, context, brief) for op in ops)
        blocks = [block for block in (*sums, *operations) if block]
        if sum(len(block) + 1 for block in blocks) - 1 <= rows:
            break
    while len(blocks) > 1 and sum(len(block) + 1 for block in blocks) - 1 > rows:
        blocks.pop()
    return [each for block in blocks for each in ((), *block)][1 : rows + 1]


def _operation(
    snapshot: Snapshot,
    timing: Timing | None,
    op: Op,
    current: Sequence[Visit],
    columns: int,
    context: RenderContext,
    brief: bool,
) -> list[Line]:
    """Name and shapes of an operation, then each rule with its floating-point operations and its time."""
    shapes, phase = snapshot.iteration.program.shapes, snapshot.step.phase
    graph = snapshot.graph
    place = f"layer {op.block}" if graph.layered else f"in {context.text(graph.blocks[op.block].title)}"
    lines = [line((op.primitive.name, "strong"), (f"  {place}", "muted"))]
    visits = [Visit(op), *(v for v in graph.backward_visits if v.op.output == op.output)]
    if brief:
        visits = [visit for visit in visits if visit in current]
    elif any(shapes[name] for name in (*op.inputs, op.output)):
        reads = ", ".join(f"{name} {shape_text(shapes[name])}" for name in op.inputs)
        moves = f"{reads} → {op.output} {shape_text(shapes[op.output])}"
        lines += _labeled("shapes", context.text(moves), "muted", columns)
    for visit in visits:
        role = phase if visit in current else "text"
        text = context.text(equation(graph, visit))
        rule = _labeled("forward" if visit.of is None else "vjp", text, role, columns)
        inputs = [shapes[name] for name in op.inputs]
        costs = [] if passes_on(graph, visit) else list(map(context.text, _costs(visit, inputs, timing)))
        left = columns - width(rule[-1])
        beside = next((cost for cost in costs if len(cost) + 3 <= left), "")
        if beside:
            rule[-1] = line(*rule[-1], (f"{beside:>{left}}", "muted"))
        elif costs:
            below = next((cost for cost in costs if LABEL_COLUMNS + len(cost) <= columns), costs[-1])
            rule.append(line((" " * LABEL_COLUMNS + below, "muted")))
        lines += rule
    return lines


def _labeled(label: str, text: str, role: str, columns: int) -> list[Line]:
    """A text on as many lines as it takes, its label before the first."""
    rows = wrap(text, max(columns - LABEL_COLUMNS, 1), role)
    return [
        line((f"{label if i == 0 else '':<{LABEL_COLUMNS}}", "muted"), *row) for i, row in enumerate(rows)
    ]


def _costs(visit: Visit, shapes: Sequence[Shape], timing: Timing | None) -> list[str]:
    """200,704 MACs  31.2 µs (29.8 to 35.0 µs), a median with its quartiles; and in brief."""
    row = visit.op.primitive
    flops = row.flops(*shapes) if visit.of is None else row.vjp_flops[visit.of](*shapes)
    flops += size(shapes[visit.of or 0]) if visit.adds else 0
    work = format_work(row.macs(*shapes), flops)
    took = timing.rules[rule_of(visit)] if timing else None
    if took is None or not took.median:
        return [work]
    time = f"{work}  {format_duration(took.median):>7}"
    return [f"{time} ({format_number(took.low * 1e6)} to {format_number(took.high * 1e6)} µs)", time]
