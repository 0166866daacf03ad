"""Workers, here and elsewhere, as one process sees them: they are told of a task, asked for shares, and answer.

Each worker of this machine is a child process and a pipe to it, without ports and files. A child can be killed at any
moment; when this process is killed, the child meets the end of its pipe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from tui_backprop.cost.race.shares import (
    ONE_THREAD,
    Answer,
    Ask,
    Failure,
    Forget,
    Roster,
    Share,
    Task,
    computed,
    error_line,
)
from tui_backprop.cost.race.worker import leave_terminal
from tui_backprop.support.starting import StartError, start_talking, start_thread

LONGEST_WAIT = 0.1  # seconds after which whoever waits is given the chance to stop
START_SECONDS = 10.0  # seconds that a process may take to start, on a busy machine
LINK_SPEED = 1e7  # bytes per second, at the least, at which a problem is sent

Note = Callable[[str], None]
Message = Any  # on a pipe: what shares.py defines


def ignore(line: str) -> None:
    """Take a line and say nothing."""


class Link:
    """A child process, which computes shares or has them computed. What it says goes into ``said``, with itself, and
    None at its end. Nothing here waits for the child, whatever that does: two threads do."""

    def __init__(
        self, target: Callable[..., None], given: tuple[object, ...], said: SimpleQueue[tuple[Link, Message]]
    ) -> None:
        self._said, self._to_say = said, SimpleQueue[Message]()
        self._threads: list[Thread] = []
        self.process, self._here = start_talking(target, given, ONE_THREAD)
        try:
            for work, name in ((self._hear, "hear"), (self._speak, "speak")):
                self._threads.append(start_thread(work, name))
        except StartError:
            self.close()
            raise

    def say(self, message: Message) -> None:
        self._to_say.put(message)

    def close(self) -> None:
        """End the process, wherever it is."""
        self.process.kill()
        self.process.join()
        self.say(None)
        for thread in self._threads:
            thread.join()
        self._here.close()
        self.process.close()

    def _hear(self) -> None:
        with suppress(Exception):  # whatever a child sends as it is killed, that is its end
            while True:
                self._said.put((self, self._here.recv()))
        self._said.put((self, None))

    def _speak(self) -> None:
        with suppress(OSError):
            while (message := self._to_say.get()) is not None:
                self._here.send(message)


class Workers:
    """The workers that the option ``field`` asks for. ``threads`` has those within reach by name, with how many
    shares each computes at once; ``unfit``, why others are not used. ``note`` is called with a line about trouble.

    Where workers fail, processes are started on this machine, so that ``wanted`` workers are at work, at least one;
    no more than ``spare`` are alive here.
    """

    def __init__(self, field: str, *, wanted: int, spare: int, note: Note = ignore) -> None:
        self.field, self.wanted, self.spare, self.note = field, wanted, spare, note
        self.threads: dict[str, int] = {}
        self.unfit: dict[str, str] = {}
        self._said: SimpleQueue[tuple[Link, Message]] = SimpleQueue()
        self._links: dict[Link, list[str]] = {}  # with the workers that each of them reaches
        self._local: set[str] = set()
        self._answered: set[str] = set()
        self._task: Task | None = None
        self._numbers = count(1)

    def local(self, worker: str) -> bool:
        """Return True for a process of this machine, which runs this very program."""
        return worker in self._local

    def warm_up(self, worker: str) -> float:
        """Return the seconds that a worker may take besides for its first share of a task."""
        if worker in self._local:
            return 0.0 if worker in self._answered else START_SECONDS
        return 0.0 if self._task is None else self._task.problem.parameters.nbytes / LINK_SPEED

    def begin(self, task: Task) -> Task:
        """Tell all of them of a task, which replaces the one before, and return it with its number."""
        self._task = replace(task, number=next(self._numbers))
        for link in self._links:
            link.say(self._task)
        return self._task

    def ask(self, worker: str, share: Share) -> None:
        for link, names in self._links.items():
            if worker in names:
                link.say(Ask(worker, share))

    def end(self) -> None:
        """Have what is still asked for forgotten."""
        self._task = None
        for link in self._links:
            link.say(Forget())

    def answers(self, seconds: float = LONGEST_WAIT) -> list[Answer | Failure]:
        """Return what came for the task, waiting so long for the first of it; ``threads`` is up to date afterward."""
        found: list[Answer | Failure] = []
        with suppress(Empty):
            link, message = self._said.get(timeout=seconds)
            while True:
                self._take(link, message, found)
                link, message = self._said.get_nowait()
        return found

    def _take(self, link: Link, message: Message, found: list[Answer | Failure]) -> None:
        if link not in self._links:
            return
        if message is None:
            self._reached(link, Roster({}, {}))
            del self._links[link]
            link.close()
        elif isinstance(message, Roster):
            self._reached(link, message)
        elif self._task is not None and message.share.task == self._task.number:
            self._answered.add(message.worker)
            found.append(message)

    def _reached(self, link: Link, roster: Roster) -> None:
        for name in self._links[link]:
            self.threads.pop(name, None)
        self._links[link] = [*roster.threads]
        self.threads.update(roster.threads)
        for name, why in roster.unfit.items():
            if name not in self.unfit:
                self.unfit[name] = why
                self.note(f"{name} is not used: {why}")

    def start(self) -> str:
        """Start a worker process on this machine, and return its name. Raises OSError if it cannot be started."""
        link = Link(compute_shares, (), self._said)
        name = f"process {link.process.pid}"
        self._local.add(name)
        self._links[link] = []
        self._reached(link, Roster({name: 1}, {}))
        if self._task is not None:
            link.say(self._task)
        return name

    def reinforce(self) -> bool:
        """Start one more process on this machine, if there may be one more; say whether there is."""
        alive = sum(self.local(name) for name in self.threads)
        if alive >= self.spare:
            return False
        try:
            self.start()
        except StartError as error:
            self.note(f"on this machine, {error}")
            self.spare = alive
            return False
        return True

    def connect(self, target: Callable[..., None], *given: object) -> Iterator[Message]:
        """Start a process that reaches workers elsewhere, and yield what it says, None while it says nothing, until
        it sends the workers. Raises OSError if it cannot be started, or ends."""
        link = Link(target, given, self._said)
        self._links[link] = []
        while True:
            try:
                _, message = self._said.get(timeout=LONGEST_WAIT)
            except Empty:
                yield None
                continue
            if message is None:
                raise OSError("its process ended")
            if isinstance(message, Roster):
                self._reached(link, message)
                return
            yield message

    def close(self) -> None:
        """End all processes."""
        for link in self._links:
            link.process.kill()
        for link in self._links:
            link.close()
        self._links.clear()


# --- what runs in a worker --------------------------------------------------------------------------------


def compute_shares(there: Any) -> None:
    """Compute the shares that are asked for, until nobody is there any more."""
    leave_terminal()
    task: Task | None = None
    with suppress(EOFError, OSError):
        while True:
            message = there.recv()
            if isinstance(message, Task):
                task = message
            elif isinstance(message, Ask) and task is not None:
                there.send(_answer(message.worker, task, message.share))


def _answer(worker: str, task: Task, share: Share) -> Answer | Failure:
    try:
        return Answer(worker, share, *computed(task, share))
    except Exception as error:
        return Failure(worker, share, error_line(error))
