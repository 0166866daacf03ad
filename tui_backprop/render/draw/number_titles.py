"""Names of numbers, and their meaning in words."""

from __future__ import annotations

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.axes import LOOKED_AT
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.network.value import Value
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.render.sample_text import SampleText, text_of
from tui_backprop.session.state import Session

# By role of a value (see ``engine/network/value.py``); weights and inputs are named by their units.
DESCRIPTIONS: dict[str, str] = {
    "bias": "bias",
    "gain": "gain",
    "shift": "shift",
    "product": "sum before the bias",
    "pre-activation": "pre-activation",
    "normalized": "normalized sum",
    "activated": "activation before dropout or residual",
    "masked": "activation after dropout",
    "activation": "activation",
    "mask": "dropout mask",
}
# Of values without units.
WHOLE = {
    **{role: role for role in ("parameter", "weight", "bias", "gain", "shift")},
    "input": "fixed value",
    "target": "target",
    "value": "value",
    "loss": "loss",
}


def unit_name(session: Session, layer: int, unit: int) -> str:
    """Return the name of a unit; an input is named by its pixel if the samples are pictures."""
    image = info(session.data).image
    if layer == 0:
        return f"pixel {unit // image[1]},{unit % image[1]}" if image else f"input {unit}"
    return f"output {unit}" if layer == session.network.graph.depth else f"unit {unit}"


def description_of(session: Session, iteration: Iteration, tensor: str, index: tuple[int, ...]) -> str:
    """Describe a number: pixel 12,7 to unit 40; bias of output 3; activation of unit 7; of a graph without layers,
    parameter; value of shape (2,3); on axes with names, attention 1: head 2, position 4 (n) looks at 1 (m)."""
    graph = session.network.graph
    role, layer = graph.role(tensor), graph.block(tensor)
    text = text_of(session, iteration)
    if text and graph.about(tensor).axes:
        return _on_axes(graph.about(tensor), index, text, graph.blocks[layer].title)
    if not graph.layered:
        sizes = ",".join(map(str, graph.about(tensor).sample_shape))
        return f"{WHOLE[role]} of shape ({sizes}{',' * (',' not in sizes)})" if sizes else WHOLE[role]
    unit = unit_name(session, layer, index[-1])
    if role == "weight":
        return f"{unit_name(session, layer - 1, index[0])} to {unit}"
    if role == "input":
        return unit
    return f"{DESCRIPTIONS[role]} of {unit}"


def _on_axes(value: Value, index: tuple[int, ...], text: SampleText, block: str) -> str:
    """Describe an entry by its place on the axes of a value: weight from channel 7 to query channel 3."""
    places = [text.words(axis, i, value.is_parameter) for axis, i in zip(value.axes, index, strict=True)]
    if value.role == "weight":
        return f"weight from {' to '.join(places)}"
    if value.is_parameter:
        return f"{WHOLE[value.role]} of {', '.join(places)}"
    joints = (" " if axis == LOOKED_AT else ", " for axis in value.axes[1:])
    return f"{block}: {places[0]}" + "".join(
        joint + place for joint, place in zip(joints, places[1:], strict=True)
    )


def title_lines(
    session: Session,
    iteration: Iteration,
    tensor: str,
    index: tuple[int, ...],
    columns: int,
    context: RenderContext,
    more: str = "",
) -> list[Line]:
    """Draw a number's name and description, on as many lines as needed: no number in it is cut."""
    name, about = (
        context.text(f"{entry_name(tensor, index)}  "),
        description_of(session, iteration, tensor, index) + more,
    )
    room = columns - len(name)
    if room < max(map(len, about.split())):
        return [line((name, "strong")), *wrap(about, columns, "muted")]
    return [
        line((name if i == 0 else " " * len(name), "strong"), *row)
        for i, row in enumerate(wrap(about, room, "muted"))
    ]
