"""What a gradient costs by either method, as a function of the parameter count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.cost.model import (
    DAY,
    HOUR,
    LANDMARKS,
    MINUTE,
    TRAINING_STEPS,
    UNIVERSE,
    YEAR,
    Curve,
    Point,
    decades,
    fit,
    lesson_machine,
    log_seconds,
    read,
)
from tui_backprop.engine.spec import NetworkSpec, backprop_ratio

LESSON = NetworkSpec()
EXPLORE = settings(derandomize=True, deadline=None)


SIZES = (1_738, 31_810, 335_114, 2_913_290)


def points(law, sizes=SIZES):
    """Measurements that follow a law exactly; forward and backward together take three times as long."""
    return tuple(Point(p, law(p), 3 * law(p)) for p in sizes)


@pytest.mark.parametrize("parameters", [1, 1_000, 335_114, 10**12])
def test_the_naive_method_takes_one_forward_pass_for_each_parameter_and_one_more(parameters):
    machine = fit(points(lambda p: 2e-6 + 3e-10 * p))
    passes = machine.naive_seconds(parameters) / machine.forward.seconds(parameters)
    assert passes == pytest.approx(parameters + 1, rel=1e-14)


def test_the_lesson_s_clock_reads_335_seconds_a_gradient_and_388_days_a_training_run():
    reading = read(lesson_machine(backprop_ratio(LESSON)), LESSON.parameters)
    assert reading.forward == pytest.approx(1e-3, rel=1e-14)
    assert f"{reading.naive:.0f}" == "335"
    assert f"{reading.naive_run / DAY:.0f}" == "388"
    assert reading.naive_run == reading.naive * TRAINING_STEPS
    assert f"{reading.backprop / reading.forward:.2f}" == "2.40"
    assert f"{reading.backprop_run:.0f}" == "240"


def test_the_naive_method_grows_like_the_square_of_the_parameters_and_backprop_like_the_parameters():
    machine = lesson_machine(2.4)
    assert machine.naive_seconds(10**10) / machine.naive_seconds(10**9) == pytest.approx(100, rel=1e-6)
    assert machine.backprop.seconds(10**10) / machine.backprop.seconds(10**9) == pytest.approx(10)


@EXPLORE
@given(constant=st.floats(1e-10, 1e-6), power=st.floats(0, 1.5), at=st.floats(0, 1))
def test_between_measurements_the_curve_finds_the_power_law_behind_them(constant, power, at):
    machine = fit(points(lambda p: constant * p**power))
    size = SIZES[0] * (SIZES[-1] / SIZES[0]) ** at
    assert machine.forward.seconds(size) == pytest.approx(constant * size**power, rel=1e-12)
    assert machine.backprop.seconds(size) == pytest.approx(3 * constant * size**power, rel=1e-12)


@EXPLORE
@given(each=st.floats(1e-12, 1e-8), decade=st.floats(0, 12))
def test_the_curve_finds_the_straight_law_behind_measurements_and_keeps_it_beyond_them(each, decade):
    size = max(10**decade, SIZES[0])
    machine = fit(points(lambda p: each * p))
    assert machine.forward.seconds(size) == pytest.approx(each * size, rel=1e-12)


def test_below_the_smallest_measurement_only_the_overhead_is_left():
    machine = fit(points(lambda p: 1e-6 + 1e-10 * p))
    assert machine.forward.seconds(1) == machine.forward.seconds(SIZES[0]) == machine.points[0].forward


def test_a_single_measurement_is_enough():
    machine = fit((Point(1_000, 1e-5, 3e-5),))
    assert (machine.forward.seconds(1), machine.forward.seconds(10**6)) == (1e-5, 1e-2)


@EXPLORE
@given(
    times=st.lists(st.floats(1e-7, 1e-2), min_size=1, max_size=5),
    decades=st.tuples(st.floats(0, 12), st.floats(0, 12)),
)
def test_a_larger_network_never_takes_less_time_however_noisy_the_measurements(times, decades):
    machine = fit(tuple(Point(10 ** (k + 2), t, 3 * t) for k, t in enumerate(times)))
    smaller, larger = (10**decade for decade in sorted(decades))
    for curve in (machine.forward, machine.backprop):
        # Interpolation rounds in its last place.
        assert 0 < curve.seconds(smaller) <= curve.seconds(larger) * (1 + 1e-12)


def test_a_reading_at_a_measured_size_is_the_measurement_itself():
    point = Point(335_114, 9e-5, 1.7e-4, 0.1)
    machine = fit((*points(lambda p: 1e-6 + 1e-10 * p)[:2], point))
    reading = read(machine, 335_114)
    assert (reading.forward, reading.backprop) == (9e-5, 1.7e-4)
    assert reading.naive == 335_115 * 9e-5
    assert reading.ratio == reading.naive / 1.7e-4
    assert machine.measured(335_114)


def test_a_reading_at_any_other_size_is_a_projection():
    machine = fit(points(lambda p: 1e-6 + 1e-10 * p))
    assert not machine.measured(335_115)
    assert read(machine, 335_115).forward == machine.forward.seconds(335_115)
    assert read(machine, 10**11.5).naive == machine.naive_seconds(10**11.5)


def test_a_curve_through_two_knots_is_straight_on_logarithmic_axes():
    curve = Curve(((100, 1e-6), (10_000, 1e-4)))
    assert curve.seconds(1_000) == pytest.approx(1e-5, rel=1e-12)


def test_the_landmarks_in_time_are_what_they_are_called():
    assert dict(LANDMARKS) == {
        "1 µs": 1e-6, "1 ms": 1e-3, "1 s": 1, "1 min": 60, "1 hour": 3600, "1 day": 86400,
        "1 year": 31557600, "universe": 13.8e9 * 31557600,
    }  # fmt: skip
    assert (MINUTE, HOUR, DAY, YEAR) == (60, 3600, 86400, 31557600)
    assert f"{UNIVERSE:.2e}" == "4.35e+17"
    assert [seconds for _, seconds in LANDMARKS] == sorted(seconds for _, seconds in LANDMARKS)


def test_decades_are_evenly_spaced_and_include_both_ends():
    assert decades(3, 12, 4) == [3, 6, 9, 12]


def test_the_logarithm_of_no_time_is_finite():
    assert log_seconds(0) == -300
    assert log_seconds(1e-3) == pytest.approx(-3)
