"""The lines of PyTorch: complete, valid Python, and with numpy in place of torch they compute the values."""

from __future__ import annotations

import ast
import keyword
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tui_backprop.engine.explain.pytorch import (
    Before,
    forward_line,
    gradient_line,
    lines_of,
    name_in,
    optimizer_line,
)
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives import PRIMITIVES, fields
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES

EXACT = 1e-12
BACKWARD = "optimizer.zero_grad(); L.backward()"
OPTIONS = [
    {},
    {"layer_norm": True},
    {"residual": True},
    {"dropout": 0.4},
    {"l2": 0.3},
    {"bias": False},
    {"layer_norm": True, "residual": True, "dropout": 0.3, "l2": 0.1, "bias": False},
]

# The functions that the lines call, in numpy, after PyTorch's documentation.
TORCH = SimpleNamespace(relu=lambda z: np.maximum(z, 0), tanh=np.tanh, sigmoid=lambda z: 1 / (1 + np.exp(-z)))


def _layer_norm(z, shape, gain, shift):
    assert shape == z.shape[1:]
    return (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5) * gain + shift


def _gelu(z, approximate):
    assert approximate == "tanh"
    return z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


def _binary(z, t, reduction):
    assert reduction == "none"
    return np.log1p(np.exp(z)) - z * t


F = SimpleNamespace(
    layer_norm=_layer_norm,
    leaky_relu=lambda z, slope: np.where(z > 0, z, slope * z),
    elu=lambda z: np.where(z > 0, z, np.exp(z) - 1),
    gelu=_gelu,
    silu=lambda z: z / (1 + np.exp(-z)),
    softplus=lambda z: np.log1p(np.exp(z)),
    cross_entropy=lambda z, t: np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(t)), t]),
    binary_cross_entropy_with_logits=_binary,
    mse_loss=lambda z, t: ((z - t) ** 2).mean(),
)


def given(iteration):
    """Names defined before the first line."""
    names = {
        "torch": TORCH,
        "F": F,
        "x": iteration.tensor("x"),
        "t": iteration.tensor("t"),
        "lambda_": iteration.spec.l2,
    }
    there = (*iteration.spec.graph.parameters, *(mask.name for mask in iteration.graph.masks))
    return names | {name_in(name): iteration.tensor(name) for name in there}


def outputs(spec):
    """Values that a line computes: all but sums before a bias, which are part of another line."""
    return [op.output for op in spec.graph.ops if op.output[0] != "u"]


def test_every_primitive_has_an_expression_of_all_its_inputs():
    arity = {row.name: len(fields(row.formula) & {"0", "1", "2"}) for row in PRIMITIVES}
    expressions = {row.name: len(fields(row.torch)) for row in PRIMITIVES}
    assert expressions == arity | {"layer normalization": 3}


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "+".join(options) or "plain")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_lines_of_any_network_compute_its_values(calculus, activation, loss, options):
    spec = NetworkSpec((4, 5, 5, 3), f"{activation},tanh", loss, dtype="float64", **options)
    iteration = calculus.take(calculus.problem(spec, 3))
    names = given(iteration)
    for value in outputs(spec):
        exec(compile(forward_line(spec.graph, value), value, "exec"), names)
        assert calculus.worst(names[name_in(value)], iteration.tensor(value)) < EXACT, value
    if spec.bias:
        exec(forward_line(spec.graph, "u2"), names)
        assert calculus.worst(names["u2"], iteration.tensor("u2")) < EXACT


def test_a_value_that_no_operation_computes_has_no_line(calculus):
    for value in ("x", "t", "W1", "b1", "γ1", "m1", "λ", "a3", "W9", "z9", "δ1", ""):
        assert forward_line(calculus.everything.graph, value) is None


def test_lines_use_the_names_of_the_walk(calculus):
    spec = calculus.everything
    assert forward_line(spec.graph, "z2") == "z2 = a1 @ W2 + b2"
    assert forward_line(replace(spec, bias=False).graph, "z2") == "z2 = a1 @ W2"
    assert forward_line(spec.graph, "n1") == "n1 = F.layer_norm(z1, z1.shape[-1:], gamma1, beta1)"
    assert forward_line(spec.graph, "a2") == "a2 = r2 + a1"
    assert forward_line(spec.graph, "L1") == "L1 = L0 + lambda_ / 2 * (W1 ** 2).sum()"


def test_every_name_is_a_python_identifier(calculus):
    names = {name for op in calculus.everything.graph.ops for name in (*op.inputs, op.output)}
    for name in map(name_in, names):
        assert name.isidentifier()
        assert name.isascii()
        assert not keyword.iskeyword(name)
    assert len(set(map(name_in, names))) == len(names)


def test_a_gradient_is_indexed_after_the_backward_pass(calculus):
    graph = calculus.everything.graph
    assert gradient_line(graph, "W1", (3, 0), True) == f"{BACKWARD}; W1.grad[3, 0]"
    assert gradient_line(graph, "β1", (2,), True) == f"{BACKWARD}; beta1.grad[2]"
    assert gradient_line(graph, "z1", (0, 2), False) == "z1.retain_grad(); L.backward(); z1.grad[0, 2]"
    assert gradient_line(graph, "u1", (0, 2), False) == "z1.retain_grad(); L.backward(); z1.grad[0, 2]"
    assert gradient_line(graph, "b1", (), True) == f"{BACKWARD}; b1.grad"


