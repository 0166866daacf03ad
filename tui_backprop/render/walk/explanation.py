"""The explanation of a step: caption, formula with shapes, arithmetic of one unit, what is reused, and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isfinite

from tui_backprop.engine.explain.conventions import conventions, decay_text, settings_of
from tui_backprop.engine.explain.no_gradient import without_gradient
from tui_backprop.engine.explain.pytorch import Before, lines_of
from tui_backprop.engine.explain.receipts import ReceiptRow, receipt_rows
from tui_backprop.engine.explain.receipts.sums import sums
from tui_backprop.engine.explain.schedule import rate_plans
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.training.optimizer_spec import learning_rate
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, clip, first_fitting, line, wrap
from tui_backprop.render.draw.statements import statement_lines
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.caption import brief_caption, caption_of, shortest_caption
from tui_backprop.render.walk.equation import (
    COLUMN_GAP,
    equations,
    formula_with_shapes,
    main_equation,
    receipt,
)
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import begins
from tui_backprop.support.format import format_count, format_number, format_times, format_work

LEAST_TERMS, MOST_NEEDED, MOST_TERMS = (
    2,
    3,
    12,
)  # terms of a long sum: in few lines; else at least, and at most
MORE = " … {} shows it"  # after the last line shown of several
UNSHOWN = "… {} earlier sum{} not shown"  # where there is no room
LABEL_COLUMNS = 8  # columns of the labels of closing lines


def explanation(
    snapshot: Snapshot, columns: int, most: int, context: RenderContext, spare: int = 0
) -> list[Line]:
    """Render caption, formula with shapes, receipt, reuse and cost in at most ``most`` lines, of which ``spare`` are
    used only if needed. Where that is not enough, left out are, in this order: blank lines, terms of long sums, most
    of the caption; all but the last of several sums, the shapes; what is left of the caption, its key sentence."""
    step, rows = snapshot.step, most - spare
    sentence = context.text(caption_of(snapshot, context))
    caption = wrap(sentence, columns, "strong" if step.kind == "input" else "text")
    formula = formula_with_shapes(snapshot.graph, step, columns, context)
    closing = closing_lines(snapshot, columns, context)
    around = len(caption) + len(formula) + len(closing)

    def example(terms: int) -> list[Sequence[ReceiptRow]]:
        return sums(
            receipt_rows(snapshot.iteration, step, snapshot.unit(step.block), terms, asked=snapshot.number)
        )

    most_terms = LEAST_TERMS if context.sparse else MOST_TERMS
    parts = example(min(max(rows - around - 10, MOST_NEEDED), most_terms))
    if around + sum(map(len, parts)) > rows:
        parts = example(LEAST_TERMS)
    needed = around + sum(map(len, parts))
    first, end, shapes = 0, len(equations(step)), True  # equations of the formula
    main = main_equation(snapshot.graph, step, snapshot.number[0] if snapshot.number else "")
    key_sentence = shortest_caption(sentence, columns)
    unshown = 0  # sums
    while len(key_sentence) + len(formula) + sum(map(len, parts)) + bool(unshown) + len(closing) > most:
        if len(parts) > 1:
            parts, unshown = parts[1:], unshown + 1
        elif step.kind == "update" and end > main + 1:
            end -= 1
        elif step.kind == "update" and first < main:
            first += 1
        elif shapes:
            shapes = False
        else:
            break
        formula = formula_with_shapes(snapshot.graph, step, columns, context, first, shapes, end)
    if needed > rows:
        room = most - len(formula) - sum(map(len, parts)) - bool(unshown) - len(closing)
        caption = brief_caption(sentence, columns, room)
    receipts = [line((UNSHOWN.format(unshown, "s" * (unshown > 1)), "muted"))] if unshown else []
    receipts += receipt(
        [row for part in parts for row in part], columns, step.phase, context, snapshot.hidden
    )
    lines: list[Line] = []
    for block in filter(None, (caption, formula, receipts, closing)):
        lines += [()] * (needed + 3 <= rows and bool(lines))
        lines += block
    torch = [] if context.sparse else torch_lines(snapshot, columns)
    if len(lines) >= rows:
        return lines[:most]
    notes = [] if context.sparse else convention_lines(snapshot, columns, context)
    lines += _first_lines(torch, rows - len(lines), columns, MORE.format(context.key("torch")))
    for note in notes:
        lines += note if len(lines) + len(note) <= rows else []
    return lines


def _first_lines(lines: list[Line], rows: int, columns: int, mark: str) -> list[Line]:
    """At most ``rows`` lines; a mark at their end says where all are shown."""
    if len(lines) <= rows:
        return lines
    *first, last = lines[:rows]
    return [*first, line(*clip(last, columns - len(mark)), (mark, "muted"))]


def closing_lines(snapshot: Snapshot, columns: int, context: RenderContext) -> list[Line]:
    """Render the values reused from the forward pass, the effect of an update on the loss, and the cost."""
    step, iteration = snapshot.step, snapshot.iteration
    lines = []
    if iteration.bad:
        what = f"{'a number' if isfinite(iteration.loss) else 'the loss'} is not finite"
        if snapshot.session.update_log:
            what += f"; {context.key('restart')} restarts"
        lines += [
            row for words in (what, iteration.bad.why) for row in wrap(context.text(words), columns, "bad")
        ]
    if step.reused:
        lines.append(
            line(
                ("reused  ", "muted"),
                (", ".join(step.reused), "forward"),
                (" from the forward pass", "muted"),
            )
        )
    if step.kind == "update":
        lines += settings_lines(snapshot, columns, context)
        lines += [*rate_lines(snapshot, columns, context), loss_line(snapshot, columns)]
    if snapshot.session.network.kept_by_name:
        from tui_backprop.render.walk.recorded import recorded_words  # no other walk needs it

        if words := recorded_words(snapshot):
            lines += _labelled("check", wrap(context.text(words[0]), columns - LABEL_COLUMNS, words[1]))
    if step.flops:
        lines.append(cost_line(step, columns))
    return lines


def step_in_torch(snapshot: Snapshot) -> list[str]:
    """Return the statements of the step in PyTorch."""
    return lines_of(snapshot.step, snapshot.iteration, _before(snapshot.session))


def torch_lines(snapshot: Snapshot, columns: int) -> list[Line]:
    """Render the step in PyTorch."""
    room = columns - LABEL_COLUMNS
    return _labelled(
        "torch", [line(row) for text in step_in_torch(snapshot) for row in statement_lines(text, room)]
    )


def settings_lines(snapshot: Snapshot, columns: int, context: RenderContext) -> list[Line]:
    """The settings of the optimizer, and which parameters weight decay acts on."""
    network, optimizer = snapshot.session.network, snapshot.session.optimizer
    values = [f"{symbol} {value}" for symbol, value in settings_of(optimizer).items()]
    text = ", ".join(filter(None, [*values, decay_text(network, optimizer)]))
    return _labelled("with", wrap(context.text(text), columns - LABEL_COLUMNS)) if text else []


def convention_lines(snapshot: Snapshot, columns: int, context: RenderContext) -> list[list[Line]]:
    """Return the conventions of the update, each as some lines, at an update step."""
    ends = snapshot.step.phase == "backward" and snapshot.steps[snapshot.step.index + 1 :][:1]
    if ends and ends[0].phase == "update":  # the last step of the backward pass
        return [
            _labelled("note", wrap(context.text(sentence), columns - LABEL_COLUMNS, "muted"))
            for sentence in without_gradient(snapshot.graph)
        ]
    if snapshot.step.kind != "update":
        return []
    return [
        _labelled("note", wrap(context.text(sentence), columns - LABEL_COLUMNS, "muted"))
        for sentence in conventions(
            snapshot.session.network, snapshot.session.optimizer, snapshot.iteration.began
        )
    ]


def _labelled(label: str, rows: Sequence[Line]) -> list[Line]:
    """Put a label before the first of some lines, and blanks before the others."""
    return [
        line((f"{label if i == 0 else '':<{LABEL_COLUMNS}}", "muted"), *row) for i, row in enumerate(rows)
    ]


def _before(session: Session) -> Before:
    """The state of training before the iteration of a session."""
    edits = tuple((edit.tensor, edit.index, edit.by) for edit in session.edits)
    if not session.update_log:
        return Before(None, edits)
    last = session.update_log[-1]
    updates = session.t - begins(session.update_log)[-1]
    rate = learning_rate(last.optimizer, last.lr, updates - 1)
    return Before(rate, edits, last.optimizer, last.settings)


def rate_lines(snapshot: Snapshot, columns: int, context: RenderContext) -> list[Line]:
    """Render the learning rate of this iteration by each plan, warm-up or schedule, that changes it; with its numbers
    where they fit."""
    session = snapshot.session
    rows = []
    for plan in rate_plans(session.optimizer, session.lr, session.t - session.began):
        rate = f"α = {format_number(plan.rate)}"
        ends = (
            f" = {plan.worked}, {plan.name} in iteration {session.t}",
            f" = {plan.worked}, {plan.name}",
            f", {plan.name} of {format_number(plan.base)}",
            f", {plan.name}",
        )
        fitting = (line(rate, (context.text(end), "muted")) for end in ends)
        rows.append(first_fitting(columns - LABEL_COLUMNS, *fitting))
    return _labelled("rate", rows)


def loss_line(snapshot: Snapshot, columns: int) -> Line:
    """Render the loss before the update and, at its last step, after it; before that, at which step it is shown."""
    before, last, grain = (
        format_number(snapshot.iteration.loss, 4),
        len(snapshot.steps) - 1,
        snapshot.session.walk.grain,
    )
    if snapshot.step.index == last and not snapshot.hidden:
        after = format_number(snapshot.iteration.loss_after, 4)
        if not snapshot.iteration.tried:
            return line(("loss    ", "muted"), f"{before} before; after it is not computed")
        return line(("loss    ", "muted"), f"{before} before, ", (f"{after} after", "update"))
    there = f"see {'step' if grain == 'equation' else grain} {last}"
    notes = (
        f" this update; after all layers: {there}",
        f" this update; after: {there}",
        f"; after: {there}",
        "",
    )
    return first_fitting(
        columns, *(line(("loss    ", "muted"), f"{before} before", (note, "muted")) for note in notes)
    )


def cost_line(step: Step, columns: int) -> Line:
    """Render the multiply-accumulates of the step, and the running total in forward passes; with their numbers where
    they fit."""
    counted = format_work(step.macs, step.flops)
    if not step.forward:  # without products, there is no pass to count in
        return line(("cost    ", "muted"), counted)
    factors = mac_factors(step)
    total = f"{'gradient' if step.phase == 'update' else 'total'} "
    times = f"{format_times(step.ratio)}x"
    quotient = f" ({format_count(step.total)} / {format_count(step.forward)} MACs)"
    ends = [
        (f" = {factors}" if factors else "", f" a forward pass{quotient}"),
        (f" = {factors}" if factors else "", " a forward pass"),
        ("", " a forward pass"),
        ("", " forward"),
        ("", ""),
    ]
    return first_fitting(
        columns,
        *(
            line(
                ("cost    ", "muted"), counted, (product, "muted"),
                (COLUMN_GAP, "muted"), (total, "muted"), times, (end, "muted"),
            )
            for product, end in ends
        ),
    )  # fmt: skip


def mac_factors(step: Step) -> str:
    """Write the multiply-accumulates of a step as products of samples, inputs and units: 2 × 3 × 784 × 256 for two
    matrix products of that size."""
    counts = Counter(step.products)
    factors = ((count, *product) if count > 1 else product for product, count in counts.items())
    return " + ".join(" × ".join(f"{factor:,}" for factor in each) for each in factors)
