"""The check finds what is wrong, names it, and lets pass what is right.

Here, any rule is spoiled a little; ``tests/engine/mutants`` has it find the rules of wrong ideas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense import graph as dense
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.check import report
from tui_backprop.engine.gradients.check.compare import compare, compare_along
from tui_backprop.engine.gradients.check.directional import ALONG
from tui_backprop.engine.gradients.check.operations import faults
from tui_backprop.engine.gradients.check.report import Verdict
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import ACTIVATIONS, ELEMENTWISE, LOSSES, PRIMITIVES

EVERYTHING = NetworkSpec(
    (4, 5, 5, 5, 3), "tanh,relu,gelu", dtype="float64", layer_norm=True, residual=True, dropout=0.3, l2=0.1
)
SINGLE = {"MATMUL", "BIAS_ADD", "LAYER_NORM", "DROPOUT", "RESIDUAL_ADD", "L2_PENALTY"}


def problem_of(spec, batch=3, seed=0):
    rng = np.random.default_rng(seed)
    outputs = spec.layers[-1]
    labels = LOSSES[spec.loss].labels
    target = rng.integers(outputs, size=batch) if labels else rng.normal(size=(batch, outputs))
    x = rng.normal(size=(batch, spec.layers[0]))
    return Problem(spec, x, target, rng.normal(scale=0.5, size=spec.parameters))


def spec_with(primitive):
    """A network in which a primitive occurs."""
    for name, row in ELEMENTWISE.items():
        if row.name == primitive.name:
            return replace(EVERYTHING, activation=name)
    for name, row in LOSSES.items():
        if row.name == primitive.name:
            return replace(EVERYTHING, loss=name)
    return EVERYTHING


def forget_compiled():
    for cached in (dense.graph_of, walk):
        cached.cache_clear()


@pytest.fixture
def plant(monkeypatch):
    """A function that puts a wrong rule into the table: ``wrong(to)`` spoils what the right one wrote."""

    def planted(primitive, kind, i, wrong):
        rules = primitive.vjps if kind == "vjp" else primitive.jvps

        def rule(to, *arguments):
            rules[i](to, *arguments)
            wrong(to)

        changed = tuple(rule if k == i else right for k, right in enumerate(rules))
        row = replace(primitive, **{f"{kind}s": changed})
        for table in (ELEMENTWISE, LOSSES):
            for name, each in table.items():
                if each is primitive:
                    monkeypatch.setitem(table, name, row)
        for name in SINGLE:
            if getattr(dense, name) is primitive:
                monkeypatch.setattr(dense, name, row)
        forget_compiled()

    yield planted
    monkeypatch.undo()
    forget_compiled()


def scaled(to):
    np.multiply(to, 1.001, out=to)


def one_entry_off(to):
    to.flat[-1] += 0.01


def barely_scaled(to):
    np.multiply(to, 1.0001, out=to)


EVERY_RULE = [
    (primitive, kind, i)
    for primitive in PRIMITIVES
    for kind in ("vjp", "jvp")
    for i in range(len(primitive.vjps))
]
IDS = [f"{primitive.name}-{kind}-{i}" for primitive, kind, i in EVERY_RULE]


@pytest.mark.parametrize("wrong", [barely_scaled, one_entry_off])
@pytest.mark.parametrize(("primitive", "kind", "i"), EVERY_RULE, ids=IDS)
def test_every_wrong_rule_is_found_and_named(plant, primitive, kind, i, wrong):
    problem = problem_of(spec_with(primitive))
    plant(primitive, kind, i, wrong)
    report = compare(problem, entries=None)
    assert not report.passed
    assert {(fault.primitive, fault.rule) for fault in report.faults} == {(primitive.name, kind)}
    named = {(op.block, op.inputs[i]) for op in problem.spec.graph.ops if op.primitive.name == primitive.name}
    assert {(fault.block, fault.of) for fault in report.faults} == named
    works_on_the_gradient = kind == "vjp" and not (i == 0 and primitive.passes_on)
    if wrong is not one_entry_off:  # which may belong to a unit that is dropped or off
        assert any(tensor.failed for tensor in report.tensors) == works_on_the_gradient


@pytest.mark.parametrize(
    "primitive", dict.fromkeys(each for each, _, _ in EVERY_RULE), ids=lambda row: row.name
)
def test_the_networks_of_the_mutants_pass_without_them(primitive):
    assert compare(problem_of(spec_with(primitive)), entries=None).passed


@pytest.mark.parametrize(
    "second", [name for name, row in METHODS.items() if not row.noisy and name != "backprop"]
)
def test_a_wrong_weight_gradient_is_located_with_both_values(plant, second):
    problem = problem_of(NetworkSpec((3, 4, 2), "tanh", dtype="float64"))
    right = METHODS["backprop"].gradient(problem)
    matmul = dense.MATMUL
    plant(
        matmul,
        "vjp",
        1,
        lambda w_bar: np.multiply(
            w_bar, np.where(np.arange(w_bar.size) == 5, 2, 1).reshape(w_bar.shape), out=w_bar
        ),
    )
    report = compare(problem, "backprop", second, entries=None)
    worst = report.tensors[0].worst
    assert (report.tensors[0].tensor, report.tensors[0].failed, worst.index) == ("W1", 1, (1, 1))
    assert worst.first == pytest.approx(2 * right[5])
    assert worst.second == pytest.approx(right[5], rel=1e-6)
    assert worst.error == pytest.approx(0.5, rel=1e-5)
    assert abs(worst.first - worst.second) > worst.allowed


@pytest.mark.parametrize("spec", [EVERYTHING, NetworkSpec((4, 6, 3), "relu", "mse", dtype="float64")])
@pytest.mark.parametrize("first", METHODS)
@pytest.mark.parametrize("second", METHODS)
def test_all_pairs_of_methods_agree_within_what_is_allowed(first, second, spec):
    assert compare(problem_of(spec), first, second, entries=5).passed


@pytest.mark.parametrize("second", ALONG)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_fast_check_passes_the_lesson_s_network(second, dtype):
    spec = NetworkSpec(dtype=dtype)
    rng = np.random.default_rng(0)
    parameters = rng.normal(scale=0.05, size=spec.parameters).astype(dtype)
    problem = Problem(spec, rng.random((1, 784)).astype(dtype), np.array([3]), parameters)
    report = compare_along(problem, second, directions=2)
    assert report.passed
    assert [tensor.checked for tensor in report.tensors] == [2] * 8
    assert report.evaluations <= 1 + 2 * 2 * 8  # where a gradient by differences takes 335,115


@pytest.mark.parametrize("name", ["relu", "tanh"])
@pytest.mark.parametrize("second", ALONG)
def test_the_fast_check_finds_a_wrong_activation(plant, second, name):
    problem = problem_of(NetworkSpec((4, 6, 6, 3), name, dtype="float64"))
    assert compare_along(problem, second).passed
    plant(ELEMENTWISE[name], "vjp", 0, scaled)
    report = compare_along(problem, second)
    assert [tensor.tensor for tensor in report.tensors if tensor.failed][:2] == ["W1", "b1"]


def test_the_fast_check_looks_at_every_tensor(plant):
    problem = problem_of(NetworkSpec((4, 6, 5, 3), "tanh", dtype="float64"))
    plant(dense.MATMUL, "vjp", 1, lambda to: scaled(to) if to.shape == (5, 3) else None)
    report = compare_along(problem, directions=3)
    assert {tensor.tensor: tensor.failed for tensor in report.tensors if tensor.failed} == {"W3": 3}
    assert all(tensor.checked == 3 for tensor in report.tensors)


def test_a_method_without_a_directional_form_is_refused():
    with pytest.raises(ValueError, match="choose from forward-difference"):
        compare_along(problem_of(EVERYTHING), "batched-difference")


def at_a_kink():
    """One unit whose pre-activation is just above zero: a step of 1e-3 takes it across."""
    spec = NetworkSpec((1, 1, 1), "relu", "half-squares", dtype="float64")
    return Problem(spec, np.array([[1.0]]), np.array([[0.0]]), np.array([1e-4, 0.0, 1.0, 5.0]))


@pytest.mark.parametrize("second", ["forward-difference", "central-difference", "batched-difference"])
def test_a_relu_that_flips_within_the_step_is_a_kink_and_no_failure(second):
    report = compare(at_a_kink(), second=second, options=Options(step=1e-3))
    checks = {tensor.tensor: tensor for tensor in report.tensors}
    assert report.passed
    if second == "central-difference":  # the others step away from the kink
        assert checks["W1"].kinks == 1
        assert checks["b1"].kinks == 1
    assert checks["W2"].kinks == checks["b2"].kinks == 0


@pytest.mark.parametrize(
    "methods", [("central-difference", "complex-step"), ("complex-step", "central-difference")]
)
def test_a_kink_is_seen_whichever_of_the_two_methods_takes_the_difference(methods):
    report = compare(at_a_kink(), *methods, options=Options(step=1e-3))
    assert report.passed
    assert [tensor.kinks for tensor in report.tensors] == [1, 1, 0, 0]


def test_a_sharp_bend_makes_a_difference_wrong_and_a_wrong_gradient_still_fails(plant):
    """Normalized sums that differ by little: the loss turns within a hundredth of the step."""
    spec = NetworkSpec((2, 3, 2), "tanh", "half-squares", dtype="float64", bias=False, layer_norm=True)
    parameters = np.array([1.0, 1 + 1e-4, 1 - 1e-4, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 2, -1, 1, 0.5, -2])
    problem = Problem(spec, np.array([[1.0, 0.5]]), np.array([[1.0, -1.0]]), parameters)
    report = compare(problem, entries=None)
    assert report.passed
    assert report.tensors[0].bends > 0
    plant(ELEMENTWISE["tanh"], "vjp", 0, scaled)
    assert compare(problem, entries=None).tensors[0].failed > 0


def test_where_both_methods_take_differences_a_kink_may_spoil_both():
    report = compare(at_a_kink(), "central-difference", "forward-difference", options=Options(step=1e-3))
    assert report.passed
    assert [tensor.kinks for tensor in report.tensors] == [1, 1, 0, 0]


@pytest.mark.parametrize("factor", [0.5, -3.0])
def test_a_kink_within_the_step_excuses_no_wrong_gradient(plant, factor):
    problem = at_a_kink()
    plant(ELEMENTWISE["relu"], "vjp", 0, lambda to: np.multiply(to, factor, out=to))
    report = compare(problem, options=Options(step=1e-3))  # the step does cross the kink
    assert [tensor.failed for tensor in report.tensors][:2] == [1, 1]
    assert not any(tensor.kinks for tensor in report.tensors)


def test_what_is_infinite_agrees_with_nothing(monkeypatch):
    def infinite(out, problem, where, h, options):
        out[where] = np.inf
        yield 1

    monkeypatch.setitem(METHODS, "forward-mode", replace(METHODS["forward-mode"], rule=infinite))
    report = compare(problem_of(NetworkSpec((3, 4, 2), "tanh", dtype="float64")), second="forward-mode")
    assert all(tensor.failed == tensor.checked for tensor in report.tensors)


@pytest.mark.parametrize("second", ["complex-step", "forward-mode", "batched-forward-mode"])
def test_a_huge_loss_excuses_nothing_where_no_losses_are_subtracted(plant, second):
    """The loss is 5e31 here, and the gradient that is wrong far below its round-off, and a thousandth of that
    of the next layer."""
    spec = NetworkSpec((2, 2, 1), "tanh", "half-squares", dtype="float32")
    parameters = np.array([0.1, 0.2, 0.3, 0.4, 0, 0, 1e-3, 1e-3, 0], "float32")
    x, target = np.ones((1, 2), "float32"), np.array([[1e16]], "float32")
    problem = Problem(spec, x, target, parameters)
    assert compare(problem, second=second, entries=None).passed
    plant(ELEMENTWISE["tanh"], "vjp", 0, lambda to: np.multiply(to, 0, out=to))
    report = compare(problem, second=second, entries=None)
    assert [tensor.failed for tensor in report.tensors][:2] == [4, 2]


def test_the_same_difference_without_a_kink_is_a_failure(plant):
    problem = at_a_kink()
    plant(ELEMENTWISE["relu"], "vjp", 0, scaled)
    report = compare(problem, options=Options(step=1e-6))  # too small to reach the kink
    assert [tensor.failed for tensor in report.tensors] == [1, 1, 0, 0]
    assert all(tensor.kinks == 0 for tensor in report.tensors)


def test_all_units_at_the_kink_are_no_wrong_gradient():
    spec = NetworkSpec((3, 4, 2), "relu", dtype="float64", bias=True)
    problem = Problem(
        spec, np.zeros((1, 3)), np.array([0]), np.random.default_rng(0).normal(size=spec.parameters)
    )
    parameters = problem.parameters.copy()
    parameters[12:16] = 0  # b1, so that every z1 is exactly 0
    report = compare(replace(problem, parameters=parameters), entries=None)
    assert report.passed
    assert {tensor.tensor: tensor.kinks for tensor in report.tensors}["b1"] == 4


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_fails(value):
    problem = problem_of(NetworkSpec((3, 4, 2), "tanh", dtype="float64"))
    problem.parameters[-1] = value
    report = compare(problem)
    assert not report.passed


def test_a_sample_has_the_largest_gradients_and_as_many_at_random_as_asked(monkeypatch):
    problem = problem_of(NetworkSpec((30, 20, 10), "tanh", dtype="float64"))
    gradient = np.abs(METHODS["backprop"].gradient(problem))
    asked, right = [], METHODS["backprop"].rule
    monkeypatch.setitem(
        METHODS,
        "backprop",
        replace(METHODS["backprop"], rule=lambda *given: asked.append(given[2]) or right(*given)),
    )
    report = compare(problem, entries=8)
    assert [tensor.checked for tensor in report.tensors] == [8, 8, 8, 8]
    seen = []
    compare(problem, second="complex-step", entries=8, watch=lambda done, of: seen.append((done, of)))
    assert seen[-1] == (33 + 4, 33 + 4)  # judging a tensor counts, too
    assert report == compare(problem, entries=8)  # the same sample for the same seed
    for place in problem.spec.graph.slices.values():
        chosen = [i for i in asked[0].tolist() if place.start <= i < place.stop]
        largest = place.start + np.argsort(-gradient[place])[:4]
        assert set(largest.tolist()) < set(chosen)
        assert len(set(chosen)) == 8


@pytest.mark.parametrize("step", [1e-300, 1e-320, 1e10])
@pytest.mark.parametrize("second", ["forward-difference", "central-difference"])
def test_a_step_that_hides_everything_passes_nothing_as_ok(second, step):
    report = compare(problem_of(EVERYTHING), second=second, options=Options(step=step))
    assert {tensor.verdict for tensor in report.tensors} <= {Verdict.NOT_TOLD_APART, Verdict.ARTIFACT}


def test_a_step_that_overflows_fails():
    report = compare(problem_of(EVERYTHING), options=Options(step=1e200))
    assert not report.passed
    assert report.named(Verdict.NOT_FINITE)


def test_a_noisy_method_is_held_to_its_noise(plant):
    problem = problem_of(NetworkSpec((4, 8, 3), "tanh", dtype="float64"))
    norm = np.linalg.norm(METHODS["backprop"].gradient(problem))
    report = compare(problem, second="spsa", options=Options(probes=400))
    assert report.passed
    assert all(tensor.worst.allowed < 0.31 * norm for tensor in report.tensors)
    plant(ELEMENTWISE["tanh"], "vjp", 0, lambda to: np.multiply(to, 30, out=to))
    assert not compare(problem, second="spsa", options=Options(probes=400)).passed


def test_overflow_is_said_and_no_rule_is_accused():
    problem = problem_of(NetworkSpec((4, 6, 6, 3), "relu", dtype="float64"))
    report = compare(replace(problem, parameters=problem.parameters * 1e200))
    assert not report.passed
    assert report.faults == ()
    assert 0 < report.overflowed < report.operations
    assert "overflows float64" in report.bad


def test_watching_can_cancel():
    def stop(done, of):
        if done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(problem_of(EVERYTHING), watch=stop)


def test_tolerances_can_be_set():
    problem = problem_of(EVERYTHING)
    assert not compare(problem, rtol=0, atol=1e-30).passed
    assert compare(problem, rtol=1, atol=1).passed


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_operations_are_right_also_at_extreme_values(name):
    problem = problem_of(replace(EVERYTHING, activation=name))
    assert faults(replace(problem, parameters=100 * problem.parameters))[0] == ()


def test_the_number_of_passes_of_a_check_depends_on_its_entries_alone(monkeypatch):
    """As many entries in twice the layers take as many passes; progress counts on to the end."""
    passes, forward = [], Program.forward
    monkeypatch.setattr(Program, "forward", lambda self, *part: passes.append(1) or forward(self, *part))

    def count(depth, entries):
        passes.clear()
        watched = []
        problem = problem_of(NetworkSpec((2, *(3,) * (depth - 1), 2), "tanh", dtype="float64"))
        compare(problem, entries=entries, watch=lambda *seen: watched.append(seen))
        assert watched[-1][0] == watched[-1][1]
        return len(passes)

    assert count(20, 1) == count(10, 2)


def test_the_entry_closest_to_its_limit_is_looked_for_once_among_all_tensors(monkeypatch):
    """Looking for it once for each tensor takes the square of their number: most of the time of deep networks."""
    looked = []
    monkeypatch.setattr(report, "_used", lambda entry, used=report._used: looked.append(entry) or used(entry))
    problem = problem_of(NetworkSpec((3, *[2] * 20, 2), "tanh", "mse", bias=False))
    found = compare(problem, entries=1)
    assert found.closest is not None
    assert len(looked) <= 2 * len(found.tensors)
