"""Who computes which share: an account without clocks, processes or networks, which are given to it.

A share goes to one worker. It is given to another one if the first fails, disappears or is overdue; the first valid
answer counts.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tui_backprop.cost.race.shares import Answer, Failure, Share
from tui_backprop.support.errors import InputError

CHUNK_SECONDS = 0.25  # seconds that a share should take
CHUNK_GROWTH = 8  # times as large, at the most, is a share than the one that it goes by
FIRST_CHUNK = 8  # parameters in the first share of a worker, which shows how long one takes
SHARES_A_THREAD = 2  # one at work, and one that waits, so that no thread does
PATIENCE = 2.0  # seconds after which a share is overdue, at the least
PATIENCE_FACTOR = 8  # times the expected time after which a share is overdue
MOST_FAILURES = 4  # workers that end with a share, before it is the share's fault
MOST_NAMES = 3  # of workers in a line


@dataclass
class Worker:
    """What is known of a worker: its ``threads``, ``chunk`` (parameters in its next share), ``each`` (seconds for one
    of them), and the shares that it has been asked for, with the time. One that is ``late`` gets nothing until it
    answers; one that is ``barred``, nothing any more."""

    threads: int
    local: bool
    chunk: int
    each: float
    asked: dict[Share, float] = field(default_factory=dict)
    late: bool = False
    barred: bool = False

    @property
    def active(self) -> bool:
        return not self.late and not self.barred


class Distribution:
    """``total`` derivatives of a task, in shares of ``chunk`` (None: of a quarter of a second); ``each`` takes about
    so many seconds at most. If they should be ``finite``, a share of another machine that is not is computed again on
    this one. ``notes`` collects lines on what went wrong.

    ``local(worker)`` returns True for a worker of this machine, ``warm_up(worker)`` the extra seconds that it may
    take for a share. Methods raise InputError, with ``option``, for a share that is the end of every worker.
    """

    def __init__(
        self,
        task: int,
        total: int,
        chunk: int | None,
        each: float,
        finite: bool,
        *,
        local: Callable[[str], bool],
        warm_up: Callable[[str], float],
        option: str,
    ) -> None:
        self._task, self._total, self._chunk, self._each, self._finite = task, total, chunk, each, finite
        self._local, self._warm_up, self._option = local, warm_up, option
        self.notes: list[str] = []
        self._workers: dict[str, Worker] = {}
        self._next = 0  # the first that no share has
        self._again: deque[Share] = deque()
        self._settled: set[Share] = set()
        self._failures: Counter[Share] = Counter()
        self._doubted: dict[Share, str] = {}  # with who sent it
        self._left = total

    @property
    def complete(self) -> bool:
        return not self._left

    @property
    def active(self) -> bool:
        """Return True if there is somebody for every share that is left."""
        return any(each.active and (each.local or not self._doubted) for each in self._workers.values())

    @property
    def at_work(self) -> int:
        """Return the number of workers that get shares."""
        return sum(each.active for each in self._workers.values())

    @property
    def hopeful(self) -> bool:
        """Return True if somebody may still answer who can compute every share that is left."""
        return any(not each.barred and (each.local or not self._doubted) for each in self._workers.values())

    def meet(self, threads: Mapping[str, int]) -> None:
        """Take notice of the workers within reach, and have others compute the shares of those that are gone."""
        gone = {name: self._workers.pop(name) for name in [*self._workers] if name not in threads}
        for name, number in threads.items():
            known = self._workers.get(name)
            if known is None:
                first = self._chunk or FIRST_CHUNK
                self._workers[name] = Worker(number, self._local(name), first, self._each)
            else:
                known.threads = number
        for worker in gone.values():
            for share in worker.asked:
                self._failed(share)
        lost = [name for name, worker in gone.items() if not worker.barred]
        if lost:
            self._note(f"lost {_listed(lost)}")

    def give(self, now: float) -> Iterator[tuple[str, Share]]:
        """Yield what is to be asked of whom."""
        for name, worker in self._workers.items():
            while worker.active and len(worker.asked) < SHARES_A_THREAD * worker.threads:
                share = self._share_for(worker)
                if share is None:
                    break
                worker.asked[share] = now + self._warm_up(name)
                yield name, share

    def _share_for(self, worker: Worker) -> Share | None:
        for share in self._again:
            if share not in worker.asked and (worker.local or share not in self._doubted):
                self._again.remove(share)
                return share
        if self._next == self._total:
            return None
        share = Share(self._task, self._next, min(self._next + worker.chunk, self._total))
        self._next = share.stop
        return share

    def overdue(self, now: float) -> None:
        """Have others compute the shares of workers that are late with one."""
        late, longest = [], 0.0
        for name, worker in self._workers.items():
            waits = [
                now - since
                for share, since in worker.asked.items()
                if now - since > max(PATIENCE, PATIENCE_FACTOR * len(share) * worker.each)
            ]
            if worker.active and waits:
                worker.late, longest = True, max(longest, *waits)
                late.append(name)
                for share in worker.asked:
                    self._repeat(share)
        if late:
            self._note(f"no answer from {_listed(late)} for {longest:.0f} s")

    def take(self, answer: Answer, now: float) -> bool:
        """Return True if an answer counts: not one that is not trusted, or that another worker gave before."""
        worker, share = self._workers.get(answer.worker), answer.share
        if worker is None or worker.barred or share not in worker.asked:
            return False
        self._learn(worker, share, answer.seconds, now - worker.asked.pop(share))
        finite = bool(np.isfinite(answer.values).all())
        if self._finite and not finite and not worker.local:
            if share not in self._settled and share not in self._doubted:
                self._doubted[share] = answer.worker
                self._repeat(share)
            return False
        sender = self._doubted.pop(share, None)
        if sender is not None and finite:
            self._bar(sender, "sent numbers that are not finite")
        return self._settle(share)

    def fail(self, failure: Failure) -> None:
        """Trust a worker no more, and have others compute its shares."""
        worker = self._workers.get(failure.worker)
        if worker is not None and failure.share in worker.asked and not worker.barred:
            self._failures[failure.share] += 1
            self._bar(failure.worker, failure.why)

    def _bar(self, name: str, why: str) -> None:
        worker = self._workers.get(name)
        if worker is None or worker.barred:
            return
        worker.barred = True
        for share in worker.asked:
            self._repeat(share)
        self._note(f"{name} {why}")

    def _learn(self, worker: Worker, share: Share, seconds: float, waited: float) -> None:
        """Size the next share by this one. A worker that says less than it took counts as slower."""
        took = max(seconds, waited / (4 * SHARES_A_THREAD), 1e-9)
        worker.late, worker.each = False, took / len(share)
        if self._chunk is None:
            worker.chunk = int(min(max(len(share) * CHUNK_SECONDS / took, 1), CHUNK_GROWTH * len(share)))

    def _failed(self, share: Share) -> None:
        self._failures[share] += 1
        if self._failures[share] == MOST_FAILURES and share not in self._settled:
            raise InputError(
                self._option,
                f"{MOST_FAILURES} workers ended while they had the same {len(share):,} parameters,"
                " perhaps out of memory",
            )
        self._repeat(share)

    def _repeat(self, share: Share) -> None:
        if share not in self._settled and share not in self._again:
            self._again.append(share)

    def _settle(self, share: Share) -> bool:
        if share in self._settled:
            return False
        self._settled.add(share)
        if share in self._again:
            self._again.remove(share)
        self._left -= len(share)
        return True

    def _note(self, what: str) -> None:
        self.notes.append(f"{what}; {'other workers take' if self.active else 'this machine takes'} over")


def _listed(names: list[str]) -> str:
    rest = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
