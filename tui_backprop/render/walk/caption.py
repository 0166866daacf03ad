"""The caption of a step, whole or shortened to the room that there is."""

from __future__ import annotations

import re

from tui_backprop.engine.explain.conventions import scope
from tui_backprop.engine.explain.step import Step
from tui_backprop.lesson.captions import CAPTIONS, OPERATIONS
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, wrap
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.value_caption import is_general, value_caption
from tui_backprop.support.format import format_share, format_times


def caption_of(snapshot: Snapshot, context: RenderContext = UTF8) -> str:
    """Caption of the step, with the figures of this network."""
    if is_general(snapshot.step) or (snapshot.step.kind == "input" and not snapshot.graph.fed):
        return value_caption(snapshot, context)
    spec, step, batch = snapshot.session.network, snapshot.step, snapshot.session.batch
    if step.kind == "update" and not snapshot.graph.layered:
        return _sentence(snapshot)
    graph, layer = snapshot.graph, max(step.block, 1)
    given = {
        "step_on": context.key("step_on"),
        "other_part": context.key("other_part"),
        "samples": "One sample" if batch == 1 else f"A batch of {batch:,} samples",
        "inputs": ("one number" if graph.width(0) == 1 else f"{graph.width(0):,} numbers")
        + (" each" if batch > 1 else ""),
    }
    if not graph.layered:
        return _sentence(snapshot).format(**given)
    fan_in, fan_out = graph.parameters[graph.weight(layer)]
    bias = graph.part(layer, "bias") is not None
    return _sentence(snapshot).format(
        **given,
        layer=step.block,
        units="The unit" if fan_out == 1 else f"Each of {fan_out:,} units",
        bias=", and adds a bias" if bias else "",
        before="its one input" if fan_in == 1 else f"its {fan_in:,} inputs",
        weights=f"{fan_in * fan_out:,}",
        parameters=f"{fan_in * fan_out + (fan_out if bias else 0):,}",
        total=f"{spec.parameters:,}",
        ratio=format_times(step.ratio),
        penalized=scope(spec, len(graph.penalized) == len(graph.parameters)),
        dropped=format_share(graph.masks[0].constant if graph.masks else 0, decimals=None),
    )


def brief_caption(text: str, columns: int, rows: int) -> list[Line]:
    """Shorten a text to what fits: up to a full stop or colon, else up to a comma, with a full stop if there is room;
    nothing where neither fits."""
    for ends in (r"[.:;?](?= |$)", r",(?= )"):
        for end in reversed(list(re.finditer(ends, text))):
            for stop in ("?",) if end[0] == "?" else (".", ""):
                if len(lines := wrap(text[: end.start()] + stop, columns)) <= rows:
                    return lines
    return []


def shortest_caption(text: str, columns: int) -> list[Line]:
    """Shorten a text to as few lines as it can be shortened to."""
    return next((lines for rows in range(1, 4) if (lines := brief_caption(text, columns, rows))), [])


def _sentence(snapshot: Snapshot) -> str:
    """Select the caption by the kind of the step, or by its operation."""
    step, kind = snapshot.step, snapshot.step.kind
    if kind == "input" and snapshot.session.network.vocabulary:
        kind = "text input"
    elif step.phase == "backward" and step.block == 1 and step is last_of(snapshot, "backward"):
        kind = "last weights"
    elif snapshot.session.walk.grain == "operation" and step.operation in OPERATIONS:
        return OPERATIONS[step.operation]
    elif kind == "delta" and (snapshot.graph.adds_input(step.block) or step.block == snapshot.graph.depth):
        kind = "carried delta"
    elif kind == "update" and snapshot.session.is_held_out:
        kind = "held out"
    elif kind == "update" and snapshot.session.optimizer.name in CAPTIONS:
        kind = snapshot.session.optimizer.name
    return CAPTIONS[kind]


def last_of(snapshot: Snapshot, phase: str) -> Step:
    """Return the last step of a phase."""
    return [step for step in snapshot.steps if step.phase == phase][-1]
