"""The caption of a step that is a single operation, or several that are equations of their own."""

from __future__ import annotations

from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Visit
from tui_backprop.lesson.captions import VALUES
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import printable


def is_general(step: Step) -> bool:
    """Return True if the step consists of operations that are equations of their own."""
    return bool(step.visits) and not step.visits[-1].op.equations


def value_caption(snapshot: Snapshot, context: RenderContext = UTF8) -> str:
    """Return the caption: what the operation does and its slope; on the way back, what the gradient is made of."""
    step, graph = snapshot.step, snapshot.graph
    if not step.visits:
        return VALUES["given"].format(given=_given(graph), step_on=context.key("step_on"))
    if step.parts:
        name = "part backward" if step.phase == "backward" else "part"
        operations = sum(visit.of is None for visit in step.visits)
        part, title = snapshot.session.network.part, graph.blocks[step.block].title
        return VALUES[name].format(operations=operations, part=part, title=title)
    visit = step.visits[-1]
    where = _where(snapshot, visit) if snapshot.session.network.kept_by_name else ""
    if visit.of is None:
        return where + VALUES[_name(visit)]
    first = visit == graph.backward_visits[0]
    return where + VALUES["first" if first else _backward(graph, visit)].format(
        output=visit.op.output,
        input=visit.writes,
        loss=graph.loss,
        uses=graph.uses[visit.writes],
        term=graph.visits_of[visit.writes].index(visit) + 1,
    )


def _where(snapshot: Snapshot, visit: Visit) -> str:
    """Say in which module of a recording an operation is, and of which function it is a part."""
    from tui_backprop.engine.analysis.recorded_step import function_of

    function = function_of(snapshot.session.network, visit)
    part = f", in {printable(function)}" if function else ""
    return f"{snapshot.graph.blocks[visit.op.block].title}{part}: "


def _given(graph: Graph) -> str:
    count, fixed = len(graph.parameters), len(graph.inputs)
    parameters = f"{count} parameter{'s' * (count != 1)}"
    return (
        f"{parameters} and {fixed} fixed value{'s' * (fixed != 1)} are"
        if fixed
        else f"{parameters} {'is' if count == 1 else 'are'}"
    )


def _name(visit: Visit) -> str:
    row = visit.op.primitive
    return row.name if row.name in VALUES else row.kind


def _backward(graph: Graph, visit: Visit) -> str:
    """Name the caption of a VJP."""
    visits = graph.visits_of[visit.writes]
    if len(visits) > 1:
        return "complete" if visit == visits[-1] else "term"
    return "passes on" if visit.op.primitive.vjp_formulas[visit.of or 0] == "{g}" else "vjp"
