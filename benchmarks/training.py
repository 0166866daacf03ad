"""Compare the speed of training with PyTorch, JAX and scikit-learn: updates per second of the lesson's network on the
digits, one batch after the other, by gradient descent.

Every measurement runs alone in a fresh process; rounds of all measurements alternate, because machines drift.

    .venv/bin/python benchmarks/training.py --python PEERS/bin/python
    .venv/bin/python benchmarks/training.py --python PEERS/bin/python --busy 6

PEERS is a virtual environment with some or all of torch, jax and scikit-learn; the peers are in training_peers.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine import CPUS, THREAD_VARIABLES, busy, interpreter, numbers
from engine_report import agreement, spread

JOBS = Path(__file__).with_name("training_peers.py")
OURS = ("out of sight", "in view", "beside the walk")
PEERS = ("pytorch", "jax", "scikit-learn")
Job = tuple[str, int, int]  # name, threads, batch


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add = parser.add_argument
    add("--batches", type=numbers, default="1,32,256", help="batch sizes, with commas (1,32,256)")
    add("--rounds", type=int, default=3, help="rounds over everything that is measured (3)")
    add("--seconds", type=float, default=2.0, help="time of one measurement in one round (2)")
    add("--threads", type=numbers, default=f"1,{len(CPUS)}", help="threads of every peer, with commas")
    add("--busy", type=int, default=0, help="busy processes beside everything that is measured (0)")
    add("--only", action="append", choices=[*OURS, *PEERS], help="measure this alone; repeatable")
    add("--python", action="append", default=[], metavar="[PEER=]PATH", help="an interpreter; repeatable")
    return parser.parse_args()


def run(job: Job, python: str, folder: str, seconds: float) -> dict[str, Any]:
    """Run one job in a process of its own, on as many CPUs as it has threads; return what it printed."""
    name, threads, batch = job
    given = {"batch": batch, "seconds": seconds, "threads": threads}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, CPUS[:threads])  # the job inherits it
    done = subprocess.run(
        [python, str(JOBS), name, folder, json.dumps(given)],
        capture_output=True,
        text=True,
        env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"JAX_PLATFORMS": "cpu"},
    )
    if done.returncode:
        sys.exit(f"{name}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def show(batch: int, names: list[str], found: dict[Job, list[dict[str, Any]]], threads: list[int]) -> None:
    """Show the rates at a batch size, each of the number of threads whose median is best."""
    rates = {job: spread([each["rate"] for each in rounds]) for job, rounds in found.items()}
    best = {name: max(((name, n, batch) for n in threads), key=lambda job: rates[job][0]) for name in names}
    own = best.get(OURS[0])
    for name, job in best.items():
        middle, low, high = rates[job]
        cpu, _, _ = spread([1e6 * each["cpu"] for each in found[job]])
        line = (
            f"{batch:>5}  {name:<16} {job[1]:>7} {middle:>10,.0f}  {low:>7,.0f} - {high:<7,.0f} {cpu:>9,.0f}"
        )
        print(f"{line}  {rates[own][0] / middle:>8.2f}" if own else line)
    print(f"{'':>5}  {agreement([(found[job][0]['loss'],) * 2 for job in best.values()])}\n")


def main() -> None:
    chosen = options()
    wanted = chosen.only or [*OURS, *PEERS]
    paths = dict.fromkeys(OURS, sys.executable) | {n: interpreter(n, chosen.python) or "" for n in PEERS}
    names = [name for name in wanted if paths[name]]
    for name in set(wanted) - set(names):
        print(f"{name}: skipped, not installed")
    with tempfile.TemporaryDirectory() as folder:
        network = run(("prepare", 1, 1), sys.executable, folder, 0)
        jobs = [(name, n, batch) for batch in chosen.batches for name in names for n in chosen.threads]
        found: dict[Job, list[dict[str, Any]]] = {job: [] for job in jobs}
        with busy(chosen.busy):
            for _ in range(chosen.rounds):
                for job in jobs:
                    found[job].append(run(job, paths[job[0]], folder, chosen.seconds))
    sizes = "-".join(map(str, network["layers"]))
    print(f"updates per second, {sizes}, {network['parameters']:,} parameters, float32, gradient descent;")
    print(
        f"{platform.machine()}, {len(CPUS)} CPUs, beside {chosen.busy} busy processes; medians and quartiles"
    )
    print(f"of {chosen.rounds} rounds, with the number of threads that is best of {chosen.threads}\n")
    print(f"batch  {'':<16} threads  updates/s  {'quartiles':^17}    CPU µs  ours / it")
    for batch in chosen.batches:
        show(batch, names, {job: r for job, r in found.items() if job[2] == batch}, chosen.threads)


if __name__ == "__main__":
    main()
