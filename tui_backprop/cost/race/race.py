"""The race: a gradient computed by perturbing every parameter, compared with the gradient by backprop.

It runs in a process of its own, so that no key waits for it. The growing gradient is in memory that both processes
share, with a board of numbers for its progress.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_backprop.cost.model.busy_machine import Elapsed
from tui_backprop.cost.race.agreement import NOTHING_COMPARED, Agreement, RunningAgreement
from tui_backprop.cost.race.shared_array import SharedArray
from tui_backprop.cost.race.worker import BOARD, EVALUATIONS, REASON_BYTES, run
from tui_backprop.engine.gradients.batched import groups
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import Array
from tui_backprop.support.starting import StartError, start_process

# The methods that can race backprop: those that proceed parameter by parameter.
RACE_METHODS = (
    "forward-difference",
    "central-difference",
    "complex-step",
    "forward-mode",
    "batched-difference",
    "batched-forward-mode",
)
LONGEST_JOIN = 5.0  # seconds to wait for a process to end by itself
RATE_WINDOW = 2.0  # seconds over which the rate is averaged


@dataclass(frozen=True)
class RaceStatus:
    """The status of a race. ``state`` is ready, starting, running, paused, done, canceled or failed (``why`` is the
    reason, in one line); ``seconds`` is its running time without pauses; ``rate`` is in evaluations per second, and
    ``left`` in seconds, both None while unknown. ``backprop`` is the time for the exact gradient in the same process,
    the median of several, in seconds; ``share`` is that of the time in which a core was the race's."""

    method: str
    state: str = "ready"
    evaluations: int = 0
    of: int = 0
    done: int = 0
    parameters: int = 0
    seconds: float = 0.0
    rate: float | None = None
    left: float | None = None
    backprop: float | None = None
    agreement: Agreement = NOTHING_COMPARED
    why: str = ""
    share: float = 1.0

    @property
    def whole(self) -> Elapsed | None:
        """Time of the whole race, as it is going; None while unknown."""
        if self.state == "done":
            return self.elapsed
        return None if self.left is None else Elapsed(self.seconds + self.left, self.share)

    @property
    def elapsed(self) -> Elapsed:
        """Its running time so far, without pauses."""
        return Elapsed(self.seconds, self.share)

    @property
    def going(self) -> bool:
        """True while a process is working on it, or waiting to continue."""
        return self.state in ("starting", "running", "paused")


class Race:
    """A method against backprop on one problem. ``exact`` is the gradient (P,) that backprop found, computed if it is
    not given. Raises KeyError for a method not in RACE_METHODS."""

    def __init__(
        self,
        problem: Problem,
        method: str = RACE_METHODS[0],
        step: float | None = None,
        exact: Array | None = None,
    ) -> None:
        if method not in RACE_METHODS:
            raise KeyError(method)
        self.problem, self.method, self.step = problem, method, step
        self.exact = METHODS["backprop"].gradient(problem) if exact is None else exact
        parameters = problem.spec.parameters
        self._ended = ""  # how, once it has
        try:
            self._shared, self._reason = SharedArray(parameters), SharedArray(REASON_BYTES, np.uint8)
            self._numbers = SharedArray(len(BOARD))
            self._board, self.gradient = self._numbers.values, self._shared.values
        except OSError as error:
            self._ended, self._failure = "failed", f"no memory can be shared with a process: {error}"
            self._board, self.gradient = np.zeros(len(BOARD)), np.zeros(parameters)
        self.order = order_of(method, problem)
        self._process: Any = None
        self._sums = RunningAgreement(problem, self.exact, self.gradient, self.order)
        self._seen: list[tuple[float, int]] = []  # (seconds run, evaluations), lately

    def __enter__(self) -> Race:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def bytes(self) -> int:
        """The bytes that it holds in this process, with a mask of the entries found."""
        held = (self.problem.parameters, self.exact, self.gradient, self.order)
        return len(self.gradient) + sum(array.nbytes for array in held if array is not None)

    def start(self) -> None:
        """Start the race, unless it has been started before."""
        if self._process is None and not self._ended:
            options = Options(self.step, seed=self.problem.spec.seed)
            given = (self.problem, self.method, options, self._shared, self._numbers, self._reason)
            try:
                self._process = start_process(run, given, name="race")
            except StartError as error:
                self._ended, self._failure = "failed", str(error)

    def pause(self) -> None:
        """Pause the race; ``resume`` continues it."""
        self._board[BOARD.index("paused")] = 1

    def resume(self) -> None:
        self._board[BOARD.index("paused")] = 0

    def cancel(self) -> None:
        """Cancel the race, and wait until its process has ended; the entries found so far are kept."""
        if self._process is None:
            self._ended = self._ended or "canceled"
            return
        self._read_end()
        self._board[BOARD.index("canceled")] = 1
        self._process.join(LONGEST_JOIN)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._ended = self._ended or "canceled"

    def close(self) -> None:
        """End the race, and release the process, without waiting for an evaluation to end."""
        self._ended = self._ended or "canceled"
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None

    def _value(self, name: str) -> float:
        return float(self._board[BOARD.index(name)])

    def _read_end(self) -> None:
        """Record whether the process has ended, and how."""
        if self._ended or self._process is None or self._process.is_alive():
            return
        code = self._process.exitcode
        if self._value("finished"):
            self._ended = "done"
        elif self._value("canceled"):
            self._ended = "canceled"
        else:
            self._ended = "failed"
            killed = f"its process was ended by signal {-code}" if code and code < 0 else ""
            reason = self._reason.values.tobytes().rstrip(b"\0").decode(errors="replace")
            self._failure = reason or killed or f"exit code {code}"

    _failure = ""

    def status(self) -> RaceStatus:
        """Return the status. Cheap: only entries found since the last call are compared."""
        self._read_end()
        count, parameters = METHODS[self.method].count, self.problem.spec.graph.trained_count
        of, first = count(parameters, 1), count(0, 1)
        evaluations = int(self._board[EVALUATIONS])
        done = max(evaluations - first, 0) * parameters // (of - first)
        seconds = self._value("seconds")
        state = self._ended or (
            "ready"
            if self._process is None
            else "paused"
            if self._value("paused")
            else "running"
            if evaluations
            else "starting"
        )
        rate = self._rate(seconds, evaluations)
        return RaceStatus(
            self.method,
            state,
            evaluations,
            of,
            done,
            parameters,
            seconds,
            rate,
            (of - evaluations) / rate if rate else None,
            self._value("backprop") or None,
            self._sums.up_to(done),
            self._failure,
            min(self._value("used") / seconds, 1.0) if seconds else 1.0,
        )

    def _rate(self, seconds: float, evaluations: int) -> float | None:
        """Return evaluations per second: of the last seconds while it runs, of the whole race at its end."""
        if not self._seen or seconds > self._seen[-1][0]:
            self._seen.append((seconds, evaluations))
        while len(self._seen) > 2 and seconds - self._seen[1][0] > RATE_WINDOW:
            self._seen.pop(0)
        first = (0.0, 0) if self._ended else self._seen[0]
        past = seconds - first[0]
        if past > 0:
            return (evaluations - first[1]) / past
        return evaluations / seconds if seconds > 0 and evaluations else None


def order_of(method: str, problem: Problem) -> Array | None:
    """Return the indices of the gradient in the order in which a method fills them; None for ascending order."""
    every = problem.positions
    if not method.startswith("batched"):
        return None if len(every) == problem.spec.parameters else every
    return np.concatenate([group.where for group in groups(problem, every, problem.program())])
