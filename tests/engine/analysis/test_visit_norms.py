"""Norms of single visits: the terms of a gradient add up to it, and values written over are computed again."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from tui_backprop.engine.analysis import visit_norms as contributions
from tui_backprop.engine.analysis.visit_norms import prepare, written, written_norm
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

EVERYTHING = NetworkSpec(
    (5, 5, 5, 3), "gelu,silu", dtype="float64", layer_norm=True, residual=True, dropout=0.3, l2=0.1
)
NETWORKS = [
    EVERYTHING,
    NetworkSpec((4, 4, 4, 4, 2), "tanh", "mse", dtype="float64", residual=True, bias=False),
]
EACH = pytest.mark.parametrize("spec", NETWORKS, ids=["everything", "no bias"])


def iteration_of(spec, batch=3):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, spec.layers[0])).astype(spec.dtype)
    labels = spec.loss == "cross-entropy"
    target = (
        rng.integers(spec.layers[-1], size=batch) if labels else rng.normal(size=(batch, spec.layers[-1]))
    )
    parameters = initial_parameters(spec)
    parameters += rng.normal(scale=0.1, size=parameters.shape)  # biases start at 0, where u and z are equal
    return run_iteration(spec, Update(x, target, 0.1), TrainingState(0, parameters))


def terms_of(spec):
    """Return the values with several terms, and the visits that write these."""
    visits = spec.graph.backward_visits
    return {v.writes: [each for each in visits if each.writes == v.writes] for v in visits if v.adds}


@EACH
@pytest.mark.parametrize("batch", [1, 32])
def test_the_terms_of_a_gradient_add_up_to_it_and_one_alone_does_not(spec, batch):
    iteration, met = iteration_of(spec, batch), terms_of(spec)
    assert met.keys() == ({"W1", "W2", "W3", "a1"} if spec is EVERYTHING else {"a1", "a2"})
    for value, visits in met.items():
        parts, whole = [written(iteration, visit) for visit in visits], iteration.tensor(f"d{value}")
        assert np.allclose(sum(parts), whole, rtol=1e-13, atol=1e-15)
        assert not any(np.allclose(part, whole) for part in parts)


@EACH
def test_every_backward_visit_writes_its_cotangent_or_a_term_of_it(spec):
    iteration, several = iteration_of(spec), terms_of(spec)
    for visit in spec.graph.backward_visits:
        if visit.writes not in several:
            assert np.allclose(
                written(iteration, visit), iteration.program.cotangents[visit.writes], rtol=1e-13
            )


def test_the_sums_before_the_bias_are_computed_again():
    iteration = iteration_of(EVERYTHING)
    assert EVERYTHING.graph.overwritten == {"u1", "u2", "u3"}
    for visit in EVERYTHING.graph.forward_visits:
        if visit.op.output in EVERYTHING.graph.overwritten:
            a, w = (iteration.tensor(name) for name in visit.op.inputs)
            assert np.array_equal(written(iteration, visit), a @ w)
            assert not np.allclose(a @ w, iteration.program.values[visit.op.output])
            assert written_norm(iteration, visit) == pytest.approx(np.linalg.norm(a @ w))


def test_a_norm_is_that_of_the_array():
    iteration = iteration_of(EVERYTHING)
    for visit in (*EVERYTHING.graph.forward_visits, *EVERYTHING.graph.backward_visits):
        made = (
            written(iteration, visit)
            if visit.of is not None or visit.op.output[0] == "u"
            else iteration.tensor(visit.writes)
        )
        assert written_norm(iteration, visit) == pytest.approx(np.linalg.norm(made))


def test_a_costly_norm_is_there_only_once_it_is_prepared(monkeypatch):
    monkeypatch.setattr(contributions, "COSTLY_FLOPS", 0)
    iteration = iteration_of(EVERYTHING)
    rules = [Visit(op) for op in iteration.program.ops if op.output in EVERYTHING.graph.overwritten]
    rules += [visit for visits in terms_of(EVERYTHING).values() for visit in visits]
    costly = [visit for visit in rules if not contributions.cheap(iteration, visit)]
    assert len(costly) > 8
    assert all(written_norm(iteration, visit) is None for visit in costly)
    prepare(iteration)
    for visit in costly:
        assert written_norm(iteration, visit) == pytest.approx(np.linalg.norm(written(iteration, visit)))


def test_norms_are_released_with_their_iteration():
    gc.collect()
    before = len(contributions._NORMS)
    iteration = iteration_of(EVERYTHING)
    prepare(iteration)
    assert len(contributions._NORMS) == before + 1
    del iteration
    gc.collect()
    assert len(contributions._NORMS) == before
