"""Measurements that cannot be true are refused, and intervals meet what other measurements say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cost.machines import LESSON, PROBE, SIZES, machine, true_seconds
from tui_backprop.cost.model.bounds import BOUNDS
from tui_backprop.cost.model.certainty import (
    busy_sentence,
    digits,
    longer_now,
    ratio_of,
    refusal_sentences,
    source,
)
from tui_backprop.cost.model.cost_model import NO_QUICKER_THAN_FORWARD, CostModel
from tui_backprop.cost.model.estimates import Estimate, Measured
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.support.format import format_share

SHAPE = LESSON.at(SIZES[2])


def spoiled(factor, kind="forward", shape=SHAPE, **more):
    """A machine on which one measurement is so many times as long as it should be."""
    good = machine(kinds=tuple(PASS_KINDS))

    def point(p):
        if (p.kind, p.shape) != (kind, shape):
            return p
        return replace(p, low=factor * p.low, middle=factor * p.middle, high=factor * p.high, **more)

    return CostModel(tuple(map(point, good.points)), PROBE)


@pytest.mark.parametrize(
    ("kind", "factor"), [("forward", 9.0), *((bound.kind, 0.1) for bound in BOUNDS if bound.kind != "spsa")]
)
def test_of_two_passes_that_cannot_both_be_true_the_one_that_others_contradict_is_refused(kind, factor):
    cost_model = spoiled(factor, kind)
    (refusal,) = [one for one in cost_model.refused if one.point.kind == kind]
    assert len(cost_model.refused) == 1
    assert refusal.point.shape == SHAPE
    assert refusal.why in [bound.broken for bound in BOUNDS]
    found = cost_model.seconds(kind, SHAPE)
    assert not found.measured
    assert found.middle == pytest.approx(true_seconds(kind, SHAPE), rel=0.1)
    (sentence,) = refusal_sentences(cost_model)
    assert sentence.written == f"Refused: at 100k parameters {refusal.why}"
    assert sentence.spoken == f"Refused: at 100 thousand parameters {refusal.why}"


def test_both_are_refused_where_nothing_else_is_known():
    shape = shape_of(NetworkSpec((5, 4, 3)))
    points = [Measured(kind, shape, t, t, t, 9) for kind, t in (("forward", 3e-6), ("backprop", 2e-6))]
    cost_model = CostModel(tuple(points), PROBE)
    assert {one.point for one in cost_model.refused} == set(points)
    assert cost_model.sound == ()
    assert not cost_model.seconds("forward", shape).measured


def test_nothing_is_refused_on_a_machine_that_keeps_the_bounds():
    assert machine(kinds=tuple(PASS_KINDS)).refused == ()
    assert machine(kinds=tuple(PASS_KINDS), noise=lambda i: (3.0, 0.3)[i % 2]).refused == ()


@pytest.mark.parametrize("factor", [0.01, 0.3, 1.0, 3.0, 100.0])
@pytest.mark.parametrize("kind", PASS_KINDS)
def test_no_method_is_quicker_than_its_fewest_passes_whatever_was_measured(kind, factor):
    cost_model = spoiled(factor, kind)
    for size in (9.0, 1e3, SIZES[2], 1e9):
        shape = SHAPE if size == SIZES[2] else LESSON.at(max(size, 900.0))
        forward = cost_model.seconds("forward", shape).middle
        assert cost_model.gradient("backprop", shape).middle >= forward
        assert cost_model.gradient("batched", shape).middle >= 2 * forward
        for name, row in COST_METHODS.items():
            found = cost_model.gradient(name, shape)
            fewest = row.passes(shape.parameters) if row.kind in NO_QUICKER_THAN_FORWARD else row.fewest
            assert found.middle >= 0.999 * fewest * forward
            assert 0 < found.low <= found.middle <= found.high


def test_a_narrow_interval_needs_points_that_agree_with_others():
    """All runs of one point were disturbed alike, nine times, within one percent."""
    cost_model = spoiled(9.0, "backprop")
    found = cost_model.seconds("backprop", SHAPE)
    assert found.measured
    assert found.low <= 1.1 * true_seconds("backprop", SHAPE)
    good = machine(kinds=tuple(PASS_KINDS)).seconds("backprop", SHAPE)
    assert good.high / good.low < 1.2**2 + 0.01


def test_a_busy_point_has_a_wide_interval_and_its_mark_goes_along():
    cost_model = spoiled(1.4, "forward", share=0.45)
    found = cost_model.seconds("forward", SHAPE)
    assert found.low <= true_seconds("forward", SHAPE) <= found.high
    assert (found.share, found.busy) == (0.45, True)
    naive = spoiled(1.4, "naive", share=0.45).gradient("naive", SHAPE)
    assert (naive.share, naive.busy, naive.measured) == (0.45, True, False)
    assert source(found, cost_model).written == "measured within 2.0x, busy"
    assert busy_sentence(cost_model, found, naive) == "busy: times vary widely"  # one point of many
    assert busy_sentence(cost_model, cost_model.seconds("complex", SHAPE)) == ""


@pytest.mark.parametrize("kind", ["naive", "central"])
def test_passes_of_the_same_work_that_took_different_times_are_in_the_interval_of_each_other(kind):
    """Other work slows runs down also where it takes no core from them: by the caches that they share."""
    good = machine(sizes=SIZES[1:3], kinds=("forward", "naive", "central"))  # too few for others to tell
    points = [
        replace(p, low=1.6 * p.low, middle=1.6 * p.middle, high=1.6 * p.high)
        if (p.kind, p.shape) == (kind, SHAPE)
        else p
        for p in good.points
    ]
    found = CostModel(tuple(points), PROBE).seconds(kind, SHAPE)
    assert found.low <= 1.02 * true_seconds("naive", SHAPE) < found.middle / 1.5


def test_a_busy_machine_is_named_by_the_share_of_a_core_that_all_measurements_had_not_by_the_least():
    quiet = machine(kinds=tuple(PASS_KINDS))
    points = [replace(point, share=0.1 if i == 0 else 0.5) for i, point in enumerate(quiet.points)]
    busy = CostModel(tuple(points), quiet.probe)
    assert 0.45 < busy.share < 0.5
    assert (
        busy_sentence(busy, busy.seconds("forward", SHAPE))
        == f"busy: {format_share(busy.share)} of a core was ours"
    )
    assert longer_now(busy) == 1 / busy.share
    assert (quiet.share, longer_now(quiet), CostModel().share) == (1.0, 1.0, 1.0)


def test_a_projection_from_busy_points_alone_is_busy():
    good = machine()
    cost_model = CostModel(tuple(replace(p, share=0.3) for p in good.points), PROBE)
    far = cost_model.seconds("forward", LESSON.at(1e9))
    assert (far.busy, far.share) == (True, 0.3)
    assert far.high / far.middle >= 2
    one = CostModel(tuple(replace(p, share=0.3) if p.parameters == 1e4 else p for p in good.points), PROBE)
    assert not one.seconds("forward", LESSON.at(1e9)).busy


@pytest.mark.parametrize(
    ("wide", "busy", "said"),
    [(1.01, False, "2.47x"), (1.3, False, "2.5x"), (2.0, True, "2x"), (2.0, False, "2x")],
)
def test_a_ratio_has_no_more_digits_than_it_has(wide, busy, said):
    forward, backprop = (Estimate(t / wide, t, t * wide, True, 0.4, busy) for t in (1e-3, 2.468e-3))
    assert ratio_of(backprop, forward).written == said
    assert digits(forward, backprop) == {1.01: 2, 1.3: 1, 2.0: 0}[wide]


def test_few_parameters_of_a_batched_method_take_a_pass_for_each_tensor():
    """The projection of XOR, from larger networks: at least as many passes as it has tensors."""
    shape = shape_of(NetworkSpec((2, 2, 1), loss="binary-cross-entropy"))
    cost_model = machine(kinds=tuple(PASS_KINDS))
    forward, found = cost_model.seconds("forward", shape), cost_model.gradient("batched", shape)
    assert not found.measured
    assert found.middle > 4 * forward.middle


def test_speeds_of_memory_that_were_disturbed_mark_what_is_projected_from_them():
    good = machine()
    cost_model = CostModel(good.points, replace(PROBE, share=0.4))
    far, near = (cost_model.seconds("forward", LESSON.at(size)) for size in (1e10, 3e4))
    assert (far.busy, far.share, near.busy) == (True, 0.4, False)
    assert far.high / far.middle > 1.9 * good.seconds("forward", LESSON.at(1e10)).high / far.middle
