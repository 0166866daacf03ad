"""What is read as what: from the table to a sample, and on among those of its kind."""

from __future__ import annotations

import threading

import pytest

from tests.having import having
from tui_backprop.data.samples import load
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.session import misclassified as mistakes
from tui_backprop.session.misclassified import confusion
from tui_backprop.session.state import Session, from_preset


def readings(ui):
    """(class, what it is read as) of the sample that is shown."""
    iteration = ui.app.snapshot.iteration
    return int(iteration.tensor("t")[0]), int(iteration.tensor(f"z{iteration.spec.depth}")[0].argmax())


@pytest.mark.parametrize("size", [(60, 18), (120, 40)])
async def test_a_7_that_is_read_as_a_4_is_found_and_then_the_next_one(open_app, size):
    counts = confusion(Session(), initial_parameters(Session().network))
    async with open_app(size=size) as ui:
        await ui.press("C")
        assert "confusion matrix" in ui.screen
        table = ui.app.screen.query_one("#confusion-table")
        t, s = table.confusion.cursor
        assert counts[t, s] == max(counts[a, b] for a in range(10) for b in range(10) if a != b)
        await ui.press(*["down"] * 9, "up", "up", *["left"] * 9, *["right"] * 4)
        assert f"label 7, predicted 4: {counts[7, 4]} samples" in ui.screen
        await ui.press("enter")
        first = ui.app.session.sample
        assert readings(ui) == (7, 4)
        await ui.press("e")
        assert readings(ui) == (7, 4)
        assert ui.app.session.sample != first
        await ui.press("E")
        assert ui.app.session.sample == first
        await ui.press("C")
        await ui.press("e")
        assert ui.app.session.inspection.confusion is None
        assert readings(ui)[0] != readings(ui)[1]


async def test_escape_leaves_everything_as_it_was_and_u_takes_a_choice_back(open_app):
    async with open_app(from_preset("xor")) as ui:
        before = ui.app.session
        await ui.press("C", "down", "escape")
        assert ui.app.session == before
        await ui.press("C", "enter")
        assert ui.app.session.inspection.confusion is not None
        label = load("xor", 0).target[ui.app.session.sample]
        assert label == ui.app.session.inspection.confusion[0]
        await ui.press("u", "u")
        assert ui.app.session == before


