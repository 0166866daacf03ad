"""Receipts say where they do not add up: in a pass with a wrong rule, and nowhere else."""

from __future__ import annotations

import pytest

from tui_backprop.engine.explain.number import number_of
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.receipts.rows import ReceiptRow
from tui_backprop.engine.explain.receipts.sums import MISSING, balanced, discrepancy
from tui_backprop.engine.explain.walk import walk
from tui_backprop.lesson.bugs import STARTS, bugs_in
from tui_backprop.lesson.start import read_start
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset

GRAINS = ("equation", "operation")
ALL = 99  # units or entries


def unbalanced(session: Session, units: int = 3) -> set[str]:
    """The arrays of a session whose receipts, for the first sample, do not add up."""
    iteration = Replay(0).take(session)
    iteration.prepare()
    return {
        step.tensor
        for step in steps_of(session)
        for unit in range(min((units, *numbered(iteration, step.tensor))))
        if any(row.sign == "≠" for row in receipt_rows(iteration, step, unit))
    }


def numbered(iteration, tensor):
    """How many units or entries of a tensor have a receipt."""
    graph, values = iteration.graph, iteration.tensor(tensor)
    if graph.layered:
        return values.shape[-1:]
    return (values[0].size if graph.per_sample(tensor) else values.size,)


def steps_of(session: Session):
    return [
        step for grain in GRAINS for step in walk(session.network, session.batch, session.optimizer, grain)
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_right_rules_add_up(name):
    assert not unbalanced(from_preset(name), units=2)


@pytest.mark.parametrize("start", STARTS)
def test_a_wrong_rule_is_seen_where_it_is(start):
    every = bugs_in(read_start(start).session)
    missed = [
        bug for bug in every if not unbalanced(bug.wrong_session) and not unbalanced(bug.wrong_session, ALL)
    ]
    # The sign is lost for samples of class 0 alone; the first one is of class 1.
    assert {bug.kind for bug in missed} <= {"sign-lost"}


def test_the_rest_of_a_long_sum_is_that_of_its_terms():
    session = next(
        bug
        for bug in bugs_in(read_start(STARTS[2]).session)
        if bug.kind == "transposed-gradient" and bug.at == "u2"
    ).wrong_session
    found = number_of(Replay(0).take(session), "W2", (2, 0), terms=2)
    *terms, result, missing = found.differentiated.rows
    assert missing.label == MISSING
    assert sum(row.value for row in terms) + missing.value == pytest.approx(result.value)


def test_sums_of_every_form():
    def rows(*given):
        return [ReceiptRow(sign, "", value) for sign, value in given]

    assert discrepancy(rows(("+", 1.0), ("-", 0.5), ("*", 4.0), ("/", 2.0), ("=", 1.0))) == 0
    assert discrepancy(rows(("+", 1.0), ("-", 0.5), ("*", 4.0), ("/", 2.0), ("=", 1.5))) == 0.5
    assert discrepancy(rows(("+", 1e8), ("-", 1e8), ("=", 1.0))) == 0  # rounding
    assert discrepancy(rows(("=", 1.0))) == discrepancy(rows(("+", 1.0), (",", 2.0), ("=", 5.0))) == 0
    assert discrepancy(rows(("+", 1.0), ("=", float("nan")))) == discrepancy(rows(("+", 1.0))) == 0
    two = balanced(rows(("+", 1.0), ("=", 2.0), ("+", 2.0), ("=", 2.0)))
    assert [row.sign for row in two] == ["+", "=", "≠", "+", "="]
