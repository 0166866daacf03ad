"""Who computes which share: workers that answer, disappear, stop and lie, without processes and clocks."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.cost.race.distribution import PATIENCE, Distribution
from tui_backprop.cost.race.shares import Answer, Failure, Share, fault_of
from tui_backprop.support.errors import UserError

TOTAL = 100


def made(chunk=10, local=(), total=TOTAL, each=1e-3, finite=True):
    return Distribution(
        1,
        total,
        chunk,
        each,
        finite,
        local=lambda name: name in local,
        warm_up=lambda name: 0.0,
        option="scheduler",
    )


def answer(worker, share, value=1.0, seconds=0.01):
    return Answer(worker, share, np.full(len(share), value), seconds)


def given(shares, now=0.0):
    """What is asked of each worker now."""
    found = {}
    for worker, share in shares.give(now):
        found.setdefault(worker, []).append(share)
    return found


def finished(shares, now, *workers):
    """Have these compute all that they are given; the places that were filled."""
    filled = []
    while asked := given(shares, now):
        for worker in workers:
            for share in asked.get(worker, ()):
                if shares.take(answer(worker, share), now):
                    filled += range(share.start, share.stop)
    return filled


def test_every_place_is_filled_once():
    shares = made()
    shares.meet({"a": 1, "b": 2})
    asked = given(shares)
    assert {name: len(each) for name, each in asked.items()} == {"a": 2, "b": 4}
    for name, parts in asked.items():
        for part in parts:
            assert shares.take(answer(name, part), 0.1)
            assert not shares.take(answer(name, part), 0.1)  # twice
    assert sorted(finished(shares, 0.2, "a", "b")) == [*range(60, 100)]
    assert shares.complete
    assert shares.notes == []


def test_shares_take_a_quarter_of_a_second_for_each_worker():
    shares = made(chunk=None, total=10**9)
    shares.meet({"fast": 1, "slow": 1})
    now = 0.0
    for _ in range(12):
        asked = given(shares, now)
        now += 0.5
        for name, each in asked.items():
            for share in asked[name][:1]:
                shares.take(answer(name, share, seconds=len(share) * {"fast": 1e-5, "slow": 1e-3}[name]), now)
            assert each
    sizes = {name: len(share) for name, (*_, share) in asked.items()}
    assert 10_000 < sizes["fast"] <= 25_000
    assert 200 < sizes["slow"] <= 250


@pytest.mark.parametrize("seconds", [1e-300, 1e-12, 1e3])
def test_a_time_that_lies_makes_no_share_of_absurd_size(seconds):
    shares, now = made(chunk=None, total=10**9), 0.0
    shares.meet({"a": 1})
    for _ in range(40):
        parts = given(shares, now)["a"]
        for part in parts:
            now += 1e-3 * len(part)  # what it really takes
            shares.take(answer("a", part, seconds=seconds), now)
    assert 1 <= max(map(len, parts)) <= 8000
    shares.overdue(now)
    assert shares.notes == []


def test_the_shares_of_a_worker_that_is_late_go_to_others_and_it_is_named_once():
    shares = made()
    shares.meet({"a": 1, "b": 1})
    asked = given(shares)
    for part in asked["b"]:
        shares.take(answer("b", part), 0.1)
    shares.overdue(PATIENCE)
    assert shares.notes == []
    shares.overdue(PATIENCE + 0.1)
    shares.overdue(PATIENCE + 0.2)
    assert shares.notes == ["no answer from a for 2 s; other workers take over"]
    assert sorted([*finished(shares, 3.0, "b"), *range(20, 40)]) == [*range(100)]
    assert shares.complete
    assert not shares.take(answer("a", asked["a"][0]), 9.0)  # too late


def test_a_late_answer_still_counts_if_nobody_was_faster_and_its_worker_is_back():
    shares = made(total=20)
    shares.meet({"a": 1, "b": 1})
    asked = given(shares)
    assert asked == {"a": [Share(1, 0, 10), Share(1, 10, 20)]}
    shares.overdue(5.0)
    (again,) = [given(shares, 5.0)["b"]]
    assert again == asked["a"]
    assert shares.take(answer("a", asked["a"][0]), 6.0)
    assert not shares.take(answer("b", again[0]), 6.0)
    assert shares.take(answer("b", again[1]), 6.0)
    assert shares.complete
    assert shares.at_work == 2


def test_where_all_are_late_this_machine_takes_over():
    shares = made(local=["here"])
    shares.meet({"a": 1, "b": 1})
    given(shares)
    shares.overdue(2.5)
    assert shares.notes == ["no answer from a, b for 2 s; this machine takes over"]
    assert not shares.active
    shares.meet({"a": 1, "b": 1, "here": 1})
    assert shares.active
    assert sorted(finished(shares, 3.0, "here")) == [*range(100)]


def test_of_many_workers_that_are_late_some_are_named():
    shares = made()
    shares.meet(dict.fromkeys("abcdefg", 1))
    given(shares)
    shares.overdue(2.5)
    assert shares.notes == ["no answer from a, b, c and 2 more for 2 s; other workers take over"]


def test_the_shares_of_a_worker_that_is_gone_are_computed_by_others():
    shares = made()
    shares.meet({"a": 1, "b": 1})
    given(shares)
    shares.meet({"b": 1})
    assert shares.notes == ["lost a; other workers take over"]
    shares.meet({})
    assert shares.notes[1:] == ["lost b; this machine takes over"]
    shares.meet({"c": 1})
    assert sorted(finished(shares, 0.0, "c")) == [*range(100)]


def test_a_share_that_is_the_end_of_every_worker_is_an_error():
    shares = made(total=10)
    for worker in "abc":
        shares.meet({worker: 1})
        assert given(shares)
    shares.meet({"d": 1})
    assert given(shares)
    with pytest.raises(UserError, match="4 workers ended while they had the same 10 parameters") as told:
        shares.meet({})
    assert told.value.field == "scheduler"


def test_a_worker_that_fails_is_named_and_gets_nothing_any_more():
    shares = made()
    shares.meet({"a": 1, "b": 1})
    asked = given(shares)
    shares.fail(Failure("a", asked["a"][0], "sent str instead of an array"))
    shares.fail(Failure("a", asked["a"][1], "sent str instead of an array"))
    assert shares.notes == ["a sent str instead of an array; other workers take over"]
    assert not shares.take(answer("a", asked["a"][1]), 0.1)
    for part in asked["b"]:
        shares.take(answer("b", part), 0.1)
    assert len(finished(shares, 0.2, "b")) == 80
    shares.meet({"b": 1})
    assert len(shares.notes) == 1  # that it is gone is no news


def test_what_is_not_finite_is_computed_again_here_and_who_made_it_up_is_barred():
    shares = made(total=20, local=["here"])
    shares.meet({"a": 1})
    asked = given(shares)["a"]
    assert not shares.take(answer("a", asked[0], np.nan), 0.1)
    assert shares.take(answer("a", asked[1]), 0.1)
    assert given(shares) == {}
    assert not shares.active
    shares.meet({"a": 1, "here": 1})
    assert given(shares) == {"here": [asked[0]]}
    assert shares.take(answer("here", asked[0]), 0.2)
    assert shares.complete
    assert shares.notes == ["a sent numbers that are not finite; other workers take over"]


def test_what_really_is_not_finite_counts_and_nobody_is_barred():
    shares = made(total=10, local=["here"])
    shares.meet({"a": 1, "here": 1})
    asked = given(shares)
    assert asked == {"a": [Share(1, 0, 10)]}
    assert not shares.take(answer("a", asked["a"][0], np.inf), 0.1)
    (part,) = given(shares)["here"]
    assert shares.take(answer("here", part, np.inf), 0.2)
    assert shares.complete
    assert shares.notes == []
    shares = made(total=10, finite=False)  # as the loss is
    shares.meet({"a": 1})
    (part,) = given(shares)["a"]
    assert shares.take(answer("a", part, np.nan), 0.1)


SHARE = Share(1, 0, 8)
GOOD = np.ones(8)


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        "a text",
        b"",
        3,
        [GOOD, 0.1],
        (GOOD,),
        (GOOD, 0.1, 0.1),
        ("a text", 0.1),
        ([1.0] * 8, 0.1),
        (np.ones(1), 0.1),
        (np.ones(9), 0.1),
        (np.ones((8, 1)), 0.1),
        (np.float64(1), 0.1),
        (np.ones(8, np.float32), 0.1),
        (np.ones(8, complex), 0.1),
        (np.array(["x"] * 8), 0.1),
        (np.array([None] * 8), 0.1),
        (np.ma.masked_array(GOOD), 0.1),
        *(
            (GOOD, seconds)
            for seconds in (0.0, -1.0, float("nan"), float("inf"), 1e300, 60.0, 1, True, None, "1")
        ),
    ],
    ids=repr,
)
def test_what_cannot_be_the_result_of_a_share_is_said_to_be_wrong(outcome):
    fault = fault_of(SHARE, outcome, 2.0)
    assert fault
    assert fault.isprintable()


def test_what_can_be_the_result_of_a_share_is_not_said_to_be_wrong():
    for values in (GOOD, np.full(8, np.nan)):
        for seconds in (1e-9, 0.1, 2.0, 2.9):
            assert fault_of(SHARE, (values, seconds), 2.0) == ""


@pytest.mark.parametrize("seed", range(20))
def test_whatever_workers_do_every_place_is_filled_once_and_with_the_right_number(seed):
    """Workers come, go, stop, fail and lie at random; one of this machine comes at last."""
    generator = np.random.default_rng(seed)
    shares = made(chunk=None, total=2000, local=["here"])
    out, now, pending, names = np.zeros(2000), 0.0, [], {f"w{k}": 1 + k % 3 for k in range(5)}
    for step in range(5000):
        if shares.complete:
            break
        now += 0.1
        there = {name: count for name, count in names.items() if step > 300 or generator.random() > 0.01}
        shares.meet(there | ({"here": 1} if step > 200 else {}))
        pending += shares.give(now)
        generator.shuffle(pending)
        for worker, share in [pending.pop() for _ in range(min(len(pending), 3))]:
            kind = (
                "right"
                if worker == "here"
                else generator.choice(["right", "silent", "fails", "nan"], p=[0.9, 0.06, 0.01, 0.03])
            )
            if kind == "fails":
                shares.fail(Failure(worker, share, "failed"))
            elif kind != "silent":
                values = np.arange(share.start, share.stop, dtype=float)
                counts = shares.take(
                    Answer(worker, share, values * (np.nan if kind == "nan" else 1), 0.05), now
                )
                if counts:
                    assert not out[max(share.start, 1) : share.stop].any()
                    out[share.start : share.stop] = values
                assert not (counts and kind == "nan")
        shares.overdue(now)
    assert shares.complete, shares.notes
    assert out.tolist() == [*range(2000)]
