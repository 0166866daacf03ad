"""What is said while a pass is long in coming, and when the session cannot be kept."""

from __future__ import annotations

import pytest

from tests.having import having
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.keys.panel_table import COST_PAGES, PANEL_ROWS, PLACES
from tui_backprop.session import replay
from tui_backprop.session.autosave import Saver
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training
from tui_backprop.tui.panels.walk import WalkView
from tui_backprop.tui.widgets.screen_bars import StatusBar

LATE = after_training(from_preset("xor"), 400)


@pytest.fixture
def said(monkeypatch):
    """What the walk says before its first pass is there; every update is told of."""
    words = []
    monkeypatch.setattr(replay, "OFTEN", 0.0)
    real = WalkView.wait
    monkeypatch.setattr(WalkView, "wait", lambda walk, text: (words.append(text), real(walk, text)))
    return words


def test_a_replay_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr(replay, "OFTEN", 0.0)
    told = []
    again = Replay(on_progress=lambda done, of: told.append((done, of)))
    again.take(LATE)
    assert told == [(done, 400) for done in range(2, 401)]
    told.clear()
    again.take(after_training(LATE, 10))  # from where it was: the first of them is not told of
    assert told == [(done, 10) for done in range(2, 11)]


def test_of_a_short_replay_nothing_is_told():
    told = []
    Replay(on_progress=lambda *far: told.append(far)).take(after_training(from_preset("xor"), 3))
    assert told == []


async def test_what_was_trained_is_gone_through_again_and_that_is_said(open_app, said):
    async with open_app(LATE) as ui:
        assert said[0] == "computing iteration 400 of 2·2·1 on xor"
        assert said[said.count(said[0])] == "replaying 400 updates: 2 done"
        assert said[-1] == "replaying 400 updates: 400 done"
        assert "replaying" not in ui.walk


async def test_the_top_line_says_how_far_a_replay_is_on_every_panel(open_app, monkeypatch):
    monkeypatch.setattr(replay, "OFTEN", 0.0)
    tops = set()
    real = StatusBar.show_activities
    monkeypatch.setattr(
        StatusBar,
        "show_activities",
        lambda bar, activities: (real(bar, activities), tops.add(bar.text.strip()[-10:])),
    )
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("b")
        ui.app.state.go(LATE)
        await ui.settled()
        assert "replay 50%" in tops
        assert "replay" not in ui.status


# A session of another network, data set or optimizer.
OTHERS = [
    from_preset("xor"),
    having(Session(), sample=3, network=NetworkSpec((784, 16, 10))),
    having(from_preset("xor"), data="circles"),
    having(from_preset("xor"), optimizer=OptimizerSpec("adam")),
]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("panel", [place for place in PLACES if place != "network"])
async def test_nothing_of_another_network_is_on_any_panel(open_app, gate, size, panel):
    """While the numbers of a session are computed, its panels say so; a page keeps the names of all pages."""
    before, after = OTHERS[0], OTHERS[1]
    async with open_app(before, size=size) as ui:
        await ui.app.run_action(f"panel('{panel}')")
        await ui.settled()
        shown = ui.app.query_one(f"#{ui.app.current_panel}-view")
        gate.shut()
        ui.app.state.go(after)
        await ui.pilot.pause()
        if panel != "cost":  # the chart is about the machine, and about the network in the session
            assert " ".join(shown.text.split()).endswith("computing iteration 0 of 784·16·10 on digits …")
        if panel in COST_PAGES:
            assert f"[{PANEL_ROWS[panel].tab}]" in shown.text
        assert "sample 3" in ui.status
        assert "loss" not in ui.status
        gate.open()
        await ui.settled()
        assert "computing" not in shown.text


@pytest.mark.parametrize("other", OTHERS[2:], ids=["data", "optimizer"])
async def test_nor_of_other_data_or_another_optimizer(open_app, gate, other):
    async with open_app(OTHERS[0], size=(80, 24)) as ui:
        gate.shut()
        ui.app.state.go(other)
        await ui.pilot.pause()
        assert "computing iteration 0 of 2·2·1 on" in ui.walk
        await ui.pilot.press("right", "right")  # they come when the numbers do
        gate.open()
        await ui.settled()
        assert (ui.step, "computing" in ui.walk) == (2, False)


async def test_back_to_what_is_known_at_once(open_app, gate):
    async with open_app(OTHERS[0], size=(80, 24)) as ui:
        before = ui.screen
        gate.shut()
        ui.app.state.go(OTHERS[1])
        await ui.pilot.pause()
        await ui.pilot.press("u")
        assert (
            ui.screen.splitlines()[:-1] == before.splitlines()[:-1]
        )  # all but the key bar, which says "undone"
        gate.open()  # before the end of the event loop, which waits for its threads


async def test_a_session_that_cannot_be_kept_is_told_of_once(open_app, tmp_path):
    (tmp_path / "file").write_text("")
    saver = Saver(tmp_path / "file" / "state", every=0.0)
    async with open_app(saver=saver) as ui:
        for _ in range(4):
            await ui.press("right")
            await ui.until(lambda: saver.trouble is not None, "trouble")
        (note,) = ui.app._notifications
        assert note.message == saver.trouble
        assert note.message.startswith("the session is not kept")
        assert note.severity == "warning"


async def test_one_that_is_kept_is_not_told_of(open_app, tmp_path):
    async with open_app(saver=Saver(tmp_path / "state", every=0.0)) as ui:
        await ui.press("right", "right", "right")
        assert list(ui.app._notifications) == []
