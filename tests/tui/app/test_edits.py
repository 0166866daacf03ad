"""What happens if I fix the worst one? The parameter under the cursor is moved for real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number
from tui_backprop.tui.panels.blame import BlameView


def blame(ui):
    return ui.app.query_one(BlameView).text


def chosen(ui):
    return ui.app.ranking.blame_state.chosen


async def test_the_worst_weight_is_set_to_zero_and_the_loss_is_what_was_said(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.press("b", "right")
        attribution, before = chosen(ui), ui.app.snapshot.iteration
        said = next(nudge for nudge in ui.app.ranking.blame_state.detail.nudges if nudge.name == "to zero")
        await ui.press("x")
        after = ui.app.snapshot.iteration
        assert after.tensor(attribution.tensor)[attribution.index] == 0
        assert after.loss - before.loss == pytest.approx(said.actual_change, rel=1e-3, abs=1e-6)
        assert np.count_nonzero(after.program.parameters != before.program.parameters) == 1
        name = entry_name(attribution.tensor, attribution.index)
        assert f"edited: {name} by {format_number(-attribution.value, sign=True)}" in blame(ui)
        assert f"loss {after.loss:.4g}"[:9] in ui.status
        assert (chosen(ui).tensor, chosen(ui).index) == (attribution.tensor, attribution.index)
        await ui.press("u")
        assert ui.app.snapshot.iteration.loss == before.loss
        assert "edited: W" not in blame(ui)


async def test_plus_and_minus_move_it_by_a_hundredth_and_cancel(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("b")
        loss = ui.app.snapshot.iteration.loss
        await ui.press("plus", "plus")
        assert [round(fix.by, 9) for fix in ui.app.session.edits] == [0.02]
        assert ui.app.snapshot.iteration.loss != loss
        await ui.press("minus", "minus")
        assert ui.app.session.edits == ()
        assert ui.app.snapshot.iteration.loss == loss


async def test_the_line_of_the_edits_promises_what_undo_does(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("b", *["plus"] * 10)
        name = entry_name(chosen(ui).tensor, chosen(ui).index)
        assert f"edited: {name} by +0.100; u undoes the last change" in blame(ui)
        await ui.press("u")
        assert f"edited: {name} by +0.0900; u undoes the last change" in blame(ui)


@pytest.mark.parametrize("session", [Session(), from_preset("xor")], ids=["lesson", "xor"])
async def test_the_prediction_flips_where_a_change_was_found_that_flips_it(open_app, session):
    async with open_app(session, size=(120, 40)) as ui:
        await ui.press("b", "left")  # of the last layer: its biases can flip any prediction
        flips = ui.app.ranking.blame_state.detail.flips
        await ui.press("X")
        iteration = ui.app.snapshot.iteration
        z = iteration.tensor(f"z{session.network.depth}")[0]
        assert flips.best is not None
        assert int(z.argmax() if len(z) > 1 else z[0] > 0) == flips.best.predicted_class
        assert flips.best.predicted_class != flips.predicted_class


async def test_where_no_flip_was_found_the_range_is_named(open_app):
    """A network of zeros: no weight of the first layer reaches the output."""
    spec = replace(from_preset("xor").network, init="zeros")
    session = having(replace(from_preset("xor"), network=spec), number=("W1", (0, 0)))
    async with open_app(session, size=(120, 40)) as ui:
        await ui.press("b")
        await ui.press("X")
        assert "no flip found from −1,024 to 1,024" in f"{ui.status} {ui.keys}"
        assert ui.app.session.edits == ()


async def test_training_goes_on_from_a_moved_parameter_and_the_fix_is_kept_in_the_way(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("b")
        await ui.press("x", "t")
        assert ui.app.session.t == 1
        assert ui.app.session.edits == ()
        assert ui.app.session.update_log[0].edits
        await ui.press("2", "home", "left")  # back into the iteration before
        assert ui.app.session.edits


async def test_a_parameter_of_the_network_before_is_not_moved_in_the_next_one(open_app, gate):
    """A key that is pressed while another network is on its way, of which the ranking still shows the one before."""
    async with open_app() as ui:
        await ui.press("b")
        assert chosen(ui).tensor in ("W4", "b4")
        gate.shut()
        ui.app.state.go(from_preset("xor"))
        await ui.app.run_action("edit('zero')")
        await ui.app.run_action("show_in_walk")
        gate.open()
        await ui.settled()
        assert ui.app.snapshot.session.network == from_preset("xor").network
        assert ui.app.session.edits == ()
        assert ui.app.session.inspection.number is None or ui.app.session.inspection.number[0] not in (
            "W4",
            "b4",
        )


async def test_what_is_zero_is_not_moved_there(open_app):
    async with open_app() as ui:
        await ui.press("b")
        before = ui.app.session
        assert ui.app.snapshot.iteration.tensor("b4")[1] == 0  # the first of the ranking
        await ui.press("x")
        assert "b4[1] is 0 already" in ui.keys
        assert ui.app.session == before
