"""Training: the same bytes for a seed, and the same state whichever way it was reached."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.iteration import TrainingState, Update, mask_stream, run, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import Optimizer, new_slots
from tui_backprop.engine.training.training import Training
from tui_backprop.support.format import format_number

SPEC = NetworkSpec((4, 6, 6, 3), "gelu,relu", layer_norm=True, residual=True, dropout=0.3, l2=0.01)
OPTIMIZERS = (
    OptimizerSpec(),
    OptimizerSpec("momentum", weight_decay=0.1),
    OptimizerSpec("adam", schedule="cosine", warmup=3, horizon=25, clip=0.5, weight_decay=0.01),
    OptimizerSpec("adamw", weight_decay=0.5, decay_bias=False),
)
each_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
PLENTY, T = 10**9, 20


def plan(t):
    """Batches of changing content and size, at a rate that changes by hand."""
    rng = np.random.default_rng(1000 + t)
    n = 1 + t % 3
    return Update(rng.normal(size=(n, 4)).astype(np.float32), rng.integers(3, size=n), 0.1 / (1 + t % 2))


def other_plan(t):
    return replace(plan(t), lr=0.01)


def training(optimizer=OPTIMIZERS[2], limit=PLENTY, spec=SPEC):
    return Training(spec, optimizer, limit)


def bytes_of(state):
    return state.t, state.parameters.tobytes(), {name: slot.tobytes() for name, slot in state.slots.items()}


def forward(optimizer, upto=T, spec=SPEC):
    """Each state from 0 to ``upto``, by hand, in one go."""
    weights = tuple(at for name, at in spec.graph.slices.items() if name[0] == "W")
    decayed = None if optimizer.decay_bias else weights
    w = initial_parameters(spec)
    rule = Optimizer(optimizer, 0.0, spec.parameters, spec.dtype, decayed=decayed)
    states, losses = [bytes_of(TrainingState(0, w, rule.slots))], []
    for t in range(upto):
        update = plan(t)
        program = Program(spec, len(update.x), w)
        losses.append(run(program, update, t))
        rule.lr = update.lr
        rule.apply(w, program.gradient, t)
        states.append(bytes_of(TrainingState(t + 1, w, rule.slots)))
    return states, losses


@each_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_state_is_that_of_passes_and_updates_one_after_the_other(optimizer, dtype):
    spec = replace(SPEC, dtype=dtype)
    right, losses = forward(optimizer, spec=spec)
    seen = []
    trained = training(optimizer, spec=spec)
    assert bytes_of(trained.state(T, plan, lambda done, loss: seen.append((done, loss)))) == right[T]
    assert seen == [*enumerate(losses, 1)]
    assert len({state[1] for state in right}) == T + 1  # it moves


@each_optimizer
def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(optimizer):
    one, same = (training(optimizer).state(T, plan) for _ in range(2))
    other = training(optimizer, spec=replace(SPEC, seed=1)).state(T, plan)
    assert bytes_of(one) == bytes_of(same)
    assert bytes_of(one) != bytes_of(other)


@each_optimizer
@pytest.mark.parametrize("limit", [PLENTY, 0, 40_000], ids=["all kept", "two kept", "some kept"])
def test_a_state_is_the_same_bytes_forward_from_a_checkpoint_and_by_replay(optimizer, limit):
    right, _ = forward(optimizer)
    trained = training(optimizer, limit)
    for t in (5, T, 3, 4, 19, 0, 1, 12, 11, 10, T):
        assert bytes_of(trained.state(t, plan)) == right[t], t
    if limit == 0:
        assert len(trained.checkpoints.iterations) == 2


def test_with_room_for_all_states_going_back_replays_nothing():
    trained, done = training(), []
    trained.state(T, plan)
    for t in range(T + 1):
        trained.state(t, plan, lambda *seen: done.append(seen))
    assert done == []


def test_with_room_for_one_state_going_back_replays_from_the_start():
    trained, done = training(limit=1), []
    trained.state(T, plan)
    trained.state(T - 1, plan, lambda at, loss: done.append(at))
    assert done == [*range(1, T)]


def test_a_training_of_its_own_continues_as_if_it_had_not_stopped():
    at_once = training().state(T, plan)
    in_steps = training()
    for t in range(T + 1):
        last = in_steps.state(t, plan)
    assert bytes_of(last) == bytes_of(at_once)


def test_asking_for_a_state_leaves_the_ones_handed_out_before_alone():
    trained = training()
    states = [trained.state(t, plan) for t in (0, 7, 13)]
    before = [bytes_of(state) for state in states]
    trained.state(T, plan)
    trained.state(9, plan)
    assert [bytes_of(state) for state in states] == before


class Stop(Exception):
    pass


def test_an_exception_from_watch_ends_the_work_and_what_was_reached_stays():
    right, _ = forward(OPTIMIZERS[2])
    trained, done = training(), []

    def watch(at, loss):
        done.append(at)
        if at == 6:
            raise Stop

    with pytest.raises(Stop):
        trained.state(T, plan, watch)
    assert done == [1, 2, 3, 4, 5, 6]
    assert trained.checkpoints.iterations == tuple(range(7))
    assert bytes_of(trained.state(6, plan)) == right[6]
    assert bytes_of(trained.state(T, plan, lambda at, loss: done.append(at))) == right[T]
    assert done[6:] == [*range(7, T + 1)]


def test_an_exception_from_the_plan_leaves_what_was_reached():
    right, _ = forward(OPTIMIZERS[2])
    trained = training()

    def broken(t):
        if t == 4:
            raise Stop
        return plan(t)

    with pytest.raises(Stop):
        trained.state(T, broken)
    assert trained.checkpoints.iterations == (0, 1, 2, 3, 4)
    assert bytes_of(trained.state(T, plan)) == right[T]


@pytest.mark.parametrize("limit", [PLENTY, 0])
def test_half_of_an_update_is_not_kept(limit):
    right, _ = forward(OPTIMIZERS[2])
    trained = training(limit=limit)

    def broken(t):
        return replace(plan(t), x=np.zeros((1, 99)), moved=((0, 1.0),)) if t == 4 else plan(t)

    with pytest.raises(ValueError, match="x has shape"):
        trained.state(T, broken)
    assert bytes_of(trained.state(4, plan)) == right[4]
    assert bytes_of(trained.state(T, plan)) == right[T]


def test_the_last_state_reached_is_kept_however_little_room_there_is():
    trained, done, copied = training(limit=0), [], []
    keep = trained.checkpoints.keep
    trained.checkpoints.keep = lambda t, state: (copied.append(t), keep(t, state))
    trained.state(T, plan)
    assert copied == [T]
    trained.state(T + 1, plan, lambda at, loss: done.append(at))
    assert done == [T + 1]
    assert trained.checkpoints.iterations == (0, T + 1)


def test_no_state_is_copied_twice():
    trained, copied = training(), []
    keep = trained.checkpoints.keep
    trained.checkpoints.keep = lambda t, state: (copied.append(t), keep(t, state))
    trained.state(T, plan)
    assert copied == [*range(1, T + 1)]


def test_after_another_plan_the_states_past_the_change_are_anew():
    right, _ = forward(OPTIMIZERS[2])
    trained = training()
    trained.state(T, plan)
    stale = bytes_of(trained.state(T, other_plan))
    assert stale == right[T]  # kept from the first plan: nobody said that it changed
    trained.forget_after(8)
    assert trained.checkpoints.iterations == tuple(range(9))
    assert bytes_of(trained.state(8, other_plan)) == right[8]
    changed = bytes_of(trained.state(T, other_plan))
    assert changed != right[T]
    from_scratch = training()
    expected = from_scratch.state(T, lambda t: (plan if t < 8 else other_plan)(t))
    assert changed == bytes_of(expected)


@each_optimizer
def test_a_pass_shows_the_very_update_that_training_makes(optimizer):
    trained = training(optimizer)
    for t in (0, 1, 6):
        before, after = trained.state(t, plan), trained.state(t + 1, plan)
        iteration = run_iteration(SPEC, plan(t), before, optimizer)
        assert bytes_of(iteration.after) == bytes_of(after)
        assert bytes_of(iteration.before) == bytes_of(before)


@each_optimizer
def test_a_state_put_in_from_a_pass_is_as_good_as_one_trained(optimizer):
    right, losses = forward(optimizer, 6)
    trained = training(optimizer)
    state = trained.state(0, plan)
    for t in range(5):
        state = run_iteration(SPEC, plan(t), state, optimizer).after
        trained.keep(state)
    done = []
    assert bytes_of(trained.state(6, plan, lambda at, loss: done.append(at))) == right[6]
    assert done == [6]
    assert trained.losses(6, plan) == tuple(losses)


def test_the_first_state_is_the_first_parameters_and_empty_slots():
    state = training(OPTIMIZERS[2]).state(0, plan)
    np.testing.assert_array_equal(state.parameters, initial_parameters(SPEC))
    assert {name: slot.any() for name, slot in state.slots.items()} == {"m": False, "v": False}
    assert new_slots(OPTIMIZERS[0], 5, "float32") == {}


def test_masks_differ_from_one_iteration_to_the_next_and_are_the_same_in_any_replay():
    def masks(t):
        program = Program(SPEC, 3)
        program.draw(mask_stream(SPEC, t))
        return [program.values[name].copy() for name in (mask.name for mask in SPEC.graph.masks)]

    for one, again in zip(masks(5), masks(5), strict=True):
        np.testing.assert_array_equal(one, again)
    assert len({b"".join(mask.tobytes() for mask in masks(t)) for t in range(30)}) == 30


def test_training_lowers_the_loss():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4)).astype(np.float32)
    labels = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    spec = replace(SPEC, dropout=0.0)
    for optimizer, lr in zip(OPTIMIZERS, (0.3, 0.05, 0.03, 0.03), strict=True):
        losses = []
        trained = Training(spec, replace(optimizer, schedule="constant", weight_decay=0.0), PLENTY)
        trained.state(
            150, lambda t, lr=lr: Update(x, labels, lr), lambda done, loss, seen=losses: seen.append(loss)
        )
        assert losses[-1] < 0.4 * losses[0]


def test_one_gradient_is_held_however_many_sizes_of_batches_there_are():
    spec = NetworkSpec((50, 500, 500, 4))
    batches = {n: Update(np.zeros((n, 50), "float32"), np.zeros(n, int), 0.1) for n in range(1, 13)}

    def peak(sizes):
        trained = Training(spec, OptimizerSpec(), 0)
        tracemalloc.start()
        trained.state(12, lambda t: batches[1 + t % sizes])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(12) < peak(1) + 1.5 * 4 * spec.parameters


@pytest.mark.parametrize("limit", [0, PLENTY])
def test_the_first_iteration_that_had_a_bad_number_is_found_once(limit):
    trained = training(limit=limit)
    calls = []

    def spoiled(t):
        calls.append(t)
        update = plan(t)
        return replace(update, x=np.full_like(update.x, np.nan)) if t == 5 else update

    for t in (16, 9, 6):
        bad = trained.first_bad(t, spoiled)
        assert (bad.iteration, bad.value, bad.index) == (5, "x", (0, 0))
        assert bad.why.startswith("first in iteration 5: x[0,0] is NaN")
    assert trained.first_bad(5, spoiled) is None
    assert len(calls) <= 12
    assert training().first_bad(16, plan) is None


def test_a_bad_number_that_leaves_no_trace_in_the_parameters_is_found_too():
    """A batch with an infinite loss and finite gradients, between others."""
    spec = NetworkSpec((1, 1), "identity", "mse", dtype="float32", bias=False)
    trained = Training(spec, OptimizerSpec(), PLENTY)

    def plan_of(t):
        target = 1e20 if t == 3 else 1.0
        return Update(np.ones((1, 1), "float32"), np.full((1, 1), target, "float32"), 1e-30)

    assert np.isfinite(trained.state(8, plan_of).parameters).all()
    bad = trained.first_bad(8, plan_of)
    assert (bad.iteration, bad.value) == (3, "L")
    square = (float(np.float32(1e20)) - float(initial_parameters(spec)[0])) ** 2
    assert f"in float64 it is {format_number(square, sign=True)}" in bad.why


def test_after_another_plan_the_search_begins_again():
    trained = training()
    spoil = lambda at: lambda t: replace(plan(t), x=np.full_like(plan(t).x, np.inf)) if t == at else plan(t)  # noqa: E731
    assert trained.first_bad(12, spoil(7)).iteration == 7
    trained.forget_after(4)
    assert trained.first_bad(12, spoil(9)).iteration == 9
    trained.forget_after(10)
    assert trained.first_bad(12, spoil(9)).iteration == 9
