"""The number panel at any height: the update is the last thing to be left out."""

from __future__ import annotations

import re

import pytest

from tests.having import having
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.number import number_panel
from tui_backprop.session.state import Session, from_preset

WEIGHT = having(Session(), number=("W2", (13, 200)))
HEIGHTS = range(8, 50)
MOST_NEEDED = 21  # rows in which an update by sgd always fits: those of a panel at 80x24


@pytest.mark.parametrize("columns", [37, 44, 78])
@pytest.mark.parametrize(
    ("session", "number"),
    [(Session(), ("W2", (13, 200))), (Session(), ("b1", (7,))), (from_preset("xor"), ("W1", (0, 1)))],
    ids=["weight", "bias", "xor"],
)
def test_the_update_is_shown_from_some_height_on(snapshots, session, number, columns):
    (snapshot, *_) = snapshots(having(session, number=number))

    def has_update(rows):
        drawn = number_panel(snapshot, (0, 0, 1), columns, rows, UTF8)
        return any("how it is updated" in plain(row) for row in drawn)

    found = [rows for rows in HEIGHTS if has_update(rows)]
    assert found == list(range(found[0], HEIGHTS.stop))
    assert found[0] <= MOST_NEEDED or columns < 78


def test_what_does_not_fit_is_counted(snapshots):
    (snapshot, *_) = snapshots(WEIGHT)
    for rows in (8, 12):
        *shown, last = (plain(row) for row in number_panel(snapshot, (0, 0, 1), 78, rows, UTF8))
        assert len(shown) == rows - 1
        (more,) = re.findall(r"^(\d+) more lines do not fit$", last)
        whole = number_panel(snapshot, (0, 0, 1), 78, rows - 1 + int(more), UTF8)
        assert len(whole) == rows - 1 + int(more)
        assert "do not fit" not in plain(whole[-1])
