"""The network as a row of layers: what has been computed so far, and where the signal is."""

from __future__ import annotations

from math import log10

from tui_backprop.data.catalogue import DATASETS
from tui_backprop.engine.explain.walk import Step
from tui_backprop.engine.network.names import per_sample
from tui_backprop.render.draw.glyphs import Glyphs
from tui_backprop.render.draw.heatmap import heatmap, thumbnail
from tui_backprop.render.draw.spans import Line, Span, line, pad, width
from tui_backprop.render.view_state import Moment
from tui_backprop.support.format import number

ARROW = 3  # columns between two layers
LOSS = 5  # columns of the loss
NARROWEST, WIDEST = 3, 16  # columns of a layer's map

Column = tuple[list[Line], int]  # lines, and how wide


def diagram(moment: Moment, columns: int, rows: int, glyphs: Glyphs, norms: bool = True) -> list[Line]:
    """Layers side by side, ``rows`` lines of map each: activations above, deltas below, then a bar for the
    norm of each delta, and on the last line the weights between two layers. Deep networks show the layers
    around the current one."""
    depth = moment.session.network.depth
    first, last = _window(moment.step.layer, depth, columns)
    layers = range(first, last + 1)
    ends = (LOSS if last == depth else 1) + (1 + ARROW if first else 0)
    cell = max(min(WIDEST, (columns - ends) // len(layers) - ARROW), 1)
    parts: list[Column] = []
    weights: list[tuple[int, Line]] = []  # where to centre it, and what is known of the weights there
    if first:
        parts += [(_more(rows), 1), (_arrows(moment, first - 1, rows, glyphs), ARROW)]
    for layer in layers:
        parts += [
            (_layer(moment, layer, cell, rows, glyphs), cell),
            (_arrows(moment, layer, rows, glyphs), ARROW),
        ]
        if layer < depth:
            weights.append((sum(wide for _, wide in parts) - ARROW // 2 - 1, _weights(moment, layer + 1)))
    parts.append((_loss(moment, rows), LOSS) if last == depth else (_more(rows), 1))
    lines = [
        line(*(span for lines, wide in parts for span in pad(lines[y], wide, "^")))
        for y in range(2 * rows + 2)
    ]
    return [*lines, *([_norms(moment, layers, cell, glyphs)] if norms else []), _placed(weights)]


def _window(layer: int, depth: int, columns: int) -> tuple[int, int]:
    """The layers to show, of 0 .. depth: all if they fit, else those around ``layer``."""
    each = NARROWEST + ARROW
    if (depth + 1) * each + LOSS <= columns:
        return 0, depth
    fitting = max((columns - LOSS - 1 - ARROW) // each, 1)
    first = min(max(layer - fitting // 2, 0), depth + 1 - fitting)
    return first, first + fitting - 1


def _norms(moment: Moment, layers: range, cell: int, glyphs: Glyphs) -> Line:
    """Bars for the norm of each delta, a step of height for half a decade below the largest: every map is
    drawn to its own scale, so this is where a gradient is seen to fade."""
    depth = moment.session.network.depth
    known = {k: norm for k in range(1, depth + 1) if (norm := _delta_norm(moment, k)) is not None}
    largest, top = max(known.values(), default=0.0), len(glyphs.bars) - 1
    spans: list[Span] = [(" " * ((1 + ARROW) if layers[0] else 0), "text")]
    for layer in layers:
        norm = known.get(layer)
        bar = ""
        if norm is not None and 0 < norm <= largest < float("inf"):
            bar = glyphs.bars[max(top + round(2 * log10(norm / largest)), 0)] * min(cell, 2)
        spans += [*pad(line((bar, "muted")), cell, "^"), (" " * ARROW, "text")]
    return line(
        *spans,
        *(pad(line((f"|{glyphs.delta}|", "muted")), LOSS, "^") if known and layers[-1] == depth else ()),
    )


def _delta_norm(moment: Moment, layer: int) -> float | None:
    """The norm of a layer's delta over the batch, once the walk has it."""
    there = any(step.tensor == f"δ{layer}" for step in moment.made("backward", layer))
    return moment.taken.summary(f"δ{layer}").norm if there else None


def _placed(pieces: list[tuple[int, Line]]) -> Line:
    """Short texts on one line, each centred on its column; what would overlap is left out."""
    spans: list[Span] = []
    x = 0
    for centre, piece in pieces:
        start = max(centre - width(piece) // 2, 0)
        if start >= x:
            spans += [(" " * (start - x), "text"), *piece]
            x = start + width(piece)
    return line(*spans)


def _layer(moment: Moment, layer: int, cell: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Lines of one layer's column: name and map of the last that the way forward made there, and the way back."""
    step, unit = moment.step, moment.unit(layer)
    block: list[Line] = []
    for role in ("forward", "backward"):
        made = _made(moment, role, layer)
        if not made:
            block += _waiting(moment, layer, cell, rows, glyphs) if role == "forward" else [()] * (rows + 1)
            continue
        name = made[-1].tensor
        current = step.layer == layer and name in {piece.tensor for piece in step.pieces}
        image = DATASETS[moment.session.data].image if layer == 0 else None
        values = moment.taken.tensor(name)[0]
        if image and name == "x":
            drawn = thumbnail(values.reshape(image), rows, min(cell, 2 * rows), role, glyphs)
        else:
            drawn = heatmap(values, rows, cell, role, glyphs, unit if current else None)
        label = name.replace("δ", glyphs.delta)
        block += [line((label, "strong" if current else role)), *_centred(drawn, rows)]
    return block


def _made(moment: Moment, phase: str, layer: int) -> list[Step]:
    """The steps so far that made one sample after the other in a layer, on one of the two ways."""
    return [step for step in moment.made(phase, layer) if per_sample(step.tensor)]


def _waiting(moment: Moment, layer: int, cell: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """A layer that the walk has not come to: its width, and dots in place of its map."""
    units = moment.session.network.layers[layer]
    dots = min(units, cell)
    deep = min(-(-units // dots), rows)
    return [line((str(units), "faint")), *_centred([line((glyphs.zero * dots, "faint"))] * deep, rows)]


def _centred(drawn: list[Line], rows: int) -> list[Line]:
    above = (rows - len(drawn)) // 2
    return [*([()] * above), *drawn, *([()] * (rows - len(drawn) - above))]


def _loss(moment: Moment, rows: int) -> list[Line]:
    """Lines of the last column: the loss, and where the way back begins."""
    there = moment.reached("loss", moment.session.network.depth, "loss")
    back = moment.reached("backward", moment.session.network.depth, "output delta")
    block: list[Line] = [() for _ in range(2 * rows + 2)]
    block[0] = line(("loss", "loss" if there else "faint"))
    if there:
        now = moment.step.phase == "loss"
        value = float(moment.taken.tensor(moment.step.tensor)) if now else moment.taken.loss
        texts = [number(value, digits) for digits in (3, 2, 1)]
        text = next((text for text in texts if len(text) <= LOSS), texts[-1])
        block[_middle(rows)] = line((text, "strong" if now else "loss"))
    if back:
        block[1 + rows] = line(("dL/dL", "backward"))
        block[1 + rows + _middle(rows)] = line(("1", "backward"))
    return block


def _more(rows: int) -> list[Line]:
    """Where layers are left out."""
    block: list[Line] = [() for _ in range(2 * rows + 2)]
    block[_middle(rows)] = line(("…", "muted"))
    return block


def _middle(rows: int) -> int:
    """The line of a block on which its arrows are: the middle of its first map."""
    return 1 + (rows - 1) // 2


def _arrows(moment: Moment, layer: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Lines to the right of a layer: the arrow to the next one (or to the loss), and the arrow back."""
    depth = moment.session.network.depth
    forward = moment.made("loss", depth) if layer == depth else moment.made("forward", layer + 1)
    back = _made(moment, "backward", layer)
    block: list[Line] = [() for _ in range(2 * rows + 2)]
    for made, at, glyph in ((forward, 0, glyphs.on), (back, rows + 1, glyphs.back)):
        if made:  # the first of them went from one layer to the other
            now = made[0] in moment.step.pieces
            block[at + _middle(rows)] = line((glyph, "strong" if now else made[0].phase))
    return block


def _weights(moment: Moment, layer: int) -> Line:
    """What is known of a layer's weights: the weights, their gradient, or what the update made of them."""
    step = moment.step
    if moment.reached("update", layer, "update"):
        name, role, kind = f"W{layer}'", "update", "update"
    elif moment.reached("backward", layer, "weights"):
        name, role, kind = f"dW{layer}", "backward", "weights"
    else:
        name, role, kind = f"W{layer}", "faint", "affine"
    now = step.layer == layer and kind in {piece.kind for piece in step.pieces}
    return line((name, "strong" if now else role))
