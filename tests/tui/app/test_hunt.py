"""Break it: a bug is found by keys alone; what is on the screen is never mistaken for a healthy session."""

from __future__ import annotations

import pytest

from tui_backprop.keys.panel_table import PANEL_ROWS, PANELS
from tui_backprop.lesson.bug_hunt import Hunt
from tui_backprop.lesson.bugs import kinds_in
from tui_backprop.lesson.hunt_progress import NAME, last, save
from tui_backprop.session.autosave import Saver, load
from tui_backprop.session.bookmark_changes import add_bookmark
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import from_preset
from tui_backprop.support.errors import TokenError
from tui_backprop.support.paths import state_folder

SIZES = [(80, 24), (120, 40)]
XOR = from_preset("xor")
FIRST = {
    Hunt(seed).bug.session.network.frontend: seed for seed in reversed(range(40))
}  # the first of each kind
# Fields of the form that tell the network of a bug from all presets.
DISTINCTIVE = {
    "dense": lambda network: {"layers": ",".join(map(str, network.layers))},
    "gpt": lambda network: {"width": "4", "heads": "2", "context": "4"},
    "conv": lambda network: {"channels": "2", "kernel": "7"},
    "rnn": lambda network: {"hidden": "3", "context": "3"},
}


def way_to(block, kind, bug):
    """The keys that choose a block and a kind from where the lists begin."""
    return [*["right"] * (block - 1), *["down"] * kinds_in(bug).index(kind)]


@pytest.mark.parametrize("size", SIZES)
async def test_three_bugs_are_found_on_the_keyboard_with_all_instruments(open_app, size):
    async with open_app(XOR, size=size) as ui:
        for seed in range(3):
            await ui.press("B" if seed == 0 else "n")
            bug = Hunt(seed).bug
            wrong = next(kind for kind in kinds_in(bug) if kind != bug.kind)
            assert f"bug {seed}" in ui.screen
            await ui.press("escape")
            assert "a bug is planted" in ui.status
            await ui.press(*["right", "b", "i", "2"][: 4 if seed else 2], "2", "B", "c")
            await ui.until(lambda: not ui.app.screen.waits, "the report")
            assert "FAILED" in ui.app.screen.query_one("#report-page").report(80).upper()
            await ui.press("escape", *way_to(bug.block, wrong, bug), "enter")
            assert "but it is of another kind" in ui.screen
            back = len(kinds_in(bug)) - kinds_in(bug).index(wrong) + kinds_in(bug).index(bug.kind)
            await ui.press(*["down"] * back, "enter")
            assert f"Found: {bug.title()}" in ui.screen
            assert "Found at attempt 2" in ui.screen
            used = "check, walk, blame, number" if seed else "check, walk, blame"
            page = ui.app.screen.query_one("#hunt-page").text
            assert f"Instruments used: {used}. Hints" in " ".join(page.split())
        await ui.press("x")
        assert ui.app.session == XOR
        assert "planted" not in ui.status


@pytest.mark.parametrize("seed", [1, *FIRST.values()])
async def test_at_80x24_nothing_is_cut(open_app, seed):
    save(Hunt(seed))
    async with open_app(XOR, size=(80, 24)) as ui:
        await ui.press("B", "c")
        await ui.until(lambda: not ui.app.screen.waits, "the report")
        assert "DIFFER" in ui.screen  # in the last column of the table
        assert "…" not in ui.screen
        await ui.press("escape")
        for _ in kinds_in(Hunt(seed).bug):
            assert "…" not in ui.screen
            await ui.press("down")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("panel", PANELS)
async def test_from_every_panel_the_keys_go_to_the_dialog(open_app, panel, size):
    async with open_app(XOR, size=size) as ui:
        await ui.press(*PANEL_ROWS[panel].keys.split(",")[:1])
        await ui.app.run_action("break_it")  # as from the command palette: in the form B is a letter
        await ui.press("down")
        assert ui.app.focused.id == "hunt-page"
        assert ui.app.hunt._hunting.kind == 1
        await ui.press("escape")
        assert len(ui.app.screen_stack) == 1
        assert ui.focused == "walk"


async def test_hints_are_shown_and_counted(open_app):
    async with open_app(XOR, size=(80, 24)) as ui:
        await ui.press("B", "question_mark")
        assert "─ help ─" in ui.screen
        await ui.press("escape")
        assert "Hints" not in ui.screen
        await ui.press("i", "i", "i", "i")
        assert "should be" in ui.screen
        assert "Hints: 3 of 3" in ui.screen
        assert Hunt(0).hinted().hinted().hinted().hints == ui.app.hunt._hunting.hunt.hints


