"""Arrays as numbers: matrices and vectors in rows and columns, every parameter of a small network, statistics."""

from __future__ import annotations

from tui_backprop.engine.arrays.statistics import Summary
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.histogram import first_parts
from tui_backprop.render.draw.spans import Line, beside, line, merge, width
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number, format_share

TINY_SHARE = 1e-9
NAME_COLUMNS, NUMBER_COLUMNS = 4, 10  # columns of an array's name and of one number in a table


def all_parameters(snapshot: Snapshot, columns: int, rows: int) -> list[Line]:
    """Draw every parameter of the network as a number if all fit, else those of the current layer: and their
    gradients once the walk has computed them."""
    iteration, graph, layers = snapshot.iteration, snapshot.graph, []
    if not graph.layered:
        return []
    for k, fan_out in enumerate(graph.widths[1:], 1):
        if NAME_COLUMNS + fan_out * NUMBER_COLUMNS > columns:
            return []
        updated = snapshot.reached("update", k, "update")
        left, right = [], []
        for name in (name for name in iteration.new if graph.block(name) == k):
            values = iteration.new[name] if updated else iteration.tensor(name)
            left += _table(name + ("'" if updated else ""), values, "update" if updated else "text")
            if snapshot.reached("backward", k, graph.gradient_equation(name)):
                gradient = graph.gradient_of(name)
                right += _table(gradient, iteration.tensor(gradient), "backward")
        wide = max(width(row) for row in left)
        layers.append([(), *(beside(left, right, wide, 4) if 2 * wide + 4 <= columns else left)])
    here = layers[max(snapshot.step.block, 1) - 1]
    lines = [row for layer in layers for row in layer]
    return next((found for found in (lines, here) if len(found) <= rows), [])


def _table(name: str, values: Array, role: str) -> list[Line]:
    """Draw a matrix or a vector as rows of numbers, with its name before the first."""
    table = values if values.ndim == 2 else values[None]
    return [
        line(
            (f"{name if i == 0 else '':<{NAME_COLUMNS}}", "muted"),
            *((f"{format_number(float(v), sign=True):>{NUMBER_COLUMNS}}", role) for v in row),
        )
        for i, row in enumerate(table)
    ]


def matrix_row(values: Array, unit: int, role: str) -> Line:
    """Draw one row of a matrix as numbers, with the column of the selected unit highlighted."""
    return merge(
        (f"{format_number(float(v), sign=True):>{NUMBER_COLUMNS}}", role if j == unit else "text")
        for j, v in enumerate(values)
    )


def vector_lines(values: Array, columns: int, unit: int, role: str) -> list[Line]:
    """Draw a vector with the index of each entry, in columns read top to bottom."""
    each = min(entries_per_line(columns), len(values))
    rows = -(-len(values) // each)
    lines = []
    for y in range(rows):
        spans = []
        for i in range(y, len(values), rows):
            spans.append((f"{i:>4}", "cursor" if i == unit else "muted"))
            spans.append(
                (
                    f"{format_number(float(values[i]), sign=True):>{NUMBER_COLUMNS}} ",
                    role if i == unit else "text",
                )
            )
        lines.append(merge(spans))
    return lines


def entries_per_line(columns: int) -> int:
    """Return the number of entries of a vector that fit in a line."""
    return max(columns // (NUMBER_COLUMNS + 5), 1)


def statistics(summary: Summary, columns: int) -> str:
    """Return range, norm, share of zeros and mean, as many as fit; or how many entries are not finite."""
    return first_parts(statistics_of(summary), columns)


def statistics_of(summary: Summary) -> list[str]:
    """Return these statistics one by one."""
    if summary.bad:
        return [f"{summary.bad:,} of {summary.size:,} NaN or infinite"]
    return [
        f"{format_number(summary.low, sign=True)} to {format_number(summary.high, sign=True)}",
        f"norm {format_number(summary.norm)}",
        f"{format_share(summary.zeros)} zero" if summary.zeros else "",
        f"mean {format_number(summary.mean, sign=True)}",
    ]


def share_of_norm(summary: Summary, values: Array, columns: int) -> str:
    """Return the share of the squared norm that some entries hold, as a sentence."""
    if summary.bad:
        return statistics(summary, columns)
    share = float(((values / summary.norm) ** 2).sum())
    which = "this one holds" if len(values) == 1 else f"these {len(values)} hold"
    there = round((1 - summary.zeros) * summary.size)  # nonzero entries
    inside = min(max(share, TINY_SHARE), 1 - TINY_SHARE)  # of a part: not all, whatever is rounded off
    what = f"{format_share(inside) if len(values) < there else 'all'} of the norm²"
    return next((text for text in (f"{which} {what}", what) if len(text) <= columns), "")
