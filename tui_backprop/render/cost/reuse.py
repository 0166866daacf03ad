"""The reuse page: paths of the chain rule, and the cost of a gradient when less is kept."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import log10

from tui_backprop.cost.accounting.path_counts import Paths
from tui_backprop.cost.accounting.recompute import Recomputed
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.support.format import (
    format_bytes,
    format_duration,
    format_ratio,
    format_short_count,
    format_times,
)

EXACT = 10**12  # counts below are written out
NOT_RUN = "The backward pass is run with less cached only in networks of layers."
UNCOUNTED = "Paths are counted in networks of layers, and in expressions of single numbers."
TABLE = 50  # columns from which all columns of the table fit
LABEL = 16


def reuse_lines(
    name: str, paths: Paths | None, runs: Sequence[Recomputed] | None, columns: int
) -> list[Line]:
    """Draw the page: the ``paths`` of the parameter ``name`` (None: not counted), and the ``runs``
    with less kept (None: still running; empty: not run)."""
    lines = [*(path_lines(name, paths, columns) if paths else wrap(UNCOUNTED, columns, "muted")), ()]
    if runs is None:
        return [*lines, *wrap("running the backward pass with less cached …", columns, "muted")]
    if not runs:
        return [*lines, *wrap(NOT_RUN, columns, "muted")]
    return [*lines, *run_lines(runs, columns)]


def big(n: int) -> str:
    """Format a count of any size: 655,360, or 1.3e+20 where it is long, also beyond the range of floats."""
    if n < EXACT:
        return f"{n:,}"
    exponent = int(log10(n))  # Python writes out no number of more than 4,300 digits
    tenths = round(Fraction(10 * n, 10**exponent))
    if tenths >= 100:  # rounded up to the next power
        tenths, exponent = 10, exponent + 1
    return f"{tenths / 10:.1f}e+{exponent}"


def path_lines(name: str, paths: Paths, columns: int) -> list[Line]:
    """Draw the paths from this parameter to the loss, and those of all parameters, compared with backprop."""
    more, base = paths.all_multiplications, max(paths.backprop, 1)
    by = format_ratio(more / base) if more < 10**300 else big(more // base)
    rows = [
        ("paths", big(paths.paths), "strong"),
        ("multiplications", big(paths.multiplications), "strong"),
        ("for all parameters", big(paths.all_multiplications), "strong"),
        ("by backprop", big(paths.backprop), "backward"),
    ]
    wide = max(len(value) for _, value, _ in rows)
    return [
        line((name, "strong"), (" to the loss", "muted")),
        *(line((f"{label:<19}", "muted"), (f"{value:>{wide}}", role)) for label, value, role in rows),
        *wrap(
            f"Backprop needs {by} times fewer multiplications: each delta is computed once, and reused by every"
            " earlier layer.",
            columns,
            "muted",
        ),
    ]


def run_lines(runs: Sequence[Recomputed], columns: int) -> list[Line]:
    """Draw the gradient computed with everything kept and with less, as measured."""
    base = runs[0]
    whole = columns >= TABLE
    head = f"{'kept':<{LABEL}}{'MACs':>8}{'time':>9}" + (f"{'passes':>8}{'held':>10}" if whole else "")
    title = "forward and backward with less cached, measured"
    lines = [*wrap(title, columns), line((head, "muted"))]
    for i, run in enumerate(runs):
        label = {
            "everything kept": "all (backprop)",
            "no values kept": "deltas only",
            "no deltas kept": "values only",
        }
        projected = "" if run.runs else "~"  # stopped, since it would have taken too long
        cells = f"{format_short_count(run.macs):>8}{projected + format_duration(run.seconds):>9}"
        cells += f"{f'{run.passes}+{run.backward_passes}':>8}{format_bytes(run.held):>10}" if whole else ""
        lines.append(
            line(
                (f"{label.get(run.kind, 'nothing'):<{LABEL}}", "backward" if i == 0 else "text"),
                (cells, "strong" if i == 0 else "text"),
            )
        )
    worst = runs[-1]
    same = (
        "the same gradient each time, to the last bit"
        if all(run.same for run in runs)
        else "NOT the same gradient"
    )
    more, longer = worst.macs / max(base.macs, 1), worst.seconds / base.seconds
    macs, time = format_times(more, 1), format_times(longer, 1)
    words = f"Keeping nothing takes {macs} times the MACs and {time} times as long; {same}."
    if not worst.runs:
        words += " ~ is projected from the part that was run."
    if whole:
        words += " (passes: partial forward + backward passes)"
    return [*lines, *wrap(words, columns, "muted" if "NOT" not in words else "bad")]
