"""Compare the speed of our engine with PyTorch, JAX, autograd and scikit-learn: one forward and backward pass.

Every measurement runs alone in a fresh process; rounds of all measurements alternate, because machines drift.

    .venv/bin/python benchmarks/engine.py --python PEERS/bin/python

PEERS is a virtual environment with some or all of torch, jax, autograd and scikit-learn; peers that no
interpreter has are skipped. The jobs are in engine_jobs.py, the peers in engine_peers.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

JOBS = Path(__file__).with_name("engine_jobs.py")
OURS = "backprop-tui"
TIMED = {  # peer: (module, pip package, what is timed)
    OURS: ("tui_backprop", "this project: pip install .", "Program.forward and .backward"),
    "pytorch": ("torch", "torch", "eager on CPU: addmm, relu, cross_entropy, then torch.autograd.grad"),
    "jax": ("jax", "jax", "jit of value_and_grad, with block_until_ready"),
    "autograd": ("autograd", "autograd", "value_and_grad"),
    "scikit-learn": ("sklearn", "scikit-learn", "MLPClassifier._backprop (partial_fit would update too)"),
}
SECTIONS = ("sgemm", "naive", "allocations")
# What the libraries read when they start. XLA has no documented number; PJRT_NPROC is what its source reads.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "PJRT_NPROC",
)
AGREE = 1e-4
Round = dict[str, Any]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--batches", type=batches, default="1,32,256", help="batch sizes, with commas (1,32,256)")
    add("--rounds", type=int, default=5, help="rounds over everything that is measured (5)")
    add("--seconds", type=float, default=0.5, help="time of one measurement in one round (0.5)")
    add("--threads", type=int, default=len(cpus()), help="threads of every peer (all CPUs of this process)")
    add("--sample", type=int, default=3000, help="parameters of the naive gradient (3000)")
    add("--whole", action="store_true", help="the naive gradient of all parameters, in the first round only")
    add("--only", action="append", choices=[*TIMED, *SECTIONS], help="measure this alone; repeatable")
    add(
        "--python", action="append", default=[], metavar="[PEER=]PATH", help="another interpreter; repeatable"
    )
    add("--json", type=Path, metavar="FILE", help="write every round's numbers there too")
    chosen = parser.parse_args()
    if min(*chosen.batches, chosen.rounds, chosen.threads, chosen.sample) < 1 or chosen.seconds <= 0:
        parser.error("batches, rounds, threads, sample and seconds have to be above zero")
    return chosen


def batches(text: str) -> list[int]:
    return [int(n) for n in text.split(",")]


def cpus() -> list[int]:
    """Return the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def interpreter(peer: str, given: Sequence[str]) -> str | None:
    """Find an interpreter that has the peer: the one given for it, one given for all, or this one."""
    named = [path for name, _, path in (text.partition("=") for text in given) if path and name == peer]
    for path in named or [*(text for text in given if "=" not in text and peer != OURS), sys.executable]:
        probe = "import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is None)"
        if subprocess.run([path, "-c", probe, TIMED[peer][0]], capture_output=True).returncode == 0:
            return path
    return None


