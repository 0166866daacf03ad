"""The session before this one is offered at the start, and a key continues it."""

from __future__ import annotations

from functools import partial

import pytest

from tests.having import having
from tui_backprop.cli.app import how_to_continue
from tui_backprop.session.autosave import Saver, earlier, load, read, save
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training, at_step

EARLIER = having(at_step(after_training(from_preset("xor"), 1200), 4), panel="train")


@pytest.fixture
def kept(tmp_path):
    """The text of the file in which the earlier session was saved."""
    save(EARLIER, tmp_path)
    return read(tmp_path)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_is_offered_and_continued(open_app, kept, size, tmp_path):
    async with open_app(earlier=lambda: [kept], size=size, saver=Saver(tmp_path, every=0.0)) as ui:
        assert "R resume" in ui.keys
        await ui.press("right")  # which saves this session in place of the earlier one
        await ui.press("R")
        assert having(ui.app.session, panel="train") == EARLIER
        assert ui.app.current_panel == "train"
        assert "R resume" not in ui.keys
        assert "1,200 updates" in ui.app.query_one("#train-view").text
        await ui.press("u")
        assert ui.app.session == at_step(Session(), 1)


async def test_the_offer_hides_no_key_that_steps(open_app, kept):
    async with open_app(earlier=lambda: [kept], size=(80, 24)) as ui:
        assert "← → step  ↑ ↓ unit  [ ] layer" in ui.keys
        assert "R resume  ? help  q quit" in ui.keys
        await ui.press("t")
        assert "R resume" not in ui.keys


async def test_one_that_is_opened_anyway_is_not_offered(open_app, tmp_path):
    save(having(Session(), panel="blame"), tmp_path)
    async with open_app(earlier=lambda: [read(tmp_path)]) as ui:
        assert "R resume" not in ui.keys
        await ui.press("R")
        assert "there is no other session to continue" in ui.keys


@pytest.mark.parametrize("texts", [[""], ["nonsense"], ["# a line\nbp4-u8P902sAAB\n"], []])
async def test_a_file_of_no_use_is_no_offer(open_app, texts):
    async with open_app(earlier=lambda: texts) as ui:
        assert "R resume" not in ui.keys
        assert list(ui.app._notifications) == []


async def test_beside_the_lesson_nothing_is_offered(open_app, kept):
    async with open_app(earlier=lambda: [kept], lesson=True) as ui:
        assert "R resume" not in ui.keys


def test_the_line_at_the_end_says_how_to_come_back():
    assert how_to_continue(EARLIER) == "backprop-tui --resume continues at iteration 1,200, step 4"


@pytest.mark.parametrize("looks", [1, 3])
async def test_looking_around_in_new_sessions_loses_nothing(open_app, tmp_path, looks):
    save(EARLIER, tmp_path)
    for _ in range(looks):
        saver = Saver(tmp_path, every=0.0)
        async with open_app(earlier=partial(earlier, tmp_path), saver=saver) as ui:
            await ui.press("right", "right")
            saver.close()
        assert load(tmp_path) == at_step(Session(), 2)
    async with open_app(earlier=partial(earlier, tmp_path)) as ui:
        assert "R resume" in ui.keys
        await ui.press("R")
        assert having(ui.app.session, panel="train") == EARLIER


def test_only_a_session_in_which_something_was_done_is_set_aside(tmp_path):
    for session in (EARLIER, at_step(Session(), 3), having(Session(), sample=5)):
        saver = Saver(tmp_path, every=0.0)
        saver.save(session)
        saver.close()
    last, before = (load(text=text) for text in earlier(tmp_path))
    assert (last, before) == (having(Session(), sample=5), EARLIER)
