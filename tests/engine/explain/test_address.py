"""Parsing of addresses."""

from __future__ import annotations

import re

import pytest

from tui_backprop.engine.explain.address import Address, examples, parse_address
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import Block, Value
from tui_backprop.engine.primitives import L2_PENALTY
from tui_backprop.session.state import from_preset
from tui_backprop.support.errors import UserError

LESSON = NetworkSpec().graph
EVERYTHING = NetworkSpec((4, 5, 5, 3), layer_norm=True, residual=True, dropout=0.1).graph


@pytest.mark.parametrize(
    ("text", "tensor", "index"),
    [
        ("W2[13,200]", "W2", (13, 200)),
        ("  w2 [ 13 , 200 ] ", "W2", (13, 200)),
        ("W2 13 200", "W2", (13, 200)),
        ("dW2[13,200]", "W2", (13, 200)),
        ("dw1(783,255)", "W1", (783, 255)),
        ("b3[7]", "b3", (7,)),
        ("db3[7", "b3", (7,)),
        ("a1[40]", "a1", (40,)),
        ("z4[9]", "z4", (9,)),
        ("delta3[7]", "δ3", (7,)),
        ("δ3[7]", "δ3", (7,)),
        ("dz3[7]", "δ3", (7,)),
        ("x[783]", "x", (783,)),
        ("X 0", "x", (0,)),
        ("largest", "", ()),
        ("the largest", "", ()),
    ],
)
def test_an_address_is_parsed(text, tensor, index):
    found = parse_address(text, LESSON)
    assert (found.tensor, found.index, found.t, found.largest) == (tensor, index, None, False)


@pytest.mark.parametrize(
    ("text", "tensor"),
    [
        ("largest delta1", "δ1"),
        ("the largest a2", "a2"),
        ("largest dz3", "δ3"),
        ("largest x", "x"),
        ("Largest Z4", "z4"),
    ],
)
def test_the_largest_of_a_value_can_be_asked_for(text, tensor):
    found = parse_address(text, LESSON)
    assert (found.tensor, found.index, found.t, found.largest) == (tensor, (), None, True)


@pytest.mark.parametrize(
    ("text", "layer"), [("largest W2", 2), ("largest layer 3", 3), ("largest 4", 4), ("largest b2", 2)]
)
def test_the_largest_parameter_is_the_one_most_to_blame_in_its_layer(text, layer):
    assert parse_address(text, LESSON) == Address(layer=layer)


@pytest.mark.parametrize(
    ("text", "value"), [("dz3[7]", "z3"), ("delta3[7]", "z3"), ("da1[0]", "a1"), ("x0", "x")]
)
def test_a_derivative_leads_to_its_value(text, value):
    assert parse_address(text, LESSON).value == value


@pytest.mark.parametrize(
    ("text", "array"),
    [
        ("A1", "A1"),
        ("a1", "a1"),
        ("da1", "da1"),
        ("dS1", "dS1"),
        ("attention", "n1"),
        ("MLP 1", "m1"),
        ("Wq1", "dWq1"),
        ("dWq1", "dWq1"),
        ("p", "L"),
    ],
)
def test_an_array_or_a_block_leads_to_its_step(text, array):
    found = parse_address(text, from_preset("microgpt").network.graph)
    assert (found.array, found.tensor) == (array, "")


@pytest.mark.parametrize(
    ("text", "array"),
    [("a1", "a1"), ("delta3", "δ3"), ("dz3", "δ3"), ("W2", "dW2"), ("layer 2", "z2"), ("L", "L")],
)
def test_arrays_of_a_dense_network_too(text, array):
    assert parse_address(text, LESSON).array == array


@pytest.mark.parametrize("name", ["microgpt", "lesson", "lenet", "rnn", "micrograd", "xor"])
def test_examples_are_addresses_and_not_only_of_parameters(name):
    graph = from_preset(name).network.graph
    found = [parse_address(each, graph) for each in re.split(r", (?=[A-Za-z])", examples(graph))]
    assert any(not each.is_parameter for each in found)


def test_names_that_differ_in_case_alone_are_told_apart():
    build = Builder()
    for name in ("w", "W"):
        build.give(Value(name, "weight", (2, 2), 1, f"d{name}"))
        build.compute(L2_PENALTY, (name, name, name), f"{name}2", "loss", 1)
    graph = build.graph([Block("input"), Block("only")], "W2", "W2")
    assert [parse_address(f"{name}[0,1]", graph).tensor for name in ("w", "W", "dw", "dW")] == ["w", "W"] * 2


@pytest.mark.parametrize(
    ("text", "tensor"),
    [("gamma1[4]", "γ1"), ("dbeta2[0]", "β2"), ("γ2[1]", "γ2"), ("n1[0]", "n1"), ("r2[4]", "r2")],
)
def test_addresses_are_parsed_with_every_option(text, tensor):
    assert parse_address(text, EVERYTHING).tensor == tensor


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", '"" is not the name of a number; write it like W2'),
        ("hello", '"hello" is not the name of a number'),
        ("W2[[bold]", "is not the name of a number"),
        ("W2[", "W2 takes 2 indices, up to W2[255,255]"),
        ("W2[1]", "W2 takes 2 indices"),
        ("b1[1,2]", "b1 takes 1 index, up to b1[255]"),
        ("W2[256,0]", "index 256 of W2 is out of range (0 to 255)"),
        ("W1[784,0]", "index 784 of W1 is out of range (0 to 783)"),
        ("a9[0]", "this network has no a9; choose from W1, b1,"),
        ("gamma1[0]", "this network has no gamma1"),
        ("largest W9", "layer 9 is out of range (1 to 4)"),
        ("largest a9", "this network has no a9"),
        ("largest hello", '"hello" is not the name of a number'),
        (
            "W9[1,1]",
            "choose from W1, b1, W2, b2, W3, b3, W4, b4, x, z1, a1, z2, a2, z3, a3, z4, δ4, δ3, δ2, δ1",
        ),
        ("a1[" + "9" * 5000 + "]", "is out of range (0 to 255)"),
    ],
)
def test_an_address_of_nothing_is_an_error_with_the_alternatives(text, message):
    with pytest.raises(UserError) as caught:
        parse_address(text, LESSON)
    assert message in caught.value.message
    assert caught.value.field == "address"


def test_layers_are_known():
    assert parse_address("W2[1,1]", LESSON).layer == 2
    assert parse_address("x[1]", LESSON).layer == 0
    assert parse_address("largest W3", LESSON).layer == 3
    assert parse_address("delta3[1]", LESSON).is_parameter is False
    assert parse_address("db3[1]", LESSON).is_parameter is True


@pytest.mark.parametrize(
    ("text", "t"),
    [("37", 37), ("0", 0), (" iteration 37 ", 37), ("it 37", 37), ("it37", 37), ("Iter. 1,000", 1000)],
)
def test_a_number_alone_is_an_iteration(text, t):
    assert parse_address(text, LESSON, 1000) == Address(t=t)


@pytest.mark.parametrize(("last", "there"), [(36, "0 to 36"), (0, "0 to 0")])
def test_an_iteration_out_of_range_is_an_error(last, there):
    with pytest.raises(UserError) as caught:
        parse_address("it 37", LESSON, last)
    assert caught.value.message == f"iteration 37 is out of range ({there}); train further first"
