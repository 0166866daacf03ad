"""What ``blame`` prints: the ranking of all parameters and the case of the first, as text or as an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.network.names import entry_name
from tui_backprop.render.draw.context import LINEAR, RenderContext
from tui_backprop.render.draw.names import description_of, title_lines
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.blame import RANKING_COLUMNS as COLUMNS_OF
from tui_backprop.render.panels.blame import measure_lines, prediction_lines, ranking_notes, ranking_table
from tui_backprop.render.panels.nudge_table import NUDGE_COLUMNS, nudge_lines, turn_lines
from tui_backprop.render.panels.parameter_path import path_factors, path_lines
from tui_backprop.render.panels.sample_pulls import pull_lines, pull_table
from tui_backprop.render.view_state import BlameState
from tui_backprop.report.plain import ENDLESS, facts, told
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number

COLUMNS = 78
MOVED = {"update": "as the next update does"}  # of the ways to move a parameter, that which no one word says
CAME = (
    "the loss should change by",
    "the loss changes by",
    "the loss is then",
)  # what NUDGED has after ``by``


def blame_text(blame_state: BlameState, context: RenderContext) -> str:
    """The ranking, and for the parameter under the cursor its path, what nudging it does, and who pulls it."""
    if context.linear:
        return "\n".join(map(told, _told(blame_state)))
    session, iteration, found = blame_state.session, blame_state.iteration, blame_state.detail
    lines = [*prediction_lines(session, iteration, COLUMNS), *measure_lines(session, COLUMNS, context)[2:]]
    if not blame_state.ranked or found is None:
        return "\n".join(context.text(plain(row)) for row in lines) + "\nevery one of them has score 0"
    several = iteration.batch > 1
    lines += [*ranking_notes(blame_state.ranked, COLUMNS, context, session.inspection.layer), ()]
    lines += ranking_table(blame_state, COLUMNS, len(blame_state.ranked) + 1, context)
    lines += [(), *title_lines(session, found.attribution.tensor, found.attribution.index, COLUMNS, context)]
    lines += path_lines(session, found, COLUMNS, len(found.path) + 3, several=several)
    lines += [
        (),
        *nudge_lines(found, COLUMNS, len(found.nudges), iteration.loss),
        *turn_lines(found, COLUMNS),
    ]
    lines += [(), *pull_lines(session, found, COLUMNS)] if several else []
    return "\n".join(context.text(plain(row)).rstrip() for row in lines)


def _told(blame_state: BlameState) -> Iterator[str]:
    """The same for screen readers."""
    session, iteration, found = blame_state.session, blame_state.iteration, blame_state.detail
    spec = session.network
    samples = f"sample {session.sample}" + (f" and {session.batch - 1} more" if session.batch > 1 else "")
    yield f"network  {','.join(map(str, spec.layers))} {spec.activation}, {spec.loss}, {spec.parameters:,} parameters"
    yield f"data     {session.data}, {samples}, loss {format_number(iteration.loss, 4)}"
    yield from (
        plain(row)
        for row in [*prediction_lines(session, iteration, ENDLESS), *measure_lines(session, ENDLESS)[2:]]
    )
    if not blame_state.ranked or found is None:
        yield "every one of them has score 0"
        return
    yield from (
        plain(row) for row in ranking_notes(blame_state.ranked, ENDLESS, LINEAR, session.inspection.layer)
    )
    shown = COLUMNS_OF[session.inspection.measure]
    rows = [
        (entry_name(each.tensor, each.index), *(column.text(each) for column in shown))
        for each in blame_state.ranked
    ]
    for rank, row in enumerate(rows, 1):
        yield f"rank {rank}: {row[0]}"
        yield from facts([("", *(column.head for column in shown)), row])
    name = entry_name(found.attribution.tensor, found.attribution.index)
    yield f"{name}: {description_of(session, found.attribution.tensor, found.attribution.index)}"
    head, *_, result = path_lines(session, found, ENDLESS, len(found.path) + 3, iteration.batch > 1)
    yield f"path of largest influence: {plain(head)}"
    yield from (
        f"factor {label}: {format_number(factor, sign=True)}" for label, factor in path_factors(found)
    )
    yield f"product: {plain(result).removeprefix('= ')}"
    yield f"the loss: {format_number(iteration.loss, 4)}"
    for nudge in found.nudges:
        by, *came = [cell(nudge, 3, iteration.loss) for _, _, cell in NUDGE_COLUMNS]
        moved = f"{name} moved {MOVED.get(nudge.why, nudge.why)}"
        yield f"{moved}: by {by}"
        yield from facts([("", *CAME), (moved, *came)])
    yield from (plain(row) for row in turn_lines(found, ENDLESS))
    if iteration.batch > 1:
        heads, *pulls = pull_table(session, found)
        yield from facts([heads, *((f"pulled {way}", *cells) for way, *cells in pulls)])


def blame_dict(blame_state: BlameState) -> dict[str, Any]:
    """What ``blame --json`` prints; path, nudges and pulls are of the first parameter."""
    session: Session = blame_state.session
    found: dict[str, Any] = msgspec.to_builtins(blame_state.detail) if blame_state.detail else {}
    attributions: list[dict[str, Any]] = [msgspec.to_builtins(each) for each in blame_state.ranked or ()]
    for attribution in attributions:
        attribution["tensor"] = ascii_formula(attribution["tensor"])
    for hop in found.get("path", ()):
        hop["value"], hop["why"] = ascii_formula(hop["value"]), ascii_formula(hop["why"])
    return {
        "measure": session.inspection.measure,
        "layer": session.inspection.layer or None,
        "loss": blame_state.iteration.loss,
        "ranking": attributions,
        "path": found.get("path", []),
        "nudges": found.get("nudges", []),
        "turn": found.get("turn"),
        "pulls": found.get("pulls", []),
        "penalty": found.get("penalty", 0.0),
    }
