"""Usage errors are one line that says what would be right; so is what was adapted to the data."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.keys.table import ROWS
from tui_backprop.support import memory
from tui_backprop.support.memory import Available

DEEP = f"--preset xor --layers 2,{'9,' * 998}2"
REFUSED = {
    "doctor --resume": "--resume: applies to the app, not to doctor; leave it out",
    "keys --open x": "--open: applies to the app, not to keys; leave it out",
    "trace --optimiser adam": "--optimiser: no option of trace; did you mean --optimizer?",
    "keys --xyzzy": "--xyzzy: no option of keys",
    "trace --optimizer": f"--optimizer: requires a value: {', '.join(UPDATE_RULES)}",
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


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("blame --top 100000000", "--top: 100,000,000 is out of range (1 to 10,000); trace --save writes"),
        ("check --fast --directions 0", '--directions: "0" is not a positive whole number'),
        ("check --fast --directions 1000001", "--directions: 1,000,001 is out of range (1 to 1,000,000)"),
        (f"check --fast --directions 999999 {DEEP}", "--directions: 999,999 directions of this network take"),
        ("check --method spsa --probes 99999999", "--probes: 99,999,999 is out of range"),
        ("trace --steps 99999999999", "--steps: 99,999,999,999 updates of this network take more than a day"),
        (f"cost --layers 784,{'9,' * 1000}10", "--layers: more than 1,000 layers; use fewer, wider ones"),
        (f"cost --layers 784,{'9,' * 100_000}10", "--layers: more than 1,000 layers; use fewer, wider ones"),
    ],
)
def test_a_number_that_takes_too_much_memory_or_time_is_refused_in_one_line(typed, told):
    result = CliRunner().invoke(main, typed.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"backprop-tui: {told}")
    assert len(result.stderr) < 250


def test_random_probes_may_take_a_day_and_no_more(monkeypatch):
    monkeypatch.setattr("tui_backprop.session.validation.LONGEST_REPLAY", 1.0)
    result = CliRunner().invoke(main, f"check --method spsa --probes 999 {DEEP}".split())
    assert result.stderr == "backprop-tui: --probes: 999 probes of this network take more than a day\n"


def test_memory_that_runs_out_is_one_line_and_a_fault(monkeypatch):
    def full(*arguments, **named):
        raise MemoryError

    monkeypatch.setattr("tui_backprop.engine.training.iteration.run_iteration", full)
    monkeypatch.setattr("tui_backprop.session.replay.run_iteration", full)
    for command in ("trace", "blame"):
        result = CliRunner().invoke(main, [command, "--preset", "xor"])
        assert (result.exit_code, result.stdout) == (70, "")
        assert re.fullmatch(
            r"backprop-tui: memory ran out; .*; choose a smaller network or batch\n", result.stderr
        )


def test_where_libraries_cannot_be_loaded_for_want_of_memory_it_is_said(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: Available(10_000_000, "RLIMIT_AS", 200_000_000))
    result = CliRunner().invoke(main, ["trace"])
    told = "memory limit: 10 MB is free within RLIMIT_AS; backprop-tui needs 200 MB to start"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"backprop-tui: {told}\n")
