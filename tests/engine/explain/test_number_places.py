"""Navigation between numbers: to the next tensor, to the largest, to the parameters the loss is drawn along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.neighbors import neighbor
from tui_backprop.engine.explain.number import (
    exists,
    larger_gradients,
    largest_in,
    number_at,
    number_of,
    shape_of,
    tensors,
    weights_near,
)
from tui_backprop.engine.explain.receipts import unit_with_largest_delta
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

SPECS = {
    "everything": None,  # the fixture's network
    "no hidden layers": NetworkSpec((2, 1), loss="mse"),
    "single units": NetworkSpec(
        (1, 1, 1), "tanh", "mse", layer_norm=True, residual=True, dropout=0.2, l2=0.1
    ),
    "wide and narrow": NetworkSpec((9, 2, 7, 1, 4)),
    "one weight": NetworkSpec((1, 1), loss="mse", bias=False),
    "one weight and a bias": NetworkSpec((1, 1), loss="mse"),
    "forty layers": NetworkSpec((3,) * 41, "tanh"),
}


@pytest.fixture(params=SPECS)
def iteration(request, calculus):
    """Iterations of networks of many shapes."""
    return calculus.take(calculus.problem(SPECS[request.param] or calculus.everything, 2))


def corners(spec):
    """First and last index of each tensor."""
    for tensor in tensors(spec.graph):
        shape = shape_of(spec.graph, tensor)
        yield from {(tensor, (0,) * len(shape)), (tensor, tuple(n - 1 for n in shape))}


@pytest.mark.parametrize("direction", [1, -1])
def test_the_next_tensor_visits_each_one_and_returns_to_the_first(iteration, direction):
    names = tensors(iteration.spec.graph)
    for start in {min(corners(iteration.spec)), max(corners(iteration.spec)), (names[-1], (0,))}:
        at, met = start, []
        for _ in names:
            at = neighbor(iteration, *at, direction)
            assert exists(iteration, *at)
            met.append(at[0])
        begin = names.index(start[0])
        assert met == [names[(begin + direction * i) % len(names)] for i in range(1, len(names) + 1)]


def test_a_unit_stays_at_its_place_and_is_the_end_of_the_weight_that_is_met(iteration):
    for tensor, index in corners(iteration.spec):
        for direction in (1, -1):
            to, place = neighbor(iteration, tensor, index, direction)
            shape = shape_of(iteration.spec.graph, to)
            unit = index[0] if direction < 0 else index[-1]
            if to[0] != "W":
                assert place == (min(unit, shape[0] - 1),)
            elif direction > 0:  # from a unit to a weight from it
                assert place == (min(unit, shape[0] - 1), unit_with_largest_delta(iteration, int(to[1:])))
            else:  # from a unit to a weight into it
                gradients = np.abs(iteration.tensor(f"d{to}")[:, place[1]])
                assert place[1] == min(unit, shape[1] - 1)
                assert gradients[place[0]] == gradients.max()


def test_from_a_weight_to_its_ends_and_back_to_the_same_weight(iteration):
    names = tensors(iteration.spec.graph)
    for tensor, (i, j) in (corner for corner in corners(iteration.spec) if corner[0][0] == "W"):
        layer, at = int(tensor[1:]), names.index(tensor)
        before, behind = neighbor(iteration, tensor, (i, j), -1), neighbor(iteration, tensor, (i, j), 1)
        assert before == (names[at - 1], (i,))
        assert behind == (names[at + 1], (j,))
        assert neighbor(iteration, *before, 1, {layer: j}) == (tensor, (i, j))
        assert neighbor(iteration, *behind, -1, {layer - 1: i}) == (tensor, (i, j))


def test_a_tensor_outside_the_cycle_enters_it_at_its_pre_activation(calculus):
    iteration = calculus.take(calculus.problem(NetworkSpec((3, 4, 2)), 1))
    assert neighbor(iteration, "u1", (3,), 1) == ("a1", (3,))
    assert neighbor(iteration, "a2", (1,), -1) == ("b2", (1,))
    assert neighbor(iteration, "a2", (1,), 1) == ("x", (1,))


def test_the_largest_number_of_a_tensor_is_that_with_the_largest_gradient(iteration):
    spec = iteration.spec
    for tensor in (*tensors(spec.graph), f"a{spec.depth}"):
        value = f"z{tensor[1:]}" if tensor == f"a{spec.depth}" else tensor
        name = spec.graph.gradient_of(value) if value in spec.graph.differentiable else value
        array = iteration.tensor(name) if tensor in spec.graph.parameters else iteration.tensor(name)[0]
        sizes = {index: abs(entry) for index, entry in np.ndenumerate(array)}
        assert largest_in(iteration, tensor) == max(sizes, key=sizes.get)


@pytest.mark.parametrize(
    "pinned", [None, ("W1", (0, 0)), ("b1", (0,)), ("W1", (99, 99)), ("z1", (0,)), ("W9", (0, 0))]
)
def test_the_loss_is_drawn_along_one_parameter_or_two_different_ones(iteration, pinned):
    parameters = iteration.spec.graph.parameters
    more = iteration.spec.parameters > 1
    for at in corners(iteration.spec):
        (only,) = weights_near(iteration, at, pinned, 1)
        both = weights_near(iteration, at, pinned, 2)
        assert both[0] == only
        assert len(both) == len(set(both)) == 1 + more
        for tensor, index in both:
            assert tensor in parameters
            assert exists(iteration, tensor, index)
        if at[0] in parameters:
            assert only == at
        if pinned and pinned[0] in parameters and exists(iteration, *pinned) and pinned != only:
            assert both[1] == pinned


def test_next_to_a_weight_is_the_one_with_the_largest_gradient_of_the_others(calculus):
    iteration = calculus.take(calculus.problem(NetworkSpec((4, 3, 2), "tanh"), 2))
    gradients = np.abs(iteration.tensor("dW1"))
    order = [tuple(map(int, np.unravel_index(i, (4, 3)))) for i in np.argsort(-gradients, axis=None)]
    assert weights_near(iteration, ("W1", order[0]), None, 2) == (("W1", order[0]), ("W1", order[1]))
    assert weights_near(iteration, ("W1", order[5]), None, 2) == (("W1", order[5]), ("W1", order[0]))


def test_a_unit_stands_for_the_weight_with_the_largest_gradient_into_it_and_an_input_for_the_first_layer(
    calculus,
):
    iteration = calculus.take(calculus.problem(NetworkSpec((4, 3, 2), "tanh", dropout=0.3), 2))
    for tensor, unit in (("z2", 1), ("a2", 0), ("u2", 1)):
        row = int(np.abs(iteration.tensor("dW2")[:, unit]).argmax())
        assert weights_near(iteration, (tensor, (unit,)), None, 1) == (("W2", (row, unit)),)
    unit = int(np.abs(iteration.tensor("δ1")[0]).argmax())
    row = int(np.abs(iteration.tensor("dW1")[:, unit]).argmax())
    assert weights_near(iteration, ("x", (2,)), None, 1) == (("W1", (row, unit)),)


def test_the_place_of_a_gradient_is_that_in_a_full_sort(iteration):
    parameters = iteration.spec.graph.parameters
    for layer in (None, *range(1, iteration.spec.depth + 1)):
        of = [iteration.tensor(f"d{name}").ravel() for name in parameters if layer in (None, int(name[1:]))]
        sizes = sorted(np.abs(np.concatenate(of)).tolist(), reverse=True)
        for i in {0, len(sizes) // 2, len(sizes) - 1}:
            for sign in (1, -1):
                assert larger_gradients(iteration, sign * sizes[i], layer) == sizes.index(sizes[i])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("where", ["x", "parameters"])
def test_numbers_of_an_iteration_full_of_nan_are_looked_up(calculus, wrong, where):
    given = calculus.problem(calculus.everything, 2)
    array = getattr(given, where).copy()
    array[np.unravel_index(1, array.shape)] = wrong
    iteration = calculus.take(replace(given, **{where: array}))
    for at in corners(iteration.spec):
        number = number_of(iteration, *at, sample=1)
        if number.computed:
            np.testing.assert_equal(number.computed.rows[-1].value, number.value)
        if number.gradient is not None:
            np.testing.assert_equal(number.differentiated.rows[-1].value, number.gradient)
            assert 0 <= larger_gradients(iteration, number.gradient) < iteration.spec.parameters
        for direction in (1, -1):
            assert exists(iteration, *neighbor(iteration, *at, direction))
        assert exists(iteration, at[0], largest_in(iteration, at[0]))
        assert len(set(weights_near(iteration, at, None, 2))) == 2
    for grain in ("layer", "equation", "operation"):
        for step in walk(iteration.spec, 2, grain=grain):
            assert exists(iteration, *number_at(iteration, step, 0))
