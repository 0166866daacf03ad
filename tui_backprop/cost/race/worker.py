"""What runs in the process of a race. Nothing here is written to the terminal that it may have inherited."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import parent_process
from statistics import median
from time import perf_counter, process_time, sleep

import numpy as np

from tui_backprop.cost.race.shared_array import SharedArray
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import Array
from tui_backprop.support.errors import reason_of
from tui_backprop.support.exit_codes import FAULT
from tui_backprop.support.running_clock import running_clock

# The numbers that both processes see. The app sets ``paused`` and ``canceled``, this process the others.
BOARD = ("evaluations", "seconds", "used", "backprop", "finished", "paused", "canceled")
EVALUATIONS = BOARD.index("evaluations")
REASON_BYTES = 400  # bytes for the reason why it failed
POLL_INTERVAL, PAUSE_INTERVAL = 0.005, 0.02  # seconds between looking at the board, and while it is paused
NICENESS = 10  # by which it is less urgent than others, of 19
BACKPROP_ROUNDS = 9  # of backprop, timed


def run(
    problem: Problem, method: str, options: Options, shared: SharedArray, board: SharedArray, why: SharedArray
) -> None:
    """Fill ``shared`` by a method, until it is done, canceled, or nobody is there any more to see it."""
    leave_terminal()
    lower_priority()
    numbers = board.values
    try:
        numbers[BOARD.index("backprop")] = time_backprop(problem)
        evaluations = METHODS[method].fill(shared.values, problem, options=options)
        with running_clock() as clock:
            if _go(evaluations, numbers, clock):
                numbers[BOARD.index("finished")] = 1
    except BaseException as error:  # a line for whoever watches
        reason = reason_of(error).encode()[:REASON_BYTES]
        why.values[: len(reason)] = np.frombuffer(reason, np.uint8)
        raise SystemExit(FAULT) from None


def _go(evaluations: Iterator[int], board: Array, clock: Callable[[], float]) -> bool:
    """Count evaluations on the board until there are no more (true) or it is called off."""
    seconds, used, paused, canceled = (
        BOARD.index(name) for name in ("seconds", "used", "paused", "canceled")
    )
    parent = parent_process()
    start, look, began = clock(), perf_counter() + POLL_INTERVAL, process_time()
    for count in evaluations:
        if perf_counter() < look:
            continue
        now = clock()
        board[EVALUATIONS], board[seconds], board[used] = count, now - start, process_time() - began
        while board[paused] and not board[canceled] and (parent is None or parent.is_alive()):
            sleep(PAUSE_INTERVAL)
        if board[canceled] or (parent is not None and not parent.is_alive()):
            return False
        start += clock() - now  # pauses do not count
        look = perf_counter() + POLL_INTERVAL
    board[EVALUATIONS], board[seconds], board[used] = count, clock() - start, process_time() - began
    return True


def time_backprop(problem: Problem) -> float:
    """Median seconds of a forward and a backward pass."""
    program = problem.program()
    times = []
    for _ in range(BACKPROP_ROUNDS + 1):
        start = perf_counter()
        program.forward()
        program.backward()
        times.append(perf_counter() - start)
    return median(times[1:])


def lower_priority() -> None:
    """Where something else wants this core too, such as an app that shows a key, that comes first."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def leave_terminal() -> None:
    """Neither keys nor signals of the terminal are for this process, and it says nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
