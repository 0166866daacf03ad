"""The network as a row of layers: what has been computed so far, and where the signal is."""

from __future__ import annotations

from tui_backprop.data.catalogue import DATASETS
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.heatmap import heatmap, thumbnail
from tui_backprop.ui.renderables.numbers import number
from tui_backprop.ui.renderables.spans import Line, Span, line, pad

ARROW = 3  # columns between two layers
NARROWEST, WIDEST = 3, 16  # columns of a layer's map


def diagram(moment: Moment, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Layers side by side, ``rows`` lines of map each: activations above, deltas below, and between two
    layers the weights. Deep networks show the layers around the current one."""
    depth = moment.session.network.depth
    fitting = max((columns + ARROW) // (NARROWEST + ARROW) - 1, 2)
    first, last = _window(moment.step.layer, depth, fitting)
    layers = range(first, last + 1)
    cell = min(WIDEST, (columns + ARROW) // (len(layers) + 1) - ARROW)
    blocks = [_layer(moment, layer, cell, rows, glyphs) for layer in layers]
    blocks.append(_loss(moment, cell, rows))
    gaps = (
        [_between(moment, layer, rows, glyphs) for layer in layers if layer < depth] if last == depth else []
    )
    if not gaps:
        gaps = [_between(moment, layer, rows, glyphs) for layer in layers]
        blocks[-1] = _more(rows)
    else:
        gaps.append(_to_loss(moment, rows, glyphs))
    if first > 0:
        blocks[0] = _more(rows)
    lines = []
    for y in range(2 * rows + 3):
        spans: list[Span] = []
        for i, block in enumerate(blocks):
            spans += pad(block[y], cell, "^")
            if i < len(gaps):
                spans += pad(gaps[i][y], ARROW, "^")
        lines.append(line(*spans))
    return lines


def _window(layer: int, depth: int, fitting: int) -> tuple[int, int]:
    """The layers to show, of 0 .. depth: all if they fit, else those around ``layer``."""
    if depth + 1 <= fitting:
        return 0, depth
    first = min(max(layer - fitting // 2, 0), depth + 1 - fitting)
    return first, first + fitting - 1


def _layer(moment: Moment, layer: int, cell: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Lines of one layer's column: name, map of activations, name, map of deltas, and an empty line."""
    step, depth = moment.step, moment.session.network.depth
    forward: str | None = None
    if layer == 0:
        forward = "x"
    elif moment.reached("forward", layer, "activation"):
        forward = f"a{layer}"
    elif moment.reached("forward", layer, "affine"):
        forward = f"z{layer}"
    back = (
        f"δ{layer}"
        if moment.reached("backward", layer, "output delta" if layer == depth else "delta")
        else None
    )
    unit = moment.unit(layer)
    block: list[Line] = []
    for name, role in ((forward, "forward"), (back, "backward")):
        if name is None:
            block += _waiting(moment, layer, cell, rows, glyphs) if role == "forward" else [()] * (rows + 1)
            continue
        current = step.layer == layer and name == step.tensor
        image = DATASETS[moment.session.data].image if layer == 0 else None
        values = moment.taken.tensor(name)[0]
        if image and name == "x":
            drawn = thumbnail(values.reshape(image), rows, min(cell, 2 * rows), role, glyphs)
        else:
            drawn = heatmap(values, rows, cell, role, glyphs, unit if current else None)
        block += [line((name, "strong" if current else role)), *_centred(drawn, rows)]
    return [*block, ()]


def _waiting(moment: Moment, layer: int, cell: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """A layer that the walk has not come to: its width, and dots in place of its map."""
    width = moment.session.network.layers[layer]
    dots = min(width, cell)
    deep = min(-(-width // dots), rows)
    return [line((str(width), "faint")), *_centred([line((glyphs.zero * dots, "faint"))] * deep, rows)]


def _centred(drawn: list[Line], rows: int) -> list[Line]:
    above = (rows - len(drawn)) // 2
    return [*([()] * above), *drawn, *([()] * (rows - len(drawn) - above))]


def _loss(moment: Moment, cell: int, rows: int) -> list[Line]:
    """Lines of the last column: the loss, and where the way back begins."""
    there = moment.reached("loss", moment.session.network.depth, "loss")
    back = moment.reached("backward", moment.session.network.depth, "output delta")
    middle = (rows - 1) // 2
    block: list[Line] = [() for _ in range(2 * rows + 3)]
    block[0] = line(("loss", "loss" if there else "faint"))
    if there:
        block[1 + middle] = line(
            (number(moment.taken.loss), "strong" if moment.step.kind == "loss" else "loss")
        )
    if back:
        block[1 + rows] = line(("dL/dL", "backward"))
        block[2 + rows + middle] = line(("1", "backward"))
    return block


def _more(rows: int) -> list[Line]:
    """Where layers are left out."""
    block: list[Line] = [() for _ in range(2 * rows + 3)]
    block[1 + (rows - 1) // 2] = line(("…", "muted"))
    return block


def _between(moment: Moment, layer: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Lines between two layers: the arrows forward and back, and the weights with what is known of them."""
    step, after = moment.step, layer + 1
    block: list[Line] = [() for _ in range(2 * rows + 3)]
    middle = (rows - 1) // 2
    if moment.reached("forward", after, "affine"):
        now = step.phase == "forward" and step.layer == after and step.kind == "affine"
        block[1 + middle] = line((glyphs.on, "strong" if now else "forward"))
    if layer and moment.reached("backward", layer, "delta"):
        now = step.phase == "backward" and step.layer == layer and step.kind == "delta"
        block[2 + rows + middle] = line((glyphs.back, "strong" if now else "backward"))
    if moment.reached("update", after, "update"):
        name, role, kind = f"W{after}'", "update", "update"
    elif moment.reached("backward", after, "weights"):
        name, role, kind = f"dW{after}", "backward", "weights"
    else:
        name, role, kind = f"W{after}", "faint", ""
    now = step.layer == after and step.kind == kind
    block[-1] = line((name, "strong" if now else role))
    return block


def _to_loss(moment: Moment, rows: int, glyphs: Glyphs) -> list[Line]:
    block: list[Line] = [() for _ in range(2 * rows + 3)]
    middle, depth = (rows - 1) // 2, moment.session.network.depth
    if moment.reached("loss", depth, "loss"):
        block[1 + middle] = line((glyphs.on, "strong" if moment.step.kind == "loss" else "loss"))
    if moment.reached("backward", depth, "output delta"):
        now = moment.step.kind == "output delta"
        block[2 + rows + middle] = line((glyphs.back, "strong" if now else "backward"))
    return block
