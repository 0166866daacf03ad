"""What is equally large is shown as several: gradients, samples, paths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.cost.accounting.path_counts import paths
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.blame import ranking_notes
from tui_backprop.render.panels.number import number_panel
from tui_backprop.render.panels.parameter_path import path_lines
from tui_backprop.render.panels.sample_pulls import pull_table
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.tui.panels.number import PANEL

TWINS = Session(NetworkSpec((2, 4, 2), init="constant:0.5"), "moons", sample=2)
SESSIONS = {"twins": TWINS, "lesson": Session(), "xor": from_preset("xor")}


def words(lines):
    return " ".join(" ".join(plain(row) for row in lines).split())


@pytest.mark.parametrize("name", SESSIONS)
def test_a_ranking_says_how_many_of_its_first_are_tied(name):
    pass_ = Replay().take(SESSIONS[name])
    ranked = ranking(pass_, "gradient", 100)
    scores = np.sort(
        np.abs(np.concatenate([pass_.tensor(f"d{n}").ravel() for n in ("W1", "b1", "W2", "b2")]))
    )
    if name != "lesson":  # which has further layers
        ties = int((scores == scores[-1]).sum())
        assert sum(each.score == ranked[0].score for each in ranked) == ties
    ties = sum(each.score == ranked[0].score for each in ranked)
    assert (f"the first {ties} are tied" in words(ranking_notes(pass_.graph, ranked, 200, UTF8))) == (
        ties > 1
    )


@pytest.mark.parametrize("name", SESSIONS)
def test_a_gradient_that_others_share_has_all_their_ranks(name):
    session = SESSIONS[name]
    pass_ = Replay().take(session)
    first = ranking(pass_, "gradient", 1)[0]
    session = having(session, number=(first.tensor, first.index))
    snapshot = Snapshot(session, steps_of(session), pass_)
    larger = PANEL.query.find(snapshot, Replay())
    sizes = np.abs(pass_.program.gradient)
    ties = int((sizes == sizes.max()).sum())
    ranks = f"tied for 1 to {ties}" if ties > 1 else "1"
    assert f" {ranks} of {session.network.parameters:,} by size" in words(
        number_panel(snapshot, larger, 90, 60, UTF8)
    )


def test_samples_with_the_same_gradient_are_counted():
    same = replace(TWINS, batch=600, sample=0)
    pass_ = Replay().take(same)
    found = parameter_detail(pass_, ranking(pass_, "gradient", 1)[0])
    _, *rows = pull_table(same, found)
    gradients = np.array([each.gradient for each in found.sample_gradients])
    for (_, top, *_), sign in zip(rows, (-1, 1), strict=True):
        side = gradients[gradients * sign > 0]
        ties = int((np.abs(side) == np.abs(side).max()).sum())
        assert top.partition(" ")[2] == (f"(+{ties - 1})" if ties > 1 else "")
    assert "(+" in rows[0][1] + rows[1][1]


def test_a_path_among_equally_large_ones_is_one_of_them():
    pass_ = Replay().take(TWINS)
    found = parameter_detail(pass_, ranking(pass_, "gradient", 1, 2)[0])
    assert plain(path_lines(TWINS, found, 60, 20, several=False)[0]) == "the only path to the loss"
    pass_ = Replay().take(replace(TWINS, network=replace(TWINS.network, layers=(2, 4, 4, 2))))
    tied = replace(found, path_ties=8, attribution=replace(found.attribution, tensor="W1", index=(0, 0)))
    session = replace(TWINS, network=pass_.spec)
    count = paths(session.network, "W1").paths
    assert (
        plain(path_lines(session, tied, 60, 20, several=False)[0])
        == f"1 of 8 largest of {count} paths to the loss"
    )