@pytest.mark.parametrize("size", SIZES)
async def test_who_gives_up_is_asked_and_told_the_bug(open_app, size):
    async with open_app(XOR, size=size) as ui:
        await ui.press("B", "x")
        assert "Give up?" in ui.screen
        await ui.press("down", "x")
        assert "Give up?" in ui.screen  # asked again
        assert not ui.app.hunt._hunting.hunt.over
        await ui.press("x")
        bug = Hunt(0).bug
        said = " ".join(ui.app.screen.query_one("#hunt-page").text.split())
        assert f"The bug: {bug.title()}." in said
        assert "Given up. Instruments used: none." in said
        await ui.press("enter", "i")
        assert ui.app.hunt._hunting.hunt == last()
        await ui.press("n")
        assert "bug 1" in ui.screen
        assert "Instruments" not in ui.screen
        await ui.press("x", "x", "x")
        assert ui.app.session == XOR


async def test_instruments_of_one_bug_are_not_those_of_the_next(open_app):
    async with open_app(XOR, size=(120, 40)) as ui:
        await ui.press("B", "escape", "b", "i", "B")
        assert "blame, number" in ui.screen
        await ui.press("x", "x", "escape", "b", "B", "n")
        assert ui.app.hunt._hunting.hunt.instruments == ()


async def test_a_session_with_a_bug_has_no_token_and_is_not_saved(open_app, tmp_path):
    wrong = Hunt(0).bug.wrong_session
    for session in (wrong, add_bookmark(wrong)):
        with pytest.raises(TokenError, match="planted bug"):
            encode(session)
    async with open_app(XOR, saver=Saver(tmp_path)) as ui:
        await ui.press("right", "B", "escape", "right", "right", "y")
        assert any("planted bug" in each.message for each in ui.app._notifications)
        assert len(ui.app.screen_stack) == 1
    assert load(tmp_path).network == XOR.network


async def test_a_resize_undo_and_quitting_lose_nothing(open_app):
    async with open_app(XOR) as ui:
        await ui.press("B", "i", "down", "enter")
        for size in ((80, 24), (60, 18), (40, 10), (120, 40)):
            await ui.resize(*size)
        assert "Hints: 1 of 3" in ui.screen
        await ui.press("escape", "u")
        assert ui.app.session == XOR
        await ui.press("B")
        assert "Hints: 1 of 3" in ui.screen
        assert "a bug is planted" in ui.status
        await ui.pilot.press("i")
        await ui.pilot.press("ctrl+q")
        await ui.until(lambda: not ui.app.is_running, "the end")
    assert (last().hints, len(last().named)) == (2, 1)
    async with open_app(XOR) as ui:
        await ui.press("B")
        assert "Hints: 2 of 3" in ui.screen


async def test_after_one_that_was_found_the_next_begins(open_app):
    bug = Hunt(4).bug
    save(Hunt(4, ((bug.block, bug.kind),)))
    async with open_app(XOR) as ui:
        await ui.press("B")
        assert "bug 5" in ui.screen


@pytest.mark.parametrize("text", ["{", '{"seed":-1}', '{"seed":0,"hints":9}', '{"seed":0,"named":[[1,"x"]]}'])
async def test_a_file_of_no_use_is_reported_in_one_line(open_app, text):
    state_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    (state_folder() / NAME).write_text(text)
    async with open_app(XOR) as ui:
        await ui.press("B")
        assert "bug 0" in ui.screen
        assert any("is of no use" in each.message for each in ui.app._notifications)


@pytest.mark.parametrize("seed", FIRST.values(), ids=FIRST)
async def test_the_form_and_the_panels_show_the_network_without_its_bug(open_app, seed):
    save(Hunt(seed))
    network = Hunt(seed).bug.session.network
    async with open_app(XOR) as ui:
        await ui.press("B", "escape")
        assert "a bug is planted" in ui.status
        for field, value in DISTINCTIVE[network.frontend](network).items():
            assert ui.field(field) == value
        assert "applies it" not in ui.form
        for panel in ("b", "i", "o", "f", "c", "T", "d", "2"):
            await ui.press(panel)
            assert "could not" not in ui.screen.lower()


async def test_the_cost_chart_is_that_of_the_network_without_its_bug(open_app):
    async with open_app(XOR) as ui:
        await ui.press("B", "escape", "3")
        assert "an expression" not in ui.screen


async def test_the_report_of_check_does_not_name_the_layer(open_app):
    async with open_app(XOR, size=(120, 40)) as ui:
        await ui.press("B", "c")
        await ui.until(lambda: not ui.app.screen.waits, "the report")
        report = ui.app.screen.query_one("#report-page").report(100)
        assert "differ" in report.lower()
        assert "exceeds its allowed difference" in report
        assert "layer" not in report
        assert "WRONG" not in report
