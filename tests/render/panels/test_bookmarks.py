"""The table of what is different from a bookmark."""

from __future__ import annotations

import pytest

from tests.having import having
from tui_backprop.engine.analysis.comparison import Change, Difference
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.bookmarks import bookmarks_panel, settings
from tui_backprop.session.state import Session, from_preset


@pytest.fixture
def table(snapshots):
    """A function: the table of some changes, in columns."""
    xor = from_preset("xor")

    def of(columns, *changes):
        (snapshot, *_) = snapshots(having(xor, items=(xor,)))
        lines = [
            plain(row)
            for row in bookmarks_panel(snapshot, Difference((1, 1), changes, ()), columns, 30, UTF8)
        ]
        return lines[lines.index("", 3) + 1 :]

    return of


def test_an_entry_that_moved_is_shown_in_as_many_digits_as_that_takes(table):
    little = Change("W2", 0.01, 0.002, (121, 221), 0.13021, 0.13078)
    less = Change("b2", 1e-8, 0.001, (3,), 1.0, 1 + 1e-8)
    still = Change("W1", 0.0, 0.0, (0, 0), 0.5, 0.5)
    _, moved, barely, not_at_all = (row.split() for row in table(38, little, less, still))
    assert moved == ["W2", "0.20%", "[121,221]", "+0.130", "+0.131"]
    assert len(barely) == len(moved)  # others do not lose a column for it
    assert not_at_all[-2:] == ["+0.50", "+0.50"]
    assert table(78, less)[1].split()[-2:] == ["+1.00000000", "+1.00000001"]
    assert table(60, little)[1].split()[-2:] == ["+0.130", "+0.131"]


@pytest.mark.parametrize(
    ("columns", "head"),
    [
        (60, "moved moved % entry from to"),
        (38, "moved % entry from to"),
        (35, "moved entry from to"),
        (30, "entry from to"),
    ],
)
def test_what_a_share_is_of_is_said_where_there_is_room(table, columns, head):
    lines = table(columns, Change("W2", 0.01, 0.002, (121, 221), 0.0013, 0.0024))
    assert " ".join(lines[0].split()) == head
    assert ("0.20" in lines[1]) == (columns > 30)
    assert all(len(row) <= columns for row in lines)


def test_an_optimizer_that_differs_is_called_one():
    one, other = Session(), Session(optimizer=OptimizerSpec("adam"))
    assert ("optimizer", "sgd", "adam") in settings(one, other)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_tensor_that_is_not_finite_has_no_norm_and_no_share_but_the_entry(table, bad):
    row = table(78, Change("W2", bad, bad, (1, 0), 0.25, bad))[1].split()
    assert row[:3] == ["W2", "n/a", "n/a"]
    assert row[-1] in ("NaN", "+∞")
    assert "n/a" not in table(78, Change("W2", 0.5, float("inf"), (1, 0), 0.0, 0.5))[1]


def test_a_change_of_a_loss_that_is_not_finite_is_not_given(snapshots):
    xor = from_preset("xor")
    snapshot = snapshots(having(xor, items=(xor,)))[0]
    for before, after, change in ((1, 3, "+2.00"), (1, float("nan"), ""), (float("inf"), float("inf"), "")):
        lines = [
            plain(row) for row in bookmarks_panel(snapshot, Difference((before, after), (), ()), 60, 30, UTF8)
        ]
        row = next(row for row in lines if row.startswith("loss"))
        assert row.split("→")[1].split()[1:] == ([change] if change else [])
