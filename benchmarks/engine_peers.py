"""The peers of benchmarks/engine.py: one forward and backward pass of the lesson's network in each, by the fastest of
the public interfaces that were tried.

Only numpy is imported at the top, so that an interpreter with numpy and one peer is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Step = Callable[[], tuple[Any, Sequence[Any]]]  # one forward and backward pass: the loss, the gradients
Peer = Callable[[list[Array], Array, Array, int], Step]  # from W1, b1, W2, ..., x, labels, threads

LAYERS = (784, 256, 256, 256, 10)


def backprop_tui(parameters: list[Array], x: Array, labels: Array, threads: int) -> Step:

    program = ours(np.concatenate([p.ravel() for p in parameters]), x, labels)
    program.forward()
    gradients = list(program.spec.graph.views(program.backward()).values())  # each pass fills the same array

    def step() -> tuple[Any, Sequence[Any]]:
        loss = program.forward()
        program.backward()
        return loss, gradients

    return step


def pytorch(parameters: list[Array], x: Array, labels: Array, threads: int) -> Step:
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(threads)
    p = [torch.from_numpy(array.copy()).requires_grad_() for array in parameters]
    inputs, target = torch.from_numpy(x), torch.from_numpy(labels)

    def step() -> tuple[Any, Sequence[Any]]:
        a = inputs
        for k in range(0, len(p) - 2, 2):
            a = torch.relu(torch.addmm(p[k + 1], a, p[k]))
        loss = cross_entropy(torch.addmm(p[-1], a, p[-2]), target)
        return loss, torch.autograd.grad(loss, p)

    return step


def jax_jit(parameters: list[Array], x: Array, labels: Array, threads: int) -> Step:
    import jax
    import jax.numpy as jnp

    def loss(p: list[Any], a: Any, t: Any) -> Any:
        for k in range(0, len(p) - 2, 2):
            a = jax.nn.relu(a @ p[k] + p[k + 1])
        return -jnp.mean(jax.nn.log_softmax(a @ p[-2] + p[-1])[jnp.arange(len(t)), t])

    compiled = jax.jit(jax.value_and_grad(loss))
    p, inputs, target = [jnp.asarray(array) for array in parameters], jnp.asarray(x), jnp.asarray(labels)
    return lambda: jax.block_until_ready(compiled(p, inputs, target))


def hips_autograd(parameters: list[Array], x: Array, labels: Array, threads: int) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.tracer import getval

    def loss(p: list[Any]) -> Any:
        a = x
        for k in range(0, len(p) - 2, 2):
            z = anp.dot(a, p[k]) + p[k + 1]
            a = z * (z > 0)  # the VJP of anp.maximum takes longer
        z = anp.dot(a, p[-2]) + p[-1]
        z = z - getval(z).max(axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[np.arange(len(labels)), labels])

    run = value_and_grad(loss)
    return lambda: run(parameters)


def scikit_learn(parameters: list[Array], x: Array, labels: Array, threads: int) -> Step:
    import inspect

    from sklearn.neural_network import MLPClassifier

    weights, biases = parameters[0::2], parameters[1::2]
    classes = np.arange(len(biases[-1]))
    net = MLPClassifier([len(b) for b in biases[:-1]], alpha=0, solver="sgd", batch_size=len(x))
    net.partial_fit(x, labels, classes=classes)  # builds the network; then it gets the weights of all
    net.coefs_, net.intercepts_ = weights, biases
    one_hot = np.eye(len(classes), dtype=x.dtype)[labels]
    activations, deltas = [x, *biases], list(biases)  # lists that _backprop fills
    gradients = [np.empty_like(w) for w in weights], [np.empty_like(b) for b in biases]
    weighted = "sample_weight" in inspect.signature(net._backprop).parameters  # newer versions

    def step() -> tuple[Any, Sequence[Any]]:
        given = (x, one_hot, None) if weighted else (x, one_hot)
        loss, by_weights, by_biases = net._backprop(*given, activations, deltas, *gradients)
        return loss, [*by_weights, *by_biases]

    return step


PEERS: dict[str, Peer] = {
    "backprop-tui": backprop_tui,
    "pytorch": pytorch,
    "jax": jax_jit,
    "autograd": hips_autograd,
    "scikit-learn": scikit_learn,
}
PACKAGES = {name: {"pytorch": "torch"}.get(name, name) for name in PEERS}


def ours(parameters: Array, x: Array, labels: Array) -> Any:
    """Make a program of our engine, fed with the batch."""
    from tui_backprop.engine.frontends.dense.spec import NetworkSpec
    from tui_backprop.engine.network.program import Program

    program = Program(NetworkSpec(LAYERS), len(x), parameters)
    program.feed(x, labels)
    return program
