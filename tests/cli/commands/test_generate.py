"""``backprop-tui generate``, and ``blame --letters``."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

from tests.engine.analysis.gpts import SPEC, TEXT, tokens, trained
from tui_backprop.cli.main import main
from tui_backprop.engine.analysis.generation import Predictor, Sampling

GPT = "--preset", "microgpt", "--steps", "1000"


def run(*arguments, code=0):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


def found(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


def test_the_names_of_a_trained_network_are_lines():
    lines = run("generate", *GPT, "--count", "5").stdout.splitlines()
    assert lines == ["kareta", "marde", "herde", "tale", "garindo"]
    assert run("generate", *GPT, "--count", "3", "--plain").stdout.splitlines() == lines[:3]


def test_json_has_the_probability_of_each_token():
    object = found("generate", *GPT, "--count", "3", "--temperature", "0.5", "--text", "ka")
    assert object["prompt"] == "ka"
    predictor = Predictor(SPEC, trained(), TEXT.boundary)
    for number, text in enumerate(object["texts"]):
        choices = list(predictor.generate(tokens("ka"), Sampling(0.5, 0, number)))
        assert text["text"] == "ka" + "".join(each["token"] for each in text["tokens"][:-1])
        assert text["ended"]
        assert text["tokens"][-1]["token"] == "BOS"
        assert [each["p"] for each in text["tokens"]] == [choice.p[choice.token] for choice in choices]
        assert [each["drawn_from"] for each in text["tokens"]] == [
            choice.drawn_from[choice.token] for choice in choices
        ]


def test_a_text_that_fills_the_context_has_not_ended():
    text = found("generate", *GPT, "--count", "1", "--text", "a" * 16)["texts"][0]
    assert text == {"text": "a" * 16, "ended": False, "tokens": []}


def test_another_seed_makes_other_names_and_temperature_0_the_same_ones():
    assert run("generate", *GPT, "--seed", "1").stdout != run("generate", *GPT).stdout
    likely = run("generate", *GPT, "--count", "4", "--temperature", "0").stdout.splitlines()
    assert len(set(likely)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "xor"), "generates no text; choose microgpt"),
        (("--preset", "microgpt", "--count", "0"), '--count: "0" is not a positive whole number'),
        (("--preset", "microgpt", "--count", "100001"), "--count: 100,001 is out of range (1 to 100,000)"),
        (
            ("--preset", "microgpt", "--temperature", "-1"),
            '--temperature: "-1" is not 0 or a positive number',
        ),
        (("--preset", "microgpt", "--text", "zoe", "--letter", "2"), "--letter: does not apply to generate"),
        (("--preset", "microgpt", "--lr", "1e300", "--steps", "3"), "--network: its logits are not finite"),
    ],
)
def test_what_cannot_be_generated_is_refused_in_one_line(options, message):
    told = run("generate", *options, code=2).stderr
    assert message in told
    assert told.count("\n") == 1


def test_a_recurrent_network_generates_and_blames_too():
    options = "--preset", "rnn", "--steps", "20"
    assert len(run("generate", *options, "--count", "4").stdout.splitlines()) == 4
    letters = found("blame", *options, "--letters", "--text", "mice", "--letter", "3")["letters"]
    assert sorted((each["position"], each["letter"]) for each in letters) == [(0, "BOS"), (1, "m"), (2, "i")]


def test_letters_are_ranked_by_the_change_of_the_loss_without_them():
    object = found("blame", *GPT, "--letters", "--text", "mice", "--letter", "3")
    assert object["letter"] == "c"
    assert object["loss"] == pytest.approx(-math.log(object["p"]["c"]), rel=1e-12)
    assert sum(object["p"].values()) == pytest.approx(1)
    assert [(each["position"], each["letter"]) for each in object["letters"]] == [
        (1, "m"),
        (0, "BOS"),
        (2, "i"),
    ]  # the most to blame first, the one that helps most last
    first = object["letters"][-1]
    assert first["first_order"] == pytest.approx(0.830, abs=0.001)
    assert first["replaced"]["mean"] == pytest.approx(2.819, abs=0.001)
    assert object["rank_correlation"] == pytest.approx(1)
    assert object["same_signs"] == 3


def test_the_written_ranking_has_both_numbers_and_explains_where_they_differ_most():
    text = run("blame", *GPT, "--letters", "--text", "mice", "--letter", "3").stdout
    assert '"mice", letter 3, iteration 1,000' in text
    assert "3 (c): p = 0.0874, loss 2.437; most likely n 0.12, c 0.087" in text
    row = next(line for line in text.splitlines() if line.startswith("2 (i)"))
    assert row.split()[2] == "+0.830"
    assert "+2.819" in row
    told = " ".join(text.split())
    assert "Furthest apart: 2 (i), +0.830 against +2.819. On the way to another letter the loss bends" in told
    assert all(len(line) <= 78 for line in text.splitlines())


def test_the_whole_text_is_blamed_for_its_mean_loss():
    object = found("blame", *GPT, "--letters", "--text", "mice")
    assert object["letter"] is object["p"] is None
    assert len(object["letters"]) == 5
    assert object["loss"] == found("trace", *GPT, "--text", "mice")["loss"]


def test_spoken_each_letter_has_its_numbers_in_words():
    lines = run("blame", *GPT, "--letters", "--text", "mice", "--letter", "3", "--plain").stdout.splitlines()
    assert "2 (i), mean actual change: +2.82" in lines
    assert any(line.startswith("0 (BOS), mean actual change") for line in lines)
    assert "2 (i), mean change of the loss to first order: +0.830" in lines
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "xor"), "--letters: requires a text"),
        (("--preset", "microgpt", "--batch", "2"), "--letters: takes one sample; add --batch 1"),
        (("--preset", "microgpt", "--layer", "1"), "--layer: cannot be combined with --letters"),
    ],
)
def test_letters_that_cannot_be_ranked_are_refused(options, message):
    assert message in run("blame", "--letters", *options, code=2).stderr
