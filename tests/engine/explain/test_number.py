"""Numbers looked up by name: they are the entries of the arrays, and their receipts add up to them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.explain.number import exists, number_at, number_of, shape_of, tensors, weights_near
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.report.trace import arrays_of
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset

EXACT = 1e-12
SMALL = [
    NetworkSpec((2, 1), "relu", "mse", dtype="float64"),
    NetworkSpec((2, 3), dtype="float64", bias=False),
    NetworkSpec((3, 1, 2), "tanh", dtype="float64", l2=0.1),
    NetworkSpec(
        (1, 1, 1), "sigmoid", "half-squares", dtype="float64", layer_norm=True, residual=True, dropout=0.3
    ),
    NetworkSpec((1, 1), loss="mse", dtype="float64", bias=False),
]


@pytest.fixture(
    params=product([True, False], [1, 3]), ids=lambda p: f"{'bias' if p[0] else 'no bias'}, {p[1]}"
)
def everything(request, calculus):
    """An iteration of a network with all options, with Adam, with and without bias, of 1 and 3 samples."""
    bias, batch = request.param
    spec = replace(calculus.everything, bias=bias)
    return calculus.take(calculus.problem(spec, batch), 0.05, OptimizerSpec("adam", clip=0.1), iterations=2)


def corners(spec, tensor):
    """First and last index of a tensor."""
    shape = shape_of(spec.graph, tensor)
    return {(0,) * len(shape), tuple(n - 1 for n in shape)}


def names(spec):
    """All names of numbers: those of the panel, the last layer's activation, sums before a bias."""
    before = [f"u{k}" for k in range(1, spec.depth + 1)] if spec.bias else []
    return (*tensors(spec.graph), f"a{spec.depth}", *before)


def numbers(iteration, terms=3):
    """First and last number of each tensor, for every sample."""
    for tensor in names(iteration.spec):
        for index in corners(iteration.spec, tensor):
            for sample in range(iteration.batch):
                yield number_of(iteration, tensor, index, terms, sample)


def entry(array, number, parameter):
    return float(array[number.index if parameter else (number.sample, *number.index)])


def check(off, iteration, terms=3):
    """Values and gradients are the entries of the arrays; receipts end in them, and add up."""
    parameters, flows = iteration.spec.graph.parameters, iteration.spec.graph.differentiable
    for number in numbers(iteration, terms):
        parameter = number.tensor in parameters
        name = f"z{number.tensor[1:]}" if number.tensor == f"a{iteration.spec.depth}" else number.tensor
        assert number.is_parameter == parameter
        assert number.value == entry(iteration.tensor(name), number, parameter)
        assert (number.gradient is not None) == (name in flows)
        assert (number.updated is not None) == parameter
        if parameter:
            assert number.updated == entry(iteration.new[name], number, True)
        if number.computed:
            assert number.computed.rows[-1].value == number.value
            if number.computed.step.kind != "activation":
                assert off(number.computed.rows) <= EXACT, number
        if number.gradient is not None:
            assert number.gradient == entry(
                iteration.tensor(iteration.graph.gradient_of(name)), number, parameter
            )
            assert number.differentiated.rows[-1].value == number.gradient
            assert off(number.differentiated.rows) <= EXACT, number


@pytest.mark.parametrize("terms", [1, 3, 12])
def test_every_number_is_the_entry_of_its_array_and_its_receipts_add_up(calculus, everything, terms):
    check(calculus.off, everything, terms)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: ",".join(map(str, spec.layers)))
def test_numbers_agree_in_the_smallest_networks(calculus, spec, batch):
    check(calculus.off, calculus.take(calculus.problem(spec, batch)))


