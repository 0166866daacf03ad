"""A tester that presses random keys and resizes the window: the same sequence for the same seed."""

from __future__ import annotations

import os
import random
import re
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import NoReturn

import psutil

from tests.pty.conftest import Terminal
from tests.waits import GENEROUS, until

SPECIAL = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "insert": "\x1b[2~", "delete": "\x1b[3~", "tab": "\t",
    "shift+tab": "\x1b[Z", "enter": "\r", "escape": "\x1b", "backspace": "\x7f", "shift+right": "\x1b[1;2C",
    "ctrl+right": "\x1b[1;5C", "ctrl+left": "\x1b[1;5D", "alt+x": "\x1bx", "f1": "\x1bOP", "f2": "\x1bOQ",
    "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~", "f7": "\x1b[18~", "f8": "\x1b[19~",
    "f9": "\x1b[20~", "f10": "\x1b[21~", "f11": "\x1b[23~", "f12": "\x1b[24~",
}  # fmt: skip
# Keys that end or suspend the app, and the one that opens a list in which enter may do either;
# tests/hostile/test_keys.py presses them.
LEFT_OUT = {"q", "ctrl+q", "ctrl+c", "ctrl+z", "ctrl+p"}
LETTERS = {chr(code): chr(code) for code in range(32, 127)}
CONTROLS = {f"ctrl+{chr(code + 96)}": chr(code) for code in range(1, 27) if chr(code) not in "\t\r"}
ALL = SPECIAL | LETTERS | CONTROLS
POOL = [name for name in ALL if name not in LEFT_OUT]
OFTEN = [*SPECIAL] * 2 + [
    *"lhkjgv +-tnpabiofcT[]\\/zZeEs uUdxXmwyCNQ?$="
]  # pressed more often than at random
SIZES = (40, 10), (300, 100)
TOGETHER = 20  # most keys sent at once
LARGEST, MOST = (
    2_000_000,
    64,
)  # parameters and samples: a larger network is slow, and takes more memory
ESCAPES = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")
NOTICE, BRIEF = "▌", 2.6  # at the left of a notice; seconds that those in the key bar stay
SEEDS = (1, 2)  # of the monkeys, which share the keys
# Keys for each of them (MONKEY_KEYS=20000 presses so many), and how many are enough to judge whether memory grows.
EACH, LONG = int(os.environ.get("MONKEY_KEYS", "1000")) // len(SEEDS), 5000
FAILED = (b"Traceback", b"pass failed", b"Could not")


