"""The position that is chosen stays chosen from step to step, and so does the head."""

from __future__ import annotations

import pytest

from tui_backprop.engine.explain.entries import chosen_at, positions
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import select

SESSION = from_preset("microgpt")
AXES = [*SESSION.network.graph.axes]


def chosen(snapshot):
    """The index on each axis of the entry that is chosen at the step."""
    name, index = chosen_at(snapshot.graph, snapshot.step, snapshot.unit(snapshot.step.block))
    return dict(zip(snapshot.graph.by_name[name].axes, index, strict=True))


@pytest.mark.parametrize(("axis", "at"), [("position", 3), ("head", 2), ("channel", 5)])
def test_an_index_is_chosen_at_every_step_that_has_the_axis(snapshots, axis, at):
    steps = snapshots(select(SESSION, AXES.index(axis), at))
    found = [index[axis] for index in map(chosen, steps) if axis in index]
    assert len(found) > 5
    assert set(found) == {at}


def test_a_position_after_the_end_of_the_sample_is_its_last(snapshots):
    first = snapshots(select(SESSION, AXES.index("position"), 15))[0]
    last = positions(first.iteration) - 1
    assert first.iteration.tensor("t")[0, last] == SESSION.network.vocabulary - 1  # the boundary
    assert chosen(first)["position"] == last


def test_the_loss_has_the_positions_of_the_outputs(snapshots):
    steps = snapshots(select(SESSION, AXES.index("position"), 2))
    (loss,) = [each for each in steps if each.step.tensor == "L"]
    assert chosen(loss)["position"] == 2
    assert loss.number == ("L", ())


def test_what_is_chosen_by_itself_counts_for_the_loss(snapshots):
    for snapshot in snapshots(SESSION):
        value = snapshot.graph.by_name[chosen_at(snapshot.graph, snapshot.step, 0)[0]]
        at = chosen(snapshot)
        if "position" in at and not value.is_parameter:
            assert at["position"] < positions(snapshot.iteration)
            assert at.get("looked at", 0) <= at["position"], snapshot.step.tensor
