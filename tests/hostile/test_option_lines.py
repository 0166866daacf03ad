"""Option lines of any content: a documented exit code, and for a refusal one bounded line."""

from __future__ import annotations

import random

from click.testing import CliRunner

from tests.hostile.chance import EXIT_CODES, cases, told
from tui_backprop.cli.main import main
from tui_backprop.cli.session_option_table import CHOICES, FLAGS
from tui_backprop.cli.settings import SETTINGS

VALUES = (
    "",
    " ",
    "0",
    "-1",
    "1",
    "2",
    "nan",
    "inf",
    "1e308",
    "1e-320",
    "9" * 19,
    "9" * 5000,
    "0x1",
    "1_000",
    "٣",
    "x" * 9999,
    "\x1b[2J",
    "\u202e",
    "2,2",
    "2,3,2",
    "2," * 2000 + "2",
    "784,10",
    "-",
    "--",
    "/dev/zero",
    "/dev/null",
    ".",
    "relu,tanh",
    "xor",
    "adam",
    "all",
    "bp4-",
    "a\nb",
    "'",
    "[red]",
    "%s",
    "float64",
    "true",
    "auto",
    "16",
)
OPTIONS = (
    *(flag for flag, *_ in CHOICES), *(f"--{setting.name}" for setting in SETTINGS if not setting.switch), "--top",
    "--layer", "--measure", "--directions", "--probes", "--step", "--rtol", "--entries",
    "--budget", "--grain",
    "--against", "--method", "--open", "--config", "--nonsense", "--steps",
)  # fmt: skip
SWITCHES = (
    *(flag for flags, _ in FLAGS for flag in flags.split("/")),
    "--fast",
    "--json",
    "--plain",
    "--ascii",
    "--no-mouse",
)
CHEAP = ("token", "keys", "blame", "trace", "doctor", "man", "completion", "nonsense")


def line(chance: random.Random) -> list[str]:
    """Return a line that computes little: of the smallest preset, unless it is refused."""
    words = ["--preset", "xor"]
    for _ in range(chance.randint(0, 3)):
        words.append(chance.choice(SWITCHES))
        if chance.random() < 0.8:
            words[-1:] = [chance.choice(OPTIONS), chance.choice(VALUES)]
    words.insert(chance.choice([0, 0, 0, len(words)]), chance.choice(CHEAP))
    return words


def test_any_option_line_ends_with_a_documented_code_and_at_most_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for chance in cases(150):
        words = line(chance)
        with told(words):
            result = CliRunner().invoke(main, words)
            assert result.exit_code in EXIT_CODES
            assert result.exception is None or isinstance(result.exception, SystemExit)
            if result.exit_code == 2:
                assert result.stdout == ""
                *notes, refusal = result.stderr.splitlines()
                assert len(notes) <= 1
                assert len(refusal) < 500
                assert refusal.isprintable()
    assert not [*tmp_path.iterdir()]
