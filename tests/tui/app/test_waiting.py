"""What is said while a pass is long in coming, and when the session cannot be kept."""

from __future__ import annotations

import pytest

from tui_backprop.session import replay
from tui_backprop.session.autosave import Saver
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training
from tui_backprop.tui.panels.walk import WalkView

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
        assert said[0] == "replaying 400 updates: 2 done"
        assert said[-1] == "replaying 400 updates: 400 done"
        assert "again" not in ui.walk


async def test_later_on_the_key_bar_says_it(open_app, said):
    async with open_app() as ui:
        words = []
        ui.app.say = words.append
        ui.app.state.go(LATE)
        await ui.settled()
        assert words[-1] == "replaying 400 updates: 400 done"
        assert said == []


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
