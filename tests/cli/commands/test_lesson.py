"""backprop-tui lesson: the chapters as text, in any order, for eyes and for screen readers."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.lesson import progress
from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.progress import Progress, load, save
from tui_backprop.session.share_token import decode


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "state_folder", lambda: tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["lesson", *arguments])


def printed(*arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_the_list_names_every_chapter_and_what_is_done():
    save(Progress().with_done(chapters()[3].ids()[0]))
    lines = printed("--list").splitlines()
    for each in chapters():
        (row,) = [line for line in lines if line.startswith(f"{each.number:>2}  ")]
        assert each.title in row
        assert f"{int(each.number == 3)} of {len(each.steps)}" in row
    assert max(map(len, lines)) <= 80


def test_a_chapter_has_all_its_steps():
    text = printed("--chapter", "3")
    assert [line for line in text.splitlines() if re.match(r"3\.\d ", line)] == [
        f"3.{i} {step.title}" for i, step in enumerate(chapters()[3].steps, 1)
    ]
    assert "335,115 forward passes" in text
    assert "Press b, then +." in text
    assert max(map(len, text.splitlines())) <= 80


def test_without_a_number_the_whole_lesson_is_printed():
    text = printed()
    assert all(f"\n{each.number}. " in f"\n{text}" for each in chapters())
    assert "{" not in text


def test_the_figures_are_those_of_the_preset():
    text = printed("--chapter", "2", "--preset", "xor")
    assert "2 × 2 + 2" in text
    assert "335,114" not in text
    assert "backprop-tui --preset xor" in text


@pytest.mark.parametrize("chapter", ["1", "9", "10"])
def test_networks_of_their_own_stay_in_their_chapter(chapter):
    other = printed("--chapter", chapter, "--preset", "xor")
    assert other.replace("--preset xor", "--preset lesson") == printed("--chapter", chapter)


def test_starts_are_commands_that_open_them():
    tokens = re.findall(r"--open (\S+)", printed("--chapter", "10"))
    assert [decode(each) for each in tokens] == [
        step.start.session for step in chapters()[10].steps if step.fresh and step.start.changes
    ]


def test_plain_is_one_paragraph_a_line_in_words_and_ascii():
    text = printed("--chapter", "0", "--plain")
    assert text.isascii()
    assert "Press right arrow to run the first step." in text
    assert "delta tells how much the loss changes with the sum of a unit." in text
    assert all(len(line.split()) > 2 for line in text.splitlines() if line and not line.startswith("start"))


def test_code_that_is_read_aloud_is_still_code():
    text = printed("--chapter", "8", "--plain")
    assert "\ndef loss_of(W, b): return cross_entropy(x @ W + b, t)\ndW, db = jax.grad" in text
    assert "\n        def loss_of(W, b):\n            return cross_entropy" in printed("--chapter", "8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--chapter", "14"], "--chapter: there is no chapter 14; choose 0 to 13"),
        (["--chapter", "-1"], '--chapter: "-1" is not'),
        (["--reset", "x"], '--reset: "x" is not'),
        (["--list", "--chapter", "1"], "--chapter: cannot be combined with --list"),
        (["--list", "--preset", "xor"], "--preset: cannot be combined with --list, which prints no figures"),
        (["--preset", "xr"], '--preset: invalid value "xr"; choose from'),
    ],
)
def test_a_bad_option_is_one_clear_line(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_one_chapter_is_reset():
    mine, other = chapters()[1].ids()[0], chapters()[2].ids()[0]
    save(Progress().with_done(mine).with_done(other))
    result = run("--reset", "1")
    assert (result.exit_code, result.stderr) == (0, "backprop-tui: chapter 1 is reset; 1 step was done\n")
    assert load() == Progress(done=frozenset({other}))


def test_a_damaged_progress_is_reported_and_the_list_printed(folder):
    (folder / progress.NAME).write_text("?")
    result = run("--list")
    assert result.exit_code == 0
    assert "is of no use" in result.stderr
    assert "0 of 7" in result.stdout
    assert run("--reset", "1").exit_code == 2