class Monkey:
    """Operates an app; its last actions are in the message of every failure."""

    def __init__(self, run: Terminal, seed: int) -> None:
        self.run, self.seed = run, seed
        self._random = random.Random(seed)
        self._process = psutil.Process(run.child.pid)
        self._done: deque[str] = deque(maxlen=50)
        self.pressed = 0
        self.resident: list[int] = []

    def fail(self, what: str) -> NoReturn:
        said = ESCAPES.sub("", bytes(self.run.raw).decode(errors="replace")).rpartition("Traceback")[2]
        told = [line for line in said.splitlines() if "❱" in line or " in " in line or "Error" in line]
        raise AssertionError(
            f"{what}\nseed {self.seed}, after {self.pressed} keys, the last: {' '.join(self._done)}\n"
            + "\n".join([self.run.text, *told[:60]])
        )

    # --- actions ------------------------------------------------------------------------------------------

    def send(self, *names: str) -> None:
        self._done.extend(names)
        self.pressed += len(names)
        self.run.send("".join(ALL[name] for name in names))

    def settle(self, seconds: float = 0.03, patience: float = 0.5) -> bool:
        """Read until nothing arrives and nothing is computed, at most for so long (a race never settles). Return True
        if it settled."""
        end, used = time.monotonic() + patience, -1.0
        while moves := self.run.read(seconds) or used != (used := self._used()):
            if time.monotonic() > end:
                break
        self.look()
        return not moves

    def _used(self) -> float:
        """Return the seconds that the thread of keys and screen has worked."""
        try:
            first = min(self._process.threads(), key=lambda each: each.id)
        except psutil.Error:
            return 0.0
        return first.user_time + first.system_time

    def look(self) -> None:
        if self.run.child.poll() is not None:
            self.fail(f"it ended with {self.run.child.returncode}")
        for words in FAILED:
            if words in self.run.raw:
                while self.run.read(1.0):  # its message is long
                    pass
                self.fail(f"it says {words.decode()!r}")

    def resize(self, columns: int, rows: int) -> None:
        self._done.append(f"<{columns}x{rows}>")
        self.run.resize(columns, rows)

    def play(self, keys: int) -> None:
        """Press so many keys, a few at a time."""
        end = self.pressed + keys
        (least, low), (most, high) = SIZES
        while self.pressed < end:
            if self._random.random() < 0.1:
                self.resize(self._random.randint(least, most), self._random.randint(low, high))
            names: list[str] = []
            for _ in range(TOGETHER):
                pool = POOL if self._random.random() < 0.6 else OFTEN
                names.append(self._random.choice(pool))
                if names[-1] == "enter":
                    self.send(*names[:-1])
                    self.settle()
                    names = ["escape" if self._too_much() else "enter"]
            self.send(*names)
            self.settle()

    def _too_much(self) -> bool:
        """Return True if a form may be about to build a large network."""
        if "apply" not in self.run.text.splitlines()[-1]:
            return False
        sums = re.findall(r"parameters +([\d,]+)", self.run.text)
        batches = re.findall(r"batch +(\d+)", self.run.text)
        return not (sums and batches) or any(
            [int(sums[-1].replace(",", "")) > LARGEST, *(int(each) > MOST for each in batches)]
        )

    def warm(self) -> None:
        """Show every panel once at the largest size, each with its own iteration, so that all caches are filled."""
        self.resize(*SIZES[1])
        for name in (*(f"f{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12)), "f4", *"vvvvvv"):
            self.send(name)
            self.settle()
            if name not in ("f2", "v"):
                self.send("n", "t")
                self.settle(0.1, 2.0)

    # --- invariants ---------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Go back to the walk, with nothing running."""
        # So wide that only the walk is there: beside it, costs change when they are measured anew.
        self.resize(self._random.randint(80, 99), self._random.randint(24, 60))
        for _ in range(10):
            self.send("escape", "escape", "f10", "escape", "f4", "escape")
            self.settle(0.15)  # an escape and a letter that are read at once are alt and the letter
            if "S stops" in self.run.text:
                self.send("S")
            self.send("f3")
            self.settle()
            if "playing" in self.run.text:
                self.send(" ")
            if "L hide" in self.run.text:  # the lesson, which says what a step has done
                self.send("L")
            settled = self.settle(0.4, 10.0) and "playing" not in self.run.text
            if settled and "step" in self.run.text.splitlines()[-1]:
                return
        self.fail("it does not come to rest")

    def pause_playback(self) -> None:
        """Stop playback, and wait until the screen says so: a second space would start it again."""
        if "playing" in self.run.text:
            self.send(" ")
            self.until(lambda: "playing" not in self.run.text, "the end of playback")

    def seen(self) -> list[list[tuple[object, ...]]]:
        """Return every cell of the screen as it is visible: of a blank, its background and lines drawn through it."""
        screen = self.run.screen
        rows = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
        return [
            [
                (" ", cell.bg, cell.underscore, cell.strikethrough, cell.reverse and cell.fg)
                if cell.data == " "
                else tuple(cell)
                for cell in row
            ]
            for row in rows
        ]

    def other(self, before: list[list[tuple[object, ...]]]) -> str:
        """Describe where the screen differs from an earlier one."""
        rows = zip(before, self.seen(), strict=True)
        wrong = [
            (y, x, one, other)
            for y, row in enumerate(rows)
            for x, (one, other) in enumerate(zip(*row, strict=True))
            if one != other
        ]
        return f"{len(wrong)} other cells: {wrong[:4]} ..."

    def back_and_forth(self) -> None:
        """Check that a step forward and back shows the same screen, without notices, which disappear by
        themselves."""
        self.until(lambda: NOTICE not in self.run.text, "the end of the notices")
        self.pause_playback()  # a notice may have hidden that it plays
        self.settle(BRIEF, GENEROUS)
        before = self.seen()
        self.send("right")
        self.until(lambda: self.seen() != before, "a step")
        self.settle(0.1, 5.0)
        self.send("left")
        self.until(
            lambda: self.seen() == before,
            lambda: f"the same screen after a step on and back: {self.other(before)}",
        )

    def until(self, holds: Callable[[], object], what: str | Callable[[], str]) -> None:
        def pause() -> None:
            self.look()
            self.run.read(0.02)

        until(holds, lambda: self.fail(f"waited in vain for {what() if callable(what) else what}"), pause)

    def check(self) -> None:
        self.rest()
        self.back_and_forth()
        self.resident.append(self._process.memory_info().rss)
        del self.run.raw[:]

    @property
    def growth(self) -> float:
        """Return the relative growth of memory after the first quarter: the median of the later half against that of
        the earlier half. (Memory varies with the networks that are built.)"""
        after = self.resident[len(self.resident) // 4 :]
        middle = len(after) // 2
        return median(after[middle:]) / median(after[:middle]) - 1


def let_loose(run: Terminal, seed: int, keys: int, every: int = 500) -> Monkey:
    """Press so many keys; check the app after every ``every`` of them."""
    monkey = Monkey(run, seed)
    run.shows("step ")
    monkey.warm()
    while monkey.pressed < keys:
        monkey.play(every)
        monkey.check()
    if keys >= LONG:
        assert monkey.growth < 0.1, (
            f"{monkey.growth:+.1%}, seed {seed}: {[each >> 20 for each in monkey.resident]} MiB"
        )
    monkey.send("f3")
    run.send("q")
    run.until(lambda: run.child.poll() is not None or "q again" in run.text, "the end, or a question")
    if run.child.poll() is None:
        run.send("q")
    assert run.ended() == 0
    return monkey


def side_by_side(terminal, seeds: tuple[int, ...] = SEEDS, keys: int = EACH) -> None:
    """Run several at once: each waits for its app most of the time."""
    runs = [terminal(120, 40, "--memory", "16", OPENBLAS_NUM_THREADS="1") for _ in seeds]
    with ThreadPoolExecutor(len(seeds)) as pool:
        played = [pool.submit(let_loose, run, seed, keys) for run, seed in zip(runs, seeds, strict=True)]
    for each in played:
        monkey = each.result()
        print(f"\nseed {monkey.seed}: {monkey.pressed} keys, {[size >> 20 for size in monkey.resident]} MiB")
