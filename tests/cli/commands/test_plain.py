"""--plain: the same facts for screen readers, a line each, in words and plain characters."""

from __future__ import annotations

import re
from functools import cache

import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main

RICH = (
    "--preset", "xor", "--batch", "3", "--optimizer", "adam", "--layer-norm", "--l2", "0.1", "--schedule", "cosine",
)  # fmt: skip
SMALL = ("--layers", "2,3,2", "--data", "moons", "--batch", "4")
COMMANDS = [
    ("trace",),
    ("trace", *RICH, "--grain", "operation"),
    ("trace", *RICH, "--grain", "layer"),
    ("trace", "--preset", "sine", "--dropout", "0.2"),
    ("trace", "--stream", "--layers", "784,20,10"),
    ("check", "--preset", "xor"),
    ("check", "--fast"),
    ("check", *SMALL, "--activation", "relu", "--method", "spsa"),
    ("blame", "--top", "3"),
    ("blame", *SMALL, "--top", "4", "--measure", "update"),
    ("blame", "--layers", "2,3,2", "--data", "moons", "--init", "zeros"),
    ("cost", *SMALL, "--chart"),
    ("doctor",),
]
each_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
DRAWN = re.compile(r"[#|=]{3,}|[-.*~]{3,}")


@cache
def run(*arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (0, 1), result.output
    return result.stdout


def numbers(text):
    return {found.rstrip(",") for found in NUMBER.findall(text)}


@each_command
def test_it_has_neither_columns_nor_drawings_nor_colors(command):
    text = run(*command, "--plain")
    assert text.isascii()
    assert "?" not in text.replace("\\033[?", "")  # what a character becomes that has no plain form
    for row in text.splitlines():
        assert row.isprintable()
        assert "  " not in row
        assert row == row.strip()
        assert not DRAWN.search(row), row
        assert not re.search(r" [=-]$", row)
        assert ": :" not in row
    assert "\n\n\n" not in text


SAME = [
    c for c in COMMANDS if c[0] in ("trace", "check", "blame") and "--stream" not in c
]  # each time it is run


@pytest.mark.parametrize("command", SAME, ids=" ".join)
def test_every_number_of_the_usual_text_is_in_it(command):
    usual, plain = run(*command), run(*command, "--plain")
    assert numbers(usual.translate(str.maketrans("−²³", "-  "))) - numbers(plain) <= {"1"}  # of β₁


def test_a_term_is_an_equation():
    lines = run("trace", "--sample", "0", "--plain").splitlines()
    assert "x[491] times W1[491,239] = 0.992 times 0.131 = +0.130" in lines
    assert "781 more terms = +0.230" in lines
    assert "result: z1[239] = +0.152" in lines
    assert "formula: z1 = x W1 + b1" in lines
    assert "torch: z1 = x @ W1 + b1; z1.retain_grad()" in lines
    assert (
        "cost: 200,704 MACs = 1 times 784 times 256, total 0.60x a forward pass (200,704 / 334,336 MACs)"
        in lines
    )


def test_each_step_is_told():
    usual = re.findall(r"^ *(\d+)  (\w+, layer \d+: .*)$", run("trace", *RICH), re.M)
    plain = re.findall(r"^step (\d+): (\w+, layer \d+: .*)$", run("trace", *RICH, "--plain"), re.M)
    assert plain == usual
    assert usual


def test_tables_are_facts():
    assert "W1, shape: (2,2)" in run("check", "--preset", "xor", "--plain").splitlines()
    assert "naive, work: P + 1 forward passes" in run("cost", *SMALL, "--plain").splitlines()
    assert "layer 1, W: 784x20" in run("trace", "--stream", "--layers", "784,20,10", "--plain").splitlines()


def test_blame_names_parameters_and_what_moving_them_does():
    lines = run("blame", "--sample", "0", "--top", "2", "--plain").splitlines()
    assert "rank 1: b4[1]" in lines
    assert "b4[1], gradient: -0.896" in lines
    assert "b4[1] moved up: by +0.0100" in lines
    assert "b4[1] moved up, predicted change in the loss: -0.00896" in lines
    assert "b4[1] moved up, loss afterward: 2.258" in lines
    assert "b4[1] moved as in the next update: by +0.00896" in lines


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] in ("trace", "check", "blame", "cost")])
def test_it_says_which_network_it_is_about(command):
    lines = run(*command, "--plain").splitlines()
    assert any(re.match(r"network: [\d,]+ \w+, ", row) for row in lines[:7])
    assert command[0] == "cost" or any(row.startswith("data: ") for row in lines[:2])


def test_blame_says_which_data_and_which_sample_it_is_about():
    assert "data: digits, sample 3, loss 2" in run("blame", "--sample", "3", "--plain")
    assert "data: moons, samples 0-3, loss " in run("blame", *SMALL, "--plain")


def test_cost_has_a_summary_first_and_its_units_in_words():
    text = run("cost", *SMALL, "--plain")
    summary, about = text.split("\n\n")[:2]
    assert about.startswith("network: 2,3,2 ")
    sentences = summary.splitlines()
    assert len(sentences) == 4
    assert all(row.endswith(".") for row in sentences)
    for part in ("17 parameters", "times faster", "100,000 steps", "GPT-3", "projected"):
        assert part in summary
    others = "\n".join(row for row in text.splitlines() if not row.startswith("machine: "))
    assert not re.search(r"\d ?(us|ms|s|h|min|kB|MB)\b|\+-|\d[kMBTx]\b", others)
    assert not re.search(r", (known|within|ratio): ", others)
    assert "so often" not in others


def test_the_usual_text_is_as_it_was_without_it():
    assert "     cost    200,704 MACs = 1 × 784 × 256  total" in run("trace")


def test_json_stays_what_it_is():
    assert run("check", "--preset", "xor", "--json") == run("check", "--preset", "xor", "--json", "--plain")


@pytest.mark.parametrize("name", ["trace", "cost", "check", "blame", "doctor"])
def test_every_command_that_prints_has_it(name):
    assert "--plain" in run(name, "--help")
