"""Runs of updates against a plain list of the single updates: every query gives the same answer."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from itertools import pairwise, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.data.split import split_of
from tui_backprop.engine.network.model import TrainingSettings
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session.update_log import (
    Edit,
    UpdateRun,
    beginning,
    begins,
    iterations,
    joined,
    shared,
    updates,
)

EXPLORE = settings(derandomize=True, deadline=None)
SIZES = st.sampled_from([1, 2, 3, 7])  # of a data set: so small that runs often go round, and meet


def whole(samples):
    """Return a data set of so many samples as one part."""
    return split_of(samples, 0, 0).training


@st.composite
def runs(draw, samples):
    """Draw a run that a session can make, of few samples and rates, so that runs often continue others."""
    count = draw(st.integers(1, 5))
    stride = draw(st.integers(0, samples - 1))
    return UpdateRun(
        draw(st.integers(0, samples - 1)),
        draw(st.integers(1, 2)),
        draw(st.sampled_from([0.1, 0.5])),
        count,
        stride,
        draw(st.sampled_from([(), (), (Edit("W1", (0, 0), 0.5),)])),
        draw(st.sampled_from([TrainingSettings(), TrainingSettings(), TrainingSettings(l2=0.5)])),
        draw(
            st.sampled_from([OptimizerSpec(), OptimizerSpec(), OptimizerSpec(clip=1), OptimizerSpec("adam")])
        ),
    )


@st.composite
def ways(draw):
    """Draw the size of a data set, and runs that are appended to a log one after the other."""
    samples = draw(SIZES)
    return samples, draw(st.lists(runs(samples), max_size=5))


@st.composite
def forks(draw):
    """Draw the same, and other runs: the first ones with one of them longer, shorter or of another stride."""
    samples = draw(SIZES)
    parts = draw(st.lists(runs(samples), min_size=1, max_size=5))
    at, other = draw(st.integers(0, len(parts) - 1)), draw(runs(samples))
    like = replace(parts[at], count=other.count, stride=other.stride)
    return samples, parts, [*parts[:at], draw(st.sampled_from([like, other])), *parts[at + 1 :]]


def one_by_one(run, samples):
    return [
        replace(run, sample=(run.sample + i * run.stride) % samples, count=1, edits=() if i else run.edits)
        for i in range(run.count)
    ]


def listed(parts, samples):
    """Return the single updates of some runs."""
    return [update for run in parts for update in one_by_one(run, samples)]


def way_of(parts, samples):
    return reduce(lambda way, run: joined(way, run, whole(samples)), parts, ())


def same(one, other):
    """Count the updates at the beginning of two lists that are equal."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


@EXPLORE
@given(ways())
def test_a_way_is_made_of_the_updates_that_were_joined_to_it(drawn):
    samples, parts = drawn
    way, wanted = way_of(parts, samples), listed(parts, samples)
    assert listed(way, samples) == wanted
    assert iterations(way) == len(wanted)
    each = updates(way, whole(samples))
    assert [each(t) for t in range(len(wanted))] == wanted
    assert [each(t) for t in reversed(range(len(wanted)))] == wanted[::-1]


@EXPLORE
@given(ways())
def test_equal_ways_are_equal_however_they_came_about(drawn):
    samples, parts = drawn
    way = way_of(parts, samples)
    assert way_of(listed(parts, samples), samples) == way
    assert way_of(way, samples) == way
    assert all(run.count > 1 or run.stride == 0 for run in way)
    assert all(0 <= run.stride < samples for run in way)


@EXPLORE
@given(ways())
def test_no_run_goes_on_into_the_next_one(drawn):
    samples, parts = drawn
    for run, after in pairwise(way_of(parts, samples)):
        if run.count > 1:
            assert run.update(run.count, whole(samples)) != after.update(0, whole(samples))
        else:  # any stride would do
            assert (
                replace(run, sample=after.sample, count=after.count, stride=after.stride, edits=()) != after
            )


