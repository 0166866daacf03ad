"""Random keys in the real command: whatever is pressed, it holds no more than its start, --memory and 64 MB; and
where memory is limited, it goes on or ends with one line. HOSTILE_TIMES=100 presses 20,000 keys at each size."""

from __future__ import annotations

import random
import resource
import signal

import psutil
import pytest

from tests.hostile.chance import SEED, TIMES, told
from tests.pty.conftest import terminal  # noqa: F401
from tests.pty.monkey import ALL, OFTEN, Monkey
from tests.waits import until

pytestmark = pytest.mark.pty

KEYS = round(200 * TIMES)  # of a case
MEMORY, BESIDE = 16, 64  # megabytes: --memory, and what may be used beside it
SIZES = ((120, 40), (60, 18))
ENDING = {"q", "ctrl+q", "ctrl+c", "ctrl+z"}  # test_keys.py presses them
POOL = [name for name in ALL if name not in ENDING]
MORE = (1, 60)  # megabytes of address space that are left: for no thread, and for some iterations
LAYERS = "784,1500,1500,10"  # an iteration takes 40 MB
CODES = {0, 70}
BLAS = b"OpenBLAS error"  # it ends the process by itself where it finds no room for its work space


class Typist(Monkey):
    """A monkey that opens the palette too."""

    def press(self, chance: random.Random, keys: int) -> None:
        """Press so many keys, as long as the app runs."""
        end = self.pressed + keys
        while self.pressed < end and self.run.child.poll() is None:
            for name in (
                chance.choice(POOL if chance.random() < 0.6 else OFTEN)
                for _ in range(chance.randrange(1, 20))
            ):
                if name == "enter":
                    self.settle()
                    name = "escape" if self._too_much() else name
                if self.run.child.poll() is None:
                    self.send(name)
            self.settle()
            if self._process.is_running() and self._process.status() == psutil.STATUS_STOPPED:
                self._process.send_signal(signal.SIGCONT)  # suspended by a command of the palette

    def look(self) -> None:
        """Notice an end, which a command of the palette may bring."""
        if self.run.child.poll() is not None and BLAS not in self.run.raw:
            assert self.run.child.returncode in CODES, bytes(self.run.raw[-2000:])

    @property
    def megabytes(self) -> float:
        return self._process.memory_info().rss / 2**20


def test_random_keys_leave_memory_within_its_limit(terminal):  # noqa: F811
    for size in SIZES:
        chance, run = random.Random(f"{SEED}-{size}"), terminal(*size, "--memory", str(MEMORY))
        with told(size):
            run.shows("step ")
            typist = Typist(run, SEED)
            typist.settle(0.3, 10.0)
            start = typist.megabytes
            typist.press(chance, KEYS)
            if run.child.poll() is None:
                until(
                    lambda start=start, typist=typist: typist.megabytes <= start + MEMORY + BESIDE,
                    lambda start=start, typist=typist: f"{typist.megabytes:.0f} MB, {start:.0f} at the start",
                    lambda run=run: run.read(0.2),
                )
        run.close()


def test_the_app_goes_on_or_ends_with_one_line_where_address_space_is_limited(terminal):  # noqa: F811
    for more in MORE:
        chance, run = (
            random.Random(f"{SEED}-{more}"),
            terminal(120, 40, "--memory", "1000", "--layers", LAYERS),
        )
        with told(more):
            run.shows("step ")
            typist = Typist(run, SEED)
            typist.settle(0.3, 10.0)
            most = typist._process.memory_info().vms + (more << 20)
            resource.prlimit(run.child.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
            typist.press(chance, KEYS // 2)
            said = bytes(run.raw)
            assert b"Traceback" not in said
            if run.child.poll() is not None and run.child.returncode == 70:
                assert b"memory ran out" in said
        run.close()
