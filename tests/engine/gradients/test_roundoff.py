"""What is allowed covers cancellation and kinks, and stays sharp enough to catch a wrong gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.arrays.norms import cosine
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.check.compare import compare, compare_along
from tui_backprop.engine.gradients.check.report import Verdict
from tui_backprop.engine.gradients.check.roundoff import round_off
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import ACTIVATIONS, LOSSES

EXACT = ("complex-step", "forward-mode", "batched-forward-mode")


def problem_of(spec, batch, scale, seed, offset=0.0):
    rng = np.random.default_rng(seed)
    x = (offset + rng.normal(size=(batch, spec.layers[0]))).astype(spec.dtype)
    outputs = spec.layers[-1]
    labels = LOSSES[spec.loss].labels
    # as many of each class, so that residuals cancel where outputs are equal
    target = np.arange(batch) % outputs if labels else rng.random((batch, outputs)).astype(spec.dtype)
    return Problem(spec, x, target, (scale * rng.normal(size=spec.parameters)).astype(spec.dtype))


def random_problem(seed, dtype=None):
    """A random network, among them tiny and large parameters, whose terms cancel or overwhelm each other."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 4))
    layers = (*(int(n) for n in rng.integers(1, 8, depth)), int(rng.integers(2, 6)))
    spec = NetworkSpec(
        layers,
        ",".join(rng.choice(list(ACTIVATIONS), depth - 1)) if depth > 1 else "relu",
        str(rng.choice(list(LOSSES))),
        dtype=dtype or str(rng.choice(["float32", "float64"])),
        layer_norm=bool(rng.random() < 0.3),
        residual=bool(rng.random() < 0.3),
        l2=float(rng.choice([0, 0.1])),
    )
    return problem_of(spec, int(rng.choice([1, 3, 8, 64])), float(10 ** rng.uniform(-6, 1)), seed)


CANCELING = [
    # a mean over equal activations and residuals of both signs: a₁ᵀ(p − t) cancels to 1e-7 of its terms
    problem_of(NetworkSpec((2, 3, 2), "softplus", dtype="float64"), 8, 1e-6, 0),
    problem_of(NetworkSpec((2, 5, 2), "sigmoid", dtype="float64"), 64, 1e-8, 1),
    # pre-activations of 1e6 that cancel; and a layer norm of sums that differ by 1e-6 of themselves
    problem_of(NetworkSpec((8, 4, 3), "tanh", "mse", dtype="float64"), 4, 1.0, 2, offset=1e6),
    problem_of(NetworkSpec((4, 6, 3), "gelu", dtype="float64", layer_norm=True), 4, 0.5, 3, offset=1e6),
]


@pytest.mark.parametrize("second", EXACT)
@pytest.mark.parametrize("problem", CANCELING, ids=range(len(CANCELING)))
def test_terms_that_cancel_fail_no_check(problem, second):
    assert compare(problem, second=second, entries=None).passed
    assert compare(problem.in_precision("float32"), second=second, entries=None).passed


@pytest.mark.parametrize("size", [1e-3, 1e-4])
@pytest.mark.parametrize("problem", CANCELING[:2], ids=range(2))
def test_terms_that_cancel_hide_no_wrong_gradient(monkeypatch, problem, size):
    right = METHODS["backprop"].rule

    def wrong(out, problem, where, h, options):
        yield from right(out, problem, where, h, options)
        out *= 1 + size

    monkeypatch.setitem(METHODS, "backprop", replace(METHODS["backprop"], rule=wrong))
    report = compare(problem, second="forward-mode", entries=None)
    assert all(tensor.failed == tensor.checked for tensor in report.tensors)


@pytest.mark.parametrize("second", EXACT)
def test_random_networks_pass(second):
    for seed in range(60):
        report = compare(random_problem(seed), second=second)
        assert report.passed or not report.finite, seed


@pytest.mark.parametrize("size", [1e-3, 1e-4])
@pytest.mark.parametrize("second", ["central-difference", "complex-step", "forward-mode"])
def test_a_relative_error_of_any_tensor_is_caught_or_the_tensor_is_not_ok(monkeypatch, second, size):
    """In double precision, in random networks: the check is blind nowhere without stating it."""
    right, caught, open_ = METHODS["backprop"].rule, 0, 0

    def wrong(out, problem, where, h, options):
        yield from right(out, problem, where, h, options)
        out *= 1 + size

    for seed in range(24):
        problem = random_problem(seed, "float64")
        before = compare(problem, second=second)
        with monkeypatch.context() as patch:
            patch.setitem(METHODS, "backprop", replace(METHODS["backprop"], rule=wrong))
            after = compare(problem, second=second)
        for old, new in zip(before.tensors, after.tensors, strict=True):
            if old.verdict is Verdict.OK and old.detectable < size / 2:
                assert new.failed, (seed, old.tensor)
                caught += 1
            elif old.verdict is Verdict.OK:
                open_ += 1
    assert caught > (3 if METHODS[second].subtracts else 10) * open_  # differences lose more to truncation


