"""A step of a recorded walk beside the same step computed again."""

from __future__ import annotations

from tui_backprop.engine.analysis.rederived import Compared, compare, groups_of, outputs_again, terms_again
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.frontends.recording.numbers import RecordedNumbers
from tui_backprop.engine.frontends.recording.program import RecordedProgram
from tui_backprop.engine.frontends.recording.recorded_only import RecordedOnly
from tui_backprop.engine.frontends.recording.spec import RecordingSpec
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.training.iteration import Iteration

MOST_FLOPS = 50_000_000  # of a step that is computed again while it is drawn


def recorded_step(iteration: Iteration, step: Step) -> Compared | None:
    """Compute the last operation of a step again, and compare it with what was recorded; None where nothing was
    recorded of it, or where it takes long."""
    program = iteration.program
    if not isinstance(program, RecordedProgram) or not step.visits or step.flops > MOST_FLOPS:
        return None
    visit, numbers = step.visits[-1], program.numbers
    exact, rounded = (
        RecordedNumbers(numbers.step, numbers.recording, numbers.arrays, dtype)
        for dtype in ("float64", str(numbers.dtype))
    )
    if visit.of is None:
        pairs = [next(outputs_again(each, [visit.op]), None) for each in (exact, rounded)]
    else:
        k = numbers.recording.made_by.get(visit.op.output)
        if k is None:
            return None
        groups = groups_of(numbers.recording)
        k, ops = next((at, ops) for at, ops in groups.items() if visit.op in ops)
        name = iteration.graph.gradient_of(visit.writes)
        pairs = [
            next((pair for pair in terms_again(each, k, ops) if pair.name == name), None)
            for each in (exact, rounded)
        ]
    one, other = pairs
    return None if one is None else compare(one, other)


def function_of(model: Model, visit: Visit) -> str:
    """Return the name of the function with a backward pass of its own that an operation of a recording is a part of;
    "" if it is of none."""
    if not isinstance(model, RecordingSpec):
        return ""
    at = model.recorded_graph.functions.get(visit.op.output)
    return "" if at is None else model.iteration.functions[at].name


def recorded_only(step: Step) -> bool:
    """Return whether the last operation of a step has no row, and is shown as it was recorded."""
    return bool(step.visits) and isinstance(step.visits[-1].op.primitive, RecordedOnly)
