"""The cost panel: what a gradient costs, measured and projected."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.durations import DURATION
from tests.steady import steady_machine, steady_points
from tui_backprop.cost.measure import passes as measure
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.state import from_preset
from tui_backprop.support.units import YEAR
from tui_backprop.tui.app import cost_lab


def value(ui, name: str) -> str:
    """The time in the first row of the readout with that name."""
    return re.search(rf"^{name} +(?:\w )? *[●·]? *([\d.,]+ \S+)", ui.cost, re.MULTILINE)[1]


async def test_every_method_the_ratio_and_a_training_run_are_read_out(open_app, real_clock):
    async with open_app(size=(200, 60)) as ui:
        assert "this network: 335,114 parameters" in ui.cost
        assert re.search(rf"forward pass +● +{DURATION} +measured", ui.cost)
        assert re.search(rf"naive +n +· +{DURATION} ", ui.cost)
        assert re.search(rf"backprop +b +● +{DURATION} +measured", ui.cost)
        assert re.search(r"backprop: [\d,]+ times faster", ui.cost)
        assert re.search(rf"100,000 steps: naive +{DURATION}", ui.cost)


async def test_the_readout_is_that_of_p_plus_one_perturbed_passes(open_app):
    async with open_app(size=(200, 60)) as ui:
        shape = shape_of(ui.app.session.network)
        each, backprop = (
            ui.app.cost_lab.cost_model.seconds(kind, shape).middle for kind in ("naive", "backprop")
        )
        naive = 335_115 * each
        assert value(ui, "naive") == f"{naive:.1f} s"
        assert re.search(r"2\.40x +a forward pass in MACs", ui.cost)
        times = int(re.search(r"backprop: ([\d,]+) times faster", ui.cost)[1].replace(",", ""))
        assert times == pytest.approx(naive / backprop, rel=0.05)


async def test_the_measurement_is_announced_until_it_is_there(open_app, gate):
    gate.shut()
    async with open_app(settle=False) as ui:
        await ui.pilot.pause(0)
        assert "measuring" in ui.cost
        gate.open()
        await ui.settled()
        assert "measuring" not in ui.cost


async def test_3_or_dollar_gives_the_chart_the_keys(open_app):
    async with open_app() as ui:
        for key in ("3", "$", "f4"):
            await ui.press("2")
            assert ui.focused == "walk"
            await ui.press(key)
            assert ui.focused == "cost"
            assert "cursor" in ui.keys


async def test_the_cursor_moves_through_parameter_counts_and_home_returns(open_app):
    async with open_app() as ui:
        await ui.press("3")
        home, step = ui.cost, ui.step
        await ui.press("right")
        assert re.search(r"at ([\d,]+) parameters", ui.cost)[1] == "562,341"
        await ui.press("right")
        assert "at 1,000,000 parameters" in ui.cost
        await ui.press("left", "left", "h")
        assert "at 177,828 parameters" in ui.cost
        await ui.press("home")
        assert ui.cost == home
        assert ui.step == step  # the walk stayed where it was


async def test_the_cursor_stops_at_a_thousand_and_at_a_trillion(open_app):
    async with open_app() as ui:
        await ui.press("3", *["l"] * 30)
        assert "at 1 trillion parameters" in ui.cost
        await ui.press(*["left"] * 40)
        assert "at 1,000 parameters" in ui.cost


async def test_m_switches_to_the_lessons_millisecond_and_back(open_app):
    async with open_app() as ui:
        measured = ui.cost
        await ui.press("3", "m")
        assert value(ui, "forward pass") == "1.00 ms"
        assert value(ui, "naive") in ("335 s", "5.59 min")
        assert "388 days" in ui.cost
        assert "assumed" in ui.cost
        await ui.press("m")
        assert ui.cost == measured
        assert "measured" in ui.cost


async def test_the_lessons_clock_grows_with_the_square_of_the_parameters(open_app):
    async with open_app() as ui:
        await ui.press("3", "m", *["right"] * 30)
        trillion = (1e12 + 1) * 1e-3 * 1e12 / 335_114
        assert value(ui, "naive").startswith(f"{trillion / (1e6 * YEAR):.3g}")
        assert "million years" in ui.cost


async def test_another_network_is_measured_and_marked_as_the_current_one(open_app):
    async with open_app() as ui:
        await ui.to_field("layers")
        await ui.type("784,32,10")
        await ui.press("enter")
        assert "this network: 25,450 parameters" in ui.cost
        assert ui.app.cost_lab.cost_model.point("forward", shape_of(ui.app.session.network))


async def test_what_was_disturbed_is_measured_again_a_few_times_and_at_the_press_of_a_key(
    open_app, monkeypatch
):
    asked = []

    def busy(points):
        return [replace(point, share=0.45) for point in points]

    def machine(spec, budget, kept=None, **more):
        asked.append("all")
        found = steady_machine(spec)
        return replace(found, points=tuple(busy(found.points)))

    def again(spec, budget, kinds):
        asked.append(spec.parameters)
        return busy(point for point in steady_points(shape_of(spec)) if point.kind in kinds)

    monkeypatch.setattr(measure, "measure_machine", machine)
    monkeypatch.setattr(measure, "measure", again)
    monkeypatch.setattr(cost_lab, "LOOK_AGAIN", 0.01)
    async with open_app(from_preset("xor")) as ui:
        await ui.press("3")
        await ui.until(lambda: ui.app.cost_lab._tries == 0, "all tries")
        await ui.settled()
        assert "busy: 45% of a core was ours. Times of an idle core; M measures again" in " ".join(
            ui.cost.split()
        )
        assert "M measure" in ui.keys
        assert asked.count("all") == 2
        assert asked.count(9) == cost_lab.TRIES - 1
        monkeypatch.setattr(measure, "measure_machine", steady_machine)
        await ui.press("M")
        await ui.until(lambda: "busy" not in ui.cost, "a quiet measurement")


async def test_a_sweep_replaces_what_it_started_from_and_loses_nothing_measured_since(open_app):
    async with open_app() as ui:
        lab, shape = ui.app.cost_lab, shape_of(NetworkSpec((5, 4, 3)))
        known = lab._swept_onto()
        found = CostModel((*known.points, *steady_points(shape)))
        lab._add(found)
        assert lab.cost_model is found  # with all that was computed for it
        other = steady_points(shape_of(NetworkSpec((6, 4, 3))))
        lab.cost_model = CostModel((*found.points, *other))
        for _ in range(2):
            lab._add(found)
            assert set(lab.cost_model.points) == {*found.points, *other}
