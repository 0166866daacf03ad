"""Settings and conventions of the update on the walk panel, held against what the update did to each parameter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.walk.caption import caption_of
from tui_backprop.render.walk.explanation import closing_lines, convention_lines
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.session.state import Session

ODD = {"momentum": 0.11, "beta1": 0.22, "beta2": 0.33, "rho": 0.44, "epsilon": 5e-5}
NETWORK = NetworkSpec((2, 4, 4, 2), "tanh", dtype="float64", layer_norm=True)
KINDS = {"W": "weights", "b": "biases", "γ": "gains", "β": "shifts"}


def drawn(snapshot, columns=104, rows=60):
    return " ".join(" ".join(plain(row) for row in walk_panel(snapshot, columns, rows, UTF8)).split())


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_an_update_step_has_the_settings_of_its_optimizer_and_no_others(snapshots, name):
    session = Session(NETWORK, "moons", optimizer=OptimizerSpec(name, **ODD))
    text = " ".join(plain(row) for row in closing_lines(snapshots(session)[-1], 100, UTF8))
    for field, shown in zip(ODD, ("μ 0.11", "β₁ 0.22", "β₂ 0.33", "ρ 0.44", "ε 5e-5"), strict=True):
        assert (shown in text) == (field in UPDATE_RULES[name].settings)
    assert "weight decay" not in text


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("name", UPDATE_RULES)
def test_an_update_step_names_the_parameters_that_weight_decay_changed(snapshots, name, everything):
    """The same update without weight decay is the other side of the comparison."""
    usual = Session(NETWORK, "moons", batch=4, optimizer=OptimizerSpec(name))
    decaying = replace(usual, optimizer=OptimizerSpec(name, weight_decay=0.25, decay_bias=everything))
    first, second = (snapshots(session)[-1] for session in (usual, decaying))
    start = first.iteration.before.parameters
    difference = first.iteration.after.parameters - second.iteration.after.parameters
    changed = {
        KINDS[tensor[0]]
        for tensor, at in NETWORK.graph.slices.items()
        if np.any((difference[at] != 0) & (start[at] != 0))
    }
    rows = [" ".join(plain(row).split()) for row in closing_lines(second, 100, UTF8)]
    (said,) = (row for row in rows if "weight decay 0.25 of" in row)
    # Biases and shifts are 0 at first, where decay changes nothing.
    assert changed == {kind for kind in ("weights", "gains") if kind in said.partition(" of ")[2]}
    assert ("biases" in said) == ("gains" in said) == everything
    notes = " ".join(plain(row) for note in convention_lines(second, 100, UTF8) for row in note)
    assert ("acts on weights only" in " ".join(notes.split())) == (not everything)
    assert "note" in drawn(second)


@pytest.mark.parametrize("size", [(46, 34), (46, 20), (78, 20)])
@pytest.mark.parametrize("everything", [True, False])
def test_the_scope_is_there_where_room_is_short(snapshots, size, everything):
    spec = OptimizerSpec("adamw", weight_decay=0.1, decay_bias=everything, clip=0.1)
    text = drawn(snapshots(Session(NETWORK, "moons", optimizer=spec))[-1], *size)
    assert ("only" in text) == (not everything)
    assert "decay 0.1" in text


@pytest.mark.parametrize("l2_bias", [True, False])
def test_the_caption_of_the_penalty_names_the_parameters_whose_squares_are_added(snapshots, l2_bias):
    network = replace(NETWORK, l2=0.1, l2_bias=l2_bias)
    snapshot = next(s for s in snapshots(Session(network, "moons")) if s.step.kind == "penalty")
    iteration = snapshot.iteration
    squares = {
        kind: sum((iteration.tensor(name) ** 2).sum() for name in iteration.new if name[0] == letter)
        for letter, kind in KINDS.items()
    }
    named = KINDS.values() if "biases" in caption_of(snapshot) else ["weights"]
    added = 0.05 * sum(squares[kind] for kind in named)
    assert iteration.loss == pytest.approx(float(iteration.tensor("L0")) + added, rel=1e-13)
    assert ("weights only" in caption_of(snapshot)) == (not l2_bias)