def called(line):
    """Map each function called in a line to its keyword arguments."""
    calls = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    return {
        ast.unparse(call.func): {k.arg: ast.literal_eval(k.value) for k in call.keywords} for call in calls
    }


@pytest.mark.parametrize("decay", [0.0, 0.0123456789])
@pytest.mark.parametrize("name", UPDATE_RULES)
def test_an_update_has_every_setting_of_its_optimizer_in_full_precision(name, decay):
    spec = OptimizerSpec(
        name,
        momentum=0.87654321,
        beta1=0.8123456,
        beta2=0.99912345,
        rho=0.97654321,
        epsilon=1.2345678e-9,
        weight_decay=decay,
    )
    betas = {"betas": (0.8123456, 0.99912345), "eps": 1.2345678e-9}
    wanted = {
        "sgd": ("SGD", {}),
        "momentum": ("SGD", {"momentum": 0.87654321}),
        "nesterov": ("SGD", {"momentum": 0.87654321, "nesterov": True}),
        "rmsprop": ("RMSprop", {"alpha": 0.97654321, "eps": 1.2345678e-9}),
        "rmsprop-momentum": ("RMSprop", {"alpha": 0.97654321, "eps": 1.2345678e-9, "momentum": 0.87654321}),
        "adam": ("Adam", betas),
        "adamw": ("AdamW", betas),
    }
    of, settings = wanted[name]
    always = UPDATE_RULES[name].decoupled  # PyTorch's default is 0.01
    settings = settings | {"lr": 1 / 3} | ({"weight_decay": decay} if decay or always else {})
    assert called(optimizer_line(spec, 1 / 3))[f"optim.{of}"] == settings


def test_nesterov_without_momentum_is_not_asked_of_pytorch():
    line = optimizer_line(OptimizerSpec("nesterov", momentum=0), 0.1)
    assert line == "optimizer = optim.SGD(params, lr=0.1, momentum=0.0, nesterov=False)"


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("grain", ["layer", "equation", "operation"])
def test_every_step_of_a_walk_has_its_lines(calculus, grain, bias):
    optimizer = OptimizerSpec("adam", clip=1)
    spec = replace(calculus.everything, bias=bias, l2_bias=True)
    iteration = calculus.take(calculus.problem(spec, 3), optimizer=optimizer)
    lines_so_far, made, read = [], set(), set()
    for step in walk(spec, 3, optimizer, grain):
        lines = lines_of(step, iteration)
        lines_so_far += lines
        assert lines
        for line in lines:
            tree = ast.parse(line)
            grads = [
                node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "grad"
            ]
            made |= {
                target.id
                for node in ast.walk(tree)
                if isinstance(node, ast.Assign)
                for target in node.targets
            }
            read |= {node.value.id for node in grads}
            if step.phase == "backward":
                assert grads or line == BACKWARD
    saved = {"p", "v1", "v2", "optimizer", "norm"}
    assert made - {f"u{k}" for k in (1, 2, 3)} == set(map(name_in, outputs(spec))) | saved
    assert read >= set(map(name_in, spec.graph.parameters)) | {"z1", "z2", "z3"}
    assert lines_so_far[0] == optimizer_line(optimizer, iteration.lr)
    assert lines_so_far.count(BACKWARD) == lines_so_far.count("optimizer.step()") == 1
    before = lines_so_far[: lines_so_far.index(BACKWARD)]  # after all values, before all gradients
    assert {line.split(" = ")[0] for line in before} == made - {"norm"}


def test_the_lines_of_a_walk_by_equations(calculus):
    spec = NetworkSpec((2, 3, 2))
    iteration = calculus.take(calculus.problem(spec, 1))
    steps = walk(spec, 1)
    first = [
        ["optimizer = optim.SGD(params, lr=0.1)"],
        ["z1 = x @ W1 + b1; z1.retain_grad()"],
        ["a1 = torch.relu(z1)"],
        ["z2 = a1 @ W2 + b2; z2.retain_grad()"],
        ["L = F.cross_entropy(z2, t)", "p = torch.softmax(z2, 1)"],
        [BACKWARD, "z2.grad"],
        ["W2.grad, b2.grad"],
        ["z1.grad"],
        ["W1.grad, b1.grad"],
        ["optimizer.step()", "W1, b1"],
        ["W2, b2"],
    ]
    assert [lines_of(step, iteration) for step in steps] == first
    later = [lines_of(step, iteration, Before(0.2, (("β1", (2,), -0.5),))) for step in steps]
    assert later[0] == ["with torch.no_grad(): beta1[2] += -0.5"]
    assert later[-2] == [
        'for group in optimizer.param_groups: group["lr"] = 0.1',
        "optimizer.step()",
        "W1, b1",
    ]
    assert later[1:-2] == first[1:-2]
    assert [lines_of(step, iteration, Before(0.1)) for step in steps] == [[], *first[1:]]


def test_clipping_comes_before_the_update(calculus):
    spec = NetworkSpec((2, 3, 2))
    iteration = calculus.take(calculus.problem(spec, 1), optimizer=OptimizerSpec(clip=1.5))
    assert lines_of(walk(spec, 1)[-2], iteration) == [
        "norm = get_total_norm([p.grad for p in params])",
        "for p in params: p.grad *= min(1, 1.5 / norm) or 1",
        "optimizer.step()",
        "W1, b1",
    ]
