"""The jobs of benchmarks/engine.py, each run in a process of its own: the peers, products, sgemm,
allocations, naive.

    python benchmarks/engine_jobs.py JOB FOLDER OPTIONS     prints one line of JSON; OPTIONS is JSON too

``prepare`` writes the weights and the data into FOLDER; every peer reads them there. Only the standard
library and numpy are imported at the top, so that an interpreter with numpy and one peer is enough.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib import metadata
from itertools import pairwise
from time import perf_counter, process_time
from typing import Any

import numpy as np
from counted_arrays import CountedArrays
from engine_peers import LAYERS, PACKAGES, PEERS, ours
from numpy.typing import NDArray

Array = NDArray[Any]
Options = dict[str, Any]

SIZES = (512, 1024, 2048)  # of the square matrices whose product is the machine's peak
STEPS = 10  # in which allocations are counted
CHUNK = 500  # parameters between two turns of the naive gradient and the bare forward passes


def prepare(folder: str, options: Options) -> Options:
    """Draw weights by He's initialization, small biases, and as many random samples as the largest batch has."""
    rng, arrays = np.random.default_rng(1), dict[str, Any]()
    for k, (fan_in, fan_out) in enumerate(pairwise(LAYERS), 1):
        arrays[f"W{k}"] = rng.standard_normal((fan_in, fan_out), np.float32) * np.float32((2 / fan_in) ** 0.5)
        arrays[f"b{k}"] = rng.standard_normal(fan_out, np.float32) * np.float32(0.1)
    parameters = sum(array.size for array in arrays.values())
    x = rng.random((max(options["batches"]), LAYERS[0]), np.float32)
    np.savez(f"{folder}/data.npz", x=x, labels=rng.integers(0, LAYERS[-1], len(x)), **arrays)
    return {"layers": LAYERS, "parameters": parameters}


