"""Compare the speed of our engine with PyTorch, JAX, autograd and scikit-learn: one forward and backward pass.

Every measurement runs alone in a fresh process; rounds of all measurements alternate, because machines drift.

    .venv/bin/python benchmarks/engine.py --python PEERS/bin/python
    .venv/bin/python benchmarks/engine.py --python PEERS/bin/python --busy 6 --only backprop-tui --only pytorch

PEERS is a virtual environment with some or all of torch, jax, autograd and scikit-learn; peers that no
interpreter has are skipped. The jobs are in engine_jobs.py, the peers in engine_peers.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine_report import (
    OURS,
    Job,
    Round,
    show_allocations,
    show_naive,
    show_peak,
    show_peers,
    show_products,
    title,
)

JOBS = Path(__file__).with_name("engine_jobs.py")
TIMED = {  # peer: (module, pip package, what is timed)
    OURS: ("tui_backprop", "this project: pip install .", "Program.forward and .backward"),
    "pytorch": ("torch", "torch", "eager on CPU: addmm, relu, cross_entropy, then torch.autograd.grad"),
    "jax": ("jax", "jax", "jit of value_and_grad, with block_until_ready"),
    "autograd": ("autograd", "autograd", "value_and_grad"),
    "scikit-learn": ("sklearn", "scikit-learn", "MLPClassifier._backprop (partial_fit would update too)"),
}
SECTIONS = ("products", "sgemm", "naive", "allocations")
THREADED = (*TIMED, "sgemm")  # what runs with each number of threads
# What the libraries read when they start. XLA has no documented number; PJRT_NPROC is what its source reads.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "PJRT_NPROC",
)
CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [*range(os.cpu_count() or 1)]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--batches", type=numbers, default="1,32,256", help="batch sizes, with commas (1,32,256)")
    add("--rounds", type=int, default=5, help="rounds over everything that is measured (5)")
    add("--seconds", type=float, default=0.5, help="time of one measurement in one round (0.5)")
    add("--threads", type=numbers, default=f"1,{len(CPUS)}", help="threads of every peer, with commas")
    add("--busy", type=int, default=0, help="busy processes beside everything that is measured (0)")
    add("--sample", type=int, default=3000, help="parameters of the naive gradient (3000)")
    add("--whole", action="store_true", help="the naive gradient of all parameters, in the first round only")
    add("--only", action="append", choices=[*TIMED, *SECTIONS], help="measure this alone; repeatable")
    add(
        "--python", action="append", default=[], metavar="[PEER=]PATH", help="another interpreter; repeatable"
    )
    add("--json", type=Path, metavar="FILE", help="write every round's numbers there too")
    chosen = parser.parse_args()
    if min(*chosen.batches, *chosen.threads, chosen.rounds, chosen.sample) < 1 or chosen.seconds <= 0:
        parser.error("batches, rounds, threads, sample and seconds have to be above zero")
    return chosen


def numbers(text: str) -> list[int]:
    """Read numbers with commas between them; each once, in ascending order."""
    return sorted({int(n) for n in text.split(",")})


def interpreter(peer: str, given: Sequence[str]) -> str | None:
    """Find an interpreter that has the peer: the one given for it, one given for all, or this one."""
    named = [path for name, _, path in (text.partition("=") for text in given) if path and name == peer]
    for path in named or [*(text for text in given if "=" not in text and peer != OURS), sys.executable]:
        probe = "import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is None)"
        if subprocess.run([path, "-c", probe, TIMED[peer][0]], capture_output=True).returncode == 0:
            return path
    return None


def run(job: Job, python: str, folder: str, chosen: argparse.Namespace) -> Round:
    """Run one job in a process of its own; return what it printed, or {"skipped": why}."""
    name, threads = job
    given = {name: getattr(chosen, name) for name in ("batches", "seconds", "sample", "whole")}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, CPUS[:threads])  # the job inherits it
    done = subprocess.run(
        [python, str(JOBS), name, folder, json.dumps(given | {"threads": threads})],
        capture_output=True,
        text=True,
        env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"JAX_PLATFORMS": "cpu"},
    )
    if done.returncode:
        return {"skipped": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    result: Round = json.loads(done.stdout.splitlines()[-1])
    return result


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep as many processes busy meanwhile."""
    code = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(10**6))"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def measure(jobs: dict[Job, str], folder: str, chosen: argparse.Namespace) -> list[dict[Job, Round]]:
    """Run all rounds. A job that failed is not repeated; allocations are counted once, since they do not drift."""
    rounds: list[dict[Job, Round]] = []
    failed: set[Job] = set()
    for number in range(chosen.rounds):
        results: dict[Job, Round] = {}
        for job, python in jobs.items():
            once = job[0] == "allocations" or (job[0] == "naive" and chosen.whole)
            if job in failed or (once and number):
                continue
            if sys.stderr.isatty():
                print(
                    f"\r\x1b[Kround {number + 1} of {chosen.rounds}: {title(job)} ", end="", file=sys.stderr
                )
            result = run(job, python, folder, chosen)
            if "skipped" in result:
                failed.add(job)
                print(f"{title(job)}: skipped, {result['skipped']}")
            else:
                results[job] = result
        rounds.append(results)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    return [{job: r for job, r in results.items() if job not in failed} for results in rounds]


