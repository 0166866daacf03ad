"""The walk panel: everything about one step, fitted into the room there is."""

from __future__ import annotations

from math import isfinite

from tui_backprop.engine.trace import Step
from tui_backprop.engine.worked import worked
from tui_backprop.lesson.captions import CAPTIONS
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.equation import formula_with_shapes, receipt
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.network import diagram
from tui_backprop.ui.renderables.numbers import count, number
from tui_backprop.ui.renderables.spans import Line, beside, clip, line, wrap
from tui_backprop.ui.renderables.tensor import tensor_view
from tui_backprop.ui.renderables.timeline import timeline

TENSOR_ROWS = 8  # lines that the tensor is given below the equation, where there is room
FEW_UNITS = 8  # layers up to this wide are drawn in a single line
LEAST_TERMS, MOST_NEEDED = 2, 3  # terms of a long sum: where room is short, and else at least
SIDE_BY_SIDE = 72  # columns from which the tensor stands beside the equation, not below it


def walk_panel(moment: Moment, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """At most ``rows`` lines: timeline, network, equation, receipt and cost, tensor."""
    top = timeline(moment.steps, moment.session.step, columns, glyphs)
    map_rows = min(max((rows - 14) // 6, 1 + (rows >= 19)), 8)
    if max(moment.session.network.layers) <= FEW_UNITS:
        map_rows = 1
    top += [
        *_blank(rows >= 20),
        *diagram(moment, columns, map_rows, glyphs, norms=rows >= 20),
        *_blank(rows >= 30),
    ]
    left = rows - len(top)
    if columns >= SIDE_BY_SIDE:
        text_columns = min(max(48, columns * 11 // 20), 64)
        text = [glyphs.fit(row) for row in explanation(moment, text_columns, left, glyphs)]
        tensor = tensor_view(moment, columns - text_columns - 2, min(left, 32), glyphs)
        lower = beside(text, tensor, text_columns)
    else:
        lower = explanation(moment, columns, left - TENSOR_ROWS if left >= 22 else left, glyphs)
        if left - len(lower) > TENSOR_ROWS // 2:
            lower = [*lower, (), *tensor_view(moment, columns, left - len(lower) - 1, glyphs)]
    return [glyphs.fit(clip(glyphs.fit(row), columns)) for row in [*top, *lower][:rows]]


def _blank(wanted: bool) -> list[Line]:
    return [()] if wanted else []


def explanation(moment: Moment, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Caption, formula with shapes, receipt, reuse and cost; air and words give way where room is short."""
    step = moment.step
    caption = wrap(caption_of(moment), columns, "strong" if step.kind == "input" else "text")
    formula = formula_with_shapes(step, columns, glyphs)
    closing = closing_lines(moment, columns)

    def example_with(terms: int) -> list[Line]:
        return receipt(
            worked(moment.taken, step, moment.unit(step.layer), terms), columns, step.phase, glyphs
        )

    terms = min(max(rows - len(caption) - len(formula) - len(closing) - 10, MOST_NEEDED), 12)
    example = example_with(terms)
    if len(caption) + len(formula) + len(example) + len(closing) > rows:
        example = example_with(LEAST_TERMS)
    roomy = len(caption) + len(formula) + len(example) + len(closing) + 3 <= rows
    blocks = [caption, formula, example, closing]
    if not roomy and len(caption) + len(formula) + len(example) + len(closing) > rows:
        blocks = [formula, example, closing]
    lines: list[Line] = []
    for block in blocks:
        if not block:
            continue
        if roomy and lines:
            lines.append(())
        lines += block
    return lines[:rows]


def caption_of(moment: Moment) -> str:
    """The sentence for the step, with this network's figures."""
    spec, step, batch = moment.session.network, moment.step, moment.session.batch
    fan_in, fan_out = spec.fans[max(step.layer, 1) - 1]
    last = step.kind == "weights" and step.layer == 1
    return CAPTIONS["last weights" if last else step.kind].format(
        samples="One sample" if batch == 1 else f"A batch of {batch:,} samples",
        inputs=("one number" if spec.layers[0] == 1 else f"{spec.layers[0]:,} numbers")
        + (" each" if batch > 1 else ""),
        units="The one unit" if fan_out == 1 else f"Each of {fan_out:,} units",
        bias=", and adds a bias" if spec.bias else "",
        before="its one input" if fan_in == 1 else f"its {fan_in:,} inputs",
        parameters=f"{fan_in * fan_out + (fan_out if spec.bias else 0):,}",
        total=f"{spec.parameters:,}",
        ratio=f"{step.ratio:.2f}",
    )


def closing_lines(moment: Moment, columns: int) -> list[Line]:
    """What was reused from the forward pass, what the step cost, and what the update did to the loss."""
    step, taken = moment.step, moment.taken
    lines = []
    if not isfinite(taken.loss):
        lines.append(line(("the loss is no number any more: α is too large; r starts again", "bad")))
    if step.reused:
        lines.append(
            line(
                ("reused  ", "muted"),
                (", ".join(step.reused), "forward"),
                (" from the forward pass", "muted"),
            )
        )
    if step.kind == "update":
        last = step.index == len(moment.steps) - 1
        after = (
            (f"{number(taken.loss_after, 4)} after", "update") if last else ("then the next layer", "muted")
        )
        lines.append(line(("loss    ", "muted"), f"{number(taken.loss, 4)} before, ", after))
    if step.flops:
        lines.append(cost_line(step))
    return lines


def cost_line(step: Step) -> Line:
    """Multiply-accumulates of the step, and the running total in forward passes."""
    if step.phase == "update":
        total = ("  gradient ", "muted"), f"{step.ratio:.2f}x", (" forward", "muted")
        return line(("cost    ", "muted"), f"{count(step.flops)} FLOPs", *total)
    macs = f"{count(step.macs)} MACs" if step.macs else f"{count(step.flops)} FLOPs"
    return line(
        ("cost    ", "muted"),
        macs,
        ("  total ", "muted"),
        f"{step.ratio:.2f}x",
        (" a forward pass", "muted"),
    )
