"""One numerical gradient over many processes.

The parameters are cut into chunks, and a chunk is all that a worker is given beside the problem: it computes the
base loss anew, so that no number depends on how the cuts fall. A worker that dies costs the repeat of its chunks.

Each worker computes with one thread. The gradient is then that of one process with one thread to the last bit, if
the machines are of one kind: with more threads, or on another processor, BLAS adds up in another order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from time import monotonic, perf_counter

import numpy as np

from tui_backprop.cost.race.dask_cluster import Cluster, Future
from tui_backprop.cost.race.race import RaceStatus, RunningAgreement
from tui_backprop.cost.race.worker import time_backprop
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import Array
from tui_backprop.support.errors import InputError, UserError

# The methods in which no parameter's evaluation knows of another parameter, so that chunks change nothing.
DISTRIBUTED_METHODS = ("forward-difference", "central-difference", "complex-step", "forward-mode")
FIRST_CHUNK = 8  # parameters in the first chunks, which show how long one takes
CHUNK_SECONDS = 0.25  # seconds that a chunk should take
CHUNK_GROWTH = 8  # times as large, at the most, is a chunk than the one that it goes by
CHUNKS_A_THREAD = 2  # chunks for each thread: one at work, and one that waits, so that no thread does
LONGEST_WITHOUT_WORKERS = 20.0  # seconds without any worker; one that died is started again in one or two


def fill_distributed(
    cluster: Cluster,
    method: str,
    out: Array,
    problem: Problem,
    indices: Array | None = None,
    options: Options = Options(),
    chunk: int | None = None,
) -> Iterator[int]:
    """Do what ``METHODS[method].fill`` does, with its errors, on the workers; a method not in
    DISTRIBUTED_METHODS runs in this process. Yields the same counts (without base losses and chunks that are computed
    again), occasionally one twice. When iteration stops, no more chunks are started. Raises InputError if the workers
    are lost."""
    here = METHODS[method].fill(out, problem, indices, options)  # says at once what is wrong with these
    if method not in DISTRIBUTED_METHODS:
        return here
    where = np.arange(problem.spec.parameters) if indices is None else np.asarray(indices)
    return _counted(filled_chunks(cluster, method, out, problem, where, options, chunk), method, options)


def _counted(found: Iterator[Array], method: str, options: Options) -> Iterator[int]:
    done = 0
    for part in found:
        done += len(part)
        if done:
            yield METHODS[method].count(done, options.probes)


def filled_chunks(
    cluster: Cluster,
    method: str,
    out: Array,
    problem: Problem,
    where: Array,
    options: Options = Options(),
    chunk: int | None = None,
) -> Iterator[Array]:
    """Fill ``out`` (P,) at ``where``, and yield the places that were filled since the last time: a chunk's, or none
    where nothing has come for a tenth of a second. ``chunk`` parameters go together; if None, as many as take a
    quarter of a second."""
    held = cluster.submit(_same, problem)
    waiting: dict[Future, Array] = {}
    at, size, heard = 0, chunk or FIRST_CHUNK, monotonic()
    try:
        while at < len(where) or waiting:
            most = CHUNKS_A_THREAD * max(cluster.threads(), 1)
            while at < len(where) and len(waiting) < most:
                part = where[at : at + size]
                waiting[cluster.submit(_derivatives, held, method, part, options)] = part
                at += len(part)
            ready = cluster.ready(list(waiting))
            if ready or cluster.threads():
                heard = monotonic()
            elif monotonic() - heard > LONGEST_WITHOUT_WORKERS:
                raise InputError(cluster.field, f"no workers for {LONGEST_WITHOUT_WORKERS:.0f} s")
            for future in ready:
                values, seconds = cluster.result(future)
                part = waiting.pop(future)
                out[part] = values
                if chunk is None:
                    size = min(max(int(len(part) * CHUNK_SECONDS / seconds), 1), CHUNK_GROWTH * len(part))
                yield part
            if not ready:
                yield where[:0]
    finally:
        cluster.cancel([*waiting, held])


def race_distributed(
    cluster: Cluster,
    problem: Problem,
    method: str = DISTRIBUTED_METHODS[0],
    step: float | None = None,
    *,
    exact: Array | None = None,
    out: Array | None = None,
    chunk: int | None = None,
) -> Generator[RaceStatus, None, None]:
    """A method against backprop over a cluster, as a race is: how it stands, again and again, the last time with the
    state done or failed. ``exact`` is the gradient (P,) that backprop found, computed if it is not given; ``out``
    (P,), in double precision, is filled.

    Close the generator to call it off; while it is not asked on, it pauses. Raises InputError for a method that is
    not in DISTRIBUTED_METHODS, ValueError for a step that is not positive.
    """
    if method not in DISTRIBUTED_METHODS:
        raise InputError(
            cluster.field,
            f"{method} evaluates many parameters at once; choose from {', '.join(DISTRIBUTED_METHODS)}",
        )
    options, spec = Options(step), problem.spec
    exact = METHODS["backprop"].gradient(problem) if exact is None else exact
    out = np.zeros(spec.parameters) if out is None else out
    METHODS[method].fill(out, problem, options=options)
    return _statuses(cluster, problem, method, options, exact, out, chunk)


def _statuses(
    cluster: Cluster,
    problem: Problem,
    method: str,
    options: Options,
    exact: Array,
    out: Array,
    chunk: int | None,
) -> Generator[RaceStatus, None, None]:
    parameters, count = problem.spec.parameters, METHODS[method].count
    order = np.empty(parameters, np.intp)  # chunks come as they are ready
    sums = RunningAgreement(problem, exact, out, order)
    now = RaceStatus(method, "starting", of=count(parameters, 1), parameters=parameters)
    now = replace(now, backprop=time_backprop(problem))
    yield now
    seconds, asked = 0.0, perf_counter()
    try:
        for part in filled_chunks(cluster, method, out, problem, np.arange(parameters), options, chunk):
            order[now.done : now.done + len(part)] = part
            done = now.done + len(part)
            seconds += perf_counter() - asked
            made = count(done, 1) if done else 0
            rate = made / seconds if made else None
            now = replace(
                now,
                state="running" if done else "starting",
                evaluations=made,
                done=done,
                seconds=seconds,
                rate=rate,
                left=(now.of - made) / rate if rate else None,
                agreement=sums.up_to(done),
            )
            yield now
            asked = perf_counter()  # pauses do not count
    except UserError as error:
        yield replace(now, state="failed", why=error.message)
    else:
        yield replace(now, state="done")


# --- what runs in a worker --------------------------------------------------------------------------------


def _same(problem: Problem) -> Problem:
    """The problem as a result: chunks refer to it, and it is not lost with the worker that has it."""
    return problem


def _derivatives(problem: Problem, method: str, where: Array, options: Options) -> tuple[Array, float]:
    """Those at ``where``, in that order, and the seconds that they took."""
    start = perf_counter()
    return METHODS[method].gradient(problem, where, options), perf_counter() - start
