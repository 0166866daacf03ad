"""Compare a training step of microgpt (forward, backward, Adam) with PyTorch eager and with a program of scalars.

    PEERS/bin/python -m benchmarks.gpt

PEERS is a virtual environment with torch and this project; start it in the folder of this project. All run in one
process, with one thread each, step by step in turn on the same names, in float64, so that a busy machine slows all
of them; losses are compared. The scalar program is ``tests/reference/microgpt.py``. CPU times are those of the
process.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

from tests.reference import microgpt
from tui_backprop.data.samples import batches
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.iteration import Update, run
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import Optimizer
from tui_backprop.engine.training.training import Training

WARM = 20  # steps that are not timed
SPEC = GptSpec(seed=microgpt.SEED)
ADAM = OptimizerSpec(
    "adam", beta1=microgpt.BETA1, beta2=microgpt.BETA2, epsilon=microgpt.ADAM_EPSILON,
    schedule="linear", horizon=microgpt.ITERATIONS,
)  # fmt: skip
MEMORY = 2**22  # bytes, of checkpoints
Losses = Iterator[float]  # one for each step, which is done by asking for it


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--steps", type=int, default=400, help="steps that are timed (400)")
    parser.add_argument("--scalar", type=int, default=20, help="steps of the scalar program (20)")
    return parser.parse_args()


def ours() -> Losses:
    """Train as ``Training`` does, without checkpoints."""
    parameters, plan = initial_parameters(SPEC), _plan()
    program = Program(SPEC, 1, parameters)
    adam = Optimizer(ADAM, microgpt.RATE, SPEC.parameters, SPEC.dtype)
    for t in range(microgpt.ITERATIONS):
        loss = run(program, plan(t), t)
        adam.apply(parameters, program.gradient, t)
        yield loss


def _plan() -> Callable[[int], Update]:
    batch = batches(SPEC, "names")

    def plan(t: int) -> Update:
        samples = batch(t, 1)
        return Update(samples.x, samples.t, microgpt.RATE)

    return plan


def theirs() -> Losses:
    """Train by PyTorch eager, with its own attention, norm, loss and Adam."""
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(1)
    start = initial_parameters(SPEC)
    w = [
        torch.tensor(start[at].reshape(SPEC.graph.parameters[name]), requires_grad=True)
        for name, at in SPEC.graph.slices.items()
    ]
    tokens, positions, wq, wk, wv, wo, up, down, out = w
    adam = torch.optim.Adam(
        w, lr=microgpt.RATE, betas=(microgpt.BETA1, microgpt.BETA2), eps=microgpt.ADAM_EPSILON
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda t: 1 - t / microgpt.ITERATIONS)
    plan = _plan()

    def norm(x: Any) -> Any:
        return F.rms_norm(x, x.shape[-1:], eps=microgpt.EPSILON)

    def heads(x: Any) -> Any:
        return x.unflatten(-1, (microgpt.HEADS, -1)).transpose(-2, -3)

    for t in range(microgpt.ITERATIONS):
        update = plan(t)
        x, target = torch.tensor(update.x).long(), torch.tensor(update.target).long()
        r = norm(tokens[x] + positions)
        a = norm(r)
        q, k, v = (heads(a @ each) for each in (wq, wk, wv))
        read = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        r = r + read.transpose(-2, -3).flatten(-2) @ wo
        r = r + torch.relu(norm(r) @ up) @ down
        loss = F.cross_entropy((r @ out).flatten(0, -2), target.flatten(), ignore_index=-1)
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
        yield loss.item()


def timed(losses: Losses) -> tuple[float, float, float]:
    """Do a step: return its loss, and its seconds of wall and of CPU time."""
    start, cpu = perf_counter(), process_time()
    loss = next(losses)
    return loss, perf_counter() - start, process_time() - cpu


def row(name: str, steps: list[tuple[float, float, float]]) -> float:
    """Print the milliseconds of steps; return the median of their CPU time, in seconds."""
    _, wall, cpu = zip(*steps, strict=True)
    figures = (1e3 * each for each in (median(wall), min(wall), median(cpu), min(cpu)))
    print(f"{name:<16}" + "".join(f"{each:>10.3f}" for each in figures))
    return median(cpu)


def main() -> None:
    chosen = options()
    count = min(WARM + chosen.steps, microgpt.ITERATIONS)
    peers = {"ours": ours()}
    with suppress(ImportError):
        import torch

        peers[f"torch {torch.__version__}"] = theirs()
    scalars = microgpt.training(microgpt.initial(), microgpt.names())
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in (*peers, "scalars")}
    for step in range(count):
        for name, losses in peers.items():
            found[name].append(timed(losses))
        if step < chosen.scalar:
            found["scalars"].append(timed(scalars))
    right = [loss for loss, _, _ in found["ours"]]
    for steps in found.values():
        np.testing.assert_allclose([loss for loss, _, _ in steps], right[: len(steps)], rtol=0, atol=1e-9)

    begun, cpu = perf_counter(), process_time()
    whole = len(Training(SPEC, ADAM, MEMORY).losses(microgpt.ITERATIONS, _plan()))
    took = perf_counter() - begun, process_time() - cpu

    print("a training step of microgpt: forward, backward, Adam; 4,192 parameters, float64, one name")
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; losses agree to 1e-9\n"
    )
    print(f"{'ms':<16}" + "".join(f"{head:>10}" for head in ("median", "fastest", "CPU", "fastest")))
    each = {
        name: row(name, steps[WARM:] if name in peers else steps) for name, steps in found.items() if steps
    }
    mine = each.pop("ours")
    print()
    for name, seconds in each.items():
        print(f"ours / {name}: {mine / seconds:.4g}, of CPU time; {seconds / mine:.3g} times as fast")
    print(
        f"{whole:,} steps as the app trains, with checkpoints: {took[0]:.2f} s, {took[1]:.2f} s of CPU time"
    )
    if "scalars" in each:
        print(f"{whole:,} steps of scalars: {whole * each['scalars']:.0f} s of CPU time, projected")


if __name__ == "__main__":
    main()
