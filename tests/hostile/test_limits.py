"""Commands under any limit of memory: done, or one line and a documented code."""

from __future__ import annotations

import random
import resource
import subprocess
import sys

from tests.hostile.chance import cases, told

COMMANDS = (
    "trace --preset xor", "check --preset xor", "blame", "trace --layers 784,2000,2000,10",
    "check --exhaustive --preset xor",
    "trace --stream --layers 784,5000,10", "doctor", "trace --batch 500", "cost --preset xor",
)  # fmt: skip
CODES = {0, 2, 70}
MEGABYTES = (60, 180), (180, 600)  # below and above what libraries take


def limited(chance: random.Random, command: str, megabytes: int) -> subprocess.CompletedProcess[bytes]:
    kind = chance.choice([resource.RLIMIT_AS, resource.RLIMIT_DATA])
    return subprocess.run(
        [sys.executable, "-m", "tui_backprop", *command.split()],
        capture_output=True, timeout=120, check=False,
        preexec_fn=lambda: resource.setrlimit(kind, (megabytes << 20, resource.RLIM_INFINITY)),
    )  # fmt: skip


def test_a_command_under_any_limit_of_memory_is_done_or_says_so_in_one_line():
    for chance in cases(5):
        command, megabytes = chance.choice(COMMANDS), chance.randint(*chance.choice(MEGABYTES))
        with told(command, megabytes):
            done = limited(chance, command, megabytes)
            assert done.returncode in CODES
            assert len(done.stderr.splitlines()) <= 1
            assert bool(done.stderr) == (done.returncode != 0)