def run(job: str, python: str, folder: str, chosen: argparse.Namespace) -> Round:
    """Run one job in a process of its own; return what it printed, or {"skipped": why}."""
    names = ("batches", "seconds", "threads", "sample", "whole")
    given = json.dumps({name: getattr(chosen, name) for name in names})
    threads = dict.fromkeys(THREAD_VARIABLES, str(chosen.threads))
    done = subprocess.run(
        [python, str(JOBS), job, folder, given],
        capture_output=True,
        text=True,
        env=os.environ | threads | {"JAX_PLATFORMS": "cpu"},
    )
    if done.returncode:
        return {"skipped": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    result: Round = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(jobs: dict[str, str], folder: str, chosen: argparse.Namespace) -> list[dict[str, Round]]:
    """Run all rounds. A job that failed is not repeated; allocations are counted once, since they do not drift."""
    rounds: list[dict[str, Round]] = []
    failed: set[str] = set()
    for number in range(chosen.rounds):
        results: dict[str, Round] = {}
        for job, python in jobs.items():
            once = job == "allocations" or (job == "naive" and chosen.whole)
            if job in failed or (once and number):
                continue
            if sys.stderr.isatty():
                print(f"\r\x1b[Kround {number + 1} of {chosen.rounds}: {job} ", end="", file=sys.stderr)
            result = run(job, python, folder, chosen)
            if "skipped" in result:
                failed.add(job)
                print(f"{job}: skipped, {result['skipped']}")
            else:
                results[job] = result
        rounds.append(results)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    return [{job: r for job, r in results.items() if job not in failed} for results in rounds]


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Compute median and quartiles."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def show_peers(peers: Sequence[str], rounds: list[dict[str, Round]], chosen: argparse.Namespace) -> None:
    print(f"{'batch':>5}  {'peer':<12} {'µs':>9}  {'quartiles':^17} {'/ ours':>7}  {'quartiles':^13}", end="")
    print(f"  {'loss':>8} {'|gradient|':>10}")
    for batch in map(str, chosen.batches):
        found = {peer: [r[peer]["batches"][batch] for r in rounds] for peer in peers}
        for peer in peers:
            middle, low, high = spread([1e6 * r["seconds"] for r in found[peer]])
            line = f"{batch:>5}  {peer:<12} {middle:>9,.0f}  {low:>7,.0f} - {high:<7,.0f}"
            if OURS in found:
                pairs = zip(found[peer], found[OURS], strict=True)
                middle, low, high = spread([r["seconds"] / own["seconds"] for r, own in pairs])
                line += f" {middle:>7.2f}  {low:>5.2f} - {high:<5.2f}"
            else:
                line += " " * 23
            print(f"{line}  {found[peer][0]['loss']:>8.5f} {found[peer][0]['norm']:>10.5f}")
        if len(peers) > 1:
            print(
                f"{'':>5}  {agreement([(found[peer][0]['loss'], found[peer][0]['norm']) for peer in peers])}"
            )
        print()


def agreement(given: Sequence[tuple[float, float]]) -> str:
    """Report if all peers computed the same, from the loss and the gradient's norm of each."""
    apart = [abs(value / first - 1) for pair in given for value, first in zip(pair, given[0], strict=True)]
    verdict = "agree" if all(difference <= AGREE for difference in apart) else "DO NOT AGREE"
    return f"losses and gradients {verdict} to {AGREE:g}: at most {max(apart):.1e} apart"


def show_peak(rounds: list[dict[str, Round]], layers: Sequence[int], chosen: argparse.Namespace) -> None:
    first = rounds[0]["sgemm"]
    rates = {size: [r["sgemm"]["gflops"][size] for r in rounds] for size in first["gflops"]}
    best = max(rates, key=lambda size: statistics.median(rates[size]))
    middle, low, high = spread(rates[best])
    print(f"sgemm peak {middle:.0f} GFLOP/s ({low:.0f} - {high:.0f}), {best} square; ", end="")
    print(f"numpy {first['numpy']}, {first['blas']}")
    if OURS not in rounds[0]:
        return
    weights = sum(a * b for a, b in pairwise(layers))
    for batch in chosen.batches:  # forward and dW take each weight once; delta spares the first layer's
        work = 2e-9 * batch * (3 * weights - layers[0] * layers[1])
        speed = [work / r[OURS]["batches"][str(batch)]["seconds"] for r in rounds]
        share, low, high = spread([100 * s / rate for s, rate in zip(speed, rates[best], strict=True)])
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


def main() -> None:
    chosen = options()
    wanted = chosen.only or [*TIMED, *SECTIONS]
    found = {peer: interpreter(peer, chosen.python) for peer in TIMED}
    own = found[OURS]
    if own is None:
        sys.exit(f"{OURS} cannot be imported ({TIMED[OURS][1]})")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus()[: chosen.threads])  # all jobs inherit it
        held = f"so processes are held to {len(cpus())} CPUs too"
    else:
        held = "and this system cannot hold processes to CPUs"
    with tempfile.TemporaryDirectory() as folder:
        network = run("prepare", own, folder, chosen)
        if "skipped" in network:
            sys.exit(f"the data could not be prepared: {network['skipped']}")
        sizes = "-".join(map(str, network["layers"]))
        print(f"one forward and backward pass, {sizes}, {network['parameters']:,} parameters, float32")
        print(f"{platform.machine()}, {len(cpus())} CPUs; medians and quartiles of {chosen.rounds} rounds")
        print(f"threads each: {chosen.threads}, by torch.set_num_threads and the variables")
        print(f"    {', '.join(THREAD_VARIABLES)};")
        print(f"    JAX documents none (the last is what XLA reads today), {held}\n")
        jobs: dict[str, str] = {}
        for name in wanted:
            path = own if name in SECTIONS else found[name]
            if path is None:
                print(f"{name}: skipped, not installed (pip install {TIMED[name][1]})")
            else:
                jobs[name] = path
        rounds = measure(jobs, folder, chosen)

    first = rounds[0]
    peers = [name for name in TIMED if name in first]
    for peer in peers:
        threads = f", {first[peer]['held threads']} OS threads held" if "held threads" in first[peer] else ""
        print(f"{peer} {first[peer]['version']} on Python {first[peer]['python']}{threads}")
        print(f"    {TIMED[peer][2]}")
    print()
    if peers:
        show_peers(peers, rounds, chosen)
    if "sgemm" in first:
        show_peak(rounds, network["layers"], chosen)
    if "allocations" in first:
        show_allocations(first["allocations"])
    if "naive" in first:
        show_naive([r["naive"] for r in rounds if "naive" in r])
    if chosen.json:
        settings = {k: v for k, v in vars(chosen).items() if k not in ("json", "python")}
        report = {"network": network, "settings": settings, "rounds": rounds}
        chosen.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