@pytest.mark.parametrize(
    "option", [{"layer_norm": True}, {"residual": True}, {"dropout": 0.4}, {"l2": 0.1}, {}], ids=str
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_numbers_agree_with_each_activation_and_each_option(calculus, activation, option):
    spec = NetworkSpec((3, 4, 4, 2), activation, "binary-cross-entropy", dtype="float64", **option)
    check(calculus.off, calculus.take(calculus.problem(spec, 3)))


def test_a_number_equals_the_entry_in_a_file_of_all_arrays(calculus, everything):
    """Bit for bit, in single precision too."""
    single = calculus.take(calculus.problem(replace(everything.spec, dtype="float32"), everything.batch))
    for iteration in (everything, single):
        arrays, seen = arrays_of(iteration), set()
        for number in numbers(iteration):
            name = number.tensor.replace("m", "mask")
            wanted = {"value": name, "gradient": f"d{name}" if name[0] != "z" else f"delta{name[1:]}"}
            for field, key in wanted.items():
                key = ascii_formula(key)
                if key in arrays and getattr(number, field) is not None:
                    assert getattr(number, field) == entry(arrays[key], number, number.is_parameter), number
                    seen.add(key)
        left = {key.rstrip("0123456789") for key in arrays.keys() - seen}
        assert left <= {"target", "loss", "L", *(k for k in left if k.startswith(("new_", "m_", "v_")))}


def test_every_tensor_has_its_place_in_the_walk(everything):
    found = tensors(everything.spec.graph)
    assert found[0] == "x"
    assert found[-1] == f"z{everything.spec.depth}"
    assert set(everything.spec.graph.parameters) < set(found)
    assert {"n1", "h1", "m1", "a1", "r2"} < set(found)
    assert len(set(found)) == len(found)
    made = [step.tensor for step in walk(everything.spec, 1) if step.phase == "forward"]
    assert made == [name for name in found if name == "x" or name[0] in "znhra"]


def test_given_values_have_no_receipt_and_constants_have_no_gradient(everything):
    for number in numbers(everything):
        given = number.is_parameter or number.tensor[0] in "xm"
        assert (number.computed is None) == given
        assert (number.gradient is None) == (number.differentiated is None) == (number.tensor[0] in "xm")
        assert len(number.torch) == (number.computed is not None) + (number.gradient is not None)


def test_receipts_are_those_of_the_index_asked_for(calculus):
    """And not of the weight with the largest gradient, as in the walk."""
    iteration = calculus.take(calculus.problem(NetworkSpec((4, 5, 3), "tanh", dtype="float64"), 3))
    for i, j in np.ndindex(4, 5):
        number = number_of(iteration, "W1", (i, j), terms=9)
        assert number.differentiated.rows[-1].label == f"dW1[{i},{j}]"
        terms = iteration.tensor("x")[:, i] * iteration.tensor("δ1")[:, j]
        assert sorted(row.value for row in number.differentiated.rows[:-1]) == sorted(terms.tolist())


def test_an_unknown_tensor_or_index_is_an_error(everything):
    for tensor, index in (("W9", (0, 0)), ("q1", (0,))):
        with pytest.raises(KeyError):
            number_of(everything, tensor, index)
        assert not exists(everything, tensor, index)
    for tensor, index in (
        ("W1", (4, 0)),
        ("b1" if everything.spec.bias else "γ1", (5,)),
        ("z1", (5,)),
        ("x", (4,)),
    ):
        with pytest.raises(IndexError):
            number_of(everything, tensor, index)
        assert not exists(everything, tensor, index)
    for tensor, index in (
        ("W1", (0,)),
        ("z1", (0, 0)),
        ("t", (0,)),
        ("L", ()),
        ("L", (0,)),
        ("λ", ()),
        ("λ", (0,)),
    ):
        assert not exists(everything, tensor, index)
    assert exists(everything, "W1", (3, 4))
    assert exists(everything, f"a{everything.spec.depth}", (2,))


@pytest.mark.parametrize("grain", ["layer", "equation", "operation"])
def test_every_step_has_a_number_that_stands_for_it(everything, grain):
    spec = everything.spec
    for step in walk(spec, everything.batch, everything.optimizer, grain):
        for unit in range(spec.layers[step.block]):
            tensor, index = number_at(everything, step, unit)
            assert exists(everything, tensor, index), step
            assert index[-1] == unit
            of = step.tensor.removesuffix(" so far").removeprefix("d").replace("δ", "z")
            assert tensor == (f"z{spec.depth}" if of[0] == "L" else of)
            if tensor[0] == "W":
                assert index[0] == np.abs(everything.tensor(f"d{tensor}")[:, unit]).argmax()


def test_of_a_text_the_loss_is_drawn_along_the_parameter_with_the_largest_gradient():
    iteration = Replay().take(from_preset("microgpt"))
    gradient = np.abs(iteration.program.gradient)
    largest = iteration.graph.parameter_at(int(gradient.argmax()))
    for value in ("x", "e", "h0", "z"):
        index = (0,) * (len(iteration.tensor(value).shape) - 1)
        assert weights_near(iteration, (value, index), None, 1) == (largest,)
