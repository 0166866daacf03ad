"""The detail of one parameter: its path to the loss, how the loss responds to nudges, and the samples' gradients."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.number_titles import title_lines
from tui_backprop.render.draw.spans import Line, cut_lines, line, wrap
from tui_backprop.render.panels.nudge_table import flip_lines, nudge_lines
from tui_backprop.render.panels.parameter_path import path_lines, way_lines
from tui_backprop.render.panels.sample_pulls import pull_lines
from tui_backprop.render.view_state import BlameState

EVERY_ROW = 999  # of a path


@dataclass(frozen=True)
class DetailLayout:
    """How much of a parameter's detail is shown: the path in at most so many ``path_rows``, with a row for each
    factor in a ``table`` or as running text; the changes that flip the prediction (with a caveat, brief or not at
    all); blank lines between the parts; and all nudges or those ``by_hand``, which say what the keys do."""

    path_rows: int
    table: bool = False
    flips: str = "full"
    air: bool = False
    by_hand: bool = False


DETAIL_LAYOUTS = (  # the first that fits is used
    DetailLayout(EVERY_ROW, table=True, air=True),
    DetailLayout(EVERY_ROW, table=True),
    DetailLayout(8, air=True),
    DetailLayout(8),
    *(DetailLayout(rows, flips="brief") for rows in (8, 7, 6, 5, 4)),
    DetailLayout(4, flips="brief", by_hand=True),
    DetailLayout(0, flips="brief"),
    DetailLayout(0, flips="", by_hand=True),
)


def parameter_detail_lines(
    blame_state: BlameState, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the detail of the parameter under the cursor in at most ``rows`` lines; while it is being computed, the
    previous one stays, with the new name above it."""
    session, iteration, found = blame_state.session, blame_state.iteration, blame_state.detail
    if found is None:
        return [line(("nudging …", "muted"))]
    tensor, index = found.attribution.tensor, found.attribution.index
    top = [
        *title_lines(session, iteration, tensor, index, columns, context),
        *_not_ranked(blame_state, columns),
    ]
    if found.attribution != blame_state.chosen:
        top = [line((entry_name(tensor, index), "strong"), (" …", "muted"))]
    pull_table = pull_lines(session, found, columns) if iteration.batch > 1 else []
    names = info(session.data).token_labels
    flips = {
        "full": flip_lines(found, columns, names=names),
        "brief": flip_lines(found, columns, True, names),
        "": [],
    }
    several = iteration.batch > 1
    way = way_lines(session, iteration, found, columns, context)
    lines: list[Line] = []
    for look in DETAIL_LAYOUTS:
        nudged = nudge_lines(found, columns, look.by_hand)
        path = path_lines(session, found, columns, look.path_rows, several, look.table, context)
        parts = [
            [*top, *([*path, *way] if look.path_rows else [])],
            [*nudged, *flips[look.flips]],
            pull_table,
        ]
        lines = []
        for part in filter(None, parts):
            lines += [(), *part] if lines and look.air else part
        if len(lines) <= rows:
            return lines
    return cut_lines(lines, rows)


def _not_ranked(blame_state: BlameState, columns: int) -> list[Line]:
    """Note that a parameter chosen by name is not in the ranking."""
    chosen, ranked = blame_state.chosen, blame_state.ranked or ()
    if chosen is None or any((chosen.tensor, chosen.index) == (each.tensor, each.index) for each in ranked):
        return []
    return wrap(f"chosen by name, not among the first {len(ranked)}", columns, "muted")
