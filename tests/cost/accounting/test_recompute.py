"""The gradient with less kept: it is equal, its counts are right, and nothing that is not kept is used."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from tui_backprop.cost.accounting import recompute as module
from tui_backprop.cost.accounting.ledger import kept_bytes, ledger
from tui_backprop.cost.accounting.recompute import (
    LEAST_RUNS,
    LONGEST_RUN,
    MOST_RUNS,
    RETENTIONS,
    Retention,
    recompute,
    stages,
    steps,
)
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.support.errors import UserError

ALL, VALUES_AGAIN, DELTAS_AGAIN, BOTH_AGAIN = RETENTIONS
SPECS = [
    NetworkSpec((6, 5, 5, 4, 3), "relu"),
    NetworkSpec((3, 2), dtype="float64"),
    NetworkSpec((1, 1, 1), "tanh", "mse", bias=False),
    NetworkSpec((4, 9, 2, 6, 3), "identity", "half-squares"),
    NetworkSpec((4, 5, 5, 5, 3), "silu", "binary-cross-entropy", residual=True),
    NetworkSpec((4, 5, 5, 3), "gelu,relu", layer_norm=True, residual=True, dropout=0.3, l2=0.1),
]
EACH = pytest.mark.parametrize("spec", SPECS, ids=str)
KEPT = pytest.mark.parametrize("kind", RETENTIONS)


def quick(iteration, kind):
    return recompute(iteration, kind, 0.0)


# --- the same gradient ------------------------------------------------------------------------------------


@KEPT
@EACH
@pytest.mark.parametrize("batch", [1, 3, 32])
def test_the_gradient_is_the_same_to_the_last_bit(calculus, spec, kind, batch):
    iteration = calculus.take(calculus.problem(spec, batch), iterations=2)
    assert quick(iteration, kind).same
    run = module._Run(iteration, RETENTIONS[kind])
    run._once(np.inf)
    assert np.array_equal(run.program.gradient, iteration.program.gradient)


@KEPT
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_no_activation_and_no_loss_needs_what_is_not_kept(calculus, activation, loss, kind):
    assert quick(calculus.take(calculus.problem(NetworkSpec((3, 4, 4, 2), activation, loss), 2)), kind).same


def planted(monkeypatch, change):
    """The steps with an error in them."""
    monkeypatch.setattr(module, "steps", lambda *of: change(list(steps(*of))))


@pytest.mark.parametrize("kind", [VALUES_AGAIN, BOTH_AGAIN])
@EACH
def test_a_forward_pass_that_is_one_operation_too_short_is_seen(calculus, monkeypatch, spec, kind):
    iteration = calculus.take(calculus.problem(spec, 3))
    way = stages(spec, 3)
    for at, stage in enumerate(way):
        for name, part in stage.items():
            if part.forward and (at, name) in {step[1:] for step in steps(way, 99, RETENTIONS[kind])}:
                planted(
                    monkeypatch,
                    lambda rows, at=at, name=name: [(f - (step == [at, name]), *step) for f, *step in rows],
                )
                assert not quick(iteration, kind).same, (at, name)


@pytest.mark.parametrize("kind", [DELTAS_AGAIN, BOTH_AGAIN])
def test_a_walk_back_that_leaves_out_a_step_is_seen(calculus, monkeypatch, kind):
    iteration = calculus.take(calculus.problem(SPECS[0], 3))
    whole = list(steps(stages(SPECS[0], 3), 99, RETENTIONS[kind]))
    for n in range(len(whole)):
        if whole[n][1]:  # the walk begins with the loss, and with forgetting
            planted(monkeypatch, lambda rows, n=n: rows[:n] + rows[n + 1 :])
            assert not quick(iteration, kind).same, whole[n]


@KEPT
def test_a_gradient_of_zero_has_to_be_found_too(calculus, monkeypatch, kind):
    given = calculus.problem(NetworkSpec((3, 4, 2), "tanh"), 2)
    given.parameters[16:] = 0  # of the second layer, so that nothing reaches the first
    iteration = calculus.take(given)
    assert not iteration.tensor("dW1").any()
    assert quick(iteration, kind).same
    planted(monkeypatch, lambda rows: rows[:-1])
    assert not quick(iteration, kind).same


@pytest.mark.parametrize("kind", [VALUES_AGAIN, BOTH_AGAIN])
@EACH
def test_nothing_but_what_is_held_is_used(calculus, monkeypatch, spec, kind):
    """Arrays of the forward pass that a step does not declare are filled with NaN before its backward visits."""
    iteration = calculus.take(calculus.problem(spec, 3))
    run = module._Run(iteration, RETENTIONS[kind])
    right = iteration.program.gradient
    most = 0
    for forward, at, name in run.steps():
        run._forget_values()
        if forward:
            run.program.forward(0, forward)
        part, read = run.stages_back[at][name], 0
        before = run.program.gradient.copy()
        floats = [
            a
            for op in run.program.ops
            for a in (run.program.values[op.output], *run.program.caches[op.output])
        ]
        for array in {id(a): a for a in floats if a.dtype.kind == "f"}.values():
            held = array.copy()
            gradient = _walk(run, part)
            array.fill(np.nan)
            found = _walk(run, part)
            np.copyto(array, held)
            constant = array.size and (held == held.flat[0]).all() and held.flat[0] in (0, 1, 3)
            read += array.nbytes * (found != gradient and not constant)
        assert read <= part.bytes
        most = max(most, read)
        np.copyto(run.program.gradient, before)
        _walk(run, part)
    masks = 4 * sum(a.size for n, a in run.program.values.items() if n[0] == "m")
    assert np.array_equal(run.program.gradient, right)
    assert run.held() == most + masks


def _walk(run, part):
    """Return the results of the visits of a part, as bytes."""
    for rule, arguments in run.program.backward_calls(part.visits):
        with np.errstate(all="ignore"):
            rule(*arguments)
    return b"".join(run.program.cotangents[visit.writes].tobytes() for visit in part.visits)


# --- what it takes ----------------------------------------------------------------------------------------


@KEPT
@EACH
@pytest.mark.parametrize("batch", [1, 4])
def test_macs_are_those_of_the_products_that_are_run(calculus, monkeypatch, spec, kind, batch):
    iteration = calculus.take(calculus.problem(spec, batch))
    run = module._Run(iteration, RETENTIONS[kind])
    macs = calculus.products(monkeypatch)
    run.calls = [
        {name: run.program.backward_calls(p.visits) for name, p in stage.items()} for stage in run.stages_back
    ]
    run._once(np.inf)
    assert sum(macs) == run.counted()[2]


def by_hand(weights, kind):
    """MACs of a network with ReLUs and these weights in its layers, for one sample."""
    layers, total = range(len(weights)), 0
    values, deltas = RETENTIONS[kind].values, RETENTIONS[kind].deltas
    top = len(weights) - 1
    total += sum(weights) * values
    for k in reversed(layers):
        total += weights[k]  # dW
        behind = weights[
            k + 1 :
        ]  # deltas come through these, or through the next one from where they are kept
        total += sum(behind[:1] if deltas else behind)
    if not values:
        up_to = [sum(weights[: k + 1]) for k in layers]  # forward to z of each layer
        reads = [up_to[k] if k < top else sum(weights[:top]) for k in layers]  # z and a, or the last a alone
        if deltas:
            total += sum(weights) + sum(reads)
        else:  # for each layer: the loss, each z on the way, and its own
            total += sum(sum(weights) + sum(up_to[j] for j in range(k + 1, top)) + reads[k] for k in layers)
    return total


@KEPT
@pytest.mark.parametrize("layers", [(784, 256, 256, 256, 10), (5, 4), (5, 4, 3), (2, 3, 4, 5, 6, 7)], ids=str)
def test_macs_are_those_of_a_count_by_hand(calculus, kind, layers):
    spec = NetworkSpec(layers)
    found = quick(calculus.take(calculus.problem(spec, 2)), kind)
    assert found.macs == 2 * by_hand([i * o for i, o in spec.fans], kind)


def test_the_lessons_network_with_less_kept(calculus):
    iteration = calculus.take(calculus.problem(NetworkSpec(), 1))
    found = {kind: quick(iteration, kind) for kind in RETENTIONS}
    assert found[ALL].macs == sum(share.macs for share in ledger(NetworkSpec(), 1).total.costs) == 802_304
    assert {kind: (each.passes, each.backward_passes) for kind, each in found.items()} == {
        ALL: (1, 1),
        VALUES_AGAIN: (5, 1),  # for the loss, and for each layer
        DELTAS_AGAIN: (1, 4),  # for the parameters of each layer
        BOTH_AGAIN: (11, 4),  # the loss 4 times, z3 3 times, z2 twice, z1, and a3 for dW4
    }
    assert [found[kind].macs for kind in RETENTIONS] == [802_304, 1_932_800, 872_960, 3_936_256]
    assert found[ALL].held == found[DELTAS_AGAIN].held == 6_184
    assert found[VALUES_AGAIN].held == found[BOTH_AGAIN].held == 2 * 4 * 256  # a layer's z and what came in


@EACH
def test_less_kept_holds_less_and_takes_more(calculus, spec):
    iteration = calculus.take(calculus.problem(spec, 3))
    found = {kind: quick(iteration, kind) for kind in RETENTIONS}
    assert found[ALL].held == found[DELTAS_AGAIN].held == sum(kept_bytes(spec, 3).values())
    assert found[VALUES_AGAIN].held <= found[ALL].held
    assert found[BOTH_AGAIN].held <= found[VALUES_AGAIN].held
    if spec.depth > 2:
        assert found[BOTH_AGAIN].held < found[ALL].held
        assert found[ALL].macs < min(found[VALUES_AGAIN].macs, found[DELTAS_AGAIN].macs)
        assert found[BOTH_AGAIN].macs > max(found[VALUES_AGAIN].macs, found[DELTAS_AGAIN].macs)
    assert found[ALL].macs == sum(share.macs for share in ledger(spec, 3).total.costs)


def test_a_single_layer_has_nothing_to_compute_again(calculus):
    iteration = calculus.take(calculus.problem(NetworkSpec((5, 4)), 2))
    assert {
        (r.passes, r.backward_passes, r.macs, r.held) for r in (quick(iteration, kind) for kind in RETENTIONS)
    } == {(1, 1, 80, 32)}


def test_a_penalty_costs_no_forward_pass_of_its_own(calculus):
    for kind in RETENTIONS:
        plain, with_it = (
            quick(calculus.take(calculus.problem(NetworkSpec((5, 4, 4, 3), l2=l2), 2)), kind)
            for l2 in (0.0, 0.5)
        )
        assert (plain.passes, plain.backward_passes, plain.macs) == (
            with_it.passes,
            with_it.backward_passes,
            with_it.macs,
        )


# --- time, and what is left alone --------------------------------------------------------------------------


def clock(monkeypatch, tick):
    """Each look at the clock takes ``tick`` seconds."""
    ticks = count()
    monkeypatch.setattr(module, "perf_counter", lambda: next(ticks) * tick)


@pytest.mark.parametrize(("tick", "runs"), [(1e-9, MOST_RUNS), (1e-2, LEAST_RUNS)])
def test_a_run_is_timed_again_and_again(calculus, monkeypatch, tick, runs):
    iteration = calculus.take(calculus.problem(NetworkSpec((3, 4, 2)), 1))
    clock(monkeypatch, tick)
    found = recompute(iteration, ALL, 0.02)
    assert found.runs == runs
    looks = 1 + 3  # one after each step: the loss and two layers
    assert found.seconds == pytest.approx(looks * tick)


def test_what_takes_too_long_is_broken_off_and_its_time_projected(calculus, monkeypatch):
    spec = NetworkSpec((3, *[4] * 30, 2), "tanh")
    iteration = calculus.take(calculus.problem(spec, 1))
    clock(monkeypatch, LONGEST_RUN / 100)
    run = module._Run(iteration, RETENTIONS[BOTH_AGAIN])
    every = list(run.steps())
    assert len(every) > 400
    ran = [forward + len(run.calls[at][name]) for forward, at, name in every]
    found = recompute(iteration, BOTH_AGAIN, 0.02)
    assert (found.runs, found.same) == (0, True)
    first = next(
        n
        for n in (98, 99, 100, 101)
        if found.seconds == pytest.approx((n + 1) / 50 * sum(ran) / sum(ran[:n]))
    )
    assert first
    whole = recompute(iteration, ALL, 0.02)
    assert whole.runs > 0


def test_an_unfinished_run_still_compares_what_it_found(calculus, monkeypatch):
    iteration = calculus.take(calculus.problem(NetworkSpec((3, *[4] * 30, 2), "tanh"), 1))
    clock(monkeypatch, LONGEST_RUN)
    assert quick(iteration, BOTH_AGAIN).same
    planted(monkeypatch, lambda rows: [(0, *step) for _, *step in rows])
    assert not quick(iteration, BOTH_AGAIN).same


@KEPT
def test_the_pass_is_bit_for_bit_what_it_was(calculus, kind):
    iteration = calculus.take(calculus.problem(SPECS[-1], 3))
    arrays = [*iteration.program.arrays(), iteration.before.parameters, iteration.after.parameters]
    before = [array.tobytes() for array in arrays]
    quick(iteration, kind)
    assert [array.tobytes() for array in arrays] == before


@KEPT
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_numbers_that_are_none_come_out_the_same_and_without_a_warning(calculus, kind, value):
    given = calculus.problem(NetworkSpec((3, 4, 4, 2), "tanh"), 2)
    given.parameters[5] = value
    with np.errstate(all="raise"):
        assert quick(calculus.take(given), kind).same


def test_an_unknown_kind_is_refused_with_the_choices(calculus):
    with pytest.raises(
        UserError, match=r"kind: invalid value \"half kept\"; choose from everything kept, .*, nothing kept"
    ):
        recompute(calculus.take(calculus.problem(SPECS[0], 1)), "half kept")


def test_the_calls_of_a_deep_network_are_made_once_for_each_layer(calculus, monkeypatch):
    made, real = [], Program.backward_calls
    monkeypatch.setattr(
        Program, "backward_calls", lambda self, visits: made.append(visits) or real(self, visits)
    )
    iteration = calculus.take(calculus.problem(NetworkSpec((2, *[2] * 25, 2), "tanh"), 1))
    made.clear()
    assert quick(iteration, BOTH_AGAIN).backward_passes == 26
    assert len(made) == 3 * (26 + 1)


def test_the_first_kind_keeps_everything():
    assert RETENTIONS[ALL] == Retention(True, True)
