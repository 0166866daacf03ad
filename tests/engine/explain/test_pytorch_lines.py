"""The lines of PyTorch, run as shown: they compute the numbers shown. Skipped where PyTorch is not installed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tui_backprop.engine.explain.number import number_of, shape_of, tensors
from tui_backprop.engine.explain.pytorch import forward_line, gradient_line, lines_of, name_in, update_line
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.network.graph import compile_ops, differentiable, mask_shapes, parameter_shapes
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import gradient_of
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES

torch = pytest.importorskip("torch", reason="PyTorch is not installed here")

IMPORTS = """
import torch
import torch.nn.functional as F
from torch import optim
from torch.nn.utils import clip_grad_norm_
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
    for name in ("x", "t", *mask_shapes(iteration.spec, iteration.batch)):
        names[name] = torch.tensor(iteration.tensor(name))
    for name in parameter_shapes(iteration.spec):
        names[name_in(name)] = torch.tensor(iteration.tensor(name), requires_grad=True)
    names["parameters"] = [names[name_in(name)] for name in parameter_shapes(iteration.spec)]
    return names


def forward(iteration, names):
    for op in compile_ops(iteration.spec):
        if op.output[0] != "u":
            exec(forward_line(iteration.spec, op.output), names)


def read(line, names):
    """Run all parts of a line but the last, and evaluate that."""
    *before, last = line.split("; ")
    exec("\n".join(before), names)
    return eval(last, names)


def check(calculus, iteration):
    """Compare all values, and all gradients, each after a pass of its own."""
    spec, names = iteration.spec, world(iteration)
    forward(iteration, names)
    for op in compile_ops(spec):
        if op.output[0] != "u":
            found = names[name_in(op.output)].detach().numpy()
            assert calculus.worst(found, iteration.tensor(op.output)) < EXACT, op.output
    values = [
        op.output for op in compile_ops(spec) if op.output[0] != "u" and op.output in differentiable(spec)
    ]
    for value in (*parameter_shapes(spec), *values):
        names = world(iteration)
        forward(iteration, names)
        found = read(gradient_line(value, (), value in parameter_shapes(spec)), names)
        if value[0] != "L":  # a penalty passes dL on: no array of its own
            assert calculus.worst(found.numpy(), iteration.tensor(gradient_of(value))) < EXACT, value
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
    for tensor, sample in product((*tensors(spec), f"a{spec.depth}"), range(3)):
        index = tuple(n - 1 for n in shape_of(spec, tensor))
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
        len(parameter_shapes(spec)) + 2 * sum(name[0] in "znhra" for name in tensors(spec)) + 2
    )


def updated(iteration, names):
    return np.concatenate([each.detach().numpy().ravel() for each in names["parameters"]])


SETTINGS = [
    {},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decay_bias": False, "epsilon": 1e-3, "beta1": 0.7, "beta2": 0.6, "rho": 0.8},
    {"clip": 0.05},
    {"weight_decay": 0.1, "clip": 0.05, "schedule": "cosine", "warmup": 3},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: "+".join(settings) or "plain")
@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_the_line_of_the_update_computes_the_new_parameters(calculus, optimizer, settings):
    spec = OptimizerSpec(optimizer, **settings)
    iteration = calculus.take(calculus.problem(calculus.everything, 3), 1 / 3, spec)
    names = world(iteration)
    forward(iteration, names)
    exec(f"L.backward()\n{update_line(spec, iteration.lr)}", names)
    assert iteration.clipping < 1 or not spec.clip
    right = iteration.after.parameters
    moved = np.abs(right - iteration.before.parameters).max()
    # PyTorch's clipping divides by the norm + 1e-6
    assert np.abs(updated(iteration, names) - right).max() < moved * (1e-4 if spec.clip else 1e-10)


@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_an_optimizer_that_is_kept_makes_later_updates(calculus, optimizer):
    spec, given = OptimizerSpec(optimizer, weight_decay=0.01), calculus.problem(calculus.everything, 2)
    first = calculus.take(given, 0.05, spec)
    names = world(first)
    step = compile(update_line(spec, first.lr).removesuffix(".step()"), "shown", "eval")
    names["kept"] = eval(step, names)
    for t in range(1, 5):
        iteration = calculus.take(given, 0.05, spec, iterations=t)
        names |= {name: torch.tensor(iteration.tensor(name)) for name in mask_shapes(iteration.spec, 2)}
        forward(iteration, names)
        exec("kept.zero_grad(); L.backward(); kept.step()", names)
        np.testing.assert_allclose(
            updated(iteration, names), iteration.after.parameters, rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("l2_bias", [True, False])
@pytest.mark.parametrize("grain", ["layer", "equation", "operation"])
def test_the_lines_of_a_whole_walk_make_what_its_steps_make(calculus, grain, l2_bias):
    iteration = calculus.take(calculus.problem(replace(calculus.everything, l2_bias=l2_bias), 3))
    names, spec = world(iteration), iteration.spec
    for step in walk(spec, 3, iteration.optimizer, grain):
        for line in lines_of(step, spec, iteration.optimizer, iteration.lr):
            if step.phase == "backward" and line != "L.backward()":
                found = dict(zip(line.split(", "), read(line + ",", names), strict=True))
                made = step.tensor.removesuffix(" so far")
                wanted = name_in(f"z{made[1:]}" if made[0] == "δ" else made[1:])
                assert calculus.worst(found[f"{wanted}.grad"].numpy(), iteration.tensor(made)) < EXACT, line
            elif step.phase != "update" or step.index == len(walk(spec, 3, iteration.optimizer, grain)) - 1:
                exec(line, names)
        if step.phase in ("forward", "loss") and step.kind != "input":
            made = names[name_in(step.tensor)]
            made.retain_grad()
            for each in step.visits:
                if each.writes[0] in "znhra":
                    names[each.writes].retain_grad()
            assert calculus.worst(made.detach().numpy(), iteration.tensor(step.tensor)) < EXACT, step.tensor
    np.testing.assert_allclose(updated(iteration, names), iteration.after.parameters, rtol=1e-10, atol=1e-14)
