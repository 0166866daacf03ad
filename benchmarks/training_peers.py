"""The peers of benchmarks/training.py, each run in a process of its own: updates by gradient descent of the lesson's
network on the digits, one batch after the other.

    python benchmarks/training_peers.py PEER FOLDER OPTIONS     prints one line of JSON; OPTIONS is JSON too

Only the standard library and numpy are imported at the top, so that an interpreter with numpy and one peer is enough.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Update = Callable[
    [Array, Array], Any
]  # one update on a batch: x, labels; returns its loss, or something that has it
RATE = 0.01
COMPARED = 20  # updates, after which the losses of all peers are compared
WARM = 0.2  # share of the time that is not measured, at the beginning


def prepare(folder: str, batch: int, seconds: float, threads: int) -> dict[str, Any]:
    """Write the digits and the lesson's first weights to ``folder``."""
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.network.initializers import initial_parameters

    network = _session(batch).network
    digits = cut(network, "digits", 0, 4000)
    parameters = network.graph.views(initial_parameters(network))
    np.savez(f"{folder}/digits.npz", x=digits.x, labels=digits.t, **parameters)
    return {"layers": network.layers, "parameters": network.parameters}


# --- our own -----------------------------------------------------------------------------------------------


def _session(batch: int) -> Any:
    from tui_backprop.session.session_parts import AMOUNTS
    from tui_backprop.session.state import from_preset

    return replace(from_preset("lesson"), sample=0, batch=batch, lr=RATE, amount=AMOUNTS[-1])


def out_of_sight(folder: str, batch: int, seconds: float, threads: int) -> dict[str, Any]:
    """Train as the app does, with the losses, scores and earlier states that it keeps, without an app."""
    from tui_backprop.session.replay import Replay
    from tui_backprop.session.training_run import learn

    start, session = perf_counter(), _session(batch)
    reports = learn(Replay(), session, None, None)
    warm = (each.learning for each in reports if perf_counter() - start > WARM * seconds)
    first = next(each for each in warm if each.done > COMPARED)
    begun, cpu = perf_counter(), process_time()
    last = next(each.learning for each in reports if perf_counter() - begun > seconds)
    done = last.done - first.done
    return _result(done, perf_counter() - begun, process_time() - cpu, last.losses[COMPARED])


def in_view(folder: str, batch: int, seconds: float, threads: int) -> dict[str, Any]:
    """Train in the app at 120x40, with the training panel in view, drawn to no terminal."""
    return asyncio.run(_in_app(batch, seconds, "T"))


def beside(folder: str, batch: int, seconds: float, threads: int) -> dict[str, Any]:
    """Train in the app at 120x40, with the walk in view."""
    return asyncio.run(_in_app(batch, seconds, ""))


async def _in_app(batch: int, seconds: float, keys: str) -> dict[str, Any]:
    async with _app(batch) as (app, pilot):
        for key in keys:
            await pilot.press(key)
        app.training.action_start_training()
        while app.training.trained is None or app.training.trained.learning.done <= COMPARED:
            await asyncio.sleep(0.05)
        await asyncio.sleep(WARM * seconds)
        first, cpu = app.training.trained.learning, process_time()
        await asyncio.sleep(seconds)
        last, spent = app.training.trained.learning, process_time() - cpu
        app.training.action_stop_training()
        while app.training.running:
            await asyncio.sleep(0.05)
        return _result(last.done - first.done, last.seconds - first.seconds, spent, last.losses[COMPARED])


@asynccontextmanager
async def _app(batch: int) -> AsyncIterator[tuple[Any, Any]]:
    from tui_backprop.render.draw.context import UTF8
    from tui_backprop.tui.app.app import BackpropApp

    app = BackpropApp(_session(batch), UTF8)
    async with app.run_test(size=(120, 40)) as pilot:
        while app.state.snapshot is None or app.cost_lab.cost_model is None:
            await asyncio.sleep(0.05)
        yield app, pilot


# --- the others --------------------------------------------------------------------------------------------


