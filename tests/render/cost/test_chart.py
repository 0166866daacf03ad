"""The cost chart and its words, for machines and networks of every size."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import product

import pytest

from tests.cost.machines import machine
from tui_backprop.cost.measure.sweep import Progress
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.landmarks import KNOWN
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.cost.race.race import RaceStatus
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.cost.chart import chart
from tui_backprop.render.cost.cost import heading, readout
from tui_backprop.render.cost.page_bar import pages
from tui_backprop.render.cost.sweep import sweeping
from tui_backprop.render.cost_state import CostState, ShownRace
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.session.session_parts import AXES, ZOOMS
from tui_backprop.session.state import Session

LESSON = NetworkSpec()
HERE = machine(kinds=tuple(PASS_KINDS))
MACHINES = {
    "here": HERE,
    "two points": machine(sizes=(1e3, 1e5)),
    "busy": machine(noise=lambda i: (3.0, 0.3)[i % 2]),
    "glacial": machine(cost_model=lambda kind, shape: 1e3 * shape.parameters),
    "instant": machine(cost_model=lambda kind, shape: 1e-30 * shape.parameters),
    "nothing measured": CostModel(),
}


@pytest.mark.parametrize("axis", AXES)
def test_both_methods_are_drawn_in_every_unit_and_zoom(axis):
    for zoom, clock, context in product(range(len(ZOOMS)), (False, True), (UTF8, ASCII)):
        drawn = chart(CostState(LESSON, HERE, 11.0, clock, axis, zoom), 80, 24, context)
        roles = {role for row in drawn for _, role in row}
        assert {"naive", "backprop"} <= roles


def test_drawing_again_draws_the_same():
    one = chart(CostState(LESSON, HERE), 60, 20, UTF8)
    chart(CostState(NetworkSpec((2, 2, 1)), MACHINES["two points"], 12.0, True), 30, 8, ASCII)
    assert chart(CostState(LESSON, HERE), 60, 20, UTF8) == one


def test_every_method_has_a_line_and_its_letter_without_any_color():
    drawn = chart(CostState(LESSON, HERE), 100, 40, UTF8)
    text = "\n".join(plain(row) for row in drawn)
    for way in COST_METHODS.values():
        inked = [
            row for row in drawn for span, role in row if way.letter in span and role not in ("muted", "grid")
        ]
        assert inked, way.name
    assert "●" in text
    assert text.count("◆") == 2
    for landmark in ("1 s", "1 year", "1.4e10 years", "10³", "10⁶", "10⁹", "10¹²"):
        assert landmark in text
    for known in ("LeNet-5", "AlexNet", "GPT-3"):
        assert known[:5] in text


def test_a_line_is_full_where_it_was_measured_and_dotted_beyond():
    """Columns with ink, of the last decade that was measured and of the last one that was not."""
    drawn = chart(CostState(LESSON, HERE), 120, 40, UTF8)
    axis = max(plain(row).index("┼") for row in drawn if "┼" in plain(row))
    inked = set()
    for row in drawn:
        cells = [(c, look) for text, look in row for c in text]
        inked |= {x for x, (c, look) in enumerate(cells) if look == "backprop" and c not in " ●◆b"}
    wide = 120 - axis
    within = list(range(axis + 2, axis + wide // 3))
    beyond = list(range(axis + 2 * wide // 3, 118))
    assert sum(x in inked for x in within) > 0.75 * len(within)
    assert sum(x in inked for x in beyond) < 0.5 * len(beyond)
    assert max(inked) > 110


def test_naive_is_drawn_above_backprop():
    drawn = chart(CostState(LESSON, HERE), 80, 30, UTF8)
    first = {role: y for y in reversed(range(len(drawn))) for _, role in drawn[y]}
    assert first["naive"] < first["backprop"]


def test_a_race_that_was_run_is_a_measured_point_of_the_naive_method():
    """It lies off the line here, so that it hides behind nothing."""
    status = RaceStatus("forward-difference", "done", 335_115, 335_115, 335_114, 335_114, seconds=1e6)
    done = ShownRace(status, Session())

    def points(race):
        drawn = chart(CostState(LESSON, HERE, race=race), 100, 40, UTF8)
        return sum(text.count("●") for row in drawn for text, role in row if role == "naive")

    assert points(done) == points(None) + 1
    assert "11.6 days  measured, in the race" in "\n".join(
        plain(row) for row in readout(CostState(LESSON, HERE, race=done), 80)
    )
    text = words(CostState(LESSON, HERE, race=done))
    assert "100,000 steps: naive 3,169 years" in text  # of the race, not of the projection
    for other in (CostState(LESSON, HERE, 9.0, race=done), CostState(LESSON, HERE, None, True, race=done)):
        assert "in the race" not in words(other)


def words(costs):
    return "\n".join(plain(row) for row in readout(costs, 80))


def test_on_the_lesson_s_clock_a_gradient_takes_5_59_minutes_and_a_training_388_days():
    text = words(CostState(LESSON, HERE, None, True))
    for part in (
        "335,114 parameters",
        "5.59 min",
        "388 days",
        "2.40 ms",
        "2.40x",
        "1 ms",
    ):
        assert part in text
    assert "assumed" in text


def test_estimates_are_marked_as_measured_or_projected():
    shape = shape_of(LESSON)
    assert "projected" in words(CostState(LESSON, HERE)).splitlines()[2]
    there = CostModel((*HERE.points, *machine(sizes=(shape.parameters,)).points), HERE.probe)
    assert "measured" in words(CostState(LESSON, there)).splitlines()[2]
    assert "projected" in words(CostState(LESSON, there, 9.0)).splitlines()[2]


@pytest.mark.parametrize("noise", [1.05, 4.0])
@pytest.mark.parametrize("columns", [36, 48, 80])
def test_every_projected_time_has_its_spread_beside_the_chart_too(columns, noise):
    cost_model = machine(kinds=tuple(PASS_KINDS), noise=lambda i: (noise, 1 / noise)[i % 2])
    rows = [plain(row) for row in readout(CostState(LESSON, cost_model, math.log10(175e9)), columns)]
    runs = [row for row in rows if row.startswith(("100,000 steps", "training:", "  with", "  backprop"))]
    assert len(runs) == 2
    for row in (*rows[2 : 3 + len(COST_METHODS)], *runs):
        assert re.search(r"  (.*(\w|,) )?(±\d+%|[\d.]+x)$", row), row
        assert len(row) <= columns
    assert runs[1].startswith("  with backprop ")


def test_beside_the_chart_a_measured_pass_is_told_from_a_projected_one():
    cost_model = machine(sizes=(335_114.0, 1e6), kinds=("forward", "backprop"))
    rows = [plain(row) for row in readout(CostState(LESSON, cost_model), 36)]
    assert rows[1] == "method in chart      time  within"
    assert re.match(r"forward pass   ● .*  ±20%$", rows[2])
    assert re.match(r"backprop     b ● .*  ±20%$", next(row for row in rows if row.startswith("backprop")))
    assert re.match(
        r"complex step c · .*  (±\d+%|[\d.]+x)$", next(row for row in rows if row.startswith("complex"))
    )
    busy = CostModel(tuple(replace(point, share=0.45) for point in cost_model.points), cost_model.probe)
    rows = [plain(row) for row in readout(CostState(LESSON, busy), 36)]
    assert re.search(r"● .*  \d\.\dx busy$", next(row for row in rows if row.startswith("forward pass")))


def test_what_was_counted_has_no_spread():
    rows = [plain(row) for row in readout(CostState(LESSON, HERE, 11.0, axis="FLOPs"), 80)]
    ways = [
        row for row in rows if row[:14] in {f"{way.name:<13}{way.letter}" for way in COST_METHODS.values()}
    ]
    assert len(ways) == len(COST_METHODS)
    assert all(row.endswith(", counted") for row in ways)


@pytest.mark.parametrize("columns", [36, 48, 80])
def test_the_figures_of_giant_networks_are_ones_that_people_can_read(columns):
    rows = readout(CostState(LESSON, HERE, math.log10(175e9), axis="FLOPs"), columns)
    text = "\n".join(plain(row) for row in rows)
    assert text.startswith("at 175 billion parameters  GPT-3\n")
    assert re.search(r"naive +n +6\.13e22 ", text)
    assert re.search(r"backprop +b +1\.05T ", text)
    assert "e+" not in text
    assert max(map(width, rows)) <= columns


def test_the_error_of_the_cost_model_and_a_busy_machine_are_reported():
    good = words(CostState(LESSON, HERE))
    assert "off by 1.0" in good
    assert "100 times larger" in good
    assert "busy" not in good
    wide = tuple(type(p)(p.kind, p.shape, p.low, p.middle, 2 * p.high, p.runs) for p in HERE.points)
    assert "M measures again" in words(CostState(LESSON, CostModel(wide, HERE.probe)))


def test_before_the_measurement_nothing_is_claimed():
    (row,) = readout(CostState(LESSON, None), 58)
    assert "measuring" in plain(row)
    assert not any(c.isdigit() for c in plain(row))


@pytest.mark.parametrize("ended", ["", "time", "stopped", "its process was ended"])
def test_a_sweep_says_how_far_it_is_and_how_it_ended(ended):
    for columns, now, context in product((28, 36, 58), (None, 10**9), (UTF8, ASCII)):
        progress = Progress(3, 13, now, HERE, 12.0, ended)
        rows = sweeping(CostState(LESSON, HERE, sweep=progress), columns, context)
        text = " ".join(plain(row).strip() for row in rows)
        assert "3 of 13" in text or columns == 28
        assert now is not None or "12 s" in text
        assert sweeping(CostState(LESSON, HERE), columns, context) == []


@pytest.mark.parametrize("columns", [20, 28, 36, 58, 104])
def test_the_pages_names_fit_and_the_current_one_is_among_them(columns):
    for page, name in (("cost", "chart"), ("reuse", "reuse")):
        row = pages(page, columns)
        assert width(row) <= columns or columns == 20
        assert f"[{name}]" in plain(row)  # seen without color too
    for axis in AXES:
        assert width(heading(CostState(LESSON, HERE, axis=axis), columns)) <= columns


@pytest.mark.parametrize("axis", ["time", "FLOPs"])
@pytest.mark.parametrize("columns", [58, 63, 77, 90, 101])
def test_a_name_in_the_chart_is_whole_or_not_there(axis, columns):
    """The labels on the left take columns from the plane in which the letters of the names stand."""
    drawn = "\n".join(map(plain, chart(CostState(LESSON, HERE, axis=axis), columns, 30, UTF8)))
    for name, _ in KNOWN:
        assert (name in drawn) == (name[:4] in drawn), drawn


@pytest.mark.parametrize("columns", [32, 37, 48, 80])
def test_on_a_busy_machine_the_panel_says_so_and_marks_each_row_and_names_the_key(columns):
    busy = CostModel(tuple(replace(point, share=0.45) for point in HERE.points), HERE.probe)
    shown = [plain(row) for row in readout(CostState(LESSON, busy), columns)]
    assert "busy: 45% of a core was ours. Times of an idle core; M measures again" in " ".join(shown)
    for name in ("forward pass", *(method.name for method in COST_METHODS.values())):
        (row,) = [row for row in shown if row.startswith(name + " ")]
        assert row.endswith("busy"), row
        assert len(row) <= columns
    assert not any("busy" in plain(row) for row in readout(CostState(LESSON, HERE), columns))
    clock = [plain(row) for row in readout(CostState(LESSON, busy, lesson_clock=True), columns)]
    assert not any("busy" in row for row in clock)
