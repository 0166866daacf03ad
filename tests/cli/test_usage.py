"""Usage errors are one line that says what would be right; so is what was adapted to the data."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.keys.table import ROWS

REFUSED = {
    "doctor --resume": "--resume: applies to the app, not to doctor; leave it out",
    "keys --open x": "--open: applies to the app, not to keys; leave it out",
    "trace --optimiser adam": "--optimiser: no option of trace; did you mean --optimizer?",
    "keys --xyzzy": "--xyzzy: no option of keys",
    "trace --optimizer": "--optimizer: requires a value: sgd, momentum, nesterov, rmsprop, adam, adamw",
    "--preset": "--preset: requires a value: lesson, ",
    "cost --budget": "--budget: requires a value: SECONDS",
}


@pytest.mark.parametrize("typed", REFUSED)
def test_an_option_that_is_wrong_is_one_line_with_what_would_be_right(typed):
    result = CliRunner().invoke(main, typed.split())
    assert (result.exit_code, result.stdout) == (2, "")
    (told,) = result.stderr.splitlines()
    assert told.startswith(f"backprop-tui: {REFUSED[typed]}")
    assert told.endswith(" (see --help)")


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ("--memory nonsense trace", "memory"),
        ("--ascii trace", "ascii"),
        ("--no-mouse blame", "mouse"),
        ("--config x keys", "config"),
        ("--preset xor keys", "preset"),
        ("--no-bias man", "no-bias"),
    ],
)
def test_an_option_before_a_command_that_has_none_of_it_is_refused(typed, option):
    result = CliRunner().invoke(main, typed.split())
    told = f"backprop-tui: --{option}: applies to the app, not to {typed.split()[-1]}; leave it out\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", told)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("token --data moons", "adapted to moons: layers 2,256,256,256,2"),
        ("trace --preset xor --data digits --json", "adapted to digits: layers 784,2,10, loss cross-entropy"),
        ("token --data moons --layers 2,4,2", ""),
        ("token --preset xor", ""),
    ],
)
def test_what_the_data_adapts_is_said_and_is_no_part_of_the_output(typed, told):
    result = CliRunner().invoke(main, typed.split())
    assert result.exit_code == 0
    assert result.stderr.startswith(f"backprop-tui: {told}" if told else "")
    assert bool(result.stderr) == bool(told)
    if "--json" in typed:
        json.loads(result.stdout)


def test_keys_as_sentences_name_every_action_once_in_ascii():
    lines = CliRunner().invoke(main, ["keys", "--plain"]).stdout.splitlines()
    assert len(lines) == len({key.id for key in ROWS if not key.fixed})
    assert all(line.isascii() and line.count(": ") >= 2 and not line.startswith("#") for line in lines)
    assert "Everywhere: minus: Play slower." in lines