def _pytorch(weights: list[Array], threads: int) -> Update:
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(threads)
    p = [torch.from_numpy(array.copy()).requires_grad_() for array in weights]
    optimizer = torch.optim.SGD(p, lr=RATE, fused=True)

    def update(x: Array, labels: Array) -> Any:
        a = torch.from_numpy(x)
        for k in range(0, len(p) - 2, 2):
            a = torch.relu(torch.addmm(p[k + 1], a, p[k]))
        loss = cross_entropy(torch.addmm(p[-1], a, p[-2]), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.detach()

    return update


def _jax(weights: list[Array], threads: int) -> Update:
    import jax
    import jax.numpy as jnp

    def loss(p: list[Any], a: Any, t: Any) -> Any:
        for k in range(0, len(p) - 2, 2):
            a = jax.nn.relu(a @ p[k] + p[k + 1])
        return -jnp.mean(jax.nn.log_softmax(a @ p[-2] + p[-1])[jnp.arange(len(t)), t])

    def descend(p: list[Any], a: Any, t: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(p, a, t)
        return value, [each - RATE * g for each, g in zip(p, gradients, strict=True)]

    compiled = jax.jit(descend, donate_argnums=0)
    p = [jnp.asarray(array) for array in weights]

    def update(x: Array, labels: Array) -> Any:
        nonlocal p
        value, p = compiled(p, x, labels)
        return value.block_until_ready()

    return update


def _scikit_learn(weights: list[Array], threads: int) -> Update:
    from sklearn.neural_network import MLPClassifier

    classes = np.arange(len(weights[-1]))
    hidden = [len(b) for b in weights[1:-1:2]]
    net = MLPClassifier(hidden, alpha=0, solver="sgd", momentum=0, learning_rate_init=RATE)
    net.partial_fit(np.zeros((len(classes), len(weights[0])), "float32"), classes, classes=classes)
    for k, array in enumerate(weights):  # in place: its optimizer holds these arrays
        np.copyto((net.intercepts_ if k % 2 else net.coefs_)[k // 2], array)

    def update(x: Array, labels: Array) -> Any:
        net.batch_size = len(x)
        net.partial_fit(x, labels)
        return net.loss_

    return update


PEERS = {"pytorch": _pytorch, "jax": _jax, "scikit-learn": _scikit_learn}


def _batches(x: Array, labels: Array, batch: int) -> Iterator[tuple[Array, Array]]:
    """Yield the batches of the data one after the other without end, those that do not wrap around as views."""
    start = 0
    while True:
        rows: Any = slice(start, start + batch)
        if start + batch > len(x):
            rows = np.arange(start, start + batch) % len(x)
        yield x[rows], labels[rows]
        start = (start + batch) % len(x)


def peer(name: str, folder: str, batch: int, seconds: float, threads: int) -> dict[str, Any]:
    with np.load(f"{folder}/digits.npz") as data:
        weights = [data[f"{kind}{k}"] for k in range(1, len(data.files) // 2) for kind in "Wb"]
        batches = _batches(data["x"], data["labels"], batch)
    update = PEERS[name](weights, threads)
    losses = [update(*next(batches)) for _ in range(COMPARED + 1)]
    end = perf_counter() + WARM * seconds
    while perf_counter() < end:
        update(*next(batches))
    begun, cpu = perf_counter(), process_time()
    done = 0
    while perf_counter() - begun < seconds:
        losses.append(float(update(*next(batches))))
        done += 1
    return _result(done, perf_counter() - begun, process_time() - cpu, float(losses[COMPARED]))


def _result(done: int, seconds: float, cpu: float, loss: float) -> dict[str, Any]:
    return {"rate": done / seconds, "cpu": cpu / done, "loss": float(loss)}


OURS = {"prepare": prepare, "out of sight": out_of_sight, "in view": in_view, "beside the walk": beside}


def main() -> None:
    name, folder, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    result = OURS[name](folder, **options) if name in OURS else peer(name, folder, **options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
