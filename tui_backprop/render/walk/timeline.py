"""The progress bar of the walk, by phases."""

from __future__ import annotations

from itertools import groupby

from tui_backprop.engine.explain.step import Step
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, merge


def timeline(steps: tuple[Step, ...], at: int, columns: int, context: RenderContext) -> list[Line]:
    """Render two lines: the names of the phases, and a bar with a mark at the step.

    The bar is proportional to the number of steps, but a phase is not narrower than its name, where there is room.
    """
    phases = [(phase, len(list(group))) for phase, group in groupby(steps, key=lambda step: step.phase)]
    least = [len(phase) + 2 for phase, _ in phases]
    spare = max(columns - sum(least), 0)
    widths = [w + spare * n // len(steps) for w, (_, n) in zip(least, phases, strict=True)]
    widths[0] += columns - sum(widths) if columns > sum(widths) else 0
    names: list[tuple[str, str]] = []
    bar: list[tuple[str, str]] = []
    before = 0
    for (phase, n), w in zip(phases, widths, strict=True):
        here = before <= at < before + n
        names.append((phase.ljust(w), phase if here else "muted"))
        mark = (w - 2) * (at - before) // max(n - 1, 1) if here else -1
        for x in range(w - 1):
            done = at >= before + n or x < mark
            glyph = context.here if x == mark else context.done if done else context.left
            bar.append((glyph, "strong" if x == mark else phase if done else "faint"))
        bar.append((" ", "faint"))
        before += n
    return [line(*names), merge(bar)]
