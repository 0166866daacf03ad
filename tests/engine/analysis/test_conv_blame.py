"""Blame in a convolutional network: the terms of the samples, and why a path is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.analysis.parameter_detail import parameter_detail, sample_gradients
from tui_backprop.engine.analysis.path_of_operations import MOST_ENTRIES
from tui_backprop.engine.analysis.ranking import named
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

SMALL = ConvSpec((2, 3), (3,), (1,), (1,), "max", (4,), "tanh", False, (1, 7, 6), 3, dtype="float64")


def taken(spec, batch):
    rng = np.random.default_rng(5)
    update = Update(
        rng.random((batch, int(np.prod(spec.image)))), rng.integers(spec.classes, size=batch), 0.1
    )
    return run_iteration(spec, update, TrainingState(0, initial_parameters(spec)))


def detail(iteration, tensor, index):
    return parameter_detail(iteration, named(iteration, "gradient", tensor, index))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("tensor", ["W1", "W2", "W3", "b4"])
def test_the_terms_of_the_samples_add_up_to_the_gradient(tensor, batch_norm):
    pass_ = taken(replace(SMALL, batch_norm=batch_norm), 4)
    index = tuple(size - 1 for size in pass_.graph.parameters[tensor])
    each = sample_gradients(pass_, tensor, index)
    assert len(each) == 4
    assert sum(map(abs, each)) > 0
    assert each.sum() == pytest.approx(float(pass_.tensor(f"d{tensor}")[index]), rel=1e-11)


@pytest.mark.parametrize("tensor", ["W1", "W2", "W3", "b4"])
def test_a_sample_s_term_is_its_own_gradient_by_the_size_of_the_batch(tensor):
    pass_ = taken(SMALL, 3)
    index = tuple(size - 1 for size in pass_.graph.parameters[tensor])
    each = sample_gradients(pass_, tensor, index)
    for s in range(3):
        x, t = (array[s : s + 1] for array in pass_.data)
        alone = run_iteration(SMALL, Update(x, t, 0.1), TrainingState(0, pass_.program.parameters))
        assert each[s] == pytest.approx(float(alone.tensor(f"d{tensor}")[index]) / 3, rel=1e-10)


def test_the_largest_path_is_that_of_the_sample_with_the_largest_term():
    pass_ = taken(SMALL, 3)
    found = detail(pass_, "b4", (1,))
    assert found.path_product == pytest.approx(found.sample_gradients[0].gradient)
    assert len(found.paths) == 3  # one for each sample


def test_in_a_large_network_it_is_said_that_the_path_is_not_searched_for():
    spec = ConvSpec()
    pass_ = taken(spec, 4)
    entries = 4_704 + 4_704 + 1_176 + 1_600 + 1_600 + 400  # u1, z1, p1, u2, z2, p2
    assert 4 * entries > MOST_ENTRIES
    found = detail(pass_, "W1", (0, 0, 2, 2))
    assert not found.path
    assert found.missing is not None
    assert not found.missing.bad
    assert "not searched for" in found.missing.why
    assert "NaN" not in found.missing.why


def test_where_there_is_one_path_it_is_shown_in_a_large_network_too():
    pass_ = taken(ConvSpec(), 1)
    found = detail(pass_, "W5", (18, 2))
    assert [step.value for step in found.path] == ["u5", "z5", "L"]
    assert found.missing is None
    assert found.path_product == pytest.approx(found.sample_gradients[0].gradient, rel=1e-5)


def test_without_finite_numbers_that_is_the_reason():
    parameters = initial_parameters(SMALL)
    parameters[0] = np.inf
    rng = np.random.default_rng(5)
    update = Update(rng.random((1, 42)), rng.integers(3, size=1), 0.1)
    with np.errstate(all="ignore"):
        pass_ = run_iteration(SMALL, update, TrainingState(0, parameters))
        found = detail(pass_, "W2", (0, 0, 0, 0))
    assert found.missing is not None
    assert found.missing.bad


@pytest.mark.parametrize("tensor", SMALL.graph.parameters)
def test_a_flip_of_the_prediction_is_what_a_forward_pass_says(tensor):
    pass_ = taken(SMALL, 1)
    index = tuple(size // 2 for size in SMALL.graph.parameters[tensor])
    label = int(pass_.data[1][0])
    found = parameter_detail(pass_, named(pass_, "gradient", tensor, index), label).flips
    assert found.searched
    for flip in filter(None, (found.up, found.down)):
        program = Program(SMALL, 1, pass_.program.parameters.copy())
        program.parameters[SMALL.graph.flat_index(tensor, index)] += flip.by
        program.feed(*pass_.data)
        program.forward()
        assert int(program.values["z4"].argmax()) == flip.predicted_class != found.predicted_class


def test_flips_are_not_searched_where_samples_of_a_batch_depend_on_each_other():
    pass_ = taken(replace(SMALL, batch_norm=True), 1)
    found = detail(pass_, "W1", (0, 0, 0, 0))
    assert found.flips is None
    search = parameter_detail(pass_, found.attribution, 0).flips
    assert not search.searched
    assert "mixes the samples" in search.untried
