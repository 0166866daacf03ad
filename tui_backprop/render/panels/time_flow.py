"""Chart of the gradient over time: its size after each step of a recurrent network, and what a step carries back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from tui_backprop.engine.analysis.value_flow import GraphFlow, StepFlow
from tui_backprop.render.draw.alignment import on_the_point
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, cut, first_fitting, line, wrap
from tui_backprop.render.panels.flow import log_scale
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number, format_times

MOST_BAR_COLUMNS, LEAST_BAR_COLUMNS = 48, 4
VANISHES, EXPLODES = 0.1, 10.0  # of the gradient, on its way back through all steps: a rule of thumb
GAP, POINTER = "  ", "▸ "
FACTOR = "step back"
FACTOR_WORDS = f"{FACTOR}: norm through the next step alone ÷ norm there; own loss adds to it"
THUMB = "rule of thumb"


def time_flow_lines(
    snapshot: Snapshot, report: GraphFlow, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw a bar for each step that a gradient reaches, in at most ``rows`` lines, what the factors are, and which
    steps it does not reach; nothing where there are no steps, or not enough room."""
    reached = [each for each in report.steps if each.norm]
    rest = [each for each in report.steps if not each.norm]
    words = wrap(context.text(FACTOR_WORDS), columns, "muted") if len(reached) > 1 else []
    if not reached or rows < len(reached) + 3 + len(words):
        return []
    scale = log_scale([each.norm for each in reached])
    names = [context.text(f"{_title(snapshot, each)}{GAP}{each.gradient}") for each in reached]
    figures = on_the_point([context.text(format_number(each.norm)) for each in reached])
    factors = [context.text(text) for text in _factors(reached)]
    wide, named, beside = (max(map(len, texts)) for texts in (figures, names, [*factors, FACTOR]))
    others = len(POINTER) + named + len(GAP) * 3 + wide + beside
    bar = min(max(columns - others, LEAST_BAR_COLUMNS), MOST_BAR_COLUMNS)
    head, left = f"norm, log {scale.ends}", others - len(GAP) - beside + bar  # columns before the factors
    begin = max(min(len(POINTER) + named + len(GAP), left - len(head)), 0)
    above = f"{' ' * begin}{head:<{left - begin}}{GAP}{FACTOR:>{beside}}"
    lines = [
        first_fitting(
            columns, *(line((context.text(text), "muted")) for text in _directions(snapshot, report))
        ),
        line((cut(above, columns), "muted")),
    ]
    for each, name, figure, factor in zip(reached, names, figures, factors, strict=True):
        here = snapshot.step.block == each.block
        full, role = context.done * scale.cells(each.norm, bar), "strong" if here else "text"
        lines.append(
            line(
                (POINTER if here else " " * len(POINTER), "strong"),
                (f"{name:<{named}}{GAP}", role),
                (f"{full:<{bar}}{GAP}", "backward"),
                (f"{figure:>{wide}}{GAP}", role if isfinite(each.norm) else "bad"),
                (f"{factor:>{beside}}", "muted"),
            )
        )
    lines += words
    if rest:
        first, last = (_title(snapshot, each) for each in (rest[0], rest[-1]))
        ends = first if first == last else f"{first} to {last}"
        lines += wrap(f"no gradient reaches {ends}", columns, "muted")
    return lines


def time_verdict(report: GraphFlow, columns: int, context: RenderContext) -> list[Line]:
    """Say whether the gradient vanishes or explodes over time, by a rule of thumb."""
    count = len(report.factors)
    if not count or report.bad:
        return []
    each = report.growth ** (1 / count)
    steps, total = f"{count} step{'s' * (count != 1)}", format_number(report.growth)
    a_step = f" ({format_number(each)} a step)" if count > 1 else ""
    through = f"what comes back through {steps} is multiplied by {total}{a_step}"
    if report.growth < VANISHES:
        verdict, role = f"it vanishes over time ({THUMB}: below {VANISHES})", "bad"
    elif report.growth > EXPLODES:
        verdict, role = f"it explodes over time ({THUMB}: above {EXPLODES:g})", "bad"
    else:
        within = f"{THUMB}: from {VANISHES} to {EXPLODES:g}"
        verdict, role = f"it neither vanishes nor explodes over time ({within})", "text"
    return wrap(context.text(f"{through}: {verdict}"), columns, role)


def _title(snapshot: Snapshot, each: StepFlow) -> str:
    return snapshot.graph.blocks[each.block].title


def _directions(snapshot: Snapshot, report: GraphFlow) -> tuple[str, ...]:
    last, first = (_title(snapshot, each) for each in (report.steps[-1], report.steps[0]))
    return (
        f"the gradient flows back in time, up from {last} to {first}; each step has a loss of its own, too",
        f"the gradient flows back in time: {last} → {first}",
        f"back in time: {last} → {first}",
    )


def _factors(reached: Sequence[StepFlow]) -> list[str]:
    """Return by how much the gradient of the next step is multiplied on its way back to each one; nothing at the
    last."""
    return [*(f"×{format_times(before.carried / after.norm)}" for before, after in pairwise(reached)), ""]
