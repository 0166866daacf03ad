"""The view of the largest entries of an array."""

from __future__ import annotations

from tui_backprop.engine.arrays.statistics import TOP_ENTRIES, largest_entries
from tui_backprop.engine.arrays.top_k import count_largest
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array, index_at
from tui_backprop.render.draw.array_table import NUMBER_COLUMNS, share_of_norm, statistics
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.heatmap import largest
from tui_backprop.render.draw.spans import Line, beside, line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.shown_array import ShownArray, shown_summary
from tui_backprop.support.format import format_number

ENTRY_COLUMNS = 36  # least columns of one of several entries side by side
MOST_BAR_COLUMNS = 24  # of an entry
COLUMN_GAP = 2  # columns between entries


def largest_view(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the entries that are largest in magnitude, by name, and the share of the norm that they hold."""
    summary, room = shown_summary(snapshot, shown), max(rows - 1, 1)
    if shown.samples or snapshot.graph.per_sample(shown.name):
        top = largest_entries(shown.row)
    else:
        top = snapshot.iteration.distribution(shown.name, updated=shown.updated).top
    across = 1 if summary.size <= room else max(columns // ENTRY_COLUMNS, 1)
    places, values = top.places[: room * across], top.values[: room * across]
    if not len(places):
        return [line(("every entry is 0" if not summary.bad else statistics(summary, columns), "muted"))]
    names = [context.text(_place(shown, int(place))) for place in places]
    wide = (columns + COLUMN_GAP) // across - COLUMN_GAP
    named = max(map(len, names))
    bar, peak = max(wide - named - NUMBER_COLUMNS - 1, 0), largest(values) or 1.0
    deep = -(-len(names) // across)
    entries = []
    for place, name, value in zip(places.tolist(), names, values.tolist(), strict=True):
        marked = shown.row.ndim == 1 and place == shown.unit
        full = round(min(abs(value) / peak, 1) * min(bar, MOST_BAR_COLUMNS))
        text = f"{format_number(value, sign=True):>{NUMBER_COLUMNS}}"
        entries.append(
            line(
                (name, "cursor" if marked else "text"),
                (" " * (named - len(name)) + text, snapshot.step.phase),
                (f" {context.done * max(full, 1)}" if bar > 2 else "", "faint"),
            )
        )
    lines = entries[:deep]
    for i in range(1, -(-len(entries) // deep)):
        lines = beside(
            lines, entries[i * deep : (i + 1) * deep], i * (wide + COLUMN_GAP) - COLUMN_GAP, COLUMN_GAP
        )
    share = context.text(share_of_norm(summary, values, columns - context.plain))  # whose ² is ^2 there
    ties = _ties(top.values)
    notes = (*(f"{share}; {tie}" for tie in ties if share), *ties, share)
    return [*lines, line((next((note for note in notes if len(note) <= columns), ""), "muted"))]


def _ties(largest_values: Array) -> tuple[str, ...]:
    """Note how many of the largest entries are equally large, in two lengths; () where only one is as large."""
    ties, known = count_largest(largest_values), len(largest_values)
    many = f"first {ties}{' or more' if ties == known == TOP_ENTRIES else ''}"
    return (f"the {many} are equally large", f"{many} equal") if ties > 1 else ()


def _place(shown: ShownArray, place: int) -> str:
    """Return the name of an entry, by its index in the array of a sample or of a parameter: W1[4,0,3,1]."""
    array = shown.values[0] if shown.samples else shown.values
    return entry_name(shown.label, index_at(place, array.shape))
