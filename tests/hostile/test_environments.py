"""Commands in odd environments: no home, no folders, settings that cannot be read, any umask and locale."""

from __future__ import annotations

import os
import random
import subprocess
import sys

from tests.hostile.chance import cases, told

COMMANDS = ("trace --preset xor", "doctor", "token", "token --preset xor", "keys", "--resume", "man")
HOMES = ("", "/", "/dev/null", "relative", "/nonexistent", "~", "/proc/self", "\x1b[2J", "x" * 5000)
VARIABLES = {
    "BACKPROP_TUI_CONFIG": ("/dev/zero", "/dev/null", "/", "nothing", "\x1b[2J", "/proc/self/mem"),
    "BACKPROP_TUI_MEMORY": ("9" * 4301, "-1", "\x1b[2J", "256"),
    "BACKPROP_TUI_COLOR": ("pink", "16"),
    "LC_ALL": ("C", "nonsense", "tr_TR.UTF-8"),
    "PYTHONIOENCODING": ("ascii", "latin-1"),
    "XDG_CACHE_HOME": HOMES, "XDG_STATE_HOME": HOMES, "XDG_CONFIG_HOME": HOMES, "HOME": HOMES,
    "TERM": ("", "dumb", "\x1b[2J"), "COLUMNS": ("0", "-1", "9" * 99, "x"),
    "TMPDIR": ("/nonexistent", "/dev/null"),
}  # fmt: skip
CODES = {0, 2}


def odd(chance: random.Random) -> list[str]:
    """Return the arguments of env(1) that set or unset some variables."""
    words = []
    for name in chance.sample([*VARIABLES], chance.randint(1, 4)):
        words += ["-u", name] if chance.random() < 0.3 else []
    return words + [
        f"{name}={chance.choice(VARIABLES[name])}"
        for name in chance.sample([*VARIABLES], chance.randint(0, 3))
    ]


def test_a_command_in_any_environment_is_done_or_refuses_in_one_line(tmp_path):
    for chance in cases(8):
        command, variables = chance.choice(COMMANDS).split(), odd(chance)
        with told(command, variables):
            done = subprocess.run(
                ["env", *variables, sys.executable, "-m", "tui_backprop", *command],
                capture_output=True, cwd=tmp_path, timeout=60, check=False, env=dict(os.environ),
                stdin=subprocess.DEVNULL, umask=chance.choice([0, 0o022, 0o777]),
            )  # fmt: skip
            assert done.returncode in CODES
            assert b"Traceback" not in done.stderr
            assert b"\x1b" not in done.stderr + done.stdout
            assert len(done.stderr.splitlines()) <= 1
