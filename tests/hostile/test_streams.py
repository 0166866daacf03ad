"""Streams that are closed, full, left or read-only, and disks that fail, under any command."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.hostile.chance import EXIT_CODES, cases, told
from tui_backprop.support.atomic_write import replacing

COMMANDS = (
    "trace --preset xor", "trace --preset xor --json", "check --preset xor", "blame --preset xor", "doctor", "keys",
    "token --preset xor", "man", "--help", "trace --help", "--version", "completion bash", "nonsense",
    "trace --nonsense", "--resume", "--preset xor", "trace --preset xor --save a.npz",
    "trace --preset xor --save /dev/stdout",
)  # fmt: skip
WAYS = ("", "{}>&-", "{}>/dev/full", "{}</dev/null", "{}<&-")  # of opening a stream


def line(chance: random.Random) -> str:
    ways = [chance.choice(WAYS).format(number) if chance.random() < 0.6 else "" for number in (0, 1, 2)]
    piped = chance.choice(["", "", "| true", "| head -c 5"])
    return f"{sys.executable} -m tui_backprop {chance.choice(COMMANDS)} {' '.join(ways)} {piped}"


def test_any_command_with_any_streams_ends_with_a_documented_code(tmp_path):
    for chance in cases(12):
        text = line(chance)
        with told(text):
            done = subprocess.run(
                ["bash", "-c", f"set -o pipefail; {text}"],
                stdin=subprocess.DEVNULL, capture_output=True, cwd=tmp_path, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode in EXIT_CODES
            assert b"Traceback" not in done.stderr
            assert b"Exception" not in done.stderr
            assert b"\x1b" not in done.stderr + done.stdout


def limited(most: int, write) -> bool:
    """Do something while no file may grow beyond so many bytes; return False if it failed for that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        write()
    except OSError:
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return True


def test_a_file_on_a_disk_that_fails_is_the_old_one_or_the_new_one(tmp_path):
    path = tmp_path / "file"
    for chance in cases(150):
        old, new = chance.randbytes(chance.randrange(3000)), chance.randbytes(chance.randrange(3000))
        most, part = chance.randrange(4000), chance.randrange(1, 1000)
        path.write_bytes(old)

        def write(new=new, part=part) -> None:
            with replacing(path) as file:
                for at in range(0, len(new), part):
                    file.write(new[at : at + part])

        with told(len(old), len(new), most, part):
            right = new if limited(most, write) else old
            assert path.read_bytes() == right
            assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_saving_on_a_disk_that_fails(tmp_path):
    path = tmp_path / "a.npz"
    for chance in cases(3):
        path.write_bytes(b"old")
        most = chance.choice([0, 1, 4000, 9000, 10**6])
        with told(most):
            done = subprocess.run(
                [sys.executable, "-m", "tui_backprop", "trace", "--preset", "xor", "--save", str(path)],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
            )  # fmt: skip
            assert done.returncode in (0, 74)
            assert done.stderr.count(b"\n") == 1
            if done.returncode:
                assert path.read_bytes() == b"old"
            else:
                with np.load(path) as arrays:
                    assert {"loss", "dW1", "db2"} <= {*arrays}
            assert os.listdir(Path(path).parent) == ["a.npz"]