def main() -> None:
    chosen = options()
    wanted = chosen.only or [*TIMED, *SECTIONS]
    found = {peer: interpreter(peer, chosen.python) for peer in TIMED}
    own = found[OURS]
    if own is None:
        sys.exit(f"{OURS} cannot be imported ({TIMED[OURS][1]})")
    with tempfile.TemporaryDirectory() as folder:
        network = run(("prepare", 1), own, folder, chosen)
        if "skipped" in network:
            sys.exit(f"the data could not be prepared: {network['skipped']}")
        sizes = "-".join(map(str, network["layers"]))
        print(f"one forward and backward pass, {sizes}, {network['parameters']:,} parameters, float32")
        print(
            f"{platform.machine()}, {len(CPUS)} CPUs; medians and quartiles of {chosen.rounds} rounds,",
            end="",
        )
        print(f" beside {chosen.busy} busy processes")
        print("x1, x2: threads, by torch.set_num_threads and the variables")
        print(f"    {', '.join(THREAD_VARIABLES)};")
        print(
            "    JAX documents none (the last is what XLA reads today), so processes are held to as many CPUs\n"
        )
        jobs: dict[Job, str] = {}
        for name in wanted:
            path = own if name in SECTIONS else found[name]
            if path is None:
                print(f"{name}: skipped, not installed (pip install {TIMED[name][1]})")
                continue
            jobs |= {(name, threads): path for threads in (chosen.threads if name in THREADED else [1])}
        with busy(chosen.busy):
            rounds = measure(jobs, folder, chosen)

    first = rounds[0]
    peers = [job for job in first if job[0] in TIMED]
    for peer in peers:
        threads = f", {first[peer]['held threads']} OS threads held" if "held threads" in first[peer] else ""
        print(f"{title(peer)} {first[peer]['version']} on Python {first[peer]['python']}{threads}")
        print(f"    {TIMED[peer[0]][2]}")
    print()
    if peers:
        show_peers(peers, rounds, chosen)
    if {("products", 1), (OURS, 1)} <= first.keys():
        show_products(rounds, chosen)
    if any(name == "sgemm" for name, _ in first):
        show_peak(rounds, network["layers"], chosen)
    if ("allocations", 1) in first:
        show_allocations(first["allocations", 1])
    if ("naive", 1) in first:
        show_naive([r["naive", 1] for r in rounds if ("naive", 1) in r])
    if chosen.json:
        settings = {k: v for k, v in vars(chosen).items() if k not in ("json", "python")}
        named = [{title(job): result for job, result in each.items()} for each in rounds]
        report = {"network": network, "settings": settings, "rounds": named}
        chosen.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
