"""``backprop-tui check``: what it prints, and how it ends."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.commands.check import _default_entries
from tui_backprop.cli.main import main
from tui_backprop.data.samples import cut
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.check.report import CheckedEntry, Report, TensorCheck, Verdict
from tui_backprop.engine.gradients.methods import METHODS, Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.render.draw.context import UTF8
from tui_backprop.report.check import check_text
from tui_backprop.session.state import from_preset

RIGHT = METHODS["backprop"].rule
RIGHT_GRADIENT = METHODS["backprop"].gradient
NUMBER = r"-?\d[\d.]*(?:e[+-]\d+)?"


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
    assert lines[-1] == "passed, but every gradient compared is 0 within round-off, which shows little"


def test_round_off_hides_no_zeros():
    """The gradient of b2 is 0 exactly, as its terms cancel, but the difference of the losses is not."""
    lines = run("--preset", "xor", "--init", "zeros").stdout.splitlines()
    assert lines[-1] == "passed, but every gradient compared is 0 within round-off, which shows little"
    row = next(line for line in lines if line.startswith("b2"))
    assert row.endswith("0 within round-off")
    assert float(row.split()[5]) != 0


def test_the_numbers_of_a_check_follow_from_what_is_printed():
    lines = run("--preset", "xor").stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "uses most of its allowed difference" in line)
    sums, steps, error, allowed = (lines[at + i].replace("|", "") for i in (2, 3, 5, 7))
    above, below, divisor, slope = map(float, re.findall(NUMBER, sums))
    assert slope == (above - below) / divisor
    up, down = (float(each.split("=")[1]) for each in steps.split(","))
    assert up + down == pytest.approx(divisor, rel=1e-15)
    first, second = map(float, re.match(r" *= (\S+) - (\S+) /", error).groups())
    assert second == slope
    assert float(error.split()[-1]) == pytest.approx(
        abs(first - second) / max(abs(first), abs(second)), rel=0.05
    )
    rtol, most, atol, limit = map(float, re.findall(NUMBER, allowed))
    assert rtol * most + atol == pytest.approx(limit, rel=0.05)


def test_spsa_states_its_standard_error_and_that_it_can_hardly_fail():
    result = run("--preset", "xor", "--against", "spsa")
    assert result.exit_code == 0
    session = from_preset("xor")
    batch = cut(session.network, session.data, session.sample, session.batch)
    spec = replace(session.network, dtype="float64")
    gradient = RIGHT_GRADIENT(Problem(spec, batch.x, batch.t, initial_parameters(spec)))
    error = float(np.linalg.norm(gradient))
    assert f"|gradient| / sqrt(probes) = {error:.3g} / sqrt(1) = {error:.3g}" in result.stdout
    needed = math.ceil((6 * error / np.abs(gradient).max()) ** 2)
    assert f"so this comparison can hardly fail; with more than {needed} probes it could" in result.stdout
    assert result.stdout.splitlines()[-1].startswith(
        "passed, but not told apart: W1, b1, W2, b2 (4 of 4 tensors)"
    )
    many = run("--preset", "xor", "--against", "spsa", "--probes", str(4 * needed))
    assert "can hardly fail" not in many.stdout


@pytest.mark.parametrize(
    "step", [["--step", "1e-300"], ["--dtype", "float32", "--step", "1e-5"], ["--step", "1e10"]]
)
def test_a_step_that_hides_everything_tells_nothing_apart_and_tolerances_decide(step):
    result = run("--preset", "xor", *step)
    found = json.loads(run("--preset", "xor", *step, "--json").stdout)
    assert result.exit_code == 0
    assert "not told apart: W1, b1, W2, b2 (4 of 4 tensors)" in result.stdout.splitlines()[-1]
    assert (found["passed"], found["not_told_apart"], found["reason"]) == (True, 4, None)
    for tensor in found["tensors"]:
        assert tensor["verdict"] == "not told apart"
        assert tensor["worst"]["allowed"] >= max(abs(tensor["worst"][side]) for side in ("first", "second"))
    given = json.loads(run("--preset", "xor", *step, "--rtol", "1e-6", "--atol", "0", "--json").stdout)
    for tensor in given["tensors"]:
        worst = tensor["worst"]
        assert worst is None or worst["allowed"] == 1e-6 * max(abs(worst["first"]), abs(worst["second"]))


def test_a_coarse_step_is_not_refused():
    result = run("--preset", "xor", "--against", "forward-difference", "--step", "0.003")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "passed"
    assert "a gradient scaled by 1 + 3." in result.stdout  # 30% is what h = 0.003 leaves to truncation


@pytest.mark.parametrize(
    ("arguments", "spelled"),
    [
        (["--layers", "2,3,3,2", "--data", "moons", "--activation", "gelu", "--init", "normal:1e19", "--dtype",
          "float32", "--batch", "3"], "NaN"),
        (["--preset", "xor", "--loss", "half-squares", "--init", "normal:1e200"], "Infinity"),
    ],
)  # fmt: skip
def test_numbers_that_are_not_finite_fail_with_a_reason(arguments, spelled):
    result = run(*arguments, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["passed"], found["loss"], found["cosine"]) == (False, spelled, None)
    assert "NaN or infinite" in found["reason"]
    assert "overflows float" in found["reason"]  # with its origin
    assert {tensor["verdict"] for tensor in found["tensors"]} == {"not finite"}
    last = run(*arguments).stdout.splitlines()[-1]
    assert last.startswith("FAILED: ")
    assert "NaN or infinite" in last


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("forward-difference", "passed, but inconclusive for b1: kinks; try a smaller --step"),
        ("backprop", "passed"),
    ],
)
def test_between_two_differences_that_cross_kinks_nothing_is_known(first, last):
    entry = CheckedEntry((0,), 1.0, 1.0, 0.0, 1e-6, 1e-8)
    artifact = TensorCheck("b1", (2,), 2, 0, 1, 1, None, Verdict.ARTIFACT)
    tensors = (TensorCheck("W1", (3, 2), 6, 0, 1, 0, entry), artifact)
    report = Report(first, "central-difference", "float64", 0.5, 9, 1.0, tensors, 4, 0, ())
    lines = check_text(from_preset("xor"), report, UTF8).splitlines()
    assert lines[-1] == last
    row = next(line for line in lines if line.startswith("b1"))
    judged = "ok by complex step" if first == "backprop" else "inconclusive"
    assert row.endswith(f"{judged}, 1 at kinks, 1 at bends")
    assert ("the complex step agrees" in "".join(lines)) == (first == "backprop")


def test_fewer_entries_of_each_tensor_are_compared_in_a_deep_network():
    """Each takes passes through the whole network: the same number of entries in all, however deep it is."""
    entries = [_default_entries(NetworkSpec((2, *(3,) * (depth - 1), 2))) for depth in (3, 100, 200, 1000)]
    assert entries == [20, 20, 10, 2]


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


def test_the_cosine_says_how_many_of_its_entries_are_at_kinks():
    network = ("--preset", "xor", "--layers", "2,2,2,1", "--activation", "elu,relu")
    (row,) = (row for row in run(*network).stdout.splitlines() if row.startswith("cosine"))
    assert row.startswith("cosine similarity, with 4 entries at kinks or bends: 0.94")
    (row,) = (row for row in run("--preset", "xor").stdout.splitlines() if row.startswith("cosine"))
    assert row == "cosine similarity: 1.000000000000"
