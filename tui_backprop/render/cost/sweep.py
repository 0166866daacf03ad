"""The progress of a sweep, below the chart."""

from __future__ import annotations

from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.support.format import format_short_count


def sweeping(costs: CostState, columns: int, context: RenderContext) -> list[Line]:
    """Draw the progress of a sweep, while there is one."""
    progress = costs.sweep
    if progress is None:
        return []
    if progress.now is None:
        ended = "out of time" if progress.ended == "time" else progress.ended or "complete"
        return wrap(
            f"swept {progress.done} of {progress.of} networks in {progress.seconds:.0f} s: {ended}",
            columns,
            "muted",
        )
    full = progress.done * 10 // max(progress.of, 1)
    bar = line((context.done * full, "update"), (context.left * (10 - full), "faint"))
    return [
        line(
            *bar,
            (f" measuring {format_short_count(progress.now)}", "text"),
            (f", {progress.done} of {progress.of}; {context.key('sweep')} stops", "muted"),
        )
    ]
