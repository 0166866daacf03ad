"""What a report is about, in words: the data, the iteration, the step."""

from __future__ import annotations

from tui_backprop.data.catalogue import info, title
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model
from tui_backprop.render.session_text import iteration_text
from tui_backprop.session.state import Session


def place_text(session: Session) -> str:
    """Name the iteration, for the end of a sentence; nothing for the initial parameters."""
    return f", {iteration_text(session)}" if session.t or session.edits else ""


def data_text(session: Session, samples: str) -> str:
    """Name the data set and its ``samples``, and the iteration; a graph that holds its numbers has no samples."""
    named = info(session.data).about if session.network.holds_numbers else f"{title(session.data)}, {samples}"
    return f"{named}{place_text(session)}"


def init_text(network: Model) -> str:
    """Say where the initial parameters are from: init he; parameters given; init he, b1 given."""
    graph = network.graph
    given = [name for name in graph.parameters if graph.by_name[name].given]
    if len(given) == len(graph.parameters):
        return "parameters given"
    return f"init {network.init}" + (f", {' and '.join(given)} given" if given else "")


def step_heading(graph: Graph, step: Step) -> str:
    """Name a step: forward, layer 1: matmul; of a graph without layers, forward, multiply in u = w*x."""
    if graph.layered:
        return f"{step.phase}, layer {step.block}: {step.op}"
    block = step.block if step.parts or not step.visits else step.visits[-1].op.block
    place = f" in {graph.blocks[block].title}" if block else ""
    return f"{step.phase}, {step.op}{place}"
