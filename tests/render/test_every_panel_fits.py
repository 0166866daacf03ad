"""Every panel, page and strip fits its room: in any session, at any step, in any size, in both sets of characters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.render.drawings import DRAWINGS, Drawing, State
from tests.render.room import STRICT_ASCII, faults
from tests.render.states import SESSIONS
from tui_backprop.keys.panel_table import COST_PAGES, PANELS
from tui_backprop.render.draw.context import UTF8, RenderContext

CONTEXTS = (UTF8, STRICT_ASCII, replace(UTF8, sparse=True), replace(STRICT_ASCII, sparse=True))
SIZES = (
    (60, 18), (80, 24), (100, 30), (120, 40), (200, 60),  # of terminals
    (58, 13), (78, 20), (36, 34), (48, 36), (104, 54),  # of panels in them
)  # fmt: skip
TINY = ((1, 1), (4, 30), (9, 5), (20, 8), (30, 2))
SEEDS = st.integers(0, 2**32)
EACH = pytest.mark.parametrize("drawing", DRAWINGS.values(), ids=DRAWINGS)


def wrong(drawing: Drawing, state: State, columns: int, rows: int, context: RenderContext) -> list[str]:
    """The faults of a drawing; in rooms that a panel can have, no line is cut either."""
    whole = columns >= 36 and rows >= 8
    return faults(drawing.draw(state, columns, rows, context), columns, rows, context, whole=whole)


def test_every_panel_and_every_page_is_drawn_here():
    assert set(DRAWINGS) >= {*PANELS, *COST_PAGES}


@EACH
def test_it_fits_the_sizes_that_count(drawing):
    """Each size in three sessions, each session in three sizes."""
    names = tuple(SESSIONS)
    for i, (columns, rows) in enumerate((*SIZES, *TINY)):
        for k in range(3) if columns >= drawing.columns and rows >= drawing.rows else ():
            state = State(names[(i + 3 * k) % len(names)], (i + k) % 9 / 8, 3 * i + k)
            assert not wrong(drawing, state, columns, rows, CONTEXTS[(i + k) % len(CONTEXTS)]), state


@EACH
@settings(derandomize=True, deadline=None, max_examples=20)
@given(data=st.data())
def test_it_fits_any_room(drawing, data):
    columns = data.draw(st.integers(drawing.columns, 210))
    rows = data.draw(st.integers(drawing.rows, 64))
    name, share, seed = (
        data.draw(st.sampled_from(tuple(SESSIONS))),
        data.draw(st.floats(0, 1)),
        data.draw(SEEDS),
    )
    context = CONTEXTS[data.draw(st.integers(0, len(CONTEXTS) - 1))]
    assert not wrong(drawing, State(name, share, seed), columns, rows, context)
