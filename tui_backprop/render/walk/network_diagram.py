"""The network as a row of layers, with the arrays computed so far and the current step."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

from tui_backprop.data.catalogue import info
from tui_backprop.engine.explain.step import Step
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.heatmap import heatmap, thumbnail
from tui_backprop.render.draw.spans import Line, Span, line, pad, width
from tui_backprop.render.per_iteration import per_iteration
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number

if TYPE_CHECKING:
    from tui_backprop.engine.training.iteration import Iteration

ARROW_COLUMNS = 3  # columns between two layers
LOSS_COLUMNS = 5  # columns of the loss
LEAST_MAP_COLUMNS, MOST_MAP_COLUMNS = 3, 16  # columns of a layer's map

Block = tuple[list[Line], int]  # lines, and how wide


def diagram(
    snapshot: Snapshot, columns: int, rows: int, context: RenderContext, norms: bool = True
) -> list[Line]:
    """Render the layers side by side, each with a map of ``rows`` lines: activations above, deltas below, then a bar
    for the norm of each delta, and on the last line the names of the weights. Of a deep network, the layers around
    the current one are shown."""
    depth = snapshot.graph.depth
    first, last = _window(snapshot.step.block, depth, columns)
    layers = range(first, last + 1)
    ends = (LOSS_COLUMNS if last == depth else 1) + (1 + ARROW_COLUMNS if first else 0)
    cell = max(min(MOST_MAP_COLUMNS, (columns - ends) // len(layers) - ARROW_COLUMNS), 1)
    parts: list[Block] = []
    weights: list[tuple[int, Line]] = []  # center column, and name of the weights
    if first:
        parts += [(_more(rows), 1), (_arrows(snapshot, first - 1, rows, context), ARROW_COLUMNS)]
    for layer in layers:
        parts += [
            (_layer(snapshot, layer, cell, rows, context), cell),
            (_arrows(snapshot, layer, rows, context), ARROW_COLUMNS),
        ]
        if layer < depth:
            weights.append(
                (sum(wide for _, wide in parts) - ARROW_COLUMNS // 2 - 1, _weights(snapshot, layer + 1))
            )
    parts.append((_loss(snapshot, rows), LOSS_COLUMNS) if last == depth else (_more(rows), 1))
    lines = [
        line(*(span for lines, wide in parts for span in pad(lines[y], wide, "^")))
        for y in range(2 * rows + 2)
    ]
    return [*lines, *([_norms(snapshot, layers, cell, context)] if norms else []), _placed(weights)]


def _window(layer: int, depth: int, columns: int) -> tuple[int, int]:
    """First and last layer to show, of 0 .. depth: all if they fit, else those around ``layer``."""
    each = LEAST_MAP_COLUMNS + ARROW_COLUMNS
    if (depth + 1) * each + LOSS_COLUMNS <= columns:
        return 0, depth
    fitting = max((columns - LOSS_COLUMNS - 1 - ARROW_COLUMNS) // each, 1)
    first = min(max(layer - fitting // 2, 0), depth + 1 - fitting)
    return first, first + fitting - 1


def _norms(snapshot: Snapshot, layers: range, cell: int, context: RenderContext) -> Line:
    """Render a bar for the norm of each delta, one step lower for each half decade below the largest. Every map has a
    scale of its own; the bars show vanishing gradients."""
    depth = snapshot.graph.depth
    known = {k: norm for k in range(1, depth + 1) if (norm := _delta_norm(snapshot, k)) is not None}
    largest, top = max(known.values(), default=0.0), len(context.bars) - 1
    spans: list[Span] = [(" " * ((1 + ARROW_COLUMNS) if layers[0] else 0), "text")]
    for layer in layers:
        norm = known.get(layer)
        bar = ""
        if norm is not None and 0 < norm <= largest < float("inf"):
            bar = context.bars[max(top + round(2 * log10(norm / largest)), 0)] * min(cell, 2)
        spans += [*pad(line((bar, "muted")), cell, "^"), (" " * ARROW_COLUMNS, "text")]
    return line(
        *spans,
        *(
            pad(line((f"|{context.delta}|", "muted")), LOSS_COLUMNS, "^")
            if known and layers[-1] == depth
            else ()
        ),
    )


def _delta_norm(snapshot: Snapshot, layer: int) -> float | None:
    """Norm of a layer's delta over the batch, if it has been computed by the current step."""
    delta = snapshot.graph.delta(layer)
    there = any(step.tensor == delta for step in snapshot.made("backward", layer))
    return snapshot.iteration.summary(delta).norm if there else None


