"""The split on the command line: what is held out, where it is said, and which values are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.session.share_token import decode

XOR = ("--preset", "xor", "--validation", "0.2")
DRAWN = sorted(np.random.default_rng(0).permutation(200)[:40].tolist())
SAID = "160 samples for training, 40 for validation, drawn with seed 0"


def run(*arguments, code=0):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


def session_of(*arguments):
    return decode(run("token", *arguments).stdout)


@pytest.mark.parametrize("value", ["1.5", "-1", "half", "200", "0.0001", "1e400", ""])
def test_a_bad_value_gets_one_line(value):
    said = run("trace", "--preset", "xor", f"--validation={value}", code=2).stderr
    assert said.startswith("backprop-tui: --validation: ")
    assert said.count("\n") == 1


def test_the_split_is_said_and_kept():
    result = run("token", *XOR)
    assert SAID in result.stderr
    assert decode(result.stdout).validation == 40
    assert session_of("--preset", "xor", "--validation", "40") == decode(result.stdout)
    assert session_of("--preset", "xor").validation == 0
    assert "validation" not in run("trace", "--preset", "xor").output


def test_another_seed_draws_other_samples():
    assert session_of(*XOR, "--seed", "9").split.held_out.samples != session_of(*XOR).split.held_out.samples


@pytest.mark.parametrize("seed", range(9))
def test_without_a_choice_the_first_sample_is_one_to_train_on(seed):
    session = session_of("--validation", "0.5", "--seed", str(seed))
    assert not session.is_held_out
    assert session.sample == session.split.training.after(22)


def test_all_typed_samples_to_train_on_are_the_batch():
    typed = (
        "--layers",
        "1,3,1",
        "--loss",
        "mse",
        "--x",
        "[[1], [2], [3], [4], [5]]",
        "--y",
        "[[1], [2], [3], [4], [5]]",
    )
    assert session_of(*typed).batch == 5
    session = session_of(*typed, "--validation", "2")
    assert (session.batch, session.sample) == (3, session.split.training.samples[0])


@pytest.mark.parametrize("command", ["trace", "blame", "check"])
def test_texts_say_which_part_the_samples_are_of(command):
    for sample, part in ((DRAWN[3], "validation"), (session_of(*XOR).sample, "training")):
        said = run(command, *XOR, "--sample", str(sample), "--batch", "1").stdout
        assert f"{part} sample {sample}" in said
        assert SAID in said
        assert f"{part} sample" not in run(command, "--preset", "xor", "--sample", str(sample)).stdout


@pytest.mark.parametrize(
    ("command", "place"), [("trace", lambda found: found["data"]), ("blame", dict), ("check", dict)]
)
def test_json_says_the_same(command, place):
    found = place(json.loads(run(command, *XOR, "--sample", str(DRAWN[0]), "--batch", "3", "--json").stdout))
    assert (found["samples"], found["part"], found["validation"]) == (DRAWN[:3], "validation", 40)
    found = place(json.loads(run(command, *XOR, "--steps", "7", "--json").stdout))
    assert found["part"] == "training"
    assert not {*found["samples"]} & {*DRAWN}
    found = place(json.loads(run(command, "--preset", "xor", "--sample", "198", "--json").stdout))
    assert (found["samples"], found["part"], found["validation"]) == ([198, 199, 0, 1], None, 0)


def test_a_reference_says_it_too(tmp_path):
    run("trace", *XOR, "--save", str(tmp_path / "g.npz"))
    said = run("check", *XOR, "--reference", str(tmp_path / "g.npz"))
    assert "training sample" in said.stdout
    assert SAID in said.stdout
    found = json.loads(run("check", *XOR, "--reference", str(tmp_path / "g.npz"), "--json").stdout)
    assert found["part"] == "training"


def test_steps_are_on_the_next_batch_or_again_on_the_same_one():
    def trained(*more):
        return json.loads(run("trace", *XOR, *more, "--json").stdout)

    start = trained()["data"]["samples"]
    assert trained("--steps", "9")["data"]["samples"] != start
    again = trained("--steps", "9", "--repeat-batch")
    assert (again["data"]["samples"], again["iteration"]) == (start, 9)
    assert again["loss"] < trained()["loss"]
