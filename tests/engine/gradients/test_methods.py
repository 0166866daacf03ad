"""Every gradient method against backprop, and its number of evaluations."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients import batched
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.program import Program

FACTOR = 10  # times a row's own estimate of its error; the worst of them needs 3.2

EXACT = [name for name, row in METHODS.items() if not row.noisy]
STEPS = [name for name, row in METHODS.items() if row.order is not None]
NUDGES = [name for name, row in METHODS.items() if row.count(10, 1) > 2]  # one evaluation after the other
each_method = pytest.mark.parametrize("name", METHODS)
each_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


@pytest.fixture(scope="module")
def problem(calculus):
    return calculus.problem(calculus.everything, 3)


@pytest.fixture
def passes(monkeypatch):
    """How many forward passes have been started, and from which operation on; how many JVPs."""
    started, forward, push = [], Program.forward, ForwardMode.push

    def counted_forward(program, start=0):
        started.append(start)
        return forward(program, start)

    def counted_push(mode):
        started.append("jvp")
        return push(mode)

    monkeypatch.setattr(Program, "forward", counted_forward)
    monkeypatch.setattr(ForwardMode, "push", counted_push)
    return started


@pytest.mark.parametrize("l2_bias", [True, False])
def test_backprop_has_the_penalty_of_the_parameters_that_the_textbook_penalizes(calculus, l2_bias):
    problem = calculus.problem(replace(calculus.everything, l2_bias=l2_bias), 3)
    loss, gradient = calculus.textbook(problem)
    assert float(calculus.run(problem).values["L"]) == pytest.approx(loss, rel=1e-13)
    assert calculus.worst(METHODS["backprop"].gradient(problem), gradient) < 1e-11


@each_dtype
@pytest.mark.parametrize("loss", ["cross-entropy", "binary-cross-entropy", "mse"])
@pytest.mark.parametrize("name", EXACT)
def test_every_method_agrees_with_backprop_within_its_own_error(calculus, name, loss, dtype):
    spec = calculus.everything
    spec = NetworkSpec(**{**spec.__dict__, "loss": loss, "l2_bias": loss == "mse"})
    problem = calculus.problem(spec, 3)
    right = METHODS["backprop"].gradient(problem)
    row, eps = METHODS[name], float(np.finfo(dtype).eps)
    found = row.gradient(problem.in_precision(dtype))
    assert found.dtype == np.float64
    assert np.abs(found - right).max() < FACTOR * sum(row.errors(eps)) * np.abs(right).max()


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "elu"])
def test_every_method_agrees_with_backprop_where_no_unit_is_near_its_kink(calculus, activation, name):
    problem = calculus.problem(NetworkSpec((4, 5, 5, 2), activation, dtype="float64", bias=False), 2, seed=2)
    right, row = METHODS["backprop"].gradient(problem), METHODS[name]
    assert (
        np.abs(row.gradient(problem) - right).max() < FACTOR * sum(row.errors(2**-52)) * np.abs(right).max()
    )


@pytest.mark.parametrize(
    "indices", [None, [], [0], [7, 3, 90, 3, 41], np.arange(93)[::-1]], ids=lambda i: "all" if i is None else len(i)
)  # fmt: skip
@each_method
def test_the_evaluations_are_as_many_as_the_table_says(problem, passes, name, indices):
    row, options = METHODS[name], Options(probes=3)
    number = problem.spec.parameters if indices is None else len(indices)
    counts = [*row.fill(np.zeros(problem.spec.parameters), problem, indices, options)]
    assert (counts or [0])[-1] == row.count(number, 3)
    assert counts == sorted(set(counts))
    whole = passes.count(0)
    if name in ("forward-difference", "central-difference", "complex-step", "spsa"):
        assert len(passes) == whole == row.count(number, 3)
    elif name == "forward-mode":
        assert (passes.count("jvp"), whole) == (number, 1)
    elif name == "batched-difference":
        assert whole == 2  # one of them with copies of the batch
        assert len(passes) - whole <= 10  # tensors
    else:
        assert whole == 1


def test_forward_differences_really_make_a_pass_for_each_parameter_and_central_ones_two(problem, passes):
    P = problem.spec.parameters
    for name, count in (("forward-difference", P + 1), ("central-difference", 2 * P)):
        passes.clear()
        METHODS[name].gradient(problem)
        assert passes == [0] * count


@pytest.mark.parametrize("at_once", [1, 2, 7, 1000])
@pytest.mark.parametrize("name", ["batched-difference", "batched-forward-mode"])
def test_batched_methods_give_the_same_however_many_they_take_at_once(problem, name, at_once):
    row = METHODS[name]
    found = row.gradient(problem, options=Options(at_once=at_once))
    np.testing.assert_allclose(found, row.gradient(problem), rtol=0, atol=FACTOR * sum(row.errors(2**-52)))


@pytest.mark.parametrize(
    "indices", [[], [0], [92], [7, 3, 90, 41, 8, 60], [5, 2, 5, 5]], ids=lambda i: ",".join(map(str, i)) or "none"
)  # fmt: skip
@pytest.mark.parametrize("name", EXACT)
def test_a_subset_in_any_order_is_the_same_as_in_the_whole(problem, name, indices):
    row = METHODS[name]
    whole = row.gradient(problem)
    some = row.gradient(problem, np.array(indices, int))
    assert some.shape == (len(indices),)
    size = np.abs(whole).max()
    np.testing.assert_allclose(some, whole[indices], rtol=0, atol=FACTOR * sum(row.errors(2**-52)) * size)
    out = np.full(problem.spec.parameters, np.nan)
    for _ in row.fill(out, problem, indices):
        pass
    assert np.isfinite(out).nonzero()[0].tolist() == sorted(set(indices))


@each_method
def test_the_caller_s_arrays_stay_as_they_are_even_when_it_stops_in_the_middle(problem, name):
    arrays = (problem.x, problem.target, problem.parameters)
    before, row = [a.copy() for a in arrays], METHODS[name]
    for enough in (1, 2, 10**6):
        evaluations = row.fill(np.zeros(problem.spec.parameters), problem)
        assert [*islice(evaluations, enough)]
        evaluations.close()
        for array, was in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, was)


@pytest.mark.parametrize("name", ["forward-difference", "central-difference", "complex-step", "spsa"])
def test_stopping_early_costs_no_more_evaluations_and_keeps_what_was_found(problem, passes, name):
    row, out = METHODS[name], np.full(problem.spec.parameters, np.nan)
    evaluations = row.fill(out, problem, options=Options(probes=50))
    assert passes == []
    *_, done = islice(evaluations, 5)
    evaluations.close()
    assert len(passes) == done < row.count(problem.spec.parameters, 50)
    if name != "spsa":
        found = np.isfinite(out)
        assert found.tolist() == [i < found.sum() for i in range(len(out))]
        np.testing.assert_array_equal(out[found], row.gradient(problem, found.nonzero()[0]))


@pytest.mark.parametrize("index", [-1, 93, 10**9])
@each_method
def test_an_index_that_is_no_parameter_s_is_refused_before_any_work(problem, passes, name, index):
    assert problem.spec.parameters == 93
    with pytest.raises(IndexError, match="from 0 to 92"):
        METHODS[name].fill(np.zeros(93), problem, [0, index])
    assert passes == []


@pytest.mark.parametrize("step", [0.0, -1e-3, np.nan])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_is_not_positive_is_refused_before_any_work(problem, passes, name, step):
    with pytest.raises(ValueError, match="the step must be positive"):
        METHODS[name].fill(np.zeros(93), problem, options=Options(step=step))
    assert passes == []


@each_dtype
def test_the_best_steps_are_those_of_theory(dtype):
    eps = float(np.finfo(dtype).eps)
    best = {name: row.best_step(dtype) for name, row in METHODS.items()}
    assert best["forward-difference"] == best["batched-difference"] == eps**0.5
    assert best["central-difference"] == best["spsa"] == eps ** (1 / 3)
    assert best["complex-step"] < eps**1.5  # its square has to vanish beside 1, and does
    assert [name for name in best if not best[name]] == ["backprop", "forward-mode", "batched-forward-mode"]
    if dtype == "float64":
        assert best["forward-difference"] == pytest.approx(1.5e-8, rel=0.01)
        assert best["central-difference"] == pytest.approx(6.06e-6, rel=0.01)


@each_dtype
@pytest.mark.parametrize("name", [name for name in STEPS if not METHODS[name].noisy])
def test_the_best_step_is_near_the_optimum_on_a_smooth_network(calculus, name, dtype):
    spec = NetworkSpec((3, 4, 4, 2), "tanh,silu", "mse", dtype="float64")
    problem = calculus.problem(spec, 3)
    right, row = METHODS["backprop"].gradient(problem), METHODS[name]
    best = row.best_step(dtype)

    def error(h):
        found = row.gradient(problem.in_precision(dtype), options=Options(step=h))
        return np.linalg.norm(found - right) / np.linalg.norm(right)

    if name == "complex-step":  # any step will do that is far below round-off
        assert max(error(best), error(100 * best), error(best / 100)) < 4 * np.finfo(dtype).eps
    else:
        assert error(best) < min(error(100 * best), error(best / 100)) / 5


@pytest.mark.parametrize(("name", "order"), [(name, METHODS[name].order) for name in STEPS])
def test_the_error_falls_with_the_power_of_the_step_that_the_table_says(calculus, name, order):
    """One parameter alone, where SPSA too has only its truncation error."""
    problem = calculus.problem(NetworkSpec((3, 4, 2), "tanh", "mse", dtype="float64"), 3)
    right = METHODS["backprop"].gradient(problem)
    at = int(np.abs(right[:12]).argmax())  # a weight of the first layer: in the last one the loss is a square
    error = [
        abs(METHODS[name].gradient(problem, [at], Options(step=h)) - right[at]).item() for h in (0.02, 0.01)
    ]
    assert np.log2(error[0] / error[1]) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("step", [0.1, 1e-3])
def test_batched_differences_are_the_naive_ones_of_the_same_step_truncation_and_all(problem, step):
    naive, batched = (
        METHODS[f"{n}-difference"].gradient(problem, None, Options(step)) for n in ("forward", "batched")
    )
    np.testing.assert_allclose(batched, naive, rtol=1e-9, atol=1e-14 / step)


def test_spsa_of_one_parameter_is_the_central_difference(problem):
    options = Options(step=1e-5)
    for i in (0, 50, 92):
        found, right = (METHODS[n].gradient(problem, [i], options) for n in ("spsa", "central-difference"))
        assert found == pytest.approx(right, rel=1e-6, abs=1e-9)


def test_spsa_s_cosine_to_the_gradient_grows_with_the_probes_as_theory_says(calculus):
    problem = calculus.problem(NetworkSpec((3, 4, 4, 2), "tanh,silu", dtype="float64"), 3)
    right = METHODS["backprop"].gradient(problem)
    P = len(right)
    for probes in (P // 4, P, 4 * P):
        cosines = []
        for seed in range(10):
            found = METHODS["spsa"].gradient(problem, options=Options(probes=probes, seed=seed))
            cosines.append(found @ right / np.linalg.norm(found) / np.linalg.norm(right))
            # The error has about the size √(P / k) of the gradient.
            error = np.linalg.norm(found - right) / np.linalg.norm(right)
            assert error == pytest.approx((P / probes) ** 0.5, rel=0.5)
        assert np.mean(cosines) == pytest.approx((probes / (probes + P)) ** 0.5, rel=0.1)


def test_spsa_is_the_same_for_a_seed_and_another_for_another(problem):
    first, again, other = (METHODS["spsa"].gradient(problem, None, Options(seed=s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    np.testing.assert_allclose(np.abs(first), np.abs(first[0]))  # one probe: the same size everywhere


def test_dropout_masks_are_those_of_the_iteration_in_every_evaluation(calculus):
    problem = calculus.problem(calculus.everything, 3)
    gradients = []
    for t in (0, 1):
        at = type(problem)(problem.spec, problem.x, problem.target, problem.parameters, t)
        gradients.append(METHODS["backprop"].gradient(at))
        for name in ("complex-step", "batched-forward-mode"):
            assert calculus.worst(METHODS[name].gradient(at), gradients[-1]) < 1e-12
    assert not np.allclose(*gradients)


@pytest.mark.parametrize("name", EXACT)
def test_large_parameters_get_large_steps(calculus, name):
    """In single precision 1e5 + 5e-3 is 1e5: a step that did not grow would find nothing at all."""
    problem = calculus.problem(NetworkSpec((2, 3, 2), "tanh", "mse", dtype="float32"), 2)
    parameters = problem.parameters.copy()
    parameters[-2:] = 1e5  # biases of the outputs: the loss is a square in them
    problem = type(problem)(problem.spec, problem.x, problem.target, parameters)
    found = METHODS[name].gradient(problem, [15, 16])
    np.testing.assert_allclose(found, 1e5, rtol=0.01)


@each_dtype
@pytest.mark.parametrize("name", ["forward-difference", "central-difference", "batched-difference"])
def test_a_step_that_is_lost_in_round_off_finds_nothing_and_raises_nothing(calculus, name, dtype):
    problem = calculus.problem(calculus.everything, 2).in_precision(dtype)
    problem = type(problem)(problem.spec, problem.x, problem.target, np.ones_like(problem.parameters))
    found = METHODS[name].gradient(problem, options=Options(step=1e-30))
    if name != "batched-difference":  # its penalty is by formula
        assert not found.any()
    assert np.isfinite(found).all()


@each_method
def test_numbers_that_are_none_show_in_the_gradient_and_warn_of_nothing(calculus, name):
    """pytest makes an error of each warning; the caller's own settings stay as they are meanwhile."""
    problem = calculus.problem(calculus.everything, 2)
    for bad in (np.nan, np.inf, -np.inf):
        parameters = problem.parameters.copy()
        parameters[5] = bad
        spoiled = type(problem)(problem.spec, problem.x, problem.target, parameters)
        settings = np.geterr()
        for _ in METHODS[name].fill(out := np.zeros(93), spoiled):
            assert np.geterr() == settings
        assert not np.isfinite(out).all()


@pytest.mark.parametrize("name", ["batched-difference", "batched-forward-mode"])
def test_batched_methods_take_fewer_at_once_where_a_batch_is_large(name):
    spec = NetworkSpec((20, 100, 100, 10), "tanh")
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(2000, 20)).astype("float32"), rng.integers(10, size=2000)
    problem = Problem(spec, x, target, rng.normal(scale=0.1, size=spec.parameters).astype("float32"))
    where = np.arange(0, spec.parameters, 40)
    tracemalloc.start()
    found = METHODS[name].gradient(problem, where)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * batched.BATCHED_BYTES  # all 312 at once would take 500 MB
    right = METHODS["backprop"].gradient(problem, where)
    np.testing.assert_allclose(found, right, atol=2e-3)
