"""Numbers at the ends of their range, combined: a report and a documented code, never a warning of numpy."""

from __future__ import annotations

import random

import pytest
from click.testing import CliRunner

from tests.hostile.chance import EXIT_CODES, cases, told
from tui_backprop.cli.main import main

VALUES = {
    "--lr": ("1e308", "1e-308", "0.1"),
    "--init": ("constant:1e308", "normal:1e200", "constant:-1e38", "zeros", "normal:1e-320"),
    "--l2": ("1e308", "1e-308", "0.5"),
    "--dtype": ("float32", "float64"),
    "--activation": ("gelu", "silu", "elu", "softplus", "tanh", "leaky-relu"),
    "--loss": ("mse", "binary-cross-entropy", "cross-entropy", "half-squares"),
    "--optimizer": ("adam", "adamw", "rmsprop", "momentum"),
    "--weight-decay": ("1e308", "0.1"),
    "--clip": ("1e-308", "1e308"),
    "--batch": ("1", "3"),
    "--steps": ("0", "2"),
    "--layers": ("2,3,2", "2,2", "2,5,5,1"),
    "--dropout": ("0.99",),
    "--schedule": ("cosine", "linear", "exponential"),
    "--warmup": ("1000000000000000000",),
    "--horizon": ("1", "999999999999999999"),
}
COMMANDS = {
    "trace": ("", "--json", "--plain", "--stream", "--grain layer"),
    "blame": ("", "--measure update", "--measure weight-x-gradient", "--top 50"),
    "check": (
        "", "--fast", "--step 1e308", "--step 1e-300", "--method spsa", "--against forward-difference",
        "--rtol 1e308", "--against complex-step", "--exhaustive",
    ),
}  # fmt: skip


def line(chance: random.Random) -> list[str]:
    command = chance.choice([*COMMANDS])
    words = [command, "--preset", "xor", *chance.choice(COMMANDS[command]).split()]
    for option in chance.sample([*VALUES], chance.randint(1, 6)):
        words += [option, chance.choice(VALUES[option])]
    return words


@pytest.mark.parametrize(
    "command", ["trace --l2 1e-308 --init constant:1e308 --dtype float64", "blame --lr 1e-308"]
)
def test_numbers_whose_squares_or_inverses_are_out_of_range_are_shown(command):
    result = CliRunner().invoke(main, [*command.split(), *["--preset", "xor", "--dropout", "0.99"]])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in EXIT_CODES


def test_any_numbers_end_with_a_documented_code_and_without_a_warning():
    for chance in cases(120):
        words = line(chance)
        with told(words):
            result = CliRunner().invoke(main, words)
            assert result.exception is None or isinstance(result.exception, SystemExit)
            assert result.exit_code in EXIT_CODES