def load(folder: str, batch: int) -> tuple[list[Array], Array, Array]:
    """Read (W1, b1, W2, b2, ...), the first ``batch`` inputs, and their labels."""
    with np.load(f"{folder}/data.npz") as data:
        names = [f"{kind}{k}" for k in range(1, len(data.files) // 2) for kind in "Wb"]
        return [data[name] for name in names], data["x"][:batch], data["labels"][:batch]


def timed(step: Callable[[], object], seconds: float) -> tuple[float, float]:
    """Measure single steps within ``seconds``, after a warm-up of a fifth of that; return the median seconds of one,
    and the mean seconds of CPU."""
    times: list[float] = []
    for limit, least in ((seconds / 5, 3), (seconds, 5)):
        times.clear()
        end, cpu = perf_counter() + limit, process_time()
        while (start := perf_counter()) < end or len(times) < least:
            step()
            times.append(perf_counter() - start)
    return statistics.median(times), (process_time() - cpu) / len(times)


def median_seconds(step: Callable[[], object], seconds: float) -> float:
    return timed(step, seconds)[0]


def peer(name: str, folder: str, options: Options) -> Options:
    results = {}
    for batch in options["batches"]:
        step = PEERS[name](*load(folder, batch), options["threads"])
        loss, gradients = step()
        norm = sum(float(np.square(np.asarray(g, float)).sum()) for g in gradients) ** 0.5
        seconds, cpu = timed(step, options["seconds"])
        results[str(batch)] = {"seconds": seconds, "cpu": cpu, "loss": loss.item(), "norm": norm}
    version = metadata.version(PACKAGES[name])
    return {"version": version, "python": platform.python_version(), "batches": results}


def products(folder: str, options: Options) -> Options:
    """Measure the matrix products of a pass alone, each of all samples at once, by batch. Of g Wᵀ and its transpose
    W gᵀ, which OpenBLAS computes in different times, the quicker one counts."""
    rng, results = np.random.default_rng(0), {}
    for batch in options["batches"]:
        given: list[tuple[Array, Array, Array]] = []
        for k, (fan_in, fan_out) in enumerate(pairwise(LAYERS)):
            a, w, g = (
                rng.random(s, np.float32) for s in ((batch, fan_in), (fan_in, fan_out), (batch, fan_out))
            )
            given += [(a, w, np.empty_like(g)), (a.T, g, np.empty_like(w))]
            if k:
                forms = (g, w.T, np.empty_like(a)), (w, g.T, np.empty_like(a.T, order="C"))
                given.append(min(forms, key=lambda form: median_seconds(partial(np.dot, *form), 0.02)))

        def step(given: list[tuple[Array, Array, Array]] = given) -> None:
            for left, right, out in given:
                np.dot(left, right, out=out)

        results[str(batch)] = median_seconds(step, options["seconds"])
    return results


def sgemm(folder: str, options: Options) -> Options:
    """Measure the GFLOP/s of one product of square float32 matrices, by size."""
    rates = {}
    for size in SIZES:
        a, b = np.random.default_rng(0).random((2, size, size), np.float32)
        out = np.empty_like(a)

        def product(a: Array = a, b: Array = b, out: Array = out) -> None:
            np.matmul(a, b, out=out)

        rates[str(size)] = 2e-9 * size**3 / median_seconds(product, options["seconds"])
    built: Any = np.show_config(mode="dicts")
    blas = built["Build Dependencies"]["blas"]
    return {"numpy": np.__version__, "blas": f"{blas['name']} {blas['version']}", "gflops": rates}


def naive(folder: str, options: Options) -> Options:
    """Measure the naive forward difference over N parameters against N + 1 bare forward passes, alternating."""
    try:
        from tui_backprop.engine.gradients.methods import METHODS, Problem
    except ImportError as error:
        return {"skipped": str(error)}
    parameters, x, labels = load(folder, 1)
    flat = np.concatenate([p.ravel() for p in parameters])
    program = ours(flat.copy(), x, labels)
    problem = Problem(program.spec, x, labels, flat)
    method, out = METHODS["forward-difference"], np.zeros(flat.size)
    sample = np.linspace(0, flat.size - 1, min(options["sample"], flat.size)).astype(int)
    indices = None if options["whole"] else sample
    for _ in method.fill(out, problem, sample[:20]):  # warm-up
        program.forward()

    count = flat.size if indices is None else len(indices)
    filling, done, passes, spent, bare = method.fill(out, problem, indices), 0, 0, 0.0, 0.0
    while done < count:
        start = perf_counter()
        for done in filling:
            if done - passes >= CHUNK:
                break
        spent += perf_counter() - start
        if done == passes:
            raise RuntimeError(f"the method ended after {done} of {count} entries")
        start = perf_counter()
        for _ in range(done - passes + (done == count)):
            program.forward()
        bare += perf_counter() - start
        passes = done
    exact, found = program.backward()[sample].astype(float), out[sample]
    distance = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    return {"count": count, "naive": spent, "bare": bare, "error": distance}


def allocations(folder: str, options: Options) -> Options:
    """Count what STEPS steps allocate after the first one; and, as a control, a known allocation of 1,024 bytes."""
    counted, rows = CountedArrays(), []
    domain = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    steps = {n: PEERS["backprop-tui"](*load(folder, n), 1) for n in options["batches"]}
    one, kept = next(iter(steps.values())), list[Array]()

    def temporary() -> None:
        one()
        np.empty(256, np.float32)

    runs: dict[str, Callable[[], object]] = {f"batch {n}": step for n, step in steps.items()}
    runs["the first of these and 1,024 bytes freed at once"] = temporary
    runs["1,024 bytes that are kept"] = lambda: kept.append(np.empty(256, np.float32))
    for name, run in runs.items():
        run()
        with counted as sizes:
            for _ in range(STEPS):
                run()
        found, peak = Counter(sizes), 0
        tracemalloc.start()
        for _ in range(STEPS):
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            run()
            peak = max(peak, tracemalloc.get_traced_memory()[1] - before)
        live = len(tracemalloc.take_snapshot().filter_traces([domain]).traces)
        tracemalloc.stop()
        rows.append({"run": name, "sizes": sorted(found.items()), "live": live, "peak": peak})
    return {"steps": STEPS, "rows": rows}


JOBS = {"prepare": prepare, "products": products, "sgemm": sgemm, "naive": naive, "allocations": allocations}


def main() -> None:
    job, folder, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    result = JOBS[job](folder, options) if job in JOBS else peer(job, folder, options)
    if os.path.isdir("/proc/self/task"):  # Linux; the threads that this process holds, idle ones too
        result["held threads"] = len(os.listdir("/proc/self/task"))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
