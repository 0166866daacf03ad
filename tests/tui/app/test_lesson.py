"""The lesson beside the app: it sees what is done, advances only by its key, and takes nothing away."""

from __future__ import annotations

import threading

import pytest

from tests.having import having
from tests.render import general
from tests.waits import GENEROUS
from tui_backprop.keys.table import KEYS
from tui_backprop.lesson import progress as kept
from tui_backprop.lesson.attempt import Attempt, place_numbered
from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.progress import Progress
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training
from tui_backprop.support.paths import state_folder
from tui_backprop.tui.app.first_run import NAME, lesson_wanted
from tui_backprop.tui.app.lesson_progress import KeptProgress
from tui_backprop.tui.screens.help import HelpPage
from tui_backprop.tui.widgets.lesson import LessonStrip

SMALL, BESIDE = (80, 24), (120, 40)
FIRST, SECOND, *_ = chapters()[0].ids()


@pytest.fixture
def lesson(open_app):
    """``open_app`` with the lesson, at 80x24."""
    return lambda *given, **more: open_app(*given, **{"lesson": True, "size": SMALL} | more)


def strip(ui) -> str:
    """What the strip says, on one line; nothing while it is hidden."""
    shown = [each for each in ui.app.query(LessonStrip) if each.display]
    return " ".join(" ".join(each.text.split()) for each in shown)


def at(ui) -> str:
    return ui.app.lesson.attempt.place.number


def status(ui) -> str:
    return next((each for each in ("to do", "already so", "done") if f" {each} " in strip(ui)), "")


def to(ui, phase):
    """Keys from the input to the first step of a phase."""
    steps = ui.app.snapshot.steps
    return ["right"] * (next(step.index for step in steps if step.phase == phase) - ui.step)


async def test_chapter_0_is_walked_with_the_keys_that_it_names(lesson):
    async with lesson(from_preset("lesson")) as ui:
        ways = [
            lambda: ["right"], lambda: ["down"], lambda: to(ui, "loss"), lambda: ["right"],
            lambda: ["right_square_bracket"] * 9, lambda: ["b"],
            lambda: ["slash", *"W1[520,123]", "enter"],
        ]  # fmt: skip
        for number, way in enumerate(ways, 1):
            assert (at(ui), status(ui)) == (f"0.{number}", "to do")
            await ui.press(*way())
            assert (at(ui), status(ui)) == (f"0.{number}", "done"), strip(ui)
            assert ". next" in strip(ui)
            await ui.press("full_stop")
        assert at(ui) == "0.8"
        await ui.press("question_mark")
        assert "Show the lesson" in ui.app.screen.query_one(HelpPage).text
        await ui.press("question_mark", "full_stop")
        assert at(ui) == "1.1"
        assert ui.app.session.network.layers == (2, 1)
    assert kept.load() == Progress(frozenset(chapters()[0].ids()), at=place_numbered("1.1").id)


async def test_nothing_advances_by_itself(lesson):
    keys = [key.keys.split(",")[0] for key in KEYS if key.id.startswith(("step", "layer", "unit", "train"))]
    async with lesson() as ui:
        await ui.press(*keys * 2, "b", "3", "2")
        assert at(ui) == "0.1"
        assert status(ui) == "done"


async def test_what_is_skipped_earns_nothing_and_may_be_done_later(lesson):
    async with lesson() as ui:
        assert ". skip" in strip(ui)
        await ui.press("full_stop")
        assert at(ui) == "0.2"
        await ui.press("right")
        await ui.press("comma")
        assert (at(ui), status(ui)) == ("0.1", "to do")
    assert (kept.load().done, kept.load().skipped) == (frozenset(), {FIRST})
    async with lesson() as ui:
        await ui.press("right")
        assert status(ui) == "done"
    assert (kept.load().done, kept.load().skipped) == ({FIRST}, frozenset())


async def test_what_was_shown_earns_nothing(lesson):
    kept.save(Progress(shown=frozenset({FIRST})))
    async with lesson() as ui:
        await ui.press("right", "full_stop")
    assert kept.load().done == frozenset()


async def test_what_holds_when_a_step_begins_is_already_so(lesson):
    async with lesson() as ui:
        await ui.press("b", "full_stop", *["full_stop"] * 4)
        assert (at(ui), status(ui)) == ("0.6", "already so")
        assert ". next" in strip(ui)


async def test_the_page_turns_before_the_step(lesson):
    async with lesson(chapter="8.1") as ui:
        assert ". more" in strip(ui)
        await ui.press("full_stop")
        assert (at(ui), "page 2/2" in strip(ui)) == ("8.1", True)
        await ui.press("comma")
        assert "page 1/2" in strip(ui)
        await ui.press("full_stop", "full_stop")
        assert at(ui) == "8.2"


