"""The pages of the cost panel: a race that is really run, a sweep, the step dial, and what is left of them."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import numpy as np
import psutil
import pytest

from tests.having import having
from tui_backprop.cost.measure import cache
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS, Problem
from tui_backprop.keys.panel_table import COST_PAGES
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.errors import UserError

LONG = replace(Session(), network=NetworkSpec((784, 128, 10)))  # its race lasts some seconds
SHORT = replace(Session(), network=NetworkSpec((784, 16, 10)))
PAGES = dict(zip(COST_PAGES, ("chart", "claims", "race", "step", "ledger", "reuse"), strict=True))


def page(ui) -> str:
    """Return the text of the current page."""
    return ui.app.query_one(f"#{ui.app.current_panel}-view").text


def children():
    """Processes of this one, but for that which multiprocessing keeps for itself until the end."""
    alive = (each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE)
    return [each for each in alive if "resource_tracker" not in " ".join(each.cmdline())]


async def to_page(ui, name: str) -> None:
    await ui.press("f4")
    for _ in COST_PAGES:
        if ui.app.current_panel != name:
            await ui.press("v")
    assert ui.app.current_panel == name


@pytest.mark.parametrize(
    ("size", "context"),
    [((60, 18), UTF8), ((80, 24), UTF8), ((80, 24), ASCII), ((120, 40), ASCII), ((200, 60), UTF8)],
)
async def test_v_turns_the_pages_and_each_has_something_to_say(open_app, size, context):
    async with open_app(size=size, context=context) as ui:
        await ui.press("3")
        for name in (*COST_PAGES, "cost"):
            assert ui.app.current_panel == name
            text = page(ui)
            assert PAGES[name] in text
            assert len(text.split()) > 12, text
            assert not context.plain or text.isascii()
            if size[0] >= 80:
                assert not any(row.rstrip().endswith("…") for row in text.splitlines()), text
            await ui.press("v")


async def test_capital_v_turns_them_back(open_app):
    async with open_app() as ui:
        await ui.press("3", "V")
        assert ui.app.current_panel == "reuse"
        await ui.press("V")
        assert ui.app.current_panel == "ledger"


async def test_a_race_is_run_to_the_end_and_finds_the_gradient_of_this_very_pass(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("t", "t")
        await to_page(ui, "race")
        assert "enter starts it" in page(ui)
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.state == "done", "the end of the race")
        await ui.settled()
        race, iteration = ui.app.cost_lab.race._race, ui.app.snapshot.iteration
        problem = Problem(
            iteration.spec, iteration.tensor("x"), iteration.tensor("t"), iteration.program.parameters
        )
        assert race.gradient.tobytes() == METHODS["forward-difference"].gradient(problem).tobytes()
        np.testing.assert_array_equal(race.exact, iteration.program.gradient)
        text = page(ui)
        assert "parameter 9 of 9" in text
        assert re.search(r"cosine +0\.99|cosine +1\.0", text)
        assert "times as long as backprop" in text
        assert "done; enter races again" in text
        assert not children()


@pytest.mark.slow
async def test_a_race_that_ends_out_of_sight_is_seen_filled_in_and_counts_in_the_chart(open_app):
    async with open_app(SHORT) as ui:
        await to_page(ui, "race")
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.evaluations > 0, "the first evaluations")
        await ui.press("9")
        await ui.until(lambda: ui.app.cost_lab.race.status.state == "done", "the end of the race")
        await to_page(ui, "race")
        drawn = ui.app.cost_lab.race.shown.gradients
        assert all(np.all(known) for known in drawn.there.values())
        await to_page(ui, "cost")
        shape, cost_model = shape_of(ui.app.session.network), ui.app.cost_lab.cost_model
        ratio = (
            ui.app.cost_lab.race.status.elapsed.on_idle_core / cost_model.gradient("backprop", shape).middle
        )
        said = int(re.search(r"backprop: ([\d,]+) times faster", ui.cost)[1].replace(",", ""))
        assert said == pytest.approx(ratio, rel=0.05)


async def test_a_race_is_paused_goes_on_while_the_walk_is_stepped_and_is_called_off(open_app):
    async with open_app(LONG) as ui:
        await to_page(ui, "race")
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.evaluations > 0, "the first evaluations")
        await ui.press("2", "right", "right", "down")
        assert (ui.step, ui.app.cost_lab.race.status.state) == (2, "running")
        before = ui.app.cost_lab.race.status.evaluations
        await ui.until(lambda: ui.app.cost_lab.race.status.evaluations > before, "more of them")
        await to_page(ui, "race")
        await ui.press("enter")
        assert ui.app.cost_lab.race.status.state == "paused"
        assert "paused: enter resumes" in page(ui)
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.state == "running", "it to go on")
        await ui.press("escape")
        assert ui.app.cost_lab.race.status.state == "canceled"
        assert "canceled; enter races again" in page(ui)
        assert not children()


async def test_a_race_whose_process_is_killed_says_so_and_can_be_run_again(open_app):
    async with open_app(LONG) as ui:
        await to_page(ui, "race")
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.evaluations > 0, "the first evaluations")
        os.kill(ui.app.cost_lab.race._race._process.pid, 9)
        await ui.until(lambda: ui.app.cost_lab.race.status.state == "failed", "it to be missed")
        await ui.settled()
        assert "signal 9" in page(ui)
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.evaluations > 0, "another race")
        await ui.press("escape")


async def test_no_race_outlives_the_app(open_app):
    async with open_app(LONG) as ui:
        await to_page(ui, "race")
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.evaluations > 0, "the first evaluations")
        assert children()
    assert not children()


async def test_the_method_is_chosen_before_the_race_and_each_says_what_it_does(open_app):
    async with open_app(from_preset("xor")) as ui:
        await to_page(ui, "race")
        seen = []
        for _ in range(6):
            seen.append(ui.app.session.cost.method)
            assert seen[-1] in page(ui)
            await ui.press("m")
        assert len(set(seen)) == 6
        assert ui.app.session.cost.method == "forward-difference"


async def test_the_race_of_another_network_is_not_shown_as_that_of_this_one(open_app):
    async with open_app(from_preset("xor")) as ui:
        await to_page(ui, "race")
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.state == "done", "the end of the race")
        await ui.to_field("layers")
        await ui.type("2,3,1")
        await ui.press("enter")
        await to_page(ui, "race")
        assert "enter starts it" in page(ui)
        assert "of 13" in page(ui)


@pytest.mark.slow
async def test_a_sweep_measures_shows_how_far_it_is_and_is_kept(open_app):
    async with open_app(size=(200, 60)) as ui:
        await ui.press("3")
        before = len(ui.app.cost_lab.cost_model.points)
        await ui.press("S")
        await ui.until(lambda: "S stops" in page(ui), "the sweep to start")
        await ui.until(
            lambda: ui.app.cost_lab.sweep.progress is not None and ui.app.cost_lab.sweep.progress.done > 0,
            "a network",
        )
        if not ui.app.cost_lab.sweep.running:
            pytest.skip("the machine is so busy that the time of the sweep was over after the first network")
        await ui.press("S")
        await ui.until(lambda: not ui.app.cost_lab.sweep.running, "it to stop")
        await ui.settled()
        assert "stopped" in page(ui)
        assert len(ui.app.cost_lab.cost_model.points) > before
        assert not children()
        assert cache.load() is None  # what was broken off is not kept


async def test_the_dial_goes_from_the_lesson_s_step_over_the_best_one_to_noise(open_app):
    async with open_app(having(from_preset("xor"), precision="float64"), size=(120, 40)) as ui:
        await to_page(ui, "step_size")
        assert "h = 0.0001, the lesson's" in page(ui)
        await ui.press("left")
        assert "the lesson's" not in page(ui)
        await ui.press("right", "home")
        assert "h = 0.0001, the lesson's" in page(ui)
        await ui.press("x")
        assert ui.app.session.cost.precision == "float32"
        assert "float32" in page(ui)


async def test_ledger_and_reuse_count_what_the_lesson_counts(open_app):
    async with open_app(size=(120, 40)) as ui:
        await to_page(ui, "ledger")
        await ui.press("z")
        for part in ("334,336", "133,632", "2.40x", "60%"):
            assert part in page(ui)
        await ui.press("v")
        assert "655,360" in page(ui)
        assert "to the last bit" in " ".join(page(ui).split())


@pytest.mark.parametrize(
    ("name", "last"), [("claims", "100,000 steps of backprop"), ("reuse", "to the last bit")]
)
async def test_what_does_not_fit_a_page_is_marked_and_scrolls_into_sight(open_app, name, last):
    async with open_app(size=(80, 18)) as ui:
        await to_page(ui, name)
        assert last not in page(ui)
        assert re.search(r"↓ \d+ more lines$", page(ui).rstrip())
        assert "↑ ↓ scroll" in ui.keys
        await ui.press("end")
        assert last in " ".join(page(ui).split())
        assert re.search(r"↑ \d+ more lines", page(ui))
        await ui.press("home")
        assert "↑" not in page(ui)


async def test_a_race_that_memory_does_not_hold_is_refused_with_figures(open_app, monkeypatch):
    def full(network, batch, every):
        raise UserError("layers", "9 parameters would take 40 GB of memory, 20 GB is free")

    monkeypatch.setattr("tui_backprop.tui.app.race.check_check_memory", full)
    async with open_app(from_preset("xor")) as ui:
        await to_page(ui, "race")
        await ui.press("enter")
        assert ui.app.cost_lab.race._race is None
        (note,) = (note.message for note in ui.app._notifications)
        assert note == "No race: 9 parameters would take 40 GB of memory, 20 GB is free"
