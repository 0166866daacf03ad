"""The cost chart and its words, for machines and networks of every size."""

from __future__ import annotations

import pytest

from tui_backprop.cost.model import Curve, Machine, Point, fit, lesson_machine
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.ui.moment import Costs
from tui_backprop.ui.renderables.chart import chart
from tui_backprop.ui.renderables.cost import legend, readout
from tui_backprop.ui.renderables.glyphs import ASCII, UTF8
from tui_backprop.ui.renderables.spans import ROLES, plain, width

LESSON = NetworkSpec()
HERE = fit(
    tuple(Point(p, 2e-6 + 2e-10 * p, 6e-6 + 5e-10 * p, 0.05) for p in (1_738, 31_810, 335_114, 2_913_290))
)
MACHINES = {
    "here": HERE,
    "lesson": lesson_machine(2.4),
    "glacial": Machine(Curve(((1, 1e3),)), Curve(((1, 3e3),))),
    "instant": Machine(Curve(((10**9, 1e-30),)), Curve(((10**9, 3e-30),))),
}
SETS = pytest.mark.parametrize("glyphs", [UTF8, ASCII], ids=["utf-8", "ascii"])


@SETS
@pytest.mark.parametrize(("columns", "rows"), [(20, 5), (40, 10), (58, 13), (76, 26), (104, 56), (10, 4)])
@pytest.mark.parametrize("name", MACHINES)
def test_the_chart_never_exceeds_its_columns_and_rows(name, columns, rows, glyphs):
    drawn = chart(MACHINES[name], 335_114.0, 335_114, columns, rows, glyphs)
    assert 1 <= len(drawn) <= rows
    for row in drawn:
        assert width(row) <= columns
        assert plain(row).isprintable()
        assert {role for _, role in row} <= set(ROLES)
        assert not glyphs.plain or plain(tuple(glyphs.fit(row))).isascii()


@SETS
@pytest.mark.parametrize("current", [1, 4, 999, 10**6, 10**12, 10**15, 10**34])
@pytest.mark.parametrize("decade", [0.0, 3.0, 7.5, 12.0])
def test_the_chart_is_drawn_for_tiny_and_for_giant_networks(current, decade, glyphs):
    for machine in MACHINES.values():
        drawn = chart(machine, 10**decade, current, 58, 13, glyphs)
        assert 1 <= len(drawn) <= 13
        assert max(map(width, drawn)) <= 58


def test_drawing_again_draws_the_same():
    one = chart(HERE, 335_114.0, 335_114, 60, 20, UTF8)
    chart(MACHINES["lesson"], 1e12, 9, 30, 8, ASCII)
    assert chart(HERE, 335_114.0, 335_114, 60, 20, UTF8) == one


def test_the_chart_has_both_curves_the_measurements_and_the_current_network():
    text = "\n".join(plain(row) for row in chart(HERE, 1e9, 335_114, 80, 30, UTF8))
    roles = {role for row in chart(HERE, 1e9, 335_114, 80, 30, UTF8) for _, role in row}
    assert {"naive", "backprop", "mark"} <= roles
    assert "●" in text
    assert text.count("◆") == 2
    for landmark in ("1 s", "1 year", "universe", "10³", "10⁶", "10⁹", "10¹²"):
        assert landmark in text


@pytest.mark.parametrize("current", [9, 335_114])
def test_the_curve_of_backprop_runs_from_one_side_to_the_other(current):
    drawn = chart(HERE, 1e6, current, 80, 30, UTF8)
    axis = max(plain(row).index("┼") for row in drawn if "┼" in plain(row))
    inked = set()
    for row in drawn:
        cells = [(c, look) for text, look in row for c in text]
        inked |= {x for x, (c, look) in enumerate(cells) if look == "backprop" and c != " "}
    assert min(inked) <= axis + 2
    assert max(inked) >= 77


def test_naive_is_drawn_above_backprop():
    drawn = chart(HERE, 335_114.0, 335_114, 80, 30, UTF8)
    first = {role: y for y in reversed(range(len(drawn))) for _, role in drawn[y]}
    assert first["naive"] < first["backprop"]


@pytest.mark.parametrize("columns", [34, 40, 58, 104])
@pytest.mark.parametrize("decade", [None, 3.0, 9.25, 12.0])
@pytest.mark.parametrize("clock", [False, True])
def test_the_words_fit(columns, decade, clock):
    for row in readout(Costs(LESSON, HERE, decade, clock), columns):
        assert width(row) <= columns, plain(row)


def words(*arguments):
    return "\n".join(plain(row) for row in readout(Costs(*arguments), 80))


def test_on_the_lesson_s_clock_a_gradient_takes_5_59_minutes_and_a_training_388_days():
    text = words(LESSON, HERE, None, True)
    for part in (
        "335,114 parameters",
        "335,115 passes",
        "5.59 min",
        "388 days",
        "2.40 ms",
        "2.40x",
        "assumed",
    ):
        assert part in text


def test_what_was_measured_is_said_to_be_and_what_is_projected_too():
    assert "measured on this machine" in words(LESSON, HERE, None, False)
    assert "projected from measured networks" in words(LESSON, HERE, 9.0, False)
    assert "projected from measured networks" in words(NetworkSpec((784, 33, 10)), HERE, None, False)


def test_before_the_measurement_nothing_is_claimed():
    (row,) = readout(Costs(LESSON, None, None, False), 58)
    assert "measuring" in plain(row)
    assert not any(c.isdigit() for c in plain(row))


@SETS
@pytest.mark.parametrize("columns", [28, 34, 58, 80])
def test_the_legend_fits(columns, glyphs):
    assert width(glyphs.fit(legend(columns, glyphs))) <= max(columns, 34)
