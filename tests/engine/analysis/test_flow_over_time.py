"""The gradient over the steps of a recurrent network, and the terms of a parameter that every step reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.analysis.value_flow import value_flow
from tui_backprop.engine.explain.number import number_of
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.frontends.rnn.spec import RnnSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.recurrence import blocks_that_read, repeated_blocks
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

SPEC = RnnSpec(vocabulary=5, hidden=4, context=6)


def taken(spec=SPEC, batch=1, scale=1.0, last=6):
    """Return an iteration on random tokens, whose targets end after position ``last``."""
    rng = np.random.default_rng(4)
    x, t = (rng.integers(spec.vocabulary, size=(batch, spec.context)) for _ in range(2))
    t[:, last:] = -1
    parameters = initial_parameters(spec) * scale
    return run_iteration(spec, Update(x.astype(spec.dtype), t, 0.1), TrainingState(0, parameters))


def test_steps_in_time_are_the_blocks_that_read_the_same_parameters():
    graph = SPEC.graph
    assert [graph.blocks[k].title for k in repeated_blocks(graph)] == [f"step {t}" for t in range(1, 7)]
    assert len(blocks_that_read(graph, "Wh")) == 5
    assert blocks_that_read(graph, "U") == ()


@pytest.mark.parametrize("spec", [ConvSpec(), GptSpec(), GptSpec(tied=True), GptSpec(depth=2)])
def test_other_graphs_repeat_no_block(spec):
    assert repeated_blocks(spec.graph) == ()


@pytest.mark.parametrize("batch", [1, 3])
def test_the_gradient_of_a_state_is_what_its_loss_and_the_next_step_give(batch):
    """dL/dh_t = dL/dh_t by its own output + du_(t+1) Whᵀ."""
    iteration = taken(batch=batch)
    steps = value_flow(iteration).steps
    wh = iteration.tensor("Wh")
    for t, each in enumerate(steps, 1):
        assert each.gradient == f"dh{t}"
        assert each.norm == pytest.approx(np.linalg.norm(iteration.tensor(f"dh{t}")), rel=1e-12)
        back = iteration.tensor(f"du{t + 1}") @ wh.T if t < 6 else np.zeros(1)
        assert each.carried == pytest.approx(np.linalg.norm(back), rel=1e-12, abs=1e-15)


def test_steps_without_a_target_after_them_have_no_gradient_and_no_factor():
    found = value_flow(taken(last=3))
    assert [bool(each.norm) for each in found.steps] == [True] * 3 + [False] * 3
    assert len(found.factors) == 2


def test_small_weights_make_it_vanish_and_large_ones_of_relu_explode():
    assert value_flow(taken(scale=0.1)).growth < 1e-3
    wide = replace(SPEC, hidden=16, activation="relu")
    assert value_flow(taken(wide, scale=6.0)).growth > 10


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("index", [(0, 0), (3, 1)])
def test_terms_of_a_shared_weight_are_named_by_step_the_largest_first(batch, index):
    iteration = taken(batch=batch)
    found = number_of(iteration, "Wh", index, terms=9)
    *rows, end = found.differentiated.rows
    assert len(rows) == 5
    assert sorted(row.label.partition(":")[0] for row in rows) == [f"step {t}" for t in range(2, 7)]
    sizes = [abs(row.value) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(row.value for row in rows) == pytest.approx(end.value, rel=1e-12)
    for row in rows:
        t = int(row.label.partition(":")[0].split()[1])
        h, du = iteration.tensor(f"h{t - 1}")[:, index[0]], iteration.tensor(f"du{t}")[:, index[1]]
        assert row.value == pytest.approx(float(h @ du), rel=1e-12)


def test_of_many_terms_the_rest_is_one_row_and_the_formula_is_folded():
    found = number_of(taken(), "Wh", (0, 0), terms=2)
    assert [row.label for row in found.differentiated.rows[2:]] == ["3 more terms", "dWh[0,0]"]
    step = found.differentiated.step
    assert " + ... + " in step.formula
    assert all(name in step.formula for name, _ in step.operands)
