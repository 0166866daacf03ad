"""What a step of a recording says of itself: how it agrees with the same step computed again."""

from __future__ import annotations

from tui_backprop.engine.analysis.recorded_step import function_of, recorded_only, recorded_step
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number, printable


def recorded_words(snapshot: Snapshot) -> tuple[str, str] | None:
    """Return the words and their role; None for a step of which nothing was recorded."""
    if recorded_only(snapshot.step):
        return "only recorded: there is no rule to compute it again by", "muted"
    found = recorded_step(snapshot.iteration, snapshot.step)
    if found is None:
        return None
    if found.agrees:
        same = (
            f"to {format_number(found.difference, 2)} of the largest"
            if found.difference
            else "to the last bit"
        )
        return f"as PyTorch recorded it; computed again, the same {same}", "muted"
    place = entry_name(found.name, found.index) if found.index else found.name
    visit = snapshot.step.visits[-1]
    if visit.of is not None:  # other operations may add to the same gradient
        whole = function_of(snapshot.session.network, visit) or "this operation"
        place = f"what {printable(whole)} adds to {place}"
    recorded, derived = (format_number(number, 5) for number in (found.recorded, found.derived))
    return f"DIFFERS: PyTorch recorded {place} as {recorded}; computed again, it is {derived}", "bad"
