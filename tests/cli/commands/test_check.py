"""``backprop-tui check``: what it prints, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.engine.gradients.check.report import CheckedEntry, Report, TensorCheck
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.render.draw.context import UTF8
from tui_backprop.report.check import check_text
from tui_backprop.session.state import from_preset

RIGHT = METHODS["backprop"].rule


def run(*arguments):
    return CliRunner().invoke(main, ["check", *arguments])


@pytest.fixture
def wrong_w2(monkeypatch):
    """Backprop is off by a half in one entry of W2."""

    def spoil(out, problem, where, h, options):
        for done in RIGHT(out, problem, where, h, options):
            out[6] *= 1.5  # W2[0,0] of 2-2-1: after four weights and two biases
            yield done

    monkeypatch.setitem(METHODS, "backprop", replace(METHODS["backprop"], rule=spoil))


@pytest.mark.parametrize("preset", ["lesson", "xor", "vanishing", "sine"])
def test_every_preset_passes(preset):
    result = run("--preset", preset)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "passed"
    assert "in float64" in result.stdout


def test_there_is_a_line_for_each_tensor_with_both_values_and_what_is_allowed():
    lines = run("--preset", "xor").stdout.splitlines()
    heads = lines[4].split("  ")
    assert [head.strip() for head in heads if head] == [
        "tensor", "shape", "compared", "worst at", "backprop", "central", "rel. error", "difference", "allowed",
        "verdict",
    ]  # fmt: skip
    rows = [line.split() for line in lines[5:9]]
    assert [(row[0], row[1], row[2], row[-1]) for row in rows] == [
        ("W1", "(2,2)", "4", "ok"), ("b1", "(2,)", "2", "ok"), ("W2", "(2,1)", "2", "ok"), ("b2", "(1,)", "1", "ok"),
    ]  # fmt: skip
    for row in rows:
        first, second, error, difference, allowed = map(float, row[4:9])
        assert first == pytest.approx(second, rel=1e-6)
        assert difference <= allowed
        assert error < 1e-6
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize(
    ("methods", "heads"),
    [
        (("forward-difference", "forward-mode"), ["difference", "mode"]),
        (("batched-difference", "batched-forward-mode"), ["difference", "forward"]),
        (("backprop", "backprop"), ["backprop", "backprop"]),
        (("backprop", "forward-mode"), ["backprop", "forward"]),
    ],
)
def test_the_columns_of_two_methods_have_names_that_differ(methods, heads):
    lines = run("--preset", "xor", "--method", methods[0], "--against", methods[1]).stdout.splitlines()
    assert lines[4].split("worst at")[1].split()[:2] == heads


def test_a_wrong_gradient_ends_with_1_and_is_named_with_its_place(wrong_w2):
    result = run("--preset", "xor")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "FAILED: W2 differs"
    row = next(line for line in result.stdout.splitlines() if line.startswith("W2")).split()
    assert row[3] == "[0,0]"
    assert float(row[4]) == pytest.approx(1.5 * float(row[5]), rel=1e-6)
    assert row[-2:] == ["1", "DIFFER"]


def test_for_screen_readers_it_is_named_too(wrong_w2):
    result = run("--preset", "xor", "--plain")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "W2, worst at: [0,0]" in lines
    assert "W2, verdict: 1 DIFFER" in lines
    assert lines[-1] == "FAILED: W2 differs"


def test_json_says_the_same(wrong_w2):
    result = run("--preset", "xor", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["passed"] is False
    assert (found["first"], found["second"], found["dtype"]) == ("backprop", "central-difference", "float64")
    bad = next(tensor for tensor in found["tensors"] if tensor["failed"])
    assert (bad["tensor"], bad["failed"], bad["worst"]["index"]) == ("W2", 1, [0, 0])
    assert bad["worst"]["first"] == pytest.approx(1.5 * bad["worst"]["second"], rel=1e-6)
    assert found["faults"] == []


def test_json_is_ascii_also_with_greek_parameters():
    result = run("--layers", "2,3,2", "--data", "moons", "--layer-norm", "--json")
    assert result.exit_code == 0
    assert result.stdout.isascii()
    assert [tensor["tensor"] for tensor in json.loads(result.stdout)["tensors"]] == [
        "W1", "b1", "gamma1", "beta1", "W2", "b2",
    ]  # fmt: skip


@pytest.mark.parametrize("against", [name for name in METHODS if name != "backprop"])
def test_backprop_passes_against_every_method(against):
    arguments = (
        "--layers",
        "2,6,5,2",
        "--data",
        "moons",
        "--batch",
        "4",
        "--layer-norm",
        "--residual",
        "--l2",
        "0.01",
    )
    assert (
        run(
            *arguments,
            "--dropout",
            "0.2",
            "--against",
            against,
            *(["--probes", "50"] if against == "spsa" else []),
        ).exit_code
        == 0
    )


def test_a_check_of_nothing_but_zeros_says_that_it_shows_little():
    lines = run("--layers", "784,4,10", "--init", "zeros", "--no-bias").stdout.splitlines()
    assert lines[-1] == "passed, but every gradient compared is 0, which shows little"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("forward-difference", "passed, but inconclusive for b1: kinks; try a smaller --step"),
        ("backprop", "passed"),
    ],
)
def test_between_two_differences_that_cross_kinks_nothing_is_known(first, last):
    entry = CheckedEntry((0,), 1.0, 1.0, 0.0, 1e-6, 1e-8)
    tensors = (TensorCheck("W1", (3, 2), 6, 0, 1, 0, entry), TensorCheck("b1", (2,), 2, 0, 1, 1, None))
    report = Report(first, "central-difference", "float64", 0.5, 9, 1.0, tensors, 4, 0, ())
    lines = check_text(from_preset("xor"), report, UTF8).splitlines()
    assert lines[-1] == last
    row = next(line for line in lines if line.startswith("b1"))
    judged = "ok by complex step" if first == "backprop" else "inconclusive"
    assert row.endswith(f"{judged}, 1 at kinks, 1 at bends")
    assert ("the complex step agrees" in "".join(lines)) == (first == "backprop")


def test_all_entries_are_compared_on_request():
    tensors = json.loads(run("--layers", "2,30,2", "--data", "moons", "--entries", "all", "--json").stdout)[
        "tensors"
    ]
    assert [tensor["checked"] for tensor in tensors] == [60, 30, 60, 2]


def test_the_fast_check_takes_two_passes_for_each_tensor():
    found = json.loads(run("--fast", "--json").stdout)
    assert found["passed"]
    assert found["evaluations"] == 17
    assert all(tensor["worst"]["index"] == [] for tensor in found["tensors"])


def test_single_precision_is_checked_with_what_it_can_give():
    found = json.loads(run("--dtype", "float32", "--json").stdout)
    assert found["passed"]
    assert found["dtype"] == "float32"
    assert found["tensors"][0]["worst"]["step"] == pytest.approx(np.finfo("float32").eps ** (1 / 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--against", "foo"], '--against: invalid value "foo"; choose from backprop, forward-difference,'),
        (["--method", "foo"], '--method: invalid value "foo"; choose from backprop,'),
        (["--entries", "0"], '--entries: "0" is not a positive whole number'),
        (["--entries", "some"], '--entries: "some" is not a positive whole number'),
        (["--step", "-1"], '--step: "-1" is not a positive number, such as 0.1'),
        (["--rtol", "x"], '--rtol: "x" is not 0 or a positive number, such as 0.1'),
        (["--atol", "nan"], '--atol: "nan" is not 0 or a positive number, such as 0.1'),
        (
            ["--fast", "--against", "spsa"],
            "--against: spsa has no directional derivative; with --fast, choose from forward",
        ),
        (
            ["--step", "1e-300"],
            "--step: a step of 1e-300 gives central-difference an error of about 100% in float64,",
        ),
        (["--step", "1e200"], "--step: a step of 1e+200 gives central-difference an error of about 100%"),
        (
            ["--dtype", "float32", "--step", "1e-9"],
            "--step: a step of 1e-09 gives central-difference an error",
        ),
        (
            ["--fast", "--method", "spsa"],
            "--method: cannot be combined with --fast, which checks backprop",
        ),
        (["--entries", "5", "--fast"], "--entries: cannot be combined with --fast; use --directions"),
        (["--directions", "5"], "--directions: requires --fast; otherwise use --entries"),
        (["--probes", "5"], "--probes: requires spsa"),
        (["--step", "1e-3", "--against", "forward-mode"], "--step: requires a method with a step size"),
        (["--against", "spsa", "--probes", "0"], '--probes: "0" is not a positive whole number'),
        (["--fast", "--directions", "no"], '--directions: "no" is not a positive whole number'),
    ],
)
def test_bad_input_gets_one_line_and_2(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"backprop-tui: {message}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
