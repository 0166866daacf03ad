"""``backprop-tui check --exhaustive``: every entry, and shared among worker processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.cost.race.workers import SMALL, problem_of
from tests.waits import GENEROUS
from tui_backprop.cli.main import main
from tui_backprop.cost.race.worker_sources import local_workers
from tui_backprop.engine.gradients.check.compare import compare, fill_here
from tui_backprop.engine.gradients.methods import METHODS

NETWORK = ("--layers", "2,9,7,2", "--data", "moons", "--batch", "3")


def run(*arguments):
    return CliRunner().invoke(main, ["check", *arguments])


@pytest.fixture(scope="module")
def workers():
    with local_workers(2) as made:
        yield made


def test_exhaustive_means_every_entry():
    tensors = json.loads(run(*NETWORK, "--exhaustive", "--json").stdout)["tensors"]
    assert [tensor["checked"] for tensor in tensors] == [18, 9, 63, 7, 14, 2]
    text = run(*NETWORK, "--exhaustive").stdout
    assert text == run(*NETWORK, "--entries", "all").stdout
    assert text == run(*NETWORK, "--exhaustive", "--entries", "all").stdout
    assert f"{1 + 2 * 113} evaluations" in text


def test_one_wrong_entry_among_all_is_found_and_named():
    """The one that no choice of some entries would have to meet."""
    problem = problem_of(SMALL, 4)

    def spoilt(name, out, problem, where, options):
        yield from fill_here(name, out, problem, where, options)
        if name == "backprop":
            out[23] += 1e-3  # W2[0,2]: after 14 weights and 7 biases

    report = compare(problem, entries=None, fill=spoilt)
    assert not report.passed
    (bad,) = [tensor for tensor in report.tensors if tensor.failed]
    assert (bad.tensor, bad.failed, bad.worst.index) == ("W2", 1, (0, 2))
    assert compare(problem, entries=None).passed


@pytest.mark.parametrize(
    "workers", [(), pytest.param(("--workers", "2"), marks=pytest.mark.slow)], ids=["alone", "workers"]
)
def test_a_check_that_fails_ends_with_1_also_where_workers_share_it(workers):
    result = run(*NETWORK, "--exhaustive", "--rtol", "1e-18", "--atol", "1e-18", *workers)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("FAILED: W1, b1, W2, b2, W3, b3 differ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("--layers", "784,12,10", "--batch", "5"),
        (
            "--layers",
            "2,9,7,2",
            "--data",
            "moons",
            "--batch",
            "9",
            "--layer-norm",
            "--dropout",
            "0.2",
            "--l2",
            "0.1",
        ),
        (*NETWORK, "--dtype", "float32", "--method", "complex-step", "--against", "forward-difference"),
    ],
)
def test_shared_among_workers_the_result_is_the_same_to_the_last_bit(arguments):
    """Of one process with one thread, as each worker is."""
    printed = []
    for workers in ((), ("--workers", "2")):
        done = subprocess.run(
            [sys.executable, "-m", "tui_backprop", "check", "--exhaustive", *arguments, "--json", *workers],
            capture_output=True,
            timeout=GENEROUS,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            check=True,
        )
        printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert json.loads(printed[0])["passed"]


def test_every_derivative_comes_from_the_workers_as_it_would_from_here(workers):
    from tui_backprop.cost.race.distributed import fill_distributed

    problem, asked, kept = problem_of(SMALL, 4), [], {}

    def fill(name, out, problem, where, options):
        asked.append((name, len(where)))
        yield from fill_distributed(workers, name, out, problem, where, options)
        kept[name] = out.copy()

    report = compare(problem, "backprop", "central-difference", entries=None, fill=fill)
    assert report.passed
    assert asked == [("backprop", SMALL.parameters), ("central-difference", SMALL.parameters)]
    assert report == compare(problem, "backprop", "central-difference", entries=None)
    for name, found in kept.items():
        assert np.array_equal(found, METHODS[name].gradient(problem))


def test_the_workers_do_the_work_and_not_this_process(monkeypatch):
    def refuse(out, problem, where, h, options):
        raise AssertionError("at work here")
        yield

    method = "central-difference"
    monkeypatch.setitem(METHODS, method, replace(METHODS[method], rule=refuse))
    monkeypatch.setitem(sys.modules, "distributed", None)  # Dask is not needed
    result = run(*NETWORK, "--exhaustive", "--workers", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "passed"
    assert result.stderr == ""
    assert isinstance(run(*NETWORK, "--exhaustive").exception, AssertionError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--exhaustive", "--fast"], "--exhaustive: cannot be combined with --fast"),
        (
            ["--exhaustive", "--entries", "5"],
            "--entries: cannot be combined with --exhaustive, which compares every entry",
        ),
        (["--workers", "2"], "--workers: requires --exhaustive"),
        (["--scheduler", "a:1"], "--scheduler: requires --exhaustive"),
        (["--fast", "--workers", "2"], "--workers: requires --exhaustive"),
        (["--exhaustive", "--workers", "0"], '--workers: "0" is not a positive whole number'),
        (["--exhaustive", "--workers", "two"], '--workers: "two" is not a positive whole number'),
        (["--exhaustive", "--workers", "9999"], "--workers: 9999 is too many for this machine; choose"),
        (
            ["--exhaustive", "--workers", "2", "--scheduler", "a:1"],
            "--scheduler: cannot be combined with --workers",
        ),
        (
            ["--exhaustive", "--scheduler", "here"],
            '--scheduler: invalid address "here"; use tls://HOST:PORT or tcp',
        ),
        (
            ["--exhaustive", "--scheduler", "tls://a:1"],
            "--tls-ca: is required for tls://; give a file in PEM",
        ),
        (["--exhaustive", "--tls-ca", "a"], "--tls-ca: requires --scheduler tls://HOST:PORT"),
        (
            ["--tls-key", "a", "--workers", "2", "--exhaustive"],
            "--tls-key: requires --scheduler tls://HOST:PORT",
        ),
        (
            ["--exhaustive", "--against", "spsa", "--workers", "2"],
            "--workers: requires a method that takes one parameter at a time: forward-difference,",
        ),
    ],
)
def test_bad_input_gets_one_line_and_2(arguments, message):
    result = run(*NETWORK, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"backprop-tui: {message}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_alone_it_imports_no_dask():
    code = (
        "import sys; from tui_backprop.cli.main import main\n"
        "main(['check', '--exhaustive', '--preset', 'xor'])\n"
        "print({'dask', 'distributed'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=GENEROUS, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"
