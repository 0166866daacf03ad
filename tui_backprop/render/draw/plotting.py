"""Drawings of plotext as lines of spans.

plotext has one figure for the whole process, which is cleared before each drawing: draw from one thread only. It is
imported without its manual, which takes two thirds of the 0.2 s of its import and is not used here.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.spans import Line, merge

_MANUAL = "plotext._doc.doc"

_stand_in = ModuleType(_MANUAL)
_stand_in.docs = None  # type: ignore[attr-defined]
_theirs = sys.modules.setdefault(_MANUAL, _stand_in) is _stand_in
try:
    import plotext
finally:
    if _theirs:
        del sys.modules[_MANUAL]

AXIS = "[─│┼└┬┤┌┐┘├┴]"

# Each role has a color number in plotext; the numbers are read back from its output.
ROLES = dict(
    enumerate(
        (
            "naive",
            "backprop",
            "mark",
            "strong",
            "forward",
            "backward",
            "loss",
            "update",
            "batched",
            "spsa",
            "faint",
            "bad",
        ),
        1,
    )
)


def blank(columns: int, rows: int) -> Any:
    """Return the figure, cleared, with a size in characters."""
    plotext.terminal.limit(False, False)  # the panel's size counts, not that of the terminal
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(columns, rows)
    return figure


def painted(marker: str, role: str) -> Any:
    """Return a marker of plotext in the color of a role."""
    paint = plotext.marker(marker)
    paint.fill(plotext.pixel(foreground=next(n for n, name in ROLES.items() if name == role)))
    return paint


def true_runs(mask: Array) -> list[slice]:
    """Return the runs of True in a boolean vector (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [slice(a, b) for a, b in edges.reshape(-1, 2).tolist()]


def draw_curve(figure: Any, x: Array, y: Array, shown: Array, marker: Any) -> None:
    """Draw a line through the points (x, y) that are ``shown`` (n,), with a gap where they are not."""
    for run in true_runs(shown):
        signal = figure.signal(x[run].tolist(), y[run].tolist(), marker=marker)
        figure.draw(signal.lines() if run.stop - run.start > 1 else signal)


def printed(figure: Any) -> list[Line]:
    """Return the lines that plotext prints, with color numbers turned into roles, and frame and grid faint."""
    return [_roles(text) for text in figure.build().string().splitlines()]


def _roles(text: str) -> Line:
    spans: list[tuple[str, str]] = []
    role = "muted"
    for piece in re.split(r"(\x1b\[[0-9;]*m)", text):
        if piece.startswith("\x1b"):
            found = re.fullmatch(r"\x1b\[38;5;(\d+)m", piece)
            role = ROLES[int(found.group(1))] if found else "muted"
        elif role == "muted":
            spans += [
                (part, "grid" if re.match(AXIS, part) else "muted")
                for part in re.split(f"({AXIS}+)", piece)
                if part
            ]
        else:
            spans.append((piece, role))
    return merge(spans)
