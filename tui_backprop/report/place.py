"""What a report is about, in words: the data, the iteration, the step."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tui_backprop.data.catalogue import info, title
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model
from tui_backprop.render.session_text import in_part, iteration_text, sample_text
from tui_backprop.report.rows import Fact
from tui_backprop.session.state import Session


def place_text(session: Session) -> str:
    """Name the iteration, for the end of a sentence; nothing for the initial parameters."""
    return f", {iteration_text(session)}" if session.t or session.edits else ""


def data_text(session: Session, samples: str) -> str:
    """Name the data set and its ``samples``, and the iteration; a graph that holds its numbers has no samples."""
    named = info(session.data).about if session.network.holds_numbers else f"{title(session.data)}, {samples}"
    return f"{named}{place_text(session)}"


def first_sample_text(session: Session) -> str:
    """Name the first sample of the batch and how many follow, or the passage: sample 0 and 3 more; validation sample
    7."""
    if session.passage is not None:
        return sample_text(session, None)
    more = f" and {session.batch - 1} more" if session.batch > 1 else ""
    return in_part(session, f"sample {session.sample}{more}")


def split_rows(session: Session) -> tuple[Fact, ...]:
    """Say how the data are split, where they are."""
    return (Fact("split", session.split.text),) if session.validation else ()


def samples_dict(session: Session) -> dict[str, Any]:
    """Describe the batch and the split for programs: the numbers of its samples, their part ("training" or
    "validation", None without a split), and how many samples are held out for validation."""
    part = session.part
    return {
        "samples": [part.after(session.sample, i) for i in range(session.batch)],
        "part": part.name or None,
        "validation": session.validation,
    } | ({"text": asdict(session.passage)} if session.passage else {})


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