def _placed(pieces: list[tuple[int, Line]]) -> Line:
    """Place short texts on one line, each centered on its column, without those that would overlap."""
    spans: list[Span] = []
    x = 0
    for center, piece in pieces:
        start = max(center - width(piece) // 2, 0)
        if start >= x:
            spans += [(" " * (start - x), "text"), *piece]
            x = start + width(piece)
    return line(*spans)


def _layer(snapshot: Snapshot, layer: int, cell: int, rows: int, context: RenderContext) -> list[Line]:
    """Render a layer: name and map of its latest array of the forward pass, and of the backward pass."""
    step, unit = snapshot.step, snapshot.unit(layer)
    block: list[Line] = []
    for role in ("forward", "backward"):
        made = _made(snapshot, role, layer)
        if not made:
            block += (
                _waiting(snapshot, layer, cell, rows, context) if role == "forward" else [()] * (rows + 1)
            )
            continue
        name = made[-1].tensor
        current = step.block == layer and name in {piece.tensor for piece in step.pieces}
        image = info(snapshot.session.data).image if name == snapshot.graph.input else None
        marked = unit if current else None
        label = line((name.replace("δ", context.delta), "strong" if current else role))
        drawn = _map(snapshot.iteration, name, image, marked, cell, rows, role, context)
        block += [pad(label, cell, "^"), *drawn]
    return block


@per_iteration
def _map(
    iteration: Iteration,
    name: str,
    image: tuple[int, int] | None,
    marked: int | None,
    cell: int,
    rows: int,
    role: str,
    context: RenderContext,
) -> list[Line]:
    """Render the map of an array of the first sample, as a picture if it is one, with a unit marked."""
    values = iteration.tensor(name)[0]
    if image:
        drawn = thumbnail(values.reshape(image), rows, min(cell, 2 * rows), role, context)
    else:
        drawn = heatmap(values, rows, cell, role, context, marked)
    return [pad(row, cell, "^") for row in _centered(drawn, rows)]


def _made(snapshot: Snapshot, phase: str, layer: int) -> list[Step]:
    """Steps of a phase up to the current one that computed an array with a row per sample in a layer."""
    return [step for step in snapshot.made(phase, layer) if snapshot.graph.per_sample(step.tensor)]


def _waiting(snapshot: Snapshot, layer: int, cell: int, rows: int, context: RenderContext) -> list[Line]:
    """Render a layer not yet reached: its width, and dots in place of a map."""
    units = snapshot.graph.width(layer)
    dots = min(units, cell)
    deep = min(-(-units // dots), rows)
    return [line((str(units), "muted")), *_centered([line((context.zero * dots, "faint"))] * deep, rows)]


def _centered(drawn: list[Line], rows: int) -> list[Line]:
    above = (rows - len(drawn)) // 2
    return [*([()] * above), *drawn, *([()] * (rows - len(drawn) - above))]


def _loss(snapshot: Snapshot, rows: int) -> list[Line]:
    """Render the last column: the loss, and the start of the backward pass."""
    there = snapshot.reached("loss", snapshot.graph.depth, "loss")
    back = snapshot.reached("backward", snapshot.graph.depth, "output delta")
    block: list[Line] = [() for _ in range(2 * rows + 2)]
    block[0] = line(("loss", "loss" if there else "muted"))
    if there:
        now = snapshot.step.phase == "loss"
        value = float(snapshot.iteration.tensor(snapshot.step.tensor)) if now else snapshot.iteration.loss
        texts = [format_number(value, digits) for digits in (3, 2, 1)]
        text = next((text for text in texts if len(text) <= LOSS_COLUMNS), texts[-1])
        block[_middle(rows)] = line((text, "strong" if now else "loss"))
    if back:
        block[1 + rows] = line(("dL/dL", "backward"))
        block[1 + rows + _middle(rows)] = line(("1", "backward"))
    return block


def _more(rows: int) -> list[Line]:
    """Render an ellipsis for layers left out."""
    block: list[Line] = [() for _ in range(2 * rows + 2)]
    block[_middle(rows)] = line(("…", "muted"))
    return block


def _middle(rows: int) -> int:
    """Line of a block with its arrow: the middle of its first map."""
    return 1 + (rows - 1) // 2


def _arrows(snapshot: Snapshot, layer: int, rows: int, context: RenderContext) -> list[Line]:
    """Render the arrows to the right of a layer: to the next one (or to the loss), and back."""
    depth = snapshot.graph.depth
    forward = snapshot.made("loss", depth) if layer == depth else snapshot.made("forward", layer + 1)
    back = _made(snapshot, "backward", layer)
    block: list[Line] = [() for _ in range(2 * rows + 2)]
    for made, at, glyph in ((forward, 0, context.on), (back, rows + 1, context.back)):
        if made:  # the first of them led from one layer to the other
            now = made[0] in snapshot.step.pieces
            block[at + _middle(rows)] = line((glyph, "strong" if now else made[0].phase))
    return block


def _weights(snapshot: Snapshot, layer: int) -> Line:
    """Render the name of a layer's weights, of their gradient, or of the updated weights, by the current step."""
    step, weight = snapshot.step, snapshot.graph.weight(layer)
    if snapshot.reached("update", layer, "update"):
        name, role, kind = f"{weight}'", "update", "update"
    elif snapshot.reached("backward", layer, "weights"):
        name, role, kind = snapshot.graph.gradient_of(weight), "backward", "weights"
    else:
        name, role, kind = weight, "muted", "affine"
    now = step.block == layer and kind in {piece.kind for piece in step.pieces}
    return line((name, "strong" if now else role))
