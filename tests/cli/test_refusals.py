"""Bad input: exit code 2, one line on stderr that names the option, nothing on stdout, no traceback."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tui_backprop import __version__
from tui_backprop.cli.main import main
from tui_backprop.cli.session_option_table import CHOICES, FLAGS

HUGE = "9" * 5000
NOISE = "a\x1b[31m\nb\x9b"

CASES = [
    (["--layers", "784"], "--layers"),
    (["--layers", ""], "--layers"),
    (["--layers", "784,-5,10"], "--layers"),
    (["--layers", "784,2.5,10"], "--layers"),
    (["--layers", "a,b"], "--layers"),
    (["--layers", "784,,10"], "--layers"),
    (["--layers", "0,10"], "--layers"),
    (["--layers", f"784,{HUGE},10"], "--layers"),
    (["--layers", "784,1000000000,10"], "--layers"),
    (["--layers", "784,999999999999999999,10"], "--layers"),
    (["--layers", "784,256,9"], "--layers"),
    (["--layers", "7,10"], "--layers"),
    (["--sample", "4000"], "--sample"),
    (["--sample", "-1"], "--sample"),
    (["--sample", "x"], "--sample"),
    (["--batch", "0"], "--batch"),
    (["--batch", "-3"], "--batch"),
    (["--batch", "1000000000000"], "--batch"),
    (["--seed", "-1"], "--seed"),
    (["--seed", HUGE], "--seed"),
    (["--seed", "0" * 5000 + "x"], "--seed"),
    (["--lr", "nan"], "--lr"),
    (["--lr", "inf"], "--lr"),
    (["--lr", "0"], "--lr"),
    (["--lr", "-1"], "--lr"),
    (["--lr", "fast"], "--lr"),
    (["--preset", "nope"], "--preset"),
    (["--data", "cats"], "--data"),
    (["--activation", "rely"], "--activation"),
    (["--loss", "hinge"], "--loss"),
    (["--init", "best"], "--init"),
    (["--dtype", "float16"], "--dtype"),
    (["--data", "sine", "--loss", "cross-entropy"], "--loss"),
    (["--activation", "relu,tanh"], "--activation"),
    (["--activation", "relu,,relu"], "--activation"),
    (["--activation", "relu,rely,relu"], "--activation"),
    (["--init", "he:2"], "--init"),
    (["--init", "normal:0"], "--init"),
    (["--init", "normal:x"], "--init"),
    (["--dropout", "1"], "--dropout"),
    (["--dropout", "-0.1"], "--dropout"),
    (["--dropout", "half"], "--dropout"),
    (["--l2", "-1"], "--l2"),
    (["--l2", "nan"], "--l2"),
    (["--optimizer", "adamant"], "--optimizer"),
    (["--optimizer", "momentum", "--momentum", "1"], "--momentum"),
    (["--optimizer", "adam", "--momentum", "0.5"], "--momentum"),
    (["--optimizer", "adamw", "--beta1", "1"], "--beta1"),
    (["--optimizer", "momentum", "--beta1", "0.5"], "--beta1"),
    (["--optimizer", "rmsprop", "--rho", "1"], "--rho"),
    (["--optimizer", "adam", "--rho", "0.5"], "--rho"),
    (["--optimizer", "rmsprop", "--beta2", "0.5"], "--beta2"),
    (["--optimizer", "adam", "--epsilon", "0"], "--epsilon"),
    (["--optimizer", "rmsprop", "--epsilon", "nan"], "--epsilon"),
    (["--optimizer", "adam", "--epsilon", "1e-50"], "--epsilon"),
    (["--optimizer", "nesterov", "--epsilon", "1e-8"], "--epsilon"),
    (["--decay-bias"], "--decay-bias"),
    (["--no-decay-bias", "--optimizer", "adam"], "--decay-bias"),
    (["--decay-bias", "--l2", "0.1", "--no-bias"], "--decay-bias"),
    (["--optimizer", "adam", "--beta2", "-1"], "--beta2"),
    (["--momentum", "0.5"], "--momentum"),
    (["--optimizer", "rmsprop", "--momentum", "0.5"], "--momentum"),
    (["--optimizer", "momentum", "--beta2", "0.5"], "--beta2"),
    (["--weight-decay", "-1"], "--weight-decay"),
    (["--clip", "inf"], "--clip"),
    (["--schedule", "sine"], "--schedule"),
    (["--warmup", "-1"], "--warmup"),
    (["--warmup", "0.5"], "--warmup"),
    (["--schedule", "step", "--horizon", "0"], "--horizon"),
    (["--horizon", "100"], "--horizon"),
    (["--schedule", "inverse-sqrt", "--horizon", "100"], "--horizon"),
    (["--optimizer", "adam", "--layers", "784,999999999999999999,10"], "--layers"),
]


def refusal(arguments):
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("options", "flag"), CASES, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else ""
)
def test_bad_input_is_refused_in_one_line_that_names_the_option(options, flag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = refusal(["trace", *options])
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"backprop-tui: {flag}: ")
    assert len(result.stderr) < 250
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", [flag for flag, _, _ in CHOICES])
def test_what_was_typed_is_shown_without_its_control_characters(flag):
    result = refusal(["trace", flag, NOISE])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.rstrip("\n").isprintable()


def test_a_path_is_shown_without_its_control_characters(tmp_path):
    result = refusal(["trace", "--preset", "xor", "--save", str(tmp_path / NOISE / "pass.npz")])
    assert result.exit_code == 74
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("options", "flag"), [(["--layers", "784"], "--layers"), (["--preset", "nope"], "--preset")]
)
def test_options_before_the_command_are_refused_alike(options, flag):
    result = refusal([*options, "trace"])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"backprop-tui: {flag}: ")


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["trace", "--nonsense"], ["dance"], ["trace", "--layers"], ["trace", "extra"]],
)
def test_bad_usage_is_refused_in_one_line_too(arguments):
    result = refusal(arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("backprop-tui: ")


def test_help_names_every_option_and_command():
    result = refusal(["--help"])
    assert result.exit_code == 0
    for flags, *_ in (*CHOICES, *FLAGS):
        for flag in flags.split("/"):
            assert flag in result.stdout
    assert "trace" in result.stdout
    assert refusal(["-h"]).stdout == result.stdout


def test_the_version_is_the_package_s():
    assert refusal(["--version"]).stdout == f"backprop-tui {__version__}\n"
