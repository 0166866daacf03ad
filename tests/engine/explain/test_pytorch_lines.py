"""The lines of single values and gradients in PyTorch compute them. Skipped where PyTorch is not installed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tui_backprop.engine.explain.number import number_of, shape_of, tensors
from tui_backprop.engine.explain.pytorch import forward_line, gradient_line, name_in
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES

torch = pytest.importorskip("torch", reason="PyTorch is not installed here")

IMPORTS = """
import torch
import torch.nn.functional as F
"""
EXACT = 1e-10
OPTIONS = [
    {"bias": False},
    {"layer_norm": True},
    {"residual": True},
    {"dropout": 0.4},
    {"l2": 0.3},
    {"layer_norm": True, "residual": True, "dropout": 0.3, "l2": 0.1},
]


def world(iteration):
    """Names that the lines assume, as documented in the module."""
    names = {"lambda_": iteration.spec.l2}
    exec(IMPORTS, names)
    for name in ("x", "t", *(mask.name for mask in iteration.graph.masks)):
        names[name] = torch.tensor(iteration.tensor(name))
    for name in iteration.spec.graph.parameters:
        names[name_in(name)] = torch.tensor(iteration.tensor(name), requires_grad=True)
    parameters = [names[name_in(name)] for name in iteration.spec.graph.parameters]
    return names | {"optimizer": torch.optim.SGD(parameters)}


def forward(iteration, names):
    for op in iteration.spec.graph.ops:
        if op.output[0] != "u":
            exec(forward_line(iteration.spec.graph, op.output), names)


def read(line, names):
    """Run all parts of a line but the last, and evaluate that."""
    *before, last = line.split("; ")
    exec("\n".join(before), names)
    return eval(last, names)


def check(calculus, iteration):
    """Compare all values, and all gradients, each after a pass of its own."""
    spec, names = iteration.spec, world(iteration)
    forward(iteration, names)
    for op in spec.graph.ops:
        if op.output[0] != "u":
            found = names[name_in(op.output)].detach().numpy()
            assert calculus.worst(found, iteration.tensor(op.output)) < EXACT, op.output
    values = [
        op.output for op in spec.graph.ops if op.output[0] != "u" and op.output in spec.graph.differentiable
    ]
    for value in (*spec.graph.parameters, *values):
        names = world(iteration)
        forward(iteration, names)
        found = read(gradient_line(spec.graph, value, (), value in spec.graph.parameters), names)
        if value[0] != "L":  # a penalty passes dL on: no array of its own
            assert (
                calculus.worst(found.numpy(), iteration.tensor(iteration.graph.gradient_of(value))) < EXACT
            ), value
        else:
            assert found == 1


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_values_and_gradients_are_those_of_the_pass(calculus, activation, loss):
    spec = NetworkSpec((4, 5, 3, 2), activation, loss, dtype="float64")
    check(calculus, calculus.take(calculus.problem(spec, 3)))


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "+".join(options))
@pytest.mark.parametrize(("batch", "activation"), [(1, "tanh"), (3, "identity"), (2, "gelu")])
def test_values_and_gradients_agree_with_every_option(calculus, activation, batch, options):
    spec = NetworkSpec((5, 5, 4, 4, 3), f"{activation},tanh,silu", dtype="float64", **options)
    check(calculus, calculus.take(calculus.problem(spec, batch)))


@pytest.mark.parametrize("layers", [(2, 1), (1, 1, 1)], ids=str)
def test_values_and_gradients_agree_in_the_smallest_networks(calculus, layers):
    check(calculus, calculus.take(calculus.problem(NetworkSpec(layers, "tanh", "mse", dtype="float64"), 2)))


@pytest.mark.parametrize("bias", [True, False])
def test_the_lines_of_any_number_give_that_number(calculus, bias):
    spec = replace(calculus.everything, bias=bias)
    iteration = calculus.take(calculus.problem(spec, 3))
    shown = 0
    for tensor, sample in product((*tensors(spec.graph), f"a{spec.depth}"), range(3)):
        index = tuple(n - 1 for n in shape_of(spec.graph, tensor))
        number = number_of(iteration, tensor, index, sample=sample)
        value = f"z{tensor[1:]}" if tensor == f"a{spec.depth}" else tensor
        for line in number.torch:
            names = world(iteration)
            forward(iteration, names)
            if line.startswith(f"{name_in(value)} = "):
                found, wanted = read(f"{line}; {name_in(value)}[{sample}, {index[0]}]", names), number.value
            else:
                found, wanted = read(line, names), number.gradient
            assert found.item() == pytest.approx(wanted, rel=1e-9, abs=1e-15), line
            shown += 1
    assert shown == 3 * (
        len(spec.graph.parameters) + 2 * sum(name[0] in "znhra" for name in tensors(spec.graph)) + 2
    )
