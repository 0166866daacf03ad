"""A program: what its arrays are, how cotangents add up, and what feeding, drawing and restarting do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.program import Program


def tiny(spec, **parameters):
    """A program with these parameters by name, and zeros for the others."""
    program = Program(spec, 1, np.zeros(spec.parameters))
    for name, value in parameters.items():
        spec.graph.views(program.parameters)[name][...] = value
    return program


def run(program, x, target):
    program.feed(np.array([x], float), np.array([target], float))
    loss = float(program.forward())
    program.backward()
    return loss, {name: program.cotangents[name].tolist() for name in program.spec.graph.parameters}


def test_the_cotangents_of_a_residual_connection_add_up():
    """a1 = w1 x, a2 = w2 a1 + a1, z = w3 a2, L = (z − t)² / 2 with x = 2, t = 10, w = 3, 5, 7.

    a1 = 6, a2 = 36, z = 252, δ3 = 242; dw3 = 242 · 36; da2 = 242 · 7 = 1694 = δ2; dw2 = 1694 · 6;
    da1 = 1694 · 5 + 1694 (through w2 and past it) = 10164; dw1 = 10164 · 2.
    """
    spec = NetworkSpec(
        (1, 1, 1, 1), "identity", "half-squares", dtype="float64", bias=False, residual=True
    )  # a1 has a residual connection too: the input is one wide
    program = tiny(spec, W1=3 - 1, W2=5, W3=7)  # w1 x + x
    loss, gradient = run(program, [2.0], [10.0])
    assert loss == 242**2 / 2
    assert gradient == {"W1": [[20328.0]], "W2": [[10164.0]], "W3": [[8712.0]]}
    assert program.cotangents["a1"].item() == 10164


def test_the_cotangents_of_an_l2_penalty_add_up():
    """z = w2 w1 x, L = (z − t)² / 2 + ½ λ (w1² + w2²): x = 2, t = 1, w = 3, 5, λ = 0.5."""
    spec = NetworkSpec((1, 1, 1), "identity", "half-squares", dtype="float64", bias=False, l2=0.5)
    program = tiny(spec, W1=3, W2=5)
    loss, gradient = run(program, [2.0], [1.0])
    assert loss == 29**2 / 2 + 0.25 * (9 + 25)
    assert float(program.values["L0"]) == 29**2 / 2
    assert gradient == {"W1": [[29 * 5 * 2 + 0.5 * 3]], "W2": [[29 * 3 * 2 + 0.5 * 5]]}


def test_biases_gains_and_shifts_are_not_penalized(calculus):
    problem = calculus.problem(calculus.everything, 2)
    free = replace(problem, spec=replace(problem.spec, l2=0.0))
    more = calculus.run(problem).gradient - calculus.run(free).gradient
    for name, array in problem.spec.graph.views(more).items():
        w = problem.spec.graph.views(problem.parameters)[name]
        np.testing.assert_allclose(array, 0.1 * w if name[0] == "W" else 0, atol=1e-15)


def test_every_cotangent_is_written_before_it_is_added_to(calculus):
    """What the buffers held before does not matter: NaN in all of them changes nothing."""
    program = calculus.run(calculus.problem(calculus.everything, 3))
    loss, gradient = float(program.values["L"]), program.gradient.copy()
    made = {op.output for op in program.ops}
    for name in made:
        program.values[name].fill(np.nan)
    for name, array in program.cotangents.items():
        if name not in ("L", *(f"L{k}" for k in range(3))):
            array.fill(np.nan)
    assert float(program.forward()) == loss
    np.testing.assert_array_equal(program.backward(), gradient)


def test_a_second_pass_gives_the_same_to_the_last_bit(calculus):
    program = calculus.run(calculus.problem(calculus.everything, 3))
    gradient = program.gradient.copy()
    for _ in range(3):
        program.forward()
        np.testing.assert_array_equal(program.backward(), gradient)


def test_values_and_gradients_are_views_of_one_flat_vector_each(calculus):
    program = calculus.run(calculus.problem(calculus.everything, 2))
    flat = np.arange(program.spec.parameters, dtype=float)
    program.parameters[:] = flat
    for of, whole in (
        ((program.values[name] for name in program.spec.graph.parameters), program.parameters),
        ((program.cotangents[name] for name in program.spec.graph.parameters), program.gradient),
    ):
        arrays = [*of]
        assert all(np.shares_memory(array, whole) for array in arrays)
        np.testing.assert_array_equal(np.concatenate([array.ravel() for array in arrays]), whole)
    assert [*program.spec.graph.parameters][:5] == ["W1", "b1", "γ1", "β1", "W2"]


def test_every_value_and_cotangent_has_the_shape_that_is_foretold(calculus):
    program = calculus.run(calculus.problem(calculus.everything, 3))
    for name, shape in program.spec.graph.shapes(3).items():
        assert program.values[name].shape == shape, name
    for name, cotangent in program.cotangents.items():
        assert cotangent.shape == program.shapes[name], name
    assert not {"x", "t", "m1", "λ"} & program.cotangents.keys()


def test_each_visit_s_cotangent_is_complete_before_it_is_used(calculus):
    spec, done = calculus.everything, {"L"}
    visits = spec.graph.backward_visits
    for at, visit in enumerate(visits):
        assert visit.op.output in done
        assert visit.adds == (visit.writes in done)
        done.add(visit.writes)
        later = visits[at + 1 :]
        if any(other.writes == visit.writes for other in later):
            assert later[0].writes == visit.writes  # before anything reads it


def test_feeding_copies_the_batch(calculus):
    problem = calculus.problem(calculus.everything, 2)
    program, x, target = problem.program(), problem.x.copy(), problem.target.copy()
    program.feed(x, target)
    loss = float(program.forward())
    x.fill(np.nan)
    target[:] = 2 - target
    assert float(program.forward()) == loss


@pytest.mark.parametrize("name", ["W1", "γ1", "β1", "W2", "γ2", "β2", "W3"])
def test_after_a_change_a_pass_from_there_on_equals_a_whole_pass(calculus, name):
    problem = calculus.problem(calculus.everything, 3)
    program, whole = problem.program(), problem.program()
    program.forward()
    for changed in (program, whole):
        changed.values[name] *= 1.5
    start = next(at for at, op in enumerate(program.ops) if name in op.inputs)
    before = {op.output: program.values[op.output].copy() for op in program.ops[:start]}
    for op in program.ops[start:]:
        program.values[op.output].fill(np.nan)
    assert float(program.forward(start)) == float(whole.forward())
    np.testing.assert_array_equal(program.backward(), whole.backward())
    for output, value in before.items():
        np.testing.assert_array_equal(program.values[output], value)


@pytest.mark.parametrize("name", ["n1", "h1", "a1", "n2", "h2", "r2", "a2", "z3"])
def test_a_value_changed_by_hand_is_what_the_rest_of_the_pass_sees(calculus, name):
    """The slope from there on is the cotangent of that value."""
    problem = calculus.problem(calculus.everything, 3)
    program, nudged = calculus.run(problem), problem.program("complex128")
    nudged.forward()
    way = np.random.default_rng(3).normal(size=program.shapes[name])
    nudged.values[name] += 1e-30j * way
    start = next(at for at, op in enumerate(program.ops) if op.output == name) + 1
    slope = nudged.forward(start).imag / 1e-30
    assert slope == pytest.approx(np.sum(way * program.cotangents[name]), rel=1e-12)


def masks(program):
    return {name: program.values[name].copy() for name in ("m1", "m2")}


def test_dropout_masks_are_drawn_by_the_generator_that_is_passed(calculus):
    program = Program(calculus.everything, 3)
    drawn = []
    for seed in (1, 1, 2):
        program.draw(np.random.default_rng(seed))
        drawn.append(masks(program))
    for name in drawn[0]:
        np.testing.assert_array_equal(drawn[0][name], drawn[1][name])
        assert set(np.unique(drawn[0][name])) == {0, 1 / 0.7}
    assert any(np.any(drawn[0][name] != drawn[2][name]) for name in drawn[0])
    np.testing.assert_raises(AssertionError, np.testing.assert_array_equal, *drawn[0].values())


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_keeps_the_mean_and_drops_its_share(rate, dtype):
    program = Program(NetworkSpec((1, 1000, 1), dropout=rate, dtype=dtype), 100)
    program.draw(np.random.default_rng(0))
    mask = program.values["m1"]
    deviation = (rate / (1 - rate) / mask.size) ** 0.5
    assert mask.mean(dtype=float) == pytest.approx(1, abs=4 * deviation)
    assert (mask == 0).mean() == pytest.approx(rate, abs=0.005)


def test_a_program_that_was_never_drawn_drops_nothing(calculus):
    problem = calculus.problem(calculus.everything, 3)
    without = calculus.run(replace(problem, spec=replace(problem.spec, dropout=0.0)))
    program = Program(problem.spec, 3, problem.parameters)
    program.feed(problem.x, problem.target)
    assert float(program.forward()) == float(without.forward())
    np.testing.assert_array_equal(program.backward(), without.gradient)


def test_the_backward_pass_uses_the_masks_of_the_forward_pass():
    """With every weight and input positive, a unit that is dropped gets no gradient and the others do."""
    spec = NetworkSpec((2, 50, 1), "relu", "half-squares", dtype="float64", dropout=0.5)
    program = Program(spec, 1, np.full(spec.parameters, 0.5))
    program.feed(np.ones((1, 2)), np.zeros((1, 1)))
    for seed in range(3):
        program.draw(np.random.default_rng(seed))
        program.forward()
        program.backward()
        dropped = program.values["m1"][0] == 0
        assert 0 < dropped.sum() < 50
        np.testing.assert_array_equal(program.cotangents["b1"] == 0, dropped)
        np.testing.assert_array_equal(program.cotangents["W2"][:, 0] == 0, dropped)


def test_a_batch_s_gradient_is_the_mean_of_its_samples(calculus):
    problem = calculus.problem(replace(calculus.everything, dropout=0.0), 4)
    each = [
        calculus.run(
            Problem(problem.spec, problem.x[i : i + 1], problem.target[i : i + 1], problem.parameters)
        )
        for i in range(4)
    ]
    assert calculus.worst(calculus.run(problem).gradient, np.mean([p.gradient for p in each], axis=0)) < 1e-12


def test_a_forward_pass_alone_makes_no_gradient():
    program = Program(NetworkSpec((2, 2)), 1)
    program.feed(np.ones((1, 2)), np.array([0]))
    program.forward()
    assert not {"gradient", "cotangents"} & program.__dict__.keys()


def test_a_batch_can_be_given_as_lists():
    program = Program(NetworkSpec((2, 3, 2)), 1)
    program.feed([[1.0, 2.0]], [1])
    assert program.values["x"].tolist() == [[1, 2]]
    assert program.values["t"].tolist() == [1]


@pytest.mark.parametrize("shape", [(16,), (18,), (1, 17)])
def test_parameters_of_another_shape_are_refused(shape):
    spec = NetworkSpec((2, 3, 2))
    assert spec.parameters == 17
    with pytest.raises(ValueError, match=r"expected \(17,\)"):
        Program(spec, 1, np.zeros(shape, "float32"))