async def test_a_chapter_sets_the_state_that_it_starts_from_and_undo_returns(lesson):
    async with lesson(after_training(from_preset("lesson"), 2)) as ui:
        before = ui.app.session
        await ui.press("b", "semicolon", *"scale", "enter")
        start = place_numbered("4.1").step.start.session
        assert (at(ui), ui.app.session, ui.app.current_panel) == ("4.1", start, "walk")
        assert "chapter 4 starts from its own network; u undoes it" in ui.keys
        assert status(ui) == "to do"
        await ui.press("u")
        assert ui.app.session == before
        assert "another network" not in strip(ui)


async def test_going_to_a_chapter_does_nothing_for_the_step_before(lesson):
    async with lesson(having(from_preset("lesson"), step=5)) as ui:
        await ui.press("semicolon", *"scale", "enter")
        assert ui.step == 0
        await ui.press("semicolon", *"neuron", "enter")
        await ui.press("right", "t", "u", "u", "u")
    assert kept.load().done == frozenset()


async def test_back_over_the_start_of_a_chapter_leads_to_the_state_of_the_one_before(lesson):
    async with lesson(chapter="1") as ui:
        await ui.press("comma")
        assert (at(ui), ui.app.session.network.layers) == ("0.8", (784, 256, 256, 256, 10))


async def test_at_its_end_it_says_so(lesson):
    last = chapters()[-1]
    async with lesson(chapter=f"{last.number}.{len(last.steps)}") as ui:
        await ui.press("full_stop")
        assert "the lesson ends here; ; lists the chapters" in ui.keys
        assert at(ui) == f"{last.number}.{len(last.steps)}"


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30), (120, 29)], ids="{0[0]}x{0[1]}".format)
async def test_it_stands_above_the_key_bar_and_takes_its_rows_from_the_panels(lesson, size):
    async with lesson(size=size) as ui:
        region, keys = ui.app.query_one(LessonStrip).region, ui.app.query_one("#keys").region
        assert (region.bottom, region.width) == (keys.y, size[0])
        assert ui.app.query_one("#walk").region.bottom == region.y
        assert region.y - 2 >= 9  # rows for the walk
        await ui.press("L")
        assert ui.app.query_one("#walk").region.bottom == keys.y


@pytest.mark.parametrize(("size", "panels"), [((120, 40), ["walk"]), ((200, 60), ["walk", "cost"])])
async def test_on_a_large_screen_it_stands_beside_the_panels(lesson, size, panels):
    async with lesson(size=size) as ui:
        region = ui.app.query_one(LessonStrip).region
        assert (region.x, region.height) == (0, size[1] - 3)
        assert ui.app.query_one("#walk").region.x == region.right
        assert ui.shown_panels == panels
        await ui.press("1")
        assert "network" in ui.shown_panels
        await ui.press("f3", "L")
        assert ui.shown_panels == ["network", "walk", "cost"]


async def test_a_resize_moves_it(lesson):
    async with lesson(size=BESIDE) as ui:
        for size, rows in (((60, 18), 6), ((80, 24), 8), (BESIDE, 37), ((100, 40), 14)):
            await ui.resize(*size)
            assert ui.app.query_one(LessonStrip).region.height == rows
            assert "Run the first operation" in strip(ui)
        assert ui.focused == "walk"


async def test_hidden_it_goes_on_looking_and_one_key_shows_it(lesson):
    async with lesson() as ui:
        await ui.press("L")
        assert strip(ui) == ""
        assert "L shows the lesson again" in ui.keys
        await ui.press("right")
        await ui.press("full_stop")
        assert (at(ui), status(ui)) == ("0.1", "done")
        await ui.press("L", "L")
        assert (at(ui), status(ui)) == ("0.1", "done")


@pytest.mark.parametrize("key", ["L", "full_stop", "comma"])
async def test_without_it_a_key_begins_it(open_app, key):
    async with open_app(having(Session(), step=3), size=SMALL) as ui:
        assert not ui.app.query(LessonStrip)
        await ui.press(key)
        assert (at(ui), status(ui)) == ("0.1", "to do")
        await ui.press("right")
        assert status(ui) == "done"
        assert ui.focused == "walk"


async def test_a_key_after_that_one_counts_for_the_first_step(open_app, monkeypatch):
    gate, load = threading.Event(), KeptProgress.load

    def slow(progress):
        assert gate.wait(GENEROUS)
        return load(progress)

    monkeypatch.setattr(KeptProgress, "load", slow)
    async with open_app(size=SMALL) as ui:
        await ui.pilot.press("L", "right")
        await ui.until(lambda: len(ui.app.key_queue) == 1, "the key to wait")
        gate.set()
        await ui.until(lambda: ui.step == 1, "the step")
        await ui.settled()
        assert (at(ui), status(ui)) == ("0.1", "done")


