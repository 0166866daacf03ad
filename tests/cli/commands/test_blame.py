"""``backprop-tui blame``: what it prints is what the other commands save."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main


def run(*arguments):
    return CliRunner().invoke(main, ["blame", *arguments])


@pytest.mark.parametrize("measure", ["gradient", "update", "weight-x-gradient"])
@pytest.mark.parametrize("layer", [None, 1, 4])
def test_the_ranking_is_that_of_the_arrays_that_the_trace_saves(tmp_path, measure, layer):
    file = tmp_path / "walk.npz"
    arguments = "--sample", "7", "--batch", "3"
    assert CliRunner().invoke(main, ["trace", *arguments, "--save", str(file)]).exit_code == 0
    chosen = ["--layer", str(layer)] if layer else []
    found = json.loads(run(*arguments, *chosen, "--measure", measure, "--top", "30", "--json").stdout)
    scores = []
    with np.load(file) as saved:
        for k in [layer] if layer else range(1, 5):
            for name in (f"W{k}", f"b{k}"):
                w, g = saved[name].astype(float), saved[f"d{name}"].astype(float)
                size = {"gradient": abs(g), "update": 0.01 * g * g, "weight-x-gradient": abs(w * g)}[measure]
                scores += size.ravel().tolist()
        for entry in found["ranking"]:
            index = tuple(entry["index"])
            assert saved[entry["tensor"]][index] == pytest.approx(entry["value"])
            assert saved["d" + entry["tensor"]][index] == pytest.approx(entry["gradient"])
    assert [e["score"] for e in found["ranking"]] == pytest.approx(sorted(scores)[:-31:-1], rel=1e-5)
    first = found["ranking"][0]["gradient"]
    assert sum(pull["gradient"] for pull in found["sample_gradients"]) == pytest.approx(first, rel=1e-4)


def test_small_nudges_come_as_the_gradient_predicts():
    """Those that are predicted by the gradient come so, where they are small."""
    found = json.loads(run("--preset", "xor", "--json").stdout)
    for nudge in found["nudges"]:
        assert nudge["predicted_change"] == pytest.approx(found["ranking"][0]["gradient"] * nudge["by"])
        if abs(nudge["by"]) <= 0.01:
            assert nudge["actual_change"] == pytest.approx(nudge["predicted_change"], rel=0.02)


def test_the_text_answers_the_question_in_lines_that_fit():
    lines = run("--sample", "0", "--layer", "1", "--top", "4").stdout.splitlines()
    assert lines[0] == "label 1, predicted 5: wrong"
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == ["parameter"])
    assert [line.split()[0] for line in lines[start + 1 : start + 5]] == ["1", "2", "3", "4"]
    assert "1 of the first 4 is a bias; the first 4 are tied" in lines
    assert any(line.startswith("× W2[") for line in lines)
    assert any(line.startswith("update") for line in lines)
    assert max(map(len, lines)) <= 78


def test_penalties_and_samples_are_told_apart():
    lines = run("--preset", "xor", "--batch", "4", "--l2", "0.1").stdout.splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["up", "down", "penalty"]


def test_a_network_without_gradients_has_no_culprit():
    result = run("--layers", "784,4,10", "--init", "zeros", "--no-bias", "--layer", "1")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "every score is 0: no parameter is to blame"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layer", "9"], "--layer: 9 is out of range (1 to 4)"),
        (["--layer", "x"], '--layer: "x" is not a positive whole number'),
        (
            ["--measure", "size"],
            '--measure: invalid value "size"; choose from gradient, update, weight-x-gradient',
        ),
        (["--top", "0"], '--top: "0" is not a positive whole number'),
    ],
)
def test_bad_input_gets_one_line_and_2(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr == f"backprop-tui: {message}\n"