async def test_two_digits_jump_to_a_cell(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("C")
        await ui.press("7", "1")
        assert "label 7, predicted 1: " in ui.screen
        assert "type 72" in ui.screen
        await ui.press("enter")
        assert readings(ui) == (7, 1)
        assert "7, pred. 1" in ui.status


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (99, 29)])
async def test_no_letters_of_the_panel_behind_stand_beside_it_where_it_is_narrow(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("C")
        box = ui.app.screen.query_one("#confusion").region
        assert (box.x, box.width) == (0, size[0])


async def test_what_is_not_there_is_said(open_app):
    async with open_app(from_preset("sine")) as ui:
        await ui.press("C")
        assert [note.message for note in ui.app._notifications] == ["These samples have no classes."]
    counts = confusion(Session(), initial_parameters(Session().network))
    assert counts[0, 0] == 0
    async with open_app() as ui:
        await ui.press("C")
        t, s = ui.app.screen.query_one("#confusion-table").confusion.cursor
        await ui.press(*["up"] * t, *["left"] * s, "enter")
        assert "label 0, predicted 0: none yet: esc, then train (9)" in ui.screen
        assert not ui.app._notifications
        await ui.press("right", "enter")  # it stays open for another choice
        assert readings(ui) == (0, 1)


@pytest.fixture
def held(monkeypatch):
    """An Event; until it is set no samples are read."""
    go_on, real = threading.Event(), mistakes.confusion

    def later(*given):
        assert go_on.wait(30)
        return real(*given)

    monkeypatch.setattr(mistakes, "confusion", later)
    yield go_on
    go_on.set()


@pytest.mark.parametrize("size", [(60, 18), (120, 40)])
async def test_keys_that_come_before_the_samples_are_read_are_those_of_the_table(open_app, held, size):
    async with open_app(size=size) as ui:
        before = ui.app.session
        await ui.pilot.press("C", "7", "4", "right", "left")
        await ui.until(lambda: "classifying 4,000 samples ..." in ui.screen, "the table without its samples")
        assert ui.app.session == before
        held.set()
        await ui.settled()
        assert "label 7, predicted 4: " in ui.screen


async def test_what_was_chosen_before_the_samples_are_read_is_gone_to(open_app, held):
    async with open_app() as ui:
        await ui.pilot.press("C", "7", "4", "enter", "down")  # down comes too late: it was chosen
        held.set()
        await ui.settled()
        assert readings(ui) == (7, 4)
        assert ui.app.session.inspection.confusion == (7, 4)


async def test_it_can_be_left_while_the_samples_are_read(open_app, held):
    async with open_app(from_preset("xor")) as ui:
        before = ui.app.session
        await ui.pilot.press("C", "down", "enter")
        await ui.until(lambda: "the next keys wait" in ui.keys, "that keys wait")
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert "confusion matrix" not in ui.screen
        held.set()
        await ui.settled()
        assert ui.app.session == before
        assert not ui.app._notifications


async def test_samples_that_cannot_be_read_are_said_in_one_line_and_the_table_goes(open_app, monkeypatch):
    def broken(*given):
        raise OSError("no such file")

    monkeypatch.setattr(mistakes, "confusion", broken)
    async with open_app() as ui:
        await ui.press("C")
        assert [note.message for note in ui.app._notifications] == [
            "Could not classify the samples: OSError: no such file"
        ]
        assert "confusion matrix" not in ui.screen


async def test_each_press_finds_the_next_error_and_escape_forgets_those_that_wait(open_app, monkeypatch):
    go_on, real, begun = threading.Event(), mistakes.next_mistake, []

    def later(*given):
        begun.append(given)
        assert go_on.wait(30)
        return real(*given)

    monkeypatch.setattr(mistakes, "next_mistake", later)
    async with open_app() as ui:
        await ui.pilot.press(*["e"] * 5)
        await ui.until(lambda: "the next keys wait, esc drops them" in ui.keys, "that keys wait")
        await ui.pilot.press("escape")
        go_on.set()
        await ui.settled()
        assert len(begun) == 1
        await ui.press(*["e"] * 3)
        assert len(begun) == 4
        assert len({given[0].sample for given in begun}) == 4


async def test_errors_are_looked_for_also_while_a_pass_is_computed(open_app, gate):
    async with open_app() as ui:
        gate.shut()
        await ui.pilot.press("n", "e")
        await ui.until(lambda: ui.app.session.sample > 1, "the next error")
        gate.open()
        await ui.settled()
        assert readings(ui)[0] != readings(ui)[1]


async def test_what_was_looked_for_goes_with_its_data(open_app):
    """Other data has fewer classes: the table of what is read as what would have its cursor outside."""
    async with open_app(having(Session(), confusion=(7, 4))) as ui:
        await ui.choose("data", "circles")
        await ui.press("enter")
        assert (ui.app.session.data, ui.app.session.inspection.confusion) == ("circles", None)
        await ui.press("f3", "C", "enter")
        assert "confusion matrix" not in ui.screen or ui.app.screen.query("#confusion-table")


async def test_in_a_batch_the_sample_that_is_found_is_told_with_its_label_and_prediction(open_app):
    async with open_app(having(from_preset("lesson"), batch=4), size=(80, 24)) as ui:
        await ui.press("e")
        sample = ui.app.session.sample
        label, predicted = readings(ui)
        assert label != predicted
        assert f"sample {sample}: {label}, predicted {predicted}; first of the batch" in ui.keys