def test_round_off_is_at_least_what_a_sum_in_another_order_differs_by():
    """dW = aᵀ δ, summed in exact order by math.fsum against numpy's own sum."""
    problem = CANCELING[1].in_precision("float32")
    program = problem.program()
    program.forward()
    program.backward()
    a, delta = (program.values["a1"], program.cotangents["z2"])
    exact = a.astype(float).T @ delta.astype(float)
    terms = np.abs(a.astype(float)).T @ np.abs(delta.astype(float))
    found = round_off(problem, lambda gradient: gradient).derivatives
    w2 = found[15:25].reshape(exact.shape)
    assert (np.abs(program.cotangents["W2"] - exact) <= w2).all()
    eps = np.finfo("float32").eps
    assert (w2 >= 0.05 * eps * terms).all()  # terms, not their sum
    assert (w2 <= 200 * eps * terms).all()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loss_that_rounds_to_zero_fails_no_check(loss, dtype):
    spec = NetworkSpec((2, 2), loss=loss, dtype=dtype)
    target = np.array([0]) if LOSSES[loss].labels else np.array([[1.0, 0.0]], dtype)
    sure = 8.5 if dtype == "float32" else 19.0
    if LOSSES[loss].probabilities:
        parameters = np.array([0.0, 0.0, 0.0, 0.0, sure, -sure], dtype)
    else:
        parameters = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 0.0], dtype)
    problem = Problem(spec, np.ones((1, 2), dtype), target, parameters)
    for second in ("central-difference", "forward-difference", "complex-step", "forward-mode"):
        report = compare(problem, second=second)
        assert report.passed, second
        subtracts = METHODS[second].subtracts
        if subtracts and loss == "cross-entropy":  # ln(1 + e^-17) is 0 there, and so is the quotient
            assert report.loss == 0
            assert {tensor.verdict for tensor in report.tensors} == {Verdict.NOT_TOLD_APART}
            assert not any(tensor.bends for tensor in report.tensors)


@pytest.mark.parametrize("second", ["forward-difference", "central-difference", "batched-difference", *EXACT])
@pytest.mark.parametrize("before", ["elu", "tanh", "gelu", "softplus", "identity"])
@pytest.mark.parametrize("kink", ["relu", "leaky-relu"])
def test_an_input_of_exactly_zero_is_no_failure(kink, before, second):
    """All of x is 0, and so are the biases: every input of the kink is 0, or that of softplus times weights."""
    spec = NetworkSpec((2, 3, 3, 2), f"{before},{kink}", dtype="float64", bias=True)
    problem = problem_of(spec, 2, 0.7, 4)
    parameters = problem.parameters.copy()
    for start, size in ((6, 3), (18, 3)):
        parameters[start : start + size] = 0
    problem = replace(problem, parameters=parameters, x=0 * problem.x)
    report = compare(problem, second=second, entries=None)
    assert report.passed
    if second in EXACT:
        assert not any(tensor.kinks or tensor.bends for tensor in report.tensors)
    assert compare_along(problem, directions=3).passed


def test_a_wrong_rule_at_a_kink_is_still_caught(monkeypatch):
    """Of an input of exactly 0, no slope but that of the pass's branch passes, whatever the quotient finds."""
    spec = NetworkSpec((2, 3, 3, 2), "elu,relu", dtype="float64")
    problem = problem_of(spec, 2, 0.7, 4)
    problem.x[0] = 0
    problem.parameters[[6, 7, 8, 18, 19, 20]] = 0
    right = METHODS["backprop"].rule

    def wrong(out, problem, where, h, options):
        yield from right(out, problem, where, h, options)
        out[18:21] *= 1.001

    monkeypatch.setitem(METHODS, "backprop", replace(METHODS["backprop"], rule=wrong))
    for second in ("central-difference", "complex-step"):
        assert {t.tensor for t in compare(problem, second=second).tensors if t.failed} == {"b2"}


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1.0, 1e200])
def test_the_cosine_is_between_its_bounds_and_right_for_small_angles(scale):
    rng = np.random.default_rng(0)
    for angle in (0.0, 1e-9, 1e-6, 0.3, 1.5, 3.0, np.pi):
        u = rng.normal(size=50)
        u /= np.linalg.norm(u)
        v = rng.normal(size=50)
        v -= (v @ u) * u
        v /= np.linalg.norm(v)
        found = cosine(scale * u, np.cos(angle) * u + np.sin(angle) * v)
        assert -1 <= found <= 1
        assert found == pytest.approx(np.cos(angle), abs=1e-15)
        assert 1 - found == pytest.approx(2 * np.sin(angle / 2) ** 2, rel=1e-6, abs=1e-16)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_the_cosine_of_zero_or_of_what_is_not_finite_is_undefined(bad):
    assert cosine(np.array([bad, 0.0]), np.array([1.0, 2.0])) is None
    assert cosine(np.array([1.0, 2.0]), np.array([0.0, bad])) is None


def test_options_change_the_draws_and_not_the_scale():
    problem = CANCELING[0]
    one, other = (round_off(problem, lambda gradient: gradient, seed) for seed in (0, 1))
    ratio = one.derivatives / other.derivatives
    assert ((ratio > 0.1) & (ratio < 10)).all()
    assert compare(problem, second="forward-mode", options=Options(seed=5)).passed
