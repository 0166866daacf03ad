"""Mutants: what they change, what they leave, and that ``check`` finds each of them and names its operations."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.mutants.networks import (
    CONV,
    GPT,
    RNN,
    dense,
    expression,
    images,
    iterations,
    problem_of,
    tokens,
)
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.gradients.check.compare import compare
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.mutants.model import MutantModel, mutate
from tui_backprop.engine.mutants.table import MUTANTS, RULES, RULES_BY_NAME
from tui_backprop.engine.network.model import Model

each_rule = pytest.mark.parametrize("mutant", RULES, ids=lambda row: row.name)


def gradient(iteration, mutant=None):
    return METHODS["backprop"].gradient(problem_of(iteration, mutant))


def changed_by(mutant):
    """Iterations whose gradient a mutant changes by more than round-off, with the operations that are wrong."""
    for iteration in iterations():
        sites = mutant.sites(iteration.graph, iteration.lr)
        right = gradient(iteration)
        if sites and np.abs(gradient(iteration, mutant) - right).max() > 1e-5 * np.abs(right).max():
            yield iteration, sites


@each_rule
def test_check_finds_every_mutant_wherever_it_changes_a_gradient_and_names_its_operations(mutant):
    found = list(changed_by(mutant))[:2]
    assert found
    for iteration, sites in found:
        report = compare(problem_of(iteration, mutant), entries=5)
        assert not report.passed
        assert any(tensor.failed for tensor in report.tensors)
        assert {fault.rule for fault in report.faults} == {"vjp"}
        named = {iteration.graph.by_output[output].primitive.name for output in sites}
        assert {fault.primitive for fault in report.faults} <= named


def test_check_passes_these_networks_without_a_mutant():
    for iteration in iterations():
        assert compare(problem_of(iteration), entries=5).passed


@each_rule
def test_a_mutant_changes_the_way_back_alone(mutant):
    for iteration in iterations():
        spec = MutantModel(iteration.spec, mutant, iteration.lr)
        problem = problem_of(iteration, mutant)
        assert float(problem.program().forward()) == iteration.loss
        assert spec.graph.values == iteration.graph.values
        assert [visit.writes for visit in spec.graph.backward_visits] == [
            visit.writes for visit in iteration.graph.backward_visits
        ]
        forward_mode = METHODS["forward-mode"].gradient(problem)
        np.testing.assert_allclose(forward_mode, gradient(iteration), rtol=1e-9, atol=1e-12)


def test_a_mutant_at_one_operation_leaves_the_others_right():
    iteration = dense((3, 4, 4, 2), "tanh")
    mutant = RULES_BY_NAME["no-slope"]
    assert mutant.sites(iteration.graph, 0.1) == ("a1", "a2")
    wrong = mutate(iteration.graph, mutant, at=("a1",))
    kept = [op.output for op, right in zip(wrong.ops, iteration.graph.ops, strict=True) if op is right]
    assert [op.output for op in wrong.ops if op.output not in kept] == ["a1"]


def test_a_mutant_is_walked_as_any_model_is():
    iteration = dense((3, 4, 2), "tanh")
    spec = MutantModel(iteration.spec, RULES_BY_NAME["no-slope"])
    assert [step.tensor for step in walk(spec, 3)] == [step.tensor for step in walk(iteration.spec, 3)]


def test_a_mutant_stays_one_when_its_settings_change():
    model = MutantModel(dense((3, 4, 2), "tanh", l2=0.1).spec, RULES_BY_NAME["no-slope"])
    others = model.in_precision("float32"), model.at_inference(), model.changed(seed=5), model.to_inputs(True)
    for other in others:
        assert other.mutant is model.mutant
        assert other.model != model.model
        assert other.graph.by_output["a1"].primitive is not other.model.graph.by_output["a1"].primitive
    protocol = {name for name in vars(Model) if not name.startswith("_")}
    assert {name for name in protocol if not hasattr(model, name)} == set()
    returning_itself = {
        name for name in protocol if "Self" in str(getattr(vars(Model)[name], "__annotations__", ""))
    }
    assert returning_itself <= vars(MutantModel).keys()


def test_names_are_unique_and_each_clause_completes_a_sentence():
    assert len(MUTANTS) == len({row.about for row in MUTANTS.values()}) >= 40
    for row in MUTANTS.values():
        assert row.about.split()[0] in ("with", "without", "if"), row.about
        assert not row.about.endswith(".")


# --- numbers that can be had by hand -----------------------------------------------------------------------

TWO_PATHS = "u = 3*w\nL = u*x + u*y", "w=1, x:=2, y:=5"  # dL/dw = 3 (2 + 5)


@pytest.mark.parametrize(
    ("name", "text", "let", "number"),
    [
        ("last-path-only", *TWO_PATHS, 6),
        ("first-path-only", *TWO_PATHS, 15),
        ("counted-twice", *TWO_PATHS, 36),
        ("own-factor", "L = w*x", "w=3, x:=7", 3),
        ("sign-lost", "L = x - w", "w=3, x:=7", 1),
        ("loss-as-seed", "L = w*x", "w=3, x:=7", 147),
        ("zero-before-backward", "L = w*x", "w=3, x:=7", 0),
        ("zero-weight-zero-gradient", "L = w*x", "w=0, x:=7", 0),
        ("no-slope", "u = exp(w)\nL = 2*u", "w=1", 2),
        ("slope-at-output", "u = sin(w)\nL = u", "w=2", np.cos(np.sin(2))),
        ("composition-is-product", "u = sin(w)\nv = exp(u)\nL = v", "w=2", np.cos(2) * np.exp(2)),
        ("slope-from-error", "u = sin(w)\nL = 5*u", "w=2", 5 * np.cos(5)),
        ("sum-not-mean", "L = mean(w*x)", "w=1, x:=[1, 2, 3]", 6),
    ],
)  # fmt: skip
def test_the_number_of_a_mutant(name, text, let, number):
    assert gradient(expression(text, let), RULES_BY_NAME[name])[0] == pytest.approx(number)


def by_name(iteration, mutant):
    return iteration.graph.views(gradient(iteration, RULES_BY_NAME[mutant]))


def test_the_numbers_of_mutants_of_a_dense_network():
    iteration = dense((3, 4, 2), "tanh", "mse")
    a, p, n = iteration.tensor("a1"), iteration.tensor("z2"), 3
    t, w = iteration.tensor("t"), iteration.tensor("W2")
    x, delta = iteration.tensor("x"), iteration.tensor("δ2")
    error = p - t
    np.testing.assert_allclose(by_name(iteration, "error-is-delta")["W2"], a.T @ error / n)
    np.testing.assert_allclose(by_name(iteration, "target-minus-output")["W2"], -a.T @ delta)
    np.testing.assert_allclose(by_name(iteration, "sum-not-mean")["W2"], n * (a.T @ delta))
    np.testing.assert_allclose(by_name(iteration, "mean-twice")["b2"], delta.sum(0) / n)
    np.testing.assert_allclose(by_name(iteration, "no-slope")["W1"], x.T @ (delta @ w.T))
    later = w - iteration.lr * (a.T @ delta)
    np.testing.assert_allclose(
        by_name(iteration, "updated-later-weights")["b1"], ((delta @ later.T) * (1 - a * a)).sum(0)
    )
    back = delta @ (a.T @ delta).T
    np.testing.assert_allclose(by_name(iteration, "through-the-gradient")["b1"], (back * (1 - a * a)).sum(0))


def test_the_numbers_of_mutants_of_attention():
    iteration = tokens(GPT)
    scores, weights, back = (iteration.tensor(name) for name in ("C1", "A1", "dA1"))
    d = GPT.width // GPT.heads
    np.testing.assert_allclose(wrong(iteration, "softmax-diagonal", "C1"), back * weights * (1 - weights))
    p = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    unmasked = p * (back - (back * p).sum(-1, keepdims=True))
    found = wrong(iteration, "no-causal-mask", "C1")
    np.testing.assert_allclose(found, unmasked)
    assert np.abs(found[0, 0, 0, 1:]).min() > 0 == np.abs(iteration.tensor("dC1")[0, 0, 0, 1:]).max()
    np.testing.assert_allclose(wrong(iteration, "no-constant-factor", "S1"), iteration.tensor("dC1"))
    np.testing.assert_allclose(
        wrong(iteration, "no-constant-factor", "Q1"), iteration.tensor("dQ1") * np.sqrt(d)
    )


def wrong(iteration, mutant, value):
    """The gradient by a value with a mutant."""
    program = problem_of(iteration, RULES_BY_NAME[mutant]).program()
    program.forward()
    program.backward()
    return program.cotangents[value]


def test_the_numbers_of_mutants_of_weights_that_every_position_uses():
    iteration = tokens(GPT)
    stream, back = iteration.tensor("n1"), iteration.tensor("dq1")
    np.testing.assert_allclose(wrong(iteration, "last-use-only", "Wq1"), stream[:, -1].T @ back[:, -1])
    np.testing.assert_allclose(
        wrong(iteration, "mean-of-uses", "Wq1"), iteration.tensor("dWq1") / GPT.context
    )
    rows = iteration.tensor("de")
    last = wrong(iteration, "last-use-only", "E")
    np.testing.assert_allclose(last[1], rows[0, -1])
    np.testing.assert_allclose(last[2:], 0)


def test_the_numbers_of_mutants_of_a_kernel():
    iteration = images(CONV)
    x, back, right = iteration.tensor("X"), iteration.tensor("du1"), iteration.tensor("dW1")
    assert back.shape == (3, 2, 4, 4)
    corner = np.einsum("no,nchw->ochw", back[:, :, 3, 3], x[:, :, 3:, 3:])
    np.testing.assert_allclose(wrong(iteration, "last-use-only", "W1"), corner)
    np.testing.assert_allclose(wrong(iteration, "mean-of-uses", "W1"), right / 16)
    np.testing.assert_allclose(wrong(iteration, "mean-of-uses", "b1"), iteration.tensor("db1") / 16)


def test_the_numbers_of_mutants_of_weights_that_every_step_uses():
    iteration = tokens(RNN)
    terms = [iteration.tensor(f"h{t}").T @ iteration.tensor(f"du{t + 1}") for t in (1, 2, 3)]
    np.testing.assert_allclose(iteration.tensor("dWh"), sum(terms))
    np.testing.assert_allclose(wrong(iteration, "last-use-only", "Wh"), terms[-1])
    np.testing.assert_allclose(wrong(iteration, "mean-of-uses", "Wh"), sum(terms) / 3)


def test_mutants_of_the_loss_divide_by_the_positions_that_have_a_target():
    iteration = tokens(GPT)
    p, back, counted = iteration.tensor("p"), iteration.tensor("dz"), 6
    np.testing.assert_allclose(wrong(iteration, "sum-not-mean", "z"), back * counted)
    np.testing.assert_allclose(wrong(iteration, "probability-is-delta", "z")[0], p[0] / counted)
    np.testing.assert_allclose(wrong(iteration, "probability-is-delta", "z")[1, 2:], 0)
    only = wrong(iteration, "only-target", "z")
    assert np.count_nonzero(only) == counted
    np.testing.assert_allclose(only[0, 0, 1], back[0, 0, 1])
