"""``--open``, ``--resume`` and ``--steps`` of the commands: what was trained is printed, checked and saved."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.steady import keep_measurement
from tui_backprop.cli.main import main
from tui_backprop.report import trace
from tui_backprop.session.autosave import save
from tui_backprop.session.replay import Replay
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training, edit_parameter, inspect, next_sample

XOR = from_preset("xor")
FLOAT32 = replace(XOR, network=replace(XOR.network, dtype="float32"))
TRAINED = edit_parameter(after_training(next_sample(FLOAT32), 40), "W1", (0, 1), 0.25)
COMMANDS = ("trace", "blame", "check", "cost")


def run(*arguments, code=0):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


def found(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


def saved(path, *arguments):
    run("trace", *arguments, "--save", str(path))
    with np.load(path) as arrays:
        return dict(arrays)


def assert_those_of(arrays, session):
    iteration = Replay().take(session)
    assert arrays["loss"] == iteration.loss
    for name in iteration.new:
        assert arrays[name].tobytes() == iteration.tensor(name).tobytes()
        assert arrays[f"d{name}"].tobytes() == iteration.tensor(iteration.graph.gradient_of(name)).tobytes()


@pytest.mark.parametrize("options", [("--open", encode(TRAINED)), ("--resume",)], ids=["open", "resume"])
@pytest.mark.parametrize("steps", [0, 15])
def test_the_arrays_of_a_trained_network_are_saved(tmp_path, options, steps):
    save(TRAINED)
    arrays = saved(tmp_path / "pass.npz", *options, "--steps", str(steps))
    assert_those_of(arrays, after_training(TRAINED, steps) if steps else TRAINED)


def test_a_new_network_is_trained_first(tmp_path):
    arrays = saved(tmp_path / "pass.npz", "--preset", "xor", "--steps", "30")
    assert_those_of(arrays, after_training(XOR, 30))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_opens_a_session_before_or_after_its_name(command):
    keep_measurement()
    few = {"check": ("--entries", "1"), "cost": ("--race",)}.get(command, ())
    token = encode(TRAINED)
    for arguments in ((command, "--open", token), ("--open", token, command)):
        told = found(*arguments, *few, "--steps", "2")
        assert (told if command != "cost" else told["race"])["iteration"] == 42
        assert "iteration 42" in run(*arguments, *few, "--steps", "2").stdout


def test_the_race_of_a_command_is_about_the_trained_parameters():
    keep_measurement()
    raced = found("cost", "--open", encode(TRAINED), "--race", "--method", "central-difference")["race"]
    fresh = found("cost", "--open", encode(FLOAT32), "--race", "--method", "central-difference")["race"]
    assert raced["worst"] != fresh["worst"]


def test_the_check_names_its_precision():
    text = run("check", "--open", encode(TRAINED), "--entries", "2").stdout
    assert "weights  trained in float32, checked in float64\n" in text
    told = found("check", "--open", encode(TRAINED), "--entries", "2")
    assert (told["dtype"], told["trained_in"]) == ("float64", "float32")
    assert told["loss"] == pytest.approx(Replay().take(TRAINED).loss, rel=1e-5)
    single = run("check", "--open", encode(TRAINED), "--dtype", "float32", "--entries", "2").stdout
    assert "weights  trained in float32, checked in float32\n" in single
    assert "weights" not in run("check", "--preset", "xor", "--entries", "2").stdout


def test_the_check_of_dropout_uses_the_masks_of_the_iteration():
    dropped = replace(XOR, network=replace(XOR.network, layers=(2, 8, 1), dropout=0.5))
    for session in (dropped, after_training(dropped, 3)):
        told = found("check", "--open", encode(session), "--entries", "2")
        assert told["loss"] == pytest.approx(Replay().take(session).loss)


def test_blame_ranks_all_whatever_number_the_app_showed():
    token = encode(inspect(TRAINED, "W1", (0, 0)))
    assert run("blame", "--open", token).stdout == run("blame", "--open", encode(TRAINED)).stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("trace", "--steps", "-1"), '--steps: "-1" is not a whole number, 0 or more'),
        (("check", "--steps", "x"), '--steps: "x" is not a whole number, 0 or more'),
        (("blame", "--steps", "999999999999"), "--steps: 999,999,999,999 updates"),
        (("trace", "--stream", "--steps", "1"), "--steps: cannot be combined with --stream"),
        (("cost", "--resume"), "--resume: there is no"),
        (("check", "--open", "bp4-", "--layers", "2,2"), "--open: cannot be combined with --layers"),
        (("--resume", "doctor"), "--resume: applies to the app, not to doctor"),
        (("--open", "bp4-", "token"), "--open: applies to the app, not to token"),
    ],
    ids=lambda each: " ".join(each)[:40] if isinstance(each, tuple) else "",
)
def test_what_does_not_do_is_refused_in_one_line(arguments, line):
    (told,) = run(*arguments, code=2).stderr.splitlines()
    assert told.startswith(f"backprop-tui: {line}")


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("", 2, "requires the name of a file, such as arrays.npz"),
        (".", 74, '"." is a folder; add the name of a file, such as arrays.npz'),
        ("missing/", 74, 'there is no folder "missing"'),
        ("missing/pass.npz", 74, 'there is no folder "missing"'),
        ("file/pass.npz", 74, 'there is no folder "file"'),
        ("loop", 74, '"loop" cannot be written: Too many levels of symbolic links'),
        ("/dev/full", 74, '"/dev/full" cannot be written: No space left on device'),
        ("x" * 300, 74, f'"{"x" * 37}..." cannot be written: File name too long'),
    ],
)
def test_a_name_under_which_nothing_can_be_saved_is_refused_in_one_line(
    tmp_path, monkeypatch, name, code, why
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (line,) = run("trace", "--preset", "xor", "--save", name, code=code).stderr.splitlines()
    assert line == f"backprop-tui: --save: {why}"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "loop"}


def test_what_was_saved_before_stays_if_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "pass.npz"
    path.write_text("before")

    def full(file, arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trace, "write_npz", full)
    run("trace", "--preset", "xor", "--save", str(path), code=74)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["before"]


def test_without_options_nothing_changes():
    assert run("trace").stdout == run("trace", "--steps", "0").stdout
    assert found("trace")["iteration"] == Session().t == 0


GPT = "--preset", "microgpt", "--steps", "3"


def test_a_text_is_walked_in_place_of_the_samples_and_a_letter_has_the_loss():
    each = [
        found("trace", *GPT, "--text", "zoe", *letter)["loss"]
        for letter in ((), *(("--letter", str(k)) for k in range(1, 5)))
    ]
    assert each[0] == pytest.approx(sum(each[1:]) / 4, rel=1e-12)
    assert found("blame", *GPT, "--text", "zoe", "--letter", "2")["loss"] == each[2]
    assert found("trace", *GPT, "--text", "zoe", "--letter", "2")["data"]["text"] == {
        "characters": "zoe",
        "letter": 2,
    }
    assert '"zoe", letter 2' in run("trace", *GPT, "--text", "zoe", "--letter", "2").stdout
    assert '"zoe", letter 2' in run("check", *GPT, "--text", "zoe", "--letter", "2").stdout
    assert found("trace", *GPT)["loss"] not in each


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "microgpt", "--text", "Zoe"), '--text: names has no character "Z"'),
        (("--preset", "microgpt", "--text", "a" * 17), "--text: 17 characters exceed the context of 16"),
        (
            ("--preset", "microgpt", "--text", "zoe", "--letter", "5"),
            "--letter: 5 is out of range (1 to 4, 4 being the end)",
        ),
        (
            ("--preset", "microgpt", "--text", "zoe", "--letter", "0"),
            '--letter: "0" is not a positive whole number',
        ),
        (("--preset", "microgpt", "--letter", "1"), "--letter: requires --text"),
        (
            ("--preset", "microgpt", "--text", "zoe", "--batch", "2"),
            "--batch: 2 is out of range; a text is one sample",
        ),
        (
            ("--preset", "xor", "--text", "zoe"),
            "--text: does not apply to 2,2,1 tanh, binary-cross-entropy; add --preset microgpt",
        ),
        (("--expr", "y = w", "--let", "w=2", "--text", "zoe"), "--text: does not apply to an expression"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(options, message):
    assert run("trace", *options, code=2).stderr == f"backprop-tui: {message}\n"