@EXPLORE
@given(ways())
def test_an_optimizer_begins_where_its_name_is_new(drawn):
    samples, parts = drawn
    way, began, last = way_of(parts, samples), [], None
    for t, update in enumerate(listed(way, samples)):
        began.append(began[-1] if last == update.optimizer.name else t)
        last = update.optimizer.name
    starts = begins(way)
    assert began == [start for run, start in zip(way, starts, strict=True) for _ in range(run.count)]


@EXPLORE
@given(ways(), st.integers(0, 30))
def test_the_beginning_of_a_way_is_its_first_updates_as_if_no_more_had_come(drawn, count):
    samples, parts = drawn
    first = listed(parts, samples)[:count]
    assert beginning(way_of(parts, samples), count) == way_of(first, samples)


@EXPLORE
@given(forks())
def test_what_two_ways_share_is_what_their_updates_begin_with(drawn):
    samples, *parts = drawn
    one, other = (way_of(each, samples) for each in parts)
    wanted = same(listed(one, samples), listed(other, samples))
    assert shared(one, other) == shared(other, one) == wanted
    assert beginning(one, wanted) == beginning(other, wanted)
    assert shared(one, one) == iterations(one)


@EXPLORE
@given(ways(), st.integers(0, 30))
def test_a_way_shares_with_its_beginning_all_of_that(drawn, count):
    samples, parts = drawn
    way = way_of(parts, samples)
    assert shared(way, beginning(way, count)) == min(count, iterations(way))


def test_a_run_of_one_update_has_no_stride():
    assert UpdateRun(3, 2, 0.1, 1, 5) == UpdateRun(3, 2, 0.1)
    assert UpdateRun(3, 2, 0.1, 2, 5) != UpdateRun(3, 2, 0.1, 2, 4)
    assert beginning((UpdateRun(3, 2, 0.1, 4, 5),), 1) == (UpdateRun(3, 2, 0.1),)


def test_a_run_goes_round_at_the_end_of_the_data_set():
    run = UpdateRun(8, 4, 0.1, count=4, stride=4)
    assert [run.update(i, whole(10)).sample for i in range(4)] == [8, 2, 6, 0]
    assert joined((UpdateRun(8, 4, 0.1, 2, 4),), UpdateRun(6, 4, 0.1), whole(10)) == (
        UpdateRun(8, 4, 0.1, 3, 4),
    )


def test_the_same_samples_again_and_the_next_ones_are_runs_of_their_own():
    way = way_of(
        [UpdateRun(0, 1, 0.1)] * 3 + [UpdateRun(1, 1, 0.1), UpdateRun(2, 1, 0.1), UpdateRun(3, 1, 0.1)], 9
    )
    assert way == (UpdateRun(0, 1, 0.1, 3, 0), UpdateRun(1, 1, 0.1, 3, 1))


@pytest.mark.parametrize("other", [UpdateRun(2, 2, 0.1), UpdateRun(2, 1, 0.2)], ids=["batch", "rate"])
def test_another_batch_or_rate_begins_a_run(other):
    assert joined((UpdateRun(0, 1, 0.1, 2, 1),), other, whole(9)) == (UpdateRun(0, 1, 0.1, 2, 1), other)


def test_no_update_leaves_a_way_as_it_is():
    for way in ((), (UpdateRun(0, 1, 0.1, 2, 1),)):
        assert joined(way, UpdateRun(2, 1, 0.1, 0, 1), whole(9)) == way


def test_of_the_empty_way_there_is_nothing():
    assert iterations(()) == shared((), (UpdateRun(0, 1, 0.1),)) == 0
    assert beginning((), 5) == beginning((UpdateRun(0, 1, 0.1),), 0) == ()
    with pytest.raises(IndexError):
        updates((), whole(9))(0)


def test_a_million_updates_are_one_run():
    way = joined((), UpdateRun(0, 4, 0.1, 10**6, 4), whole(4000))
    assert way == (UpdateRun(0, 4, 0.1, 10**6, 4),)
    assert updates(way, whole(4000))(10**6 - 1) == UpdateRun(4 * (10**6 - 1) % 4000, 4, 0.1)
    assert shared(way, joined(way, UpdateRun(0, 4, 0.1), whole(4000))) == 10**6
