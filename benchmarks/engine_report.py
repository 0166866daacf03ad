"""What benchmarks/engine.py prints of its rounds."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

OURS = "backprop-tui"
AGREE = 1e-4
Round = dict[str, Any]
Job = tuple[str, int]  # of engine_jobs.py, and its threads


def title(job: Job) -> str:
    name, threads = job
    return f"{name} x{threads}"


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Compute median and quartiles."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def best(name: str, batch: str, results: dict[Job, Round]) -> Round:
    """Return the quickest result of a peer in a round, whatever its number of threads."""
    found = [r["batches"][batch] for (peer, _), r in results.items() if peer == name]
    return min(found, key=lambda each: float(each["seconds"]))


def show_peers(jobs: Sequence[Job], rounds: list[dict[Job, Round]], chosen: argparse.Namespace) -> None:
    print(f"{'batch':>5}  {'peer':<16} {'µs':>9}  {'quartiles':^17} {'CPU µs':>9}", end="")
    print(f"  {'/ our best':>10}  {'quartiles':^13}  {'loss':>8} {'|gradient|':>10}")
    ours = any(name == OURS for name, _ in jobs)
    for batch in map(str, chosen.batches):
        for job in jobs:
            found = [r[job]["batches"][batch] for r in rounds]
            middle, low, high = spread([1e6 * r["seconds"] for r in found])
            line = f"{batch:>5}  {title(job):<16} {middle:>9,.0f}  {low:>7,.0f} - {high:<7,.0f}"
            line += f" {1e6 * statistics.median(r['cpu'] for r in found):>9,.0f}"
            if ours:
                pairs = zip(found, (best(OURS, batch, r) for r in rounds), strict=True)
                middle, low, high = spread([r["seconds"] / own["seconds"] for r, own in pairs])
                line += f"  {middle:>10.2f}  {low:>5.2f} - {high:<5.2f}"
            else:
                line += " " * 27
            print(f"{line}  {found[0]['loss']:>8.5f} {found[0]['norm']:>10.5f}")
        if len(jobs) > 1:
            results = [rounds[0][job]["batches"][batch] for job in jobs]
            print(f"{'':>5}  {agreement([(each['loss'], each['norm']) for each in results])}")
        print()
    for other in {name: None for name, _ in jobs if name != OURS} if ours else ():
        for batch in map(str, chosen.batches):
            ratios = [best(other, batch, r)["seconds"] / best(OURS, batch, r)["seconds"] for r in rounds]
            middle, low, high = spread(ratios)
            print(
                f"batch {batch:>4}: {middle:.2f} times as fast as {other} ({low:.2f} - {high:.2f}),", end=""
            )
            print(" the best of both")
    print()


def show_products(rounds: list[dict[Job, Round]], chosen: argparse.Namespace) -> None:
    """Show what a pass takes beyond its matrix products, with one thread."""
    for batch in map(str, chosen.batches):
        pairs = [(r[OURS, 1]["batches"][batch]["seconds"], r["products", 1][batch]) for r in rounds]
        middle, low, high = spread([100 * (whole / bare - 1) for whole, bare in pairs])
        bare = 1e6 * statistics.median(bare for _, bare in pairs)
        print(f"batch {batch:>4}: products alone {bare:>7,.0f} µs;", end="")
        print(f" overhead of a pass with one thread {middle:.0f} % ({low:.0f} - {high:.0f})")
    print()


def agreement(given: Sequence[tuple[float, float]]) -> str:
    """Report if all peers computed the same, from the loss and the gradient's norm of each."""
    apart = [abs(value / first - 1) for pair in given for value, first in zip(pair, given[0], strict=True)]
    verdict = "agree" if all(difference <= AGREE for difference in apart) else "DO NOT AGREE"
    return f"losses and gradients {verdict} to {AGREE:g}: at most {max(apart):.1e} apart"


def show_peak(rounds: list[dict[Job, Round]], layers: Sequence[int], chosen: argparse.Namespace) -> None:
    for threads in chosen.threads:
        peak = "sgemm", threads
        first = rounds[0][peak]
        rates = {size: [r[peak]["gflops"][size] for r in rounds] for size in first["gflops"]}
        most = max(rates, key=lambda size: statistics.median(rates[size]))
        middle, low, high = spread(rates[most])
        print(f"sgemm peak x{threads} {middle:.0f} GFLOP/s ({low:.0f} - {high:.0f}), {most} square; ", end="")
        print(f"numpy {first['numpy']}, {first['blas']}")
        if (OURS, threads) not in rounds[0]:
            continue
        weights = sum(a * b for a, b in pairwise(layers))
        for batch in chosen.batches:  # forward and dW take each weight once; delta spares the first layer's
            work = 2e-9 * batch * (3 * weights - layers[0] * layers[1])
            speed = [work / r[OURS, threads]["batches"][str(batch)]["seconds"] for r in rounds]
            share, low, high = spread([100 * s / rate for s, rate in zip(speed, rates[most], strict=True)])
            print(f"  ours at batch {batch:>4}: {statistics.median(speed):>5.0f} GFLOP/s,", end="")
            print(f" {share:>5.1f} % of the peak ({low:.1f} - {high:.1f})")


def show_allocations(result: Round) -> None:
    print(
        f"\nallocations in {result['steps']} steps after the first: arrays counted in numpy's own allocator,"
    )
    print("blocks that live on as tracemalloc sees numpy's domain, its peak of everything in one step\n")
    print(f"{'':<50}  arrays     bytes   live  peak bytes")
    for row in result["rows"]:
        count, size = sum(n for _, n in row["sizes"]), sum(s * n for s, n in row["sizes"])
        print(f"{row['run']:<50}  {count:>6,} {size:>9,} {row['live']:>6}  {row['peak']:>10,}")
        if row["sizes"]:
            print("    " + ", ".join(f"{n} of {s:,}" for s, n in row["sizes"]))


def show_naive(found: list[Round]) -> None:
    count = found[0]["count"]
    print(f"\nnaive numerical gradient at batch 1: forward differences, {count:,} parameters,")
    print(f"against {count + 1:,} bare forward passes in turns\n")
    for title, form, values in (
        ("naive, s", "8.3f", [r["naive"] for r in found]),
        ("bare passes, s", "8.3f", [r["bare"] for r in found]),
        ("ratio", "8.3f", [r["naive"] / r["bare"] for r in found]),
    ):
        middle, low, high = spread(values)
        print(f"  {title:<16} {middle:{form}}  ({low:.3f} - {high:.3f})")
    print(f"  off backprop's entries by {found[0]['error']:.1e} (relative norm)")
