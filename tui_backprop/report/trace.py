"""The report of ``trace``: the steps of the walk as text, as an object for programs, and as arrays in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tui_backprop.data.catalogue import title
from tui_backprop.engine.arrays.statistics import Summary
from tui_backprop.engine.explain.conventions import conventions, decay_text, scope, settings_of
from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.explain.receipts import ReceiptRow, receipt_rows
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NO_ACTIVATION, NetworkSpec
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.engine.training.optimizer_spec import SCHEDULES, OptimizerSpec
from tui_backprop.files.npz import write_npz
from tui_backprop.render.draw.array_table import statistics, statistics_of
from tui_backprop.render.draw.context import LINEAR, RenderContext
from tui_backprop.render.draw.spans import Line, line, plain
from tui_backprop.render.sample_text import labels_text
from tui_backprop.render.session_text import sample_text
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.equation import (
    COLUMN_GAP,
    formula_with_shapes,
    receipt,
    receipt_values,
    shape_text,
    worked,
)
from tui_backprop.render.walk.explanation import closing_lines, torch_lines
from tui_backprop.report.place import data_text, init_text, samples_dict, split_rows, step_heading
from tui_backprop.report.rows import BLANK, ENDLESS, Drawing, Fact, Forms, Row, Sentence, text_of
from tui_backprop.session.setting_changes import setting_changes
from tui_backprop.session.state import Session
from tui_backprop.session.transitions import at_step
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.support.atomic_write import replacing
from tui_backprop.support.errors import WriteError
from tui_backprop.support.format import counted
from tui_backprop.support.validation import quoted

Watch = Callable[[int, int], None]  # (done, of how many)

COLUMNS = 100
UPDATED = "'"  # after the name of a parameter: as updated
INDENT = " " * 5  # of the lines of a step, below its heading
SIGNS = {"=": "result: ", "*": "times ", "/": "divided by ", "≠": "warning: "}  # of a receipt, in words


def trace_text(
    session: Session, iteration: Iteration, context: RenderContext, watch: Watch = lambda done, of: None
) -> str:
    """The whole walk, one block per step: operation, formula and shapes, the arithmetic of one unit, cost. ``watch``
    gets the number of steps that are written, and of all."""
    return text_of(_rows(session, iteration, context, watch), context, COLUMNS)


def _rows(session: Session, iteration: Iteration, context: RenderContext, watch: Watch) -> Iterator[Row]:
    steps = steps_of(session)
    yield Fact("network", network_text(session.network))
    samples = sample_text(session, Snapshot(session, steps, iteration))
    yield Fact("data", data_text(session, samples))
    yield from split_rows(session)
    recorded = "not recorded; as if by " if session.network.kept_by_name else ""
    yield Fact("update", f"{recorded}{update_text(session)}")
    for change in setting_changes(session):
        yield Fact("changed", f"from iteration {change.t:,} on: {change.text}")
    for sentence in conventions(session.network, session.optimizer, session.began):
        yield Fact("note", sentence)
    for step in steps:
        snapshot = Snapshot(at_step(session, step.index), steps, iteration)
        drawn = Drawing(tuple(_drawn(snapshot, step, context)))
        yield BLANK
        yield Forms(written=(drawn,), spoken=tuple(_spoken(snapshot, step)))
        watch(step.index + 1, len(steps))


def _drawn(snapshot: Snapshot, step: Step, context: RenderContext) -> Iterator[Line]:
    """A step as on the panel."""
    iteration = snapshot.iteration
    yield line(f"{step.index:>3}  {context.text(step_heading(snapshot.graph, step))}")
    summary, updated = _summary(iteration, step)
    body = formula_with_shapes(snapshot.graph, step, COLUMNS, context)
    body += receipt(receipt_rows(iteration, step, snapshot.unit(step.block)), COLUMNS, step.phase, context)
    if text := _tokens(snapshot, step):
        body.append(line(f"{step.tensor}  {context.text(text)}"))
    elif summary.size > 1:
        body.append(line(f"{step.tensor}{UPDATED * updated}  {statistics(summary, COLUMNS)}"))
    body += closing_lines(snapshot, COLUMNS, context) + torch_lines(snapshot, COLUMNS)
    yield from (line(INDENT, *row) for row in body)


def _tokens(snapshot: Snapshot, step: Step) -> str:
    """The tokens of the input, which have no statistics; "" for numbers."""
    graph = snapshot.graph
    of_tokens = step.tensor in graph.data
    return labels_text(snapshot.session, snapshot.iteration, step.tensor) if of_tokens else ""


def _summary(iteration: Iteration, step: Step) -> tuple[Summary, bool]:
    """Summarize the array that a step computes; the second value is True for a parameter after the update."""
    updated = step.phase == "update"
    return iteration.summary(step.tensor, updated=updated), updated


# --- spoken -----------------------------------------------------------------------------------------------


def _spoken(snapshot: Snapshot, step: Step) -> Iterator[Row]:
    """A step in words."""
    iteration = snapshot.iteration
    yield Fact(f"step {step.index}", step_heading(snapshot.graph, step))
    yield Fact("formula", step.formula)
    yield from (Fact(f"shape of {name}", shape_text(shape)) for name, shape in step.operands)
    yield from map(_term, receipt_values(receipt_rows(iteration, step, snapshot.unit(step.block))))
    summary, updated = _summary(iteration, step)
    if text := _tokens(snapshot, step):
        yield Fact(step.tensor, text)
    elif summary.size > 1:
        yield Fact(
            f"{step.tensor} after" if updated else step.tensor,
            ", ".join(filter(None, statistics_of(summary))),
        )
    yield from map(_closing, closing_lines(snapshot, ENDLESS, LINEAR))
    yield from (Fact("torch", plain(row[1:])) for row in torch_lines(snapshot, ENDLESS))


def _term(shown: tuple[ReceiptRow, str]) -> Sentence:
    """A row of a receipt: x[491] times W1[491,239] = 0.992 times 0.131 = +0.130."""
    row, value = shown
    factors = worked(row, " times ")
    parts = (re.sub(" [·×] ", " times ", row.label), factors, value)
    return Sentence(SIGNS.get(row.sign, "") + " = ".join(filter(None, parts)))


def _closing(row: Line) -> Row:
    """A line below a step: its first piece is what it is about, unless it is a warning, which is a sentence."""
    (name, _), *pieces = row
    parts = (", " if text == COLUMN_GAP else text.replace(" × ", " times ") for text, _ in pieces)
    return Fact(name.strip(), "".join(parts)) if pieces else Sentence(name)


def network_text(spec: Model) -> str:
    """784,30,10 relu, cross-entropy, ...: the network in full; options that are off are left out."""
    if not isinstance(spec, NetworkSpec):
        return f"{spec.title}, {spec.dtype}, {counted(spec.parameters, 'parameter')}"
    parts = [
        f"{','.join(map(str, spec.layers))} {spec.activation}",
        f"output {spec.output_activation}" * (spec.output_activation != NO_ACTIVATION),
        "layer norm" * spec.layer_norm,
        "residual" * spec.residual,
        "dL/dx" * spec.input_gradient,
        f"dropout {spec.dropout:g}" if spec.dropout else "",
        spec.loss,
        f"L2 penalty λ = {spec.l2:g} of {scope(spec, spec.l2_bias)}" if spec.l2 else "",
        f"layers {','.join(map(str, spec.frozen))} frozen" if spec.frozen else "",
        init_text(spec),
        f"seed {spec.seed}",
        spec.dtype,
        counted(spec.parameters, "parameter"),
    ]
    return ", ".join(filter(None, parts))


def update_text(session: Session) -> str:
    """sgd, α = 0.01, ...: the optimizer with the settings that it uses."""
    spec = session.optimizer
    plan = (
        f"{spec.schedule} over {spec.horizon} iterations"
        if SCHEDULES[spec.schedule].horizon
        else spec.schedule
    )
    parts = [
        spec.name,
        f"α = {session.lr:g}",
        *(f"{symbol} = {value}" for symbol, value in settings_of(spec).items()),
        decay_text(session.network, spec),
        f"clip {spec.clip:g}" if spec.clip else "",
        plan if SCHEDULES[spec.schedule].changes else "",
        f"warm-up {spec.warmup} iterations" if spec.warmup else "",
    ]
    return ", ".join(filter(None, parts))


def trace_dict(session: Session, iteration: Iteration) -> dict[str, Any]:
    """The object that ``trace --json`` prints: network, parameters, loss, steps."""
    spec = session.network
    return {
        "network": {"kind": spec.frontend, **spec.settings},
        "data": {
            "name": title(session.data), "sample": session.sample, "batch": session.batch, **samples_dict(session),
        },
        "iteration": session.t,
        "lr": session.lr,
        "optimizer": asdict(session.optimizer) | {"alpha": iteration.lr},
        "conventions": list(map(ascii_formula, conventions(spec, session.optimizer, session.began))),
        "changes": [
            {"iteration": change.t, "settings": dict(change.values)} for change in setting_changes(session)
        ],
        "parameters": spec.parameters,
        "loss": iteration.loss,
        "loss_after": iteration.loss_after if iteration.tried else None,
        "reason": reason_of(iteration),
        "steps": [
            {
                "index": step.index, "phase": step.phase, "layer": step.block, "op": step.op,
                "formula": ascii_formula(step.formula),
                "shapes": {ascii_formula(name): list(shape) for name, shape in step.operands},
                "flops": step.flops, "macs": step.macs, "bytes": step.moved, "ratio": step.ratio,
            }
            for step in steps_of(session)
        ],
    }  # fmt: skip


def reason_of(iteration: Iteration) -> str | None:
    """The origin of numbers that are not finite, in ASCII; None where all are finite."""
    return LINEAR.text(ascii_formula(iteration.bad.why)) if iteration.bad else None


def arrays_of(iteration: Iteration) -> dict[str, Array]:
    """All arrays of an iteration by name: x, target, loss, and for each layer k Wk, bk, zk, ak, dWk, dbk, deltak.

    A frozen layer has no gradients. Where the network has them, also gammak, betak, dgammak, dbetak, the values
    between zk and ak (nk, hk, rk) with their gradients (dnk, dak), the dropout masks maskk, and L0, the loss before
    an L2 penalty. The optimizer's slots after the update are named by slot and parameter: v_Wk, m_bk. The updated
    parameters are new_Wk, new_bk, except after plain gradient descent, where they follow from W and dW. Of a graph
    without layers, all values and gradients are named by their symbols.
    """
    graph = iteration.graph
    arrays = _of_layers(iteration) if graph.layered else _by_symbol(iteration)
    if iteration.optimizer != OptimizerSpec():
        arrays |= {f"new_{ascii_formula(name)}": array for name, array in iteration.new.items()}
    for slot, flat in iteration.after.slots.items():
        arrays |= {f"{slot}_{ascii_formula(name)}": array for name, array in graph.views(flat).items()}
    return arrays


def _by_symbol(iteration: Iteration) -> dict[str, Array]:
    """All values of a graph without layers, but for numbers of its formulas, and their gradients; and the loss."""
    graph = iteration.graph
    values = [value.name for value in graph.values if value.role != "constant"]
    gradients = [graph.gradient_of(name) for name in values if name in graph.differentiable]
    arrays = {ascii_formula(name): iteration.tensor(name) for name in (*values, *gradients)}
    return {"loss": iteration.tensor(graph.loss)} | arrays


def _of_layers(iteration: Iteration) -> dict[str, Array]:
    graph = iteration.graph
    arrays = {
        graph.input: iteration.tensor(graph.input),
        "target": iteration.tensor(graph.target),
        "loss": iteration.tensor(graph.loss),
    }
    without = graph.loss_op.output
    arrays |= {without: iteration.tensor(without)} if graph.penalized else {}
    made = {step.tensor for step in walk(iteration.spec, iteration.batch) if graph.per_sample(step.tensor)}
    named = {
        *graph.parameters,
        *map(graph.gradient_of, graph.trained),
        *made,
        *(alias for alias, _ in graph.aliases),
    } - {graph.input}
    arrays |= {ascii_formula(name): iteration.tensor(name) for name in sorted(named)}
    return arrays | {f"mask{mask.block}": iteration.tensor(mask.name) for mask in graph.masks}


def frozen_gradients(graph: Graph) -> list[str]:
    """Return the names of the gradients that are not among the arrays, because their parameters are frozen."""
    return [ascii_formula(graph.gradient_of(name)) for name in graph.parameters if name not in graph.trained]


def save_arrays(iteration: Iteration, path: Path) -> int:
    """Write all arrays of an iteration into an npz file; return their number. Raises WriteError if the file cannot be
    written: then the one that it would have replaced is as before."""
    arrays = arrays_of(iteration)
    try:
        with replacing(path) as file:
            write_npz(file, arrays)
    except OSError as error:
        raise WriteError(
            "save", f"{quoted(str(path))} cannot be written: {error.strerror or error}"
        ) from None
    return len(arrays)
