"""From the specification of a dense network to its graph."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from tui_backprop.engine.frontends.dense import names, start
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import BATCH, Block, Role, Value
from tui_backprop.engine.primitives import (
    BIAS_ADD,
    DROPOUT,
    ELEMENTWISE,
    IDENTITY,
    L2_PENALTY,
    LAYER_NORM,
    LOSSES,
    MATMUL,
    RESIDUAL_ADD,
    Primitive,
)

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.dense.spec import NetworkSpec


# Kinds of the equations of an operation and its VJPs, in the order of its inputs.
BIAS_EQUATIONS = "affine", "weights", "weights"
LAYER_NORM_EQUATIONS = "normalization", "normalization delta", "gains", "gains"
ACTIVATION_EQUATIONS = "activation", "delta"
DROPOUT_EQUATIONS = "dropout", "delta"
LOSS_EQUATIONS = "loss", "output delta"
GRADIENTS: dict[Role, str] = {"weight": "weights", "bias": "weights", "gain": "gains", "shift": "gains"}


def _delta(spec: NetworkSpec, k: int) -> str:
    """Return the kind of equation that ends in the gradient of layer k's output: one of its own, where a residual
    connection splits that, or where it is the input; else the delta of the layer."""
    if not k:
        return "input gradient"
    return "carried" if spec.adds_input(k) else "delta"


@lru_cache(maxsize=64)
def graph_of(spec: NetworkSpec) -> Graph:
    """Build the graph of a dense network.

    Values of layer k = 1..L: ``Wk``, ``bk`` parameters, ``uk`` = a W before the bias is added, ``zk`` pre-activation,
    ``ak`` the layer's output. Where the spec asks for them there are, between zk and ak, ``nk`` = zk normalized (with
    parameters ``γk``, ``βk``), ``hk`` = f(nk) or f(zk), ``rk`` = hk after dropout by the mask ``mk``. A last layer
    that is linear has no ``aL`` of its own: the loss reads ``zL``. There are also ``x``, the target ``t``, and the
    loss ``L``; with an L2 penalty of strength ``λ``, ``L0`` is the loss before it, and ``Lk`` that with the first k
    penalties. The gradient of zk is ``δk``."""
    build = Builder()
    shape, gradient = (BATCH, spec.layers[0]), f"d{names.INPUT}"
    a = build.give(Value(names.INPUT, "input", shape, 0, gradient, wanted=spec.input_gradient))
    target = build.give(_target(spec))
    _give_parameters(build, spec)
    z = ""
    for k in range(1, spec.depth + 1):
        w, z, delta = names.weight(k), names.preactivation(k), names.delta(k)
        affine = "affine", _delta(spec, k - 1), "weights"
        if spec.bias:
            u = build.compute(MATMUL, (a, w), names.product(k), "product", k, affine, delta)
            build.compute(BIAS_ADD, (u, names.bias(k)), z, "pre-activation", k, BIAS_EQUATIONS, delta)
        else:
            build.compute(MATMUL, (a, w), z, "pre-activation", k, affine, delta)
        if k < spec.depth:
            a = _hidden(build, spec, k, a)
    last, output, aliases = names.activation(spec.depth), ELEMENTWISE[spec.output_activation], {}
    if output is IDENTITY:
        aliases = {last: z}
    else:
        z = build.compute(output, (z,), last, "activation", spec.depth, ACTIVATION_EQUATIONS)
    _loss(build, spec, z, target)
    blocks = [Block("input"), *(Block(f"layer {k}") for k in range(1, spec.depth + 1))]
    return build.graph(blocks, z, names.LOSS, aliases)


def _target(spec: NetworkSpec) -> Value:
    if LOSSES[spec.loss].labels:
        return Value(
            names.TARGET, "target", (BATCH,), spec.depth, f"d{names.TARGET}", classes=spec.layers[-1]
        )
    return Value(names.TARGET, "target", (BATCH, spec.layers[-1]), spec.depth, f"d{names.TARGET}")


def _give_parameters(build: Builder, spec: NetworkSpec) -> None:
    """Add the parameters, with the numbers that the specification gives them."""
    shapes = start.shapes_of(spec)
    given = start.numbers_of(spec.start, shapes) if spec.start else {}
    for name, role, shape, k in start.parameters_of(spec):
        frozen, numbers = k in spec.frozen, given.get(name, ())
        read = in_torch = None
        if start.is_reference(spec.start):
            read = partial(start.array_of, name, spec.start, shapes)
            in_torch = start.in_torch(name, spec.start, shapes, spec.dtype)
        build.give(
            Value(
                name, role, shape, k, f"d{name}", frozen=frozen, numbers=numbers, read=read, in_torch=in_torch
            )
        )


def _hidden(build: Builder, spec: NetworkSpec, k: int, came_in: str) -> str:
    """Add the operations from a hidden layer's pre-activation to its output; return that."""
    mask = names.mask(k)
    if spec.dropout:
        width = spec.layers[k]
        build.give(Value(mask, "mask", (BATCH, width), k, f"d{mask}", constant=spec.dropout))
    residual = "residual", "delta", _delta(spec, k - 1)
    rows: list[tuple[bool, Primitive, str, Role, tuple[str, ...], tuple[str, ...], str]] = [
        (spec.layer_norm, LAYER_NORM, names.normalized(k), "normalized", (names.gain(k), names.shift(k)),
         LAYER_NORM_EQUATIONS, names.standardized(k)),
        (True, ELEMENTWISE[spec.activations[k - 1]], names.activated(k), "activated", (), ACTIVATION_EQUATIONS, ""),
        (spec.dropout > 0, DROPOUT, names.masked(k), "masked", (mask,), DROPOUT_EQUATIONS, ""),
        (spec.adds_input(k), RESIDUAL_ADD, names.activation(k), "activation", (came_in,), residual, ""),
    ]  # fmt: skip
    at, wanted = names.preactivation(k), [row[1:] for row in rows if row[0]]
    for i, (primitive, name, role, others, equations, saved) in enumerate(wanted):
        last = i == len(wanted) - 1
        name, role = (names.activation(k), "activation") if last else (name, role)
        at = build.compute(primitive, (at, *others), name, role, k, equations, saved=saved)
    return at


def _loss(build: Builder, spec: NetworkSpec, z: str, target: str) -> None:
    """Add the loss and the penalties."""
    loss, weights = LOSSES[spec.loss], [names.weight(k) for k in range(1, spec.depth + 1)]
    penalized = [*build.parameters] if spec.l2_bias else weights if spec.l2 else []
    totals = [*map(names.partial_loss, range(len(penalized))), names.LOSS]
    saved = names.PROBABILITIES if loss.probabilities else ""
    gradient = f"d{names.LOSS}"
    build.compute(loss, (z, target), totals[0], "loss", spec.depth, LOSS_EQUATIONS, gradient, saved)
    if penalized:
        strength = Value(names.STRENGTH, "constant", (), spec.depth, f"d{names.STRENGTH}", constant=spec.l2)
        build.give(strength)
    for w, before, after in zip(penalized, totals, totals[1:], strict=False):
        equations = "penalty", "output delta", GRADIENTS[build.role(w)]
        build.compute(L2_PENALTY, (before, w, names.STRENGTH), after, "loss", spec.depth, equations, gradient)
