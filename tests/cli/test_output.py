"""JSON holds what it has no numbers for as strings; where numbers are not finite a command exits with 1."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.cli.output import json_value

NAN_LOSS = [
    "--layers",
    "2,3,3,2",
    "--data",
    "moons",
    "--batch",
    "3",
    "--activation",
    "gelu",
    "--init",
    "normal:1e19",
    "--dtype",
    "float32",
]
INFINITE_LOSS = [
    "--layers",
    "2,4,1",
    "--data",
    "xor",
    "--loss",
    "mse",
    "--init",
    "normal:1e15",
    "--batch",
    "4",
]
INFINITE_WEIGHTS = ["--layers", "2,4,2", "--data", "moons", "--init", "normal:1e308", "--dtype", "float64"]
WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def strict(text):
    """The object, of JSON as the standard has it: Python's own reader takes bare NaN and Infinity, too."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def test_nan_and_infinities_are_strings_at_any_depth_and_nothing_else_changes():
    value = {"a": [1.5, math.nan, {"b": (math.inf, -math.inf)}], "c": "NaN", "d": None, "e": True, "f": 3}
    assert json_value(value) == {
        "a": [1.5, "NaN", {"b": ["Infinity", "-Infinity"]}],
        "c": "NaN", "d": None, "e": True, "f": 3,
    }  # fmt: skip
    with pytest.raises(ValueError, match="NaN"):
        strict('{"loss": NaN}')  # the reader can fail


@pytest.mark.parametrize("network", [NAN_LOSS, INFINITE_LOSS, INFINITE_WEIGHTS])
@pytest.mark.parametrize("command", [["trace"], ["blame"], ["trace", "--stream"]])
def test_a_command_whose_numbers_are_not_finite_exits_with_1_and_says_why(tmp_path, command, network):
    result = run(*command, *network, "--json")
    assert result.exit_code == 1
    found = strict(result.stdout)
    file = tmp_path / "a.npz"
    assert run("trace", *network, "--save", str(file)).exit_code == 1
    with np.load(file) as saved:
        loss = float(saved["loss"])
        assert np.array_equal(WORDS.get(found["loss"], found["loss"]), loss, equal_nan=True)
        name, index, number = re.match(r"(\w+)(?:\[([\d,]+)\])?.* is (-?inf|NaN): ", found["reason"]).groups()
        if name in saved:
            at = tuple(map(int, index.split(","))) if index else ()
            assert np.array_equal(saved[name][at], float(number), equal_nan=True)
    text = run(*command, *network).stdout
    assert re.search(rf"{name}\b.* is [−]?(∞|NaN): ", text)


def test_where_all_is_finite_there_is_no_reason_and_the_exit_code_is_0():
    for command in (["trace"], ["blame"], ["trace", "--stream"]):
        result = run(*command, "--preset", "xor", "--json")
        assert (result.exit_code, strict(result.stdout)["reason"]) == (0, None)


@pytest.mark.parametrize("network", [NAN_LOSS, INFINITE_WEIGHTS])
def test_where_the_outputs_are_not_finite_blame_gives_no_verdict(network):
    result = run("blame", *network)
    for verdict in ("correct", "wrong", "score is 0", "predicted"):
        assert verdict not in result.stdout
    assert "no prediction: an output is NaN" in result.stdout
    parameters = json.loads(run("trace", *network, "--json").stdout)["parameters"]
    assert f"all {parameters} scores are NaN or infinite, and not ranked" in " ".join(result.stdout.split())
    found = strict(run("blame", *network, "--json").stdout)
    assert (found["ranking"], found["unranked"]) == ([], parameters)


def test_scores_that_are_not_finite_are_counted_and_the_others_ranked(tmp_path):
    file = tmp_path / "a.npz"
    run("trace", *INFINITE_LOSS, "--save", str(file))
    found = strict(run("blame", *INFINITE_LOSS, "--json").stdout)
    with np.load(file) as saved:
        scores = np.concatenate([saved[f"d{name}"].ravel() for name in ("W1", "b1", "W2", "b2")])
    finite = np.isfinite(scores)
    assert found["unranked"] == (~finite).sum() > 0
    ranked = [entry["score"] for entry in found["ranking"]]
    assert ranked == pytest.approx(sorted(abs(scores[finite & (scores != 0)]))[::-1])


@pytest.mark.parametrize("command", ["trace", "blame", "check", "cost", "doctor"])
def test_the_strings_are_documented(command):
    text = run(command, "--help").stdout
    for word in WORDS:
        assert f'"{word}"' in text


@pytest.mark.parametrize("command", [["check", *NAN_LOSS], ["check", *INFINITE_WEIGHTS]])
def test_a_check_of_numbers_that_are_not_finite_is_valid_json(command):
    result = run(*command, "--json")
    assert result.exit_code == 1
    assert strict(result.stdout)["reason"]