async def test_the_list_opens_before_the_lesson_has_begun(open_app):
    async with open_app(size=SMALL) as ui:
        await ui.press("semicolon")
        assert "chapters of the lesson" in ui.screen
        await ui.press(*"kink", "enter")
        assert at(ui) == "10.6"


async def test_the_palette_opens_a_chapter(open_app):
    async with open_app(size=SMALL) as ui:
        await ui.press("ctrl+p", *"naive way", "enter")
        assert at(ui) == "3.1"
        await ui.press("ctrl+p", *"key insight", "enter")
        assert at(ui) == "5.1"


PROMISED = [  # step, keys after those of the action, words on the screen
    ("1.3", ("c",), ("+7.84", "1st-order")),
    ("2.1", ("right", "L"), ("(784,256)",)),
    ("5.7", ("3", "v", "end"), ("exact", "up to rounding")),
    ("6.5", ("o",), ("dv1 · x", "dv4 · cos(u)")),
    ("7.4", ("3", "v", "end"), ("in time",)),
    ("8.6", (*["right"] * 9, "L"), ("torch   optimizer.step()",)),
]


@pytest.mark.parametrize(("number", "keys", "words"), PROMISED, ids=[each[0] for each in PROMISED])
async def test_what_a_step_promises_is_on_the_screen_at_80x24(lesson, number, keys, words):
    async with lesson(place_numbered(number).step.start.session, chapter=number) as ui:
        await ui.press(*keys)
        assert all(word in ui.screen for word in words), ui.screen


async def test_the_list_opens_at_the_chapter_that_the_learner_is_in(lesson):
    async with lesson(chapter="3.2") as ui:
        await ui.press("semicolon")
        await ui.press("enter")
        assert at(ui) == "3.1"


@pytest.mark.parametrize("number", ["0", "1", "3", "10"])
async def test_the_number_of_a_chapter_finds_it(lesson, number):
    async with lesson() as ui:
        await ui.press("semicolon", *number, "enter")
        assert at(ui) == f"{number}.1"


async def test_the_list_finds_chapters_by_their_words_and_shows_what_is_done(lesson):
    kept.save(Progress(done=frozenset({FIRST, SECOND, *chapters()[1].ids()})))
    async with lesson() as ui:
        await ui.press("semicolon")
        rows = {line.strip("│ ").split("  ")[0]: line for line in ui.screen.splitlines()}
        assert "2 of 8 done" in rows["0"]
        assert rows["1"].rstrip("│ ").endswith("  done")
        assert "done" not in rows["2"]
        await ui.press(*"zzz")
        assert "no chapter" in ui.screen
        await ui.press("enter", "escape")
        assert len(ui.app.screen_stack) == 1


async def test_one_chapter_is_reset_at_the_second_press(lesson):
    own = chapters()[1].ids()
    kept.save(Progress(done=frozenset({FIRST, *own}), at=FIRST))
    async with lesson() as ui:
        await ui.press("semicolon", "down", "delete")
        assert "del again forgets the 7 of 7 steps done in chapter 1" in ui.screen
        await ui.press("down", "up", "delete", "delete")
        assert "7 of 7" not in ui.screen
        await ui.press("enter")
        assert at(ui) == "1.1"
    assert kept.load().done == {FIRST}


async def test_it_is_back_at_the_step_that_it_was_left_at(lesson):
    async with lesson() as ui:
        await ui.press("right", "full_stop", "full_stop")
        assert at(ui) == "0.3"
    assert kept.left_open()
    async with lesson(having(Session(), step=1)) as ui:
        assert (at(ui), ui.step, status(ui)) == ("0.3", 1, "to do")
        await ui.press("L")
    assert not kept.left_open()
    assert kept.load().at.endswith("go-forward-to-the-loss")


async def test_a_training_goal_is_measured_beside_the_app(lesson):
    start = place_numbered("10.5").step.start.session
    async with lesson(after_training(start, 10), chapter="10.5") as ui:
        assert status(ui) == "to do"
        await ui.press("f")
        assert status(ui) == "done"


async def test_what_happens_while_a_goal_is_measured_is_measured_then(lesson, monkeypatch):
    gate, asked = threading.Event(), []

    def seen(attempt, now, replay=None):
        asked.append(now.t)
        assert gate.wait(GENEROUS)
        return now.t == 3

    monkeypatch.setattr(Attempt, "seen", seen)
    async with lesson(from_preset("lesson"), chapter="9.3") as ui:
        await ui.pilot.press("t")
        await ui.until(lambda: asked == [1], "the first update to be measured")
        await ui.pilot.press("t", "t")
        await ui.until(lambda: ui.app.session.t == 3, "three updates")
        gate.set()
        await ui.until(lambda: status(ui) == "done", "the last update to be measured")
    assert asked == [1, 3]


