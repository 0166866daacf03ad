"""Compare the speed of a convolutional network with PyTorch eager: one forward and backward pass of LeNet-5's shape.

    PEERS/bin/python benchmarks/convolution.py --batch 32

PEERS is a virtual environment with torch and this project. Both run in one process, pass by pass in turn, so that a
busy machine slows both; the ratio is that of the medians, and of the fastest passes. One thread each, then as many as
there are CPUs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [*range(os.cpu_count() or 1)]
WARM = 20  # passes that are not timed
Pass = Callable[[], Any]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--batch", type=int, default=32, help="images in a batch (32)")
    parser.add_argument("--passes", type=int, default=200, help="pairs of passes that are timed (200)")
    parser.add_argument("--threads", type=int, default=0, help=argparse.SUPPRESS)  # of a child process
    return parser.parse_args()


def passes(batch: int, threads: int) -> tuple[Pass, Pass]:
    """Return a pass of ours and one of PyTorch's, with the same parameters; both have the same gradient."""
    import torch
    from torch.nn import functional as F

    from tui_backprop.engine.frontends.conv.spec import ConvSpec
    from tui_backprop.engine.network.initializers import initial_parameters
    from tui_backprop.engine.network.program import Program

    torch.set_num_threads(threads)
    spec, rng = ConvSpec(), np.random.default_rng(0)
    program = Program(spec, batch, initial_parameters(spec))
    x: NDArray[Any] = rng.random((batch, 784), np.float32)
    labels = rng.integers(10, size=batch)
    program.feed(x, labels)
    w = {
        name: torch.tensor(array.copy(), requires_grad=True)
        for name, array in spec.graph.views(program.parameters).items()
    }
    leaves, images, target = [*w.values()], torch.tensor(x), torch.tensor(labels)

    def ours() -> Any:
        program.forward()
        return program.backward()

    def theirs() -> Any:
        a = images.reshape(-1, 1, 28, 28)
        a = F.max_pool2d(torch.relu(F.conv2d(a, w["W1"], w["b1"], padding=2)), 2)
        a = F.max_pool2d(torch.relu(F.conv2d(a, w["W2"], w["b2"])), 2).flatten(1)
        a = torch.relu(torch.addmm(w["b3"], a, w["W3"]))
        a = torch.relu(torch.addmm(w["b4"], a, w["W4"]))
        return torch.autograd.grad(F.cross_entropy(torch.addmm(w["b5"], a, w["W5"]), target), leaves)

    right = np.concatenate([each.numpy().ravel() for each in theirs()])
    np.testing.assert_allclose(ours(), right, rtol=1e-3, atol=1e-5 * np.abs(right).max())
    return ours, theirs


def measure(chosen: argparse.Namespace) -> None:
    """Time pairs of passes; print the seconds of each."""
    both = passes(chosen.batch, chosen.threads)
    times: tuple[list[float], list[float]] = ([], [])
    for n in range(WARM + chosen.passes):
        for run, found in zip(both, times, strict=True):
            start = perf_counter()
            run()
            if n >= WARM:
                found.append(perf_counter() - start)
    print(json.dumps(times))


def main() -> None:
    chosen = options()
    if chosen.threads:
        measure(chosen)
        return
    print(f"one pass of LeNet-5's shape, 61,706 parameters, float32, batch {chosen.batch};")
    print(f"{platform.machine()}, {len(CPUS)} CPUs, load {os.getloadavg()[0]:.1f}\n")
    print("threads      ours ms        torch ms       ours / torch")
    print("          median fastest  median fastest  median fastest")
    for threads in sorted({1, len(CPUS)}):
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, CPUS[:threads])  # the child inherits it
        command = [sys.executable, __file__, "--threads", str(threads)]
        command += ["--batch", str(chosen.batch), "--passes", str(chosen.passes)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit((done.stderr.strip().splitlines() or ["failed"])[-1])
        ours, theirs = json.loads(done.stdout)
        figures = [1e3 * of(times) for times in (ours, theirs) for of in (median, min)]
        ratios = median(ours) / median(theirs), min(ours) / min(theirs)
        print(f"{threads:>7}  " + "".join(f"{each:>7.2f} " for each in (*figures, *ratios)))


if __name__ == "__main__":
    main()
