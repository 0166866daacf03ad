"""Bugs to find: each is caught by check, at its block; the state of a search, its hints and its end."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.gradients.check.compare import compare
from tui_backprop.engine.mutants.table import RULES_BY_NAME
from tui_backprop.lesson.bug_hunt import HINTS, Hunt, hints, summary, verdict
from tui_backprop.lesson.bugs import STARTS, bug_of, bugs_in, kinds_in, passed, problem_of
from tui_backprop.lesson.start import read_start
from tui_backprop.session.replay import Replay

EVERY = 100  # entries of a tensor: nearly all, so that a row of an embedding is among them
SESSIONS = [read_start(start).session for start in STARTS]


@pytest.mark.parametrize("session", SESSIONS, ids=STARTS)
def test_check_passes_a_network_without_a_bug_and_catches_every_bug_in_it_at_its_block(session):
    assert compare(problem_of(session), entries=3).passed
    every = bugs_in(session)
    assert len({bug.kind for bug in every}) >= 8
    assert len({bug.block for bug in every}) == session.network.graph.depth
    for bug in every:
        report = compare(bug.problem, entries=EVERY)
        assert not report.passed
        assert any(tensor.failed for tensor in report.tensors), bug
        assert {fault.block for fault in report.faults} == {bug.block}, bug


def test_bugs_differ_by_seed_and_are_the_same_for_one():
    found = [bug_of(seed) for seed in range(12)]
    assert found == [bug_of(seed) for seed in range(12)]
    assert len({bug.kind for bug in found}) >= 6
    assert len({bug.block for bug in found}) >= 3


def test_the_app_can_show_a_bug_in_a_session():
    bug = bug_of(2)
    iteration = Replay(0).take(bug.wrong_session)
    np.testing.assert_array_equal(iteration.program.gradient, passed(bug.problem).gradient)
    right = Replay(0).take(bug.session)
    assert iteration.loss == right.loss
    assert not np.allclose(iteration.program.gradient, right.program.gradient)
    session = bug.wrong_session
    shown = walk(session.network, session.batch, session.optimizer)
    assert len(shown) == len(walk(bug.session.network, session.batch, session.optimizer))


@pytest.mark.parametrize("seed", range(6))
def test_no_other_bug_has_the_same_gradient(seed):
    bug = bug_of(seed)
    own = passed(bug.problem).gradient
    for other in bugs_in(bug.session):
        same = np.allclose(passed(other.problem).gradient, own, rtol=1e-3)
        assert same == (other == bug)
    assert bug.kind in kinds_in(bug)


def other_kind(bug):
    return next(kind for kind in kinds_in(bug) if kind != bug.kind)


def elsewhere_than(bug):
    return next(block for block in (1, 2, 3) if block not in bug.blocks)


def test_the_layer_that_check_names_and_that_of_the_step_both_count():
    bug = next(bug for bug in bugs_in(SESSIONS[0]) if bug.kind == "through-the-gradient" and bug.at == "u3")
    assert (bug.block, bug.blocks) == (3, {2, 3})  # W3 is of layer 3; da2 is a part of the step of layer 2
    assert [visit.writes for visit in bug.visits] == ["a2"]


def test_a_bug_is_found_by_naming_layer_and_kind_together():
    hunt = Hunt(1)
    bug, elsewhere = hunt.bug, elsewhere_than(hunt.bug)
    assert verdict(hunt) == ""
    hunt = hunt.naming(elsewhere, other_kind(bug))
    assert verdict(hunt) == f"Neither the {bug.session.network.part} nor the kind is right."
    hunt = hunt.naming(elsewhere, bug.kind)
    assert verdict(hunt) == f"The kind is right, but {bug.title(elsewhere)} is not where the bug is."
    hunt = hunt.naming(bug.block, other_kind(bug))
    assert verdict(hunt) == f"The bug is in {bug.title()}, but it is of another kind."
    assert not hunt.found  # both were named, but never together
    hunt = hunt.naming(bug.block, bug.kind)
    assert hunt.found
    assert verdict(hunt).startswith(f"Found: {bug.title()}. ")
    assert summary(hunt).startswith("Found at attempt 4, in ")
    assert hunt.naming(9, "no-slope") == hunt.hinted() == hunt.using("walk") == hunt.after(5) == hunt


def test_what_was_shown_earns_nothing():
    solved = [
        hunt.naming(hunt.bug.block, hunt.bug.kind) for hunt in (Hunt(1, hints=n) for n in range(HINTS + 1))
    ]
    assert [hunt.earned for hunt in solved] == [("block", "kind"), ("block", "kind"), ("kind",), ()]
    assert summary(solved[0]).endswith("Hints: 0 of 3.")
    assert summary(solved[2]).endswith("Hints: 2 of 3. The layer was shown.")
    assert summary(solved[3]).endswith("Hints: 3 of 3. The layer and the kind were shown.")
    assert Hunt(1).earned == ()


def test_time_and_instruments_are_told():
    hunt = Hunt(1).using("walk").using("check").using("walk").after(30).after(-5).after(402)
    assert summary(hunt) == "Not found yet. Instruments used: check, walk. Hints: 0 of 3."
    assert "in 7.20 min" in summary(hunt.naming(hunt.bug.block, hunt.bug.kind))


@pytest.mark.parametrize("seed", range(8))
def test_hints_come_in_three_grades_and_are_true(seed):
    hunt = Hunt(seed)
    assert hints(hunt) == ()
    for _ in range(HINTS + 2):
        hunt = hunt.hinted()
    where, formula, number = hints(hunt)
    bug = hunt.bug
    right, wrong = passed(problem_of(bug.session)), passed(bug.problem)
    graph = right.graph
    listed = where.partition(" Right: ")[0].removeprefix("Wrong: ").rstrip(".").split(", ")
    assert listed == [
        graph.gradient_of(name)
        for name in graph.parameters
        if not np.allclose(right.cotangents[name], wrong.cotangents[name], rtol=1e-9, atol=1e-12)
    ]
    assert formula.startswith(f"Look at {bug.title()}. There, ")
    assert " = " in formula
    good, bad = (float(each.replace("−", "-").replace(",", "")) for each in _two(number))
    assert good != bad


def _two(number):
    _, _, rest = number.partition(" should be ")
    good, _, bad = rest.rstrip(".").partition("; it is ")
    return good, bad


def test_kinds_are_rules_of_the_table():
    for session in SESSIONS:
        assert {bug.kind for bug in bugs_in(session)} <= RULES_BY_NAME.keys()
