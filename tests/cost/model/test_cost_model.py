"""The cost model finds the law behind measurements, and its own error."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cost.machines import LESSON, PROBE, SIZES, machine, true_seconds
from tui_backprop.cost.model.cost_model import FIRST_RUN, NO_QUICKER_THAN_FORWARD, REPEATED, CostModel
from tui_backprop.cost.model.cost_model import LESSON as ASSUMED
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.landmarks import TRAINING_STEPS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, work
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, backprop_ratio

EXPLORE = settings(derandomize=True, deadline=None, max_examples=40)


@EXPLORE
@given(overhead=st.floats(1e-8, 1e-4), share=st.floats(0.8, 1.25), decade=st.floats(2, 12))
def test_the_law_behind_measurements_is_found_and_kept_beyond_them(overhead, share, decade):
    truth = lambda kind, shape: true_seconds(kind, shape, overhead, share)  # noqa: E731
    cost_model = machine(cost_model=truth, kinds=tuple(PASS_KINDS))
    shape = LESSON.at(10**decade)
    for kind in PASS_KINDS:
        predicted = cost_model.seconds(kind, shape)
        at_edge = (
            0.4 < work(kind, shape).touched / 1.1e7 < 2.5
        )  # of the cache, whose size is not known so well
        assert predicted.middle == pytest.approx(truth(kind, shape), rel=0.6 if at_edge else 0.15)
        assert predicted.low <= predicted.middle <= predicted.high
        assert predicted.measured == (10**decade in SIZES)


@pytest.mark.parametrize("kind", ["forward", "backprop"])
def test_a_hundred_times_larger_than_what_it_was_fitted_to(kind):
    """From what fits a cache to what does not: the probe knows how much slower that is."""
    small = machine(sizes=(1e3, 1e4, 3e5), noise=lambda i: 1.05 if i % 2 else 0.95)
    for size in (1e6, 3e7):
        shape = LESSON.at(size)
        predicted = small.seconds(kind, shape)
        assert (
            max(predicted.middle / true_seconds(kind, shape), true_seconds(kind, shape) / predicted.middle)
            < 1.5
        )
        assert predicted.low <= true_seconds(kind, shape) <= predicted.high


def test_points_left_out_are_met_and_a_wrong_one_is_not():
    good = machine().left_out
    assert len(good) == 2 * len(SIZES)
    assert all(one.inside and one.off < 1.15 for one in good)
    bad = machine(noise=lambda i: 8.0 if i == 4 else 1.0)
    worst = max(bad.left_out, key=lambda one: one.off)
    assert worst.point.parameters == pytest.approx(SIZES[4])
    assert worst.off > 5
    assert not worst.inside


def test_a_law_that_misses_says_so_with_wider_intervals():
    noisy, clean = machine(noise=lambda i: (0.6, 1.6)[i % 2]), machine()
    shape = LESSON.at(1e8)
    wide, narrow = (cost_model.seconds("forward", shape) for cost_model in (noisy, clean))
    assert wide.high / wide.low > 2 * narrow.high / narrow.low


def test_the_further_from_what_was_measured_the_less_sure():
    cost_model = machine()
    widths = [cost_model.seconds("forward", LESSON.at(size)) for size in (3e7, 1e9, 1e12)]
    ratios = [one.high / one.low for one in widths]
    assert ratios == sorted(ratios)
    assert ratios[-1] > 1.5 * ratios[0]


def test_time_never_falls_with_size_and_is_never_negative():
    for noise in (lambda i: 1.0, lambda i: (2.0, 0.5)[i % 2], lambda i: 10.0**-i):
        cost_model = machine(noise=noise)
        seconds = [cost_model.seconds("forward", LESSON.at(10**d)).middle for d in (2.5, 3.5, 4.5, 8.5, 11.5)]
        assert min(seconds) >= 0
        assert seconds == sorted(seconds)


@pytest.mark.parametrize("points", [1, 2])
def test_from_one_point_or_two_something_follows(points):
    cost_model = machine(sizes=SIZES[:points])
    shape = LESSON.at(1e9)
    predicted = cost_model.seconds("forward", shape)
    assert 0 < predicted.low < predicted.middle < predicted.high < math.inf
    assert predicted.high / predicted.low > 2
    assert cost_model.left_out == ()
    assert cost_model.beyond == ()


def test_an_estimate_of_a_measured_pass_is_marked_as_measured():
    cost_model = machine()
    point = cost_model.points[0]
    predicted = cost_model.seconds(point.kind, point.shape)
    assert (predicted.low, predicted.middle, predicted.high, predicted.measured) == (
        point.middle / REPEATED,
        point.middle,
        point.middle * REPEATED,
        True,
    )
    assert not cost_model.seconds(point.kind, LESSON.at(12_345.0)).measured


def test_a_kind_that_was_not_measured_goes_by_a_forward_pass():
    cost_model = machine(kinds=("forward",))
    assert cost_model.seconds("complex", LESSON).middle > cost_model.seconds("forward", LESSON).middle


@pytest.mark.parametrize("kind", NO_QUICKER_THAN_FORWARD)
def test_what_contains_a_forward_pass_is_never_quicker(kind):
    """On a machine that was busy while forward passes were measured."""
    slow = lambda k, shape: true_seconds(k, shape) * (1.3 if k == "forward" else 1)  # noqa: E731
    cost_model = machine(cost_model=slow, kinds=tuple(PASS_KINDS))
    for decade in (3.3, 6.5, 8.0, 11.24):
        forward, predicted = (cost_model.seconds(k, LESSON.at(10**decade)) for k in ("forward", kind))
        assert predicted.middle >= forward.middle
        assert predicted.low >= forward.low
        assert predicted.low <= predicted.middle <= predicted.high
        assert not predicted.measured
    point = next(p for p in cost_model.points if p.kind == kind)
    forward = cost_model.seconds("forward", point.shape)
    assert cost_model.seconds(kind, point.shape).middle == max(point.middle, forward.middle)
    busy = [replace(p, share=0.3) if p.kind == "forward" else p for p in cost_model.points]
    disturbed = CostModel(tuple(busy), cost_model.probe).seconds(kind, point.shape)
    assert disturbed.high == max(cost_model.seconds(kind, point.shape).high, forward.middle)


def test_a_perturbed_pass_that_was_not_measured_is_a_forward_pass_with_what_python_takes():
    """By the law of forward passes, and as surely."""
    cost_model = machine(kinds=("forward",))
    for decade in (3.5, 6.5):
        shape = LESSON.at(10**decade)
        forward, naive = (cost_model.seconds(kind, shape) for kind in ("forward", "naive"))
        assert forward.middle < naive.middle < 1.5 * forward.middle
        assert naive.high / naive.middle == pytest.approx(forward.high / forward.middle, rel=0.1)


def test_fitting_to_the_small_ones_alone():
    cost_model = machine(sizes=(1e3, 1e4, 1e5, 1e6, 1e7, 1e8))
    far = cost_model.beyond
    assert {round(math.log10(one.point.parameters)) for one in far} == {7, 8}
    assert all(one.off < 1.2 for one in far)


def test_few_parameters_take_a_batched_method_as_long_as_one_whole_go():
    """Of 13 parameters, in 4 tensors, each of which takes a pass with room for all of them."""
    shape = shape_of(NetworkSpec((2, 3, 1), loss="binary-cross-entropy"))
    after_second = 12  # the loss
    after_first = 3 + 2 * 3 + 1 + after_second  # ReLU, product, bias
    forward = 2 * 2 * 3 + 3 + after_first
    whole = 13 * 2 * (after_first + after_second) + (1 + 13) * forward
    assert machine().operations("batched", shape) == pytest.approx(whole)


@pytest.mark.parametrize("parameters", [1e3, 335_114.0, 1e12])
def test_each_method_takes_its_number_of_passes(parameters):
    cost_model, shape = machine(), LESSON.at(parameters)
    p, each = shape.parameters, {kind: cost_model.seconds(kind, shape).middle for kind in PASS_KINDS}
    assert cost_model.gradient("naive", shape).middle == pytest.approx((p + 1) * each["naive"])
    assert cost_model.gradient("central", shape).middle == pytest.approx(2 * p * each["central"])
    assert cost_model.gradient("spsa", shape).middle == pytest.approx(2 * each["spsa"])
    assert cost_model.gradient("backprop", shape) == cost_model.seconds("backprop", shape)
    assert min(each["naive"], each["central"], each["spsa"]) >= each["forward"]
    flops = work("forward", shape).flops
    assert cost_model.operations("naive", shape) == pytest.approx((shape.parameters + 1) * flops)


def test_naive_grows_like_the_square_of_the_parameters_and_backprop_like_the_parameters():
    small, large = LESSON.at(1e10), LESSON.at(1e11)
    cost_model = machine()
    assert cost_model.gradient("naive", large).middle / cost_model.gradient(
        "naive", small
    ).middle == pytest.approx(100, rel=0.02)
    assert cost_model.gradient("backprop", large).middle / cost_model.gradient(
        "backprop", small
    ).middle == pytest.approx(10, rel=0.02)


def test_the_lesson_s_clock_reads_335_seconds_a_gradient_and_388_days_a_training_run():
    naive = ASSUMED.gradient("naive", LESSON).middle
    assert ASSUMED.seconds("forward", LESSON).middle == pytest.approx(1e-3, rel=1e-12)
    assert f"{naive:.0f}" == "335"
    assert f"{naive * TRAINING_STEPS / 86400:.0f}" == "388"
    ratio = ASSUMED.gradient("backprop", LESSON).middle / 1e-3
    assert ratio == pytest.approx(work("backprop", LESSON).flops / work("forward", LESSON).flops)
    assert ratio == pytest.approx(backprop_ratio(NetworkSpec()), rel=0.005)
    assert ASSUMED.left_out == ()


def test_points_during_which_the_machine_was_busy_spoil_no_law():
    good = machine()
    bad = replace(good.points[4], middle=9 * good.points[4].middle, high=30 * good.points[4].middle)
    cost_model = CostModel(tuple(bad if p is good.points[4] else p for p in good.points), PROBE)
    shape = LESSON.at(3e8)
    for kind in ("forward", "backprop"):
        assert cost_model.seconds(kind, shape).middle == pytest.approx(
            good.seconds(kind, shape).middle, rel=0.02
        )
    every = tuple(replace(p, high=9 * p.high) for p in good.points)  # only busy points: they are used
    assert CostModel(every, PROBE).seconds("forward", shape).middle > 0


def test_runs_that_are_spread_wide_are_called_busy():
    shape = LESSON.at(1e4)
    assert Measured("forward", shape, 1.0, 1.2, 1.6, 5).busy
    assert not Measured("forward", shape, 1.0, 1.1, 1.2, 5).busy
    assert CostModel((), PROBE).largest == 1


def test_the_first_run_of_many_passes_may_take_longer_than_those_that_were_measured():
    cost_model = machine()
    for p in (1e3, 1e6):
        shape = LESSON.at(p)
        naive, backprop = cost_model.gradient("naive", shape), cost_model.gradient("backprop", shape)
        many = cost_model.seconds("naive", shape).times(shape.parameters + 1)
        assert (naive.low, naive.high) == pytest.approx((many.low, many.high + FIRST_RUN))
        assert backprop == cost_model.seconds("backprop", shape)  # it is run again and again
