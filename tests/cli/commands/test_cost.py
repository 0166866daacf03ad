"""``backprop-tui cost``: the cost of one gradient, as text and as JSON; the sweep and its saved results."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tests.cost.machines import LESSON, machine, true_seconds
from tests.durations import DURATION
from tui_backprop.cli.main import main
from tui_backprop.cost.measure import cache
from tui_backprop.cost.model.landmarks import KNOWN
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.support import paths as places

XOR = ("--preset", "xor")
SIZES = (1e3, 1e4, 1e5, 335_114.0, 1e6, 1e7)
UNITS = {"µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "days": 86400, "years": 365.25 * 86400}


def run(*arguments, **kind):
    return CliRunner().invoke(main, ["cost", *arguments], **kind)


def found(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache of its own; and short measurements."""
    monkeypatch.setattr(places, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("tui_backprop.cost.measure.passes.LOOK", 0.001)
    monkeypatch.setattr("tui_backprop.cost.measure.sweep.LOOK", 16)
    return tmp_path / "cache"


@pytest.fixture
def known_machine(monkeypatch):
    """A machine whose law is known, on which every kind of pass of the lesson's network was measured."""
    cost_model = machine(SIZES, tuple(PASS_KINDS))
    monkeypatch.setattr("tui_backprop.cost.measure.passes.measure_machine", lambda *given: cost_model)
    return cost_model


# --- what it says -----------------------------------------------------------------------------------------


def test_passes_times_and_flops_are_those_of_the_methods(known_machine):
    methods = {method["name"]: method for method in found()["methods"]}
    p, weights, first = 335_114, 784 * 256 + 2 * 256 * 256 + 256 * 10, 784 * 256
    assert weights == 334_336
    passes = {
        "naive": p + 1, "central": 2 * p, "complex": p, "forward-mode": p, "batched": p + 1,
        "spsa": 2, "backprop": 1,
    }  # fmt: skip
    assert {name: method["passes"] for name, method in methods.items()} == passes
    for name, method in methods.items():
        each = true_seconds(method["kind"], LESSON)
        assert method["seconds"]["middle"] == pytest.approx(passes[name] * each)
        assert method["seconds"]["low"] < method["seconds"]["middle"] < method["seconds"]["high"]
        assert method["measured"] == (name == "backprop")
    forward = 2 * weights + 3 * 256 + 10 + 3 * 256 + 5 * 10  # products, biases, ReLUs, loss
    assert methods["naive"]["flops"] == (p + 1) * forward
    assert methods["backprop"]["flops"] == forward + 2 * (2 * weights - first) + 2 * 3 * 256 + 2 * 10
    assert methods["complex"]["flops"] == p * 4 * forward


def test_gains_and_shifts_are_in_the_passes_and_flops_of_every_method():
    arguments = ("--layers", "2,128,1", "--layer-norm", "--data", "moons", "--loss", "binary-cross-entropy")
    result = found(*arguments)
    p = 2 * 128 + 128 + 2 * 128 + 128 + 1
    assert result["parameters"] == p == 769
    methods = {method["name"]: method for method in result["methods"]}
    passes = {"naive": p + 1, "central": 2 * p, "complex": p, "forward-mode": p, "batched": p + 1}
    assert {name: methods[name]["passes"] for name in passes} == passes
    forward = (
        2 * (2 * 128 + 128) + 128 + 1 + 9 * 128 + 128 + 12
    )  # products, biases, normalization, ReLU, loss
    assert methods["naive"]["flops"] == (p + 1) * forward
    assert {point["parameters"] for point in result["passes"]} >= {p}
    assert p - 256 not in {point["parameters"] for point in result["passes"]}
    assert methods["naive"]["seconds"]["middle"] >= (p + 1) * result["forward"]["middle"]
    assert re.search(rf"^naive +P \+ 1 forward passes +{p + 1} ", run(*arguments).stdout, re.MULTILINE)


def test_the_ratio_is_that_of_naive_and_backprop_and_so_is_a_training_run(known_machine):
    result = found()
    forward, backprop, naive = (true_seconds(kind, LESSON) for kind in ("forward", "backprop", "naive"))
    assert result["ratio"] == pytest.approx(335_115 * naive / backprop)
    assert result["time_ratio"] == pytest.approx(backprop / forward)
    assert result["forward"]["middle"] == pytest.approx(forward)
    assert result["forward"]["measured"]
    assert result["training"]["steps"] == 100_000
    assert result["training"]["naive"]["middle"] == pytest.approx(1e5 * 335_115 * naive)
    assert result["training"]["backprop"]["middle"] == pytest.approx(1e5 * backprop)


def test_the_ledger_adds_up_to_2_40(known_machine):
    result = found()
    fans = [(784, 256), (256, 256), (256, 256), (256, 10)]
    for k, ((i, o), layer) in enumerate(zip(fans, result["ledger"]["layers"], strict=True), 1):
        expected = {"layer": k, "forward": i * o, "delta": i * o if k > 1 else 0, "dW": i * o}
        assert {name: layer[name] for name in expected} == expected
    total = result["ledger"]["total"]
    assert (total["forward"], total["delta"], total["dW"]) == (334_336, 133_632, 334_336)
    assert result["counted_ratio"] == pytest.approx((334_336 + 133_632 + 334_336) / 334_336)
    text = run().stdout
    assert "2.40x a forward pass in MACs" in text
    assert "Not 3x: layer 1 has 60% of the weights, and needs no gradient of its input." in text
    assert re.search(r"^total +334,336 +334,336 +133,632 +334,336 ", text, re.MULTILINE)


@pytest.mark.parametrize(("optimizer", "slots"), [("sgd", 0), ("momentum", 1), ("adam", 2)])
def test_memory_is_in_text_and_object_with_its_formula(known_machine, optimizer, slots):
    memory, p = found("--optimizer", optimizer)["memory"], 335_114
    rows = {row["name"]: (row["training"], row["inference"]) for row in memory["rows"]}
    assert rows == {
        "parameters": (4 * p, 4 * p), "gradients": (4 * p, 0), "optimizer state": (4 * p * slots, 0),
        "kept values": (4 * (3 * 512 + 10), 0), "values at once": (0, 4 * 512),
    }  # fmt: skip
    assert memory["training"] == 4 * p * (2 + slots) + 4 * 1546
    assert memory["inference"] == 4 * p + 4 * 512
    text = " ".join(run("--optimizer", optimizer).stdout.split())
    assert "parameters 1.34 MB 1.34 MB bytes × (weights + biases) = 4 × (334,336 + 778)" in text
    assert f"Memory of a training step with {optimizer} and of inference, one sample" in text
    assert "kept values 6.18 kB 0 bytes" in text
    if slots:
        assert f"= 4 × 335,114 × {slots}" in text
    else:
        assert "optimizer state 0 bytes 0 bytes bytes × 0 (sgd has none) = 4 × 0" in text


def test_a_batch_takes_as_many_times_the_multiply_accumulates(known_machine):
    one, eight = (found("--batch", n)["ledger"] for n in ("1", "8"))
    assert (one["batch"], eight["batch"]) == (1, 8)
    assert eight["total"]["dW"] == 8 * one["total"]["dW"]
    assert "of one gradient, a batch of 8" in run("--batch", "8").stdout


def seconds(text):
    """A time as it is printed."""
    value, unit = text.split()
    return float(value.replace(",", "")) * UNITS[unit]


def test_the_text_says_what_the_object_says(known_machine):
    result, text = found(), run().stdout
    lines = text.splitlines()
    for method in result["methods"]:
        row = next(row for row in lines if row.startswith(COST_METHODS[method["name"]].name + "  "))
        said = re.search(rf" {method['passes']:,}  +(\S+ \S+) +(measured|projected)", row)
        assert seconds(said[1]) == pytest.approx(method["seconds"]["middle"], rel=5e-3)
        assert (said[2] == "measured") == method["measured"]
    run_of = re.search(r"100,000 steps: (\S+ \S+) by the naive method, (\S+ \S+) by backprop", text)
    for way, said in zip(("naive", "backprop"), run_of.groups(), strict=True):
        assert seconds(said) == pytest.approx(result["training"][way]["middle"], rel=5e-3)
    ratio = re.search(r"Backprop is ([\d,]+) times faster", text)[1]
    assert float(ratio.replace(",", "")) == pytest.approx(result["ratio"], rel=0.05)
    assert result["parameters"] == 335_114
    assert "335,114 parameters" in lines[0]


def test_the_lesson_s_claims_stand_beside_what_is_so_here(known_machine):
    text = run().stdout
    rows = {row[:27].strip(): row[27:] for row in text.splitlines() if len(row) > 27}
    assert rows["parameters"].split("  ")[0] == "about 330,000"
    assert "335,114" in rows["parameters"]
    assert "335,115" in rows["forward passes"]
    assert rows["one forward pass"].startswith("1 ms, assumed")
    assert re.search(r"about 3x +2\.40x", rows["forward and backward"])


def test_known_networks_are_projected_with_an_interval_that_widens(known_machine):
    result, text = found(), run().stdout
    assert [(one["name"], one["parameters"]) for one in result["known"]] == list(KNOWN)
    for one in result["known"]:
        shape = LESSON.at(float(one["parameters"]))
        naive = (one["parameters"] + 1) * true_seconds("naive", shape)
        assert one["naive"]["middle"] == pytest.approx(naive, rel=0.02)
        assert one["backprop"]["middle"] == pytest.approx(true_seconds("backprop", shape), rel=0.02)
        assert re.search(rf"^{re.escape(one['name'])} ", text, re.MULTILINE)
    wide = {one["name"]: one["naive"]["high"] / one["naive"]["low"] for one in result["known"]}
    assert wide["the lesson"] < wide["LeNet-5"] < wide["GPT-2 XL"] < wide["GPT-3"]


def test_it_reports_the_error_of_the_cost_model_on_points_left_out(known_machine):
    result = found()
    assert len(result["left_out"]) == 2 * len(SIZES)
    assert {one["kind"] for one in result["left_out"]} == {"forward", "backprop"}
    for one in result["left_out"]:
        assert one["inside"] == (one["predicted"]["low"] <= one["measured"] <= one["predicted"]["high"])
    inside = sum(one["inside"] for one in result["left_out"])
    lines = run().stdout.replace("\n", " ")
    assert "12 measured passes, each left out of the cost model in turn" in lines
    assert f"{inside} of 12 inside their 95% interval" in lines


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (*XOR, "--chart"),
        ("--preset", "vanishing"),
        ("--layers", "784,9000,9000,10", "--batch", "1000"),
        ("--preset", "sine", "--chart"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_wider_than_100_columns_and_none_ends_in_blanks(
    known_machine, arguments, encoding, monkeypatch
):
    monkeypatch.setattr("tui_backprop.cost.measure.passes.measure", lambda *given: ())
    if encoding == "ascii":
        from tui_backprop.render.draw.context import ASCII

        monkeypatch.setattr("tui_backprop.cli.output.glyphs_for_stdout", lambda plain: ASCII)
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    for row in result.stdout.splitlines():
        assert len(row) <= 100, row
        assert row == row.rstrip()
    assert result.stdout.isascii() == (encoding == "ascii")
    assert encoding == "utf-8" or "?" not in result.stdout


def test_the_chart_comes_on_request_with_a_letter_for_every_method(known_machine):
    plain, drawn = run().stdout, run("--chart").stdout
    assert drawn.startswith(plain.rstrip("\n"))
    rows = drawn[len(plain) :].strip("\n").splitlines()
    assert rows[0].startswith("one gradient: n naive, 2 central")
    assert len(rows) == 2 + 30
    for way in COST_METHODS.values():
        assert any(way.letter in row for row in rows[2:-3])
    assert rows[-1].strip() == "parameters"


# --- measured for real ------------------------------------------------------------------------------------


def test_what_is_measured_is_this_network_and_a_few_others():
    result = found(*XOR)
    there = {(one["kind"], one["parameters"]) for one in result["passes"]}
    assert {(kind, 9) for kind in PASS_KINDS} <= there
    assert {("forward", 1738), ("backprop", 335_114)} <= there
    assert all(
        0 < one["low"] <= one["middle"] <= one["high"] and one["runs"] >= 4 for one in result["passes"]
    )
    assert result["kept"] is False
    assert result["sweep"] is result["race"] is None
    assert result["network"]["layers"] == [2, 2, 1]
    measured = next(one for one in result["passes"] if (one["kind"], one["parameters"]) == ("backprop", 9))
    backprop = next(one for one in result["methods"] if one["name"] == "backprop")
    assert backprop["seconds"]["middle"] == measured["middle"]
    assert result["machine"]["cores"]
    assert not places.cache_folder().exists()  # only a sweep is kept


@pytest.mark.parametrize(
    "arguments",
    [
        ("--layers", "2,5,2", "--data", "moons", "--no-bias"),
        (
            "--layers",
            "2,6,6,2",
            "--data",
            "moons",
            "--layer-norm",
            "--residual",
            "--dropout",
            "0.3",
            "--l2",
            "0.1",
        ),
        ("--preset", "sine", "--dtype", "float32"),
        ("--layers", "784,10", "--init", "zeros"),
    ],
)
def test_every_kind_of_network_has_its_bill(arguments):
    result = found(*arguments)
    assert all(method["seconds"]["middle"] > 0 for method in result["methods"])


def test_a_sweep_measures_networks_of_every_size_and_is_kept(folder):
    first = found(*XOR, "--sweep", "--budget", "1.5")
    assert 1 <= first["sweep"]["done"] <= first["sweep"]["of"]
    sizes = {one["parameters"] for one in first["passes"] if one["kind"] == "forward"}
    assert len(sizes) == first["sweep"]["done"]
    assert (folder / cache.NAME).exists()
    then = found(*XOR)
    assert then["kept"] is True
    assert then["sweep"] is None
    assert sizes <= {one["parameters"] for one in then["passes"]}
    again = found(*XOR, "--again")
    assert again["kept"] is False
    assert {one["parameters"] for one in again["passes"] if one["kind"] == "forward"} == {
        9, 1738, 31_810, 335_114, 2_913_290,
    }  # fmt: skip


def test_its_text_has_a_row_for_each_network():
    result = run(*XOR, "--sweep", "--budget", "0.5")
    assert result.exit_code == 0
    rows = result.stdout.splitlines()
    at = next(i for i, row in enumerate(rows) if row.startswith("Swept "))
    done, of = map(int, re.match(rf"Swept (\d+) of (\d+) networks in {DURATION}", rows[at]).groups())
    at = next(i for i, row in enumerate(rows) if row.startswith("parameters  layers"))
    assert len(rows) - at - 1 == done
    for row in rows[at + 1 :]:
        assert re.match(rf" *\S+  \d+,\d+,\d+ +{DURATION} +±[<\d.]+%", row), row
    assert ("out of time" in result.stdout) == (done < of)


def test_the_smallest_budget_measures_one_network():
    result = found(*XOR, "--sweep", "--budget", "1e-9")
    assert (result["sweep"]["done"], result["sweep"]["ended"]) == (1, "time")
    assert result["ratio"] > 0


def test_a_short_sweep_does_not_undo_a_long_one_unless_asked_to(folder):
    cache.store(machine((1e3, 1e9), tuple(PASS_KINDS)))
    found(*XOR, "--sweep", "--budget", "1e-9")
    assert cache.load().largest == pytest.approx(1e9, rel=1e-3)
    found(*XOR, "--sweep", "--budget", "1e-9", "--again")
    assert cache.load().largest == 9


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\x00", b'{"format": 1}', b"[]"])
def test_a_file_that_is_damaged_is_ignored_and_replaced(folder, damage):
    folder.mkdir()
    (folder / cache.NAME).write_bytes(damage)
    result = run(*XOR)
    assert (result.exit_code, result.stderr) == (0, "")
    assert found(*XOR, "--sweep", "--budget", "1e-9")["kept"] is False
    assert cache.load() is not None


def test_where_nothing_can_be_kept_it_says_so_and_goes_on(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(places, "cache_folder", lambda: tmp_path / "file" / "below")
    result = run(*XOR, "--sweep", "--budget", "1e-9")
    assert result.exit_code == 0
    assert result.stderr.startswith("backprop-tui: the measurements cannot be saved in ")
    assert result.stderr.endswith("/file/below\n")


def test_a_user_without_a_home_gets_costs_that_are_not_saved(monkeypatch):
    def homeless():
        raise OSError("this user has no home folder")

    monkeypatch.setattr(places, "cache_folder", homeless)
    result = run(*XOR, "--sweep", "--budget", "1e-9")
    told = "backprop-tui: the measurements cannot be saved: this user has no home folder\n"
    assert (result.exit_code, result.stderr) == (0, told)


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sweep", "--budget", "0"], '--budget: "0" is not a positive number'),
        (["--sweep", "--budget", "-5"], '--budget: "-5" is not a positive number'),
        (["--sweep", "--budget", "nan"], '--budget: "nan" is not a positive number'),
        (["--sweep", "--budget", "inf"], '--budget: "inf" is not a positive number'),
        (["--sweep", "--budget", "soon"], '--budget: "soon" is not a positive number'),
        (["--budget", "5"], "--budget: requires --sweep"),
        (["--method", "complex-step"], "--method: requires --race"),
        (["--step", "1e-4"], "--step: requires --race"),
        (["--workers", "2"], "--workers: requires --race"),
        (["--scheduler", "a:1"], "--scheduler: requires --race"),
        (["--json", "--chart"], "--chart: cannot be combined with --json"),
        (["--race", "--method", "spsa"], '--method: invalid value "spsa"; choose from forward-difference,'),
        (["--race", "--method", "backprop"], '--method: invalid value "backprop"; choose from'),
        (
            ["--race", "--method", "forward-mode", "--step", "1"],
            "--step: requires a method with a step size",
        ),
        (["--race", "--step", "0"], '--step: "0" is not a positive number'),
        (["--race", "--step", "nan"], '--step: "nan" is not a positive number'),
        (["--race", "--workers", "0"], '--workers: "0" is not a positive whole number'),
        (
            ["--race", "--workers", "2", "--scheduler", "a:1"],
            "--scheduler: cannot be combined with --workers",
        ),
        (
            ["--race", "--workers", "2", "--method", "batched-difference"],
            "--workers: requires a method that takes one parameter at a time: forward-difference,",
        ),
        (
            ["--race", "--scheduler", "nowhere"],
            '--scheduler: invalid address "nowhere"; use tls://HOST:PORT or',
        ),
        (
            ["--race", "--scheduler", "tls://a:1"],
            "--tls-ca: is required for tls://; give a file in PEM format",
        ),
        (["--race", "--tls-cert", "a"], "--tls-cert: requires --scheduler tls://HOST:PORT"),
        (["--layers", "784,5"], "--layers: digits has 10 classes"),
        (["--layers", "784,180130,180130,180130,10"], "--layers: 65,"),
    ],
)
def test_bad_input_gets_one_line_and_2_before_anything_is_measured(arguments, message, monkeypatch):
    monkeypatch.setattr("tui_backprop.cost.measure.passes.measure_machine", None)
    monkeypatch.setattr("tui_backprop.cost.measure.sweep.sweep", None)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"backprop-tui: {message}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_help_imports_neither_numpy_nor_dask():
    code = (
        "import sys; from tui_backprop.cli.main import main\n"
        "try: main(['cost', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'numpy', 'dask', 'distributed', 'plotext', 'textual'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"
    for flag in (
        "--chart",
        "--sweep",
        "--budget",
        "--again",
        "--race",
        "--method",
        "--workers",
        "--scheduler",
    ):
        assert flag in done.stdout


def test_a_saved_sweep_of_another_kind_of_network_says_nothing_about_this_one(folder):
    swept = found("--preset", "microgpt", "--sweep", "--budget", "1")
    assert swept["passes"]
    assert swept["network"]["kind"] == "gpt"
    assert found("--preset", "microgpt")["kept"]
    assert not found(*XOR)["kept"]
    assert [one["name"] for one in swept["known"]] == [name for name, _ in KNOWN]
