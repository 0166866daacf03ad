"""One numerical gradient over many processes.

The parameters are cut into shares, and no number depends on how the cuts fall. A share that fails, is lost or overdue
is computed again, by another worker or on this machine.

Each worker computes with one thread. The gradient is then that of one process with one thread to the last bit, if
the machines are of one kind: with more threads, or on another processor, BLAS adds up in another order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from time import monotonic, perf_counter

import numpy as np

from tui_backprop.cost.race.agreement import RunningAgreement
from tui_backprop.cost.race.distribution import Distribution
from tui_backprop.cost.race.race import RaceStatus
from tui_backprop.cost.race.shares import Failure, Task, error_line
from tui_backprop.cost.race.worker import time_backprop
from tui_backprop.cost.race.workers import Workers
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import Array
from tui_backprop.support.errors import InputError, UserError
from tui_backprop.support.running_clock import running_clock

# The methods in which no parameter's evaluation knows of another parameter, so that chunks change nothing.
DISTRIBUTED_METHODS = ("forward-difference", "central-difference", "complex-step", "forward-mode")
PASSES_AT_MOST = 8  # real forward passes that an evaluation may be worth, on a machine like this one
LONGEST_LOOK = 0.5  # seconds


def fill_distributed(
    workers: Workers,
    method: str,
    out: Array,
    problem: Problem,
    indices: Array | None = None,
    options: Options = Options(),
    chunk: int | None = None,
) -> Iterator[int]:
    """Do what ``METHODS[method].fill`` does, with its errors, on the workers; a method not in
    DISTRIBUTED_METHODS runs in this process. Yields the same counts (without base losses and shares that are computed
    again), occasionally one twice. When iteration stops, no more shares are started. Raises InputError for a problem
    that cannot be computed."""
    here = METHODS[method].fill(out, problem, indices, options)  # says at once what is wrong with these
    if method not in DISTRIBUTED_METHODS:
        return here
    where = problem.positions if indices is None else np.asarray(indices)
    return _counted(filled_chunks(workers, method, out, problem, where, options, chunk), method, options)


def _counted(found: Iterator[Array], method: str, options: Options) -> Iterator[int]:
    done = 0
    for part in found:
        done += len(part)
        if done:
            yield METHODS[method].count(done, options.probes)


def filled_chunks(
    workers: Workers,
    method: str,
    out: Array,
    problem: Problem,
    where: Array,
    options: Options = Options(),
    chunk: int | None = None,
) -> Iterator[Array]:
    """Fill ``out`` (P,) at ``where``, and yield the places that were filled since the last time: a share's, or none
    where nothing has come for a tenth of a second. ``chunk`` parameters go together; if None, as many as take a
    quarter of a second."""
    seconds, finite = _forward_pass(workers.field, problem)
    task = workers.begin(Task(0, problem, method, where, options))
    shares = Distribution(
        task.number,
        len(where),
        chunk,
        PASSES_AT_MOST * seconds,
        finite,
        local=workers.local,
        warm_up=workers.warm_up,
        option=workers.field,
    )
    clock = Clock()
    try:
        while not shares.complete:
            shares.meet(workers.threads)
            for worker, share in shares.give(clock.now):
                workers.ask(worker, share)
            answers = workers.answers()
            clock.look()
            for answer in answers:
                if isinstance(answer, Failure):
                    if workers.local(answer.worker):
                        raise InputError(workers.field, answer.why)
                    shares.fail(answer)
                elif shares.take(answer, clock.now):
                    part = where[answer.share.start : answer.share.stop]
                    out[part] = answer.values
                    yield part
            if not answers:
                yield where[:0]
            shares.overdue(clock.now)
            _help(workers, shares)
    finally:
        workers.end()


def _help(workers: Workers, shares: Distribution) -> None:
    """Say what went wrong, and have this machine compute what nobody else does."""
    shares.meet(workers.threads)
    for line in shares.notes:
        workers.note(line)
    shares.notes.clear()
    if shares.complete:
        return
    for _ in range(max(workers.wanted - shares.at_work, 0 if shares.active else 1)):
        if not workers.reinforce() and not shares.hopeful:
            raise InputError(workers.field, "no workers are left")


def _forward_pass(field: str, problem: Problem) -> tuple[float, bool]:
    """Return the seconds of a forward pass, and whether its loss is finite. Raises InputError for a problem that has
    none."""
    try:
        with np.errstate(all="ignore"):
            program = problem.program()
            program.forward()
            start = perf_counter()
            program.forward()
            return perf_counter() - start, bool(np.isfinite(program.values[program.graph.loss]).all())
    except Exception as error:
        raise InputError(field, error_line(error)) from None


class Clock:
    """Seconds in which somebody looked: a pause between two looks, or a process that was stopped, hardly counts."""

    def __init__(self) -> None:
        self.now, self._last = 0.0, monotonic()

    def look(self) -> None:
        before, self._last = self._last, monotonic()
        self.now += min(self._last - before, LONGEST_LOOK)


def race_distributed(
    workers: Workers,
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
            workers.field,
            f"{method} evaluates many parameters at once; choose from {', '.join(DISTRIBUTED_METHODS)}",
        )
    options, spec = Options(step), problem.spec
    exact = METHODS["backprop"].gradient(problem) if exact is None else exact
    out = np.zeros(spec.parameters) if out is None else out
    METHODS[method].fill(out, problem, options=options)
    return _statuses(workers, problem, method, options, exact, out, chunk)


def _statuses(
    workers: Workers,
    problem: Problem,
    method: str,
    options: Options,
    exact: Array,
    out: Array,
    chunk: int | None,
) -> Generator[RaceStatus, None, None]:
    positions, count = problem.positions, METHODS[method].count
    parameters = len(positions)
    order = np.empty(parameters, np.intp)  # shares come as they are ready
    sums = RunningAgreement(problem, exact, out, order)
    now = RaceStatus(method, "starting", of=count(parameters, 1), parameters=parameters)
    now = replace(now, backprop=time_backprop(problem))
    yield now
    try:
        with running_clock() as clock:
            seconds, asked = 0.0, clock()
            for part in filled_chunks(workers, method, out, problem, positions, options, chunk):
                order[now.done : now.done + len(part)] = part
                done = now.done + len(part)
                seconds += clock() - asked
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
                asked = clock()  # pauses do not count
    except UserError as error:
        yield replace(now, state="failed", why=error.message)
    else:
        yield replace(now, state="done")
