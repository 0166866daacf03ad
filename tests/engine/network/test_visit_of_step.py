"""A step says which operation it is, if it is a single one; receipts go by that."""

from __future__ import annotations

import pytest

from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec


def operations(spec, grain):
    return {(step.phase, step.tensor): step.operation for step in walk(spec, 2, grain=grain)}


def test_a_step_of_the_finest_grain_is_always_one_operation(calculus):
    steps = [s for s in walk(calculus.everything, 2, grain="operation") if s.visits]
    assert all(step.operation for step in steps)
    found = {step.operation for step in steps}
    rows = [
        (v.op.primitive, v.of)
        for v in (*calculus.everything.graph.forward_visits, *calculus.everything.graph.backward_visits)
    ]
    affine = {(row.name, of) for row, of in rows if row.kind == "affine"} - {
        ("bias add", 0)
    }  # hands on δ, makes nothing
    others = {(row.kind, of) for row, of in rows if row.kind != "affine"} - {("penalty", 0)}
    assert found == affine | others


def test_an_equation_is_one_only_where_nothing_else_is_in_it():
    found = operations(NetworkSpec((2, 3, 2)), "equation")
    assert found["forward", "x"] is found["update", "W1"] is None
    assert found["forward", "z1"] is None  # a matrix product and a bias
    assert found["forward", "a1"] == ("activation", None)
    assert found["loss", "L"] == ("loss", None)
    assert found["backward", "δ2"] == ("loss", 0)
    assert found["backward", "dW1"] is None  # and db1
    assert found["backward", "δ1"] is None  # a matrix product and a slope


def test_without_a_bias_the_product_is_the_whole_equation():
    found = operations(NetworkSpec((2, 3, 2), bias=False), "equation")
    assert found["forward", "z1"] == ("matmul", None)
    assert found["backward", "dW1"] == ("matmul", 1)


@pytest.mark.parametrize("bias", [True, False])
def test_a_whole_layer_is_one_only_where_it_has_only_one(bias):
    found = operations(NetworkSpec((2, 3, 2), bias=bias), "layer")
    assert found["forward", "a1"] is found["backward", "dW1"] is found["backward", "dW2"] is None
    assert found["forward", "z2"] == (None if bias else ("matmul", None))
    assert found["loss", "L"] == ("loss", None)