async def test_a_training_goal_that_is_not_reached_is_not_done(lesson):
    async with lesson(after_training(from_preset("lesson"), 1), chapter="9.3") as ui:
        assert status(ui) == "to do"


@pytest.mark.parametrize("name", ["three-uses", "arrays", "not finite"])
async def test_beside_an_expression_it_says_that_it_is_about_another_network(lesson, name):
    async with lesson(general.SESSIONS[name]) as ui:
        assert "about another network" in strip(ui)
        assert "335,114 parameters" in strip(ui)
        await ui.press("right")
        assert status(ui) == "done"
        await ui.press("full_stop", "b", "3", "full_stop", "full_stop")


async def test_in_the_form_its_keys_are_typed(lesson):
    async with lesson() as ui:
        await ui.press("1", "full_stop", "comma", "L")
        assert at(ui) == "0.1"
        assert "F3 leads back" in strip(ui)
        await ui.press("f3")
        assert "run the first step" in strip(ui)


@pytest.mark.parametrize("size", [(60, 18), SMALL, BESIDE], ids="{0[0]}x{0[1]}".format)
async def test_what_to_type_is_in_sight_while_one_types_it(lesson, size):
    async with lesson(place_numbered("5.3").step.start.session, chapter="5.3", size=size) as ui:
        while ". more" in strip(ui):
            await ui.press("full_stop")
        await ui.press("slash")
        assert "find a number" in ui.screen
        assert "type W1[0,0]" in " ".join(ui.screen.replace("│", " ").split())
        await ui.press(*"W1[0,0]", "enter")
        assert status(ui) == "done"


async def test_it_takes_no_key_away(lesson, open_app):
    moves = ("step", "unit", "layer", "grain", "view", "ends", "automatic", "train", "sample", "undo", "redo",
             "input_gradient", "set_bookmark", "zoom", "restart")  # fmt: skip
    keys = [key.keys.split(",")[0] for key in KEYS if key.id.startswith(moves)]
    sessions = []
    for opened in (open_app, lesson):
        async with opened() as ui:
            await ui.press(*keys)
            sessions.append(ui.app.session)
            assert ui.focused == "walk"
    assert sessions[0] == sessions[1] != Session()


async def test_as_fast_as_one_types(lesson):
    async with lesson() as ui:
        await ui.press(*["full_stop", "comma", "L", "L"] * 4, *["full_stop"] * 9)
        assert at(ui) == "1.2"


async def test_a_progress_of_no_use_is_said_and_replaced(lesson):
    kept.save(Progress())
    (state_folder() / kept.NAME).write_text("nonsense")
    async with lesson() as ui:
        assert ["of no use" in each.message for each in ui.app._notifications] == [True]
        await ui.press("right")
    assert kept.load().done == {FIRST}


async def test_a_progress_that_cannot_be_saved_is_said_once(lesson, monkeypatch):
    def full(progress, folder=None, *, since=None):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "save", full)
    async with lesson() as ui:
        await ui.press("right", "full_stop", "full_stop")
        assert [each.message for each in ui.app._notifications] == [
            "The progress in the lesson is not saved: No space left on device."
        ]
        assert at(ui) == "0.3"


async def test_two_instances_keep_what_was_done_in_either(lesson):
    async with lesson() as ui:
        await ui.press("right")
        other = Progress().with_done(SECOND).going_to(SECOND)
        kept.save(other)
        await ui.press("full_stop", "full_stop")
    assert kept.load() == Progress(frozenset({FIRST, SECOND}), at=place_numbered("0.3").id)


async def test_it_leaves_a_mark(lesson):
    async with lesson():
        assert (state_folder() / NAME).exists()
    assert not lesson_wanted(None)


def test_it_is_wanted_once(monkeypatch, tmp_path):
    monkeypatch.setattr("tui_backprop.tui.app.first_run.state_folder", lambda: tmp_path)
    assert lesson_wanted(None)
    assert lesson_wanted(True)
    assert not lesson_wanted(False)
    (tmp_path / NAME).touch()
    assert not lesson_wanted(None)
    assert lesson_wanted(True)


def test_without_a_home_it_is_wanted(monkeypatch):
    def nowhere():
        raise OSError("this user has no home folder")

    monkeypatch.setattr("tui_backprop.tui.app.first_run.state_folder", nowhere)
    assert lesson_wanted(None)
