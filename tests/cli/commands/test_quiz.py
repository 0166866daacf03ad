"""backprop-tui quiz: questions and answers over a pipe, what is kept, and what is exported."""

from __future__ import annotations

import csv
import json
import re

import pytest
from click.testing import CliRunner

from tests.lesson.taking import COURSE, FRESH, take
from tui_backprop.cli.commands import quiz as command
from tui_backprop.cli.main import main
from tui_backprop.lesson import quiz as engine
from tui_backprop.lesson import quiz_progress
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.lesson.quiz import Given


@pytest.fixture(autouse=True)
def course(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "course", lambda: COURSE)
    monkeypatch.setattr(quiz_progress, "state_folder", lambda: tmp_path / "state")


def run(answers, *options, code=0):
    result = CliRunner().invoke(main, ["quiz", *options], input=answers)
    assert result.exit_code == code, result.output
    return result


def letters(marks):
    """The letters of answers that are right (r) or wrong (w), unsure (u, v), or others as they are."""
    quiz, typed = FRESH, []
    for mark in marks:
        following = COURSE.next(quiz)
        if following is None or mark not in "rwuvs":
            typed.append(mark)
            continue
        posed = following.posed
        wrong = next(i for i, option in enumerate(posed.options) if not option.right)
        letter = "abc"[posed.right if mark in "ru" else wrong]
        typed.append("s" if mark == "s" else letter + "?" * (mark in "uv"))
        quiz = take(quiz, mark)
    return "\n".join([*typed, ""])


def test_all_right_is_said_and_leaves_nothing_to_revisit():
    said = run(letters("rrr")).stdout
    assert said.count("Your answer: ") == said.count("\nRight.") == 3
    assert re.search(r"\nknown +3  right at once, and sure\n", said)
    assert "revisit" not in said
    assert "not asked" not in said


def test_a_wrong_answer_is_explained_at_once_and_comes_again():
    said = run(letters("wrrr")).stdout
    first, _, later = said.partition("Question 2")
    chosen = take(FRESH, "w").given[0].misconception
    row = MISCONCEPTIONS[chosen]
    flat = " ".join(first.split())
    assert f"The idea behind this answer: “{row.idea}” {row.refutation} The answer is " in flat
    assert re.search(r"See it: backprop-tui --open bp\d\S+\n", first)
    assert "Asked again\n\nWhich is right?" in later
    assert re.search(r"\nlearned +1  missed at first, right later\n", later)
    assert f"“{row.idea}” You marked it as sure." in " ".join(later.split())


def test_a_wrong_number_is_said_to_come_from_its_idea():
    said = " ".join(run(letters("rwrr")).stdout.split())
    assert re.search(r"[−\d.e]+ is what comes out (with|without|if) ", said)


def test_the_link_opens_the_state_that_the_question_is_about():
    from tui_backprop.session.share_token import decode

    said = run(letters("rrww"), "--seed", "0").stdout
    (token, *_) = re.findall(r"--open (\S+)", said)
    assert decode(token).walk.step > 0


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (b"x", '"x" is no answer. Type a, b or c; add ? if you are unsure.'),
        (b"ab", '"ab" is no answer.'),
        (b"?", '"?" is no answer.'),
        (b"", "An empty line is no answer."),
        (b"   ", "An empty line is no answer."),
        (b"\xff\xfe", "This line is not text."),
        (b"\x1b[31m", "is no answer."),
        (b"a" * 5000, "is no answer."),
    ],
)
def test_a_line_that_is_no_answer_takes_one_line_and_the_question_again(typed, told):
    said = run(typed + b"\n" + letters("rrr").encode()).stdout
    (line,) = [line for line in said.split("\n") if told in line]
    assert len(line) < 200
    assert said.count("Question 1 of 3") == 2
    assert said.count("\nRight.") == 3
    assert "\x1b" not in said


@pytest.mark.parametrize("typed", ["A\n", " a \n", "a?\n", "A?\n", "a\r\n", "a"])
def test_ways_to_write_an_answer(typed):
    letter = letters("r")[0]
    said = run(typed.replace("a", letter).replace("A", letter.upper())).stdout
    assert said.count("\nRight.") == 1
    assert "2 questions were not asked; backprop-tui quiz --resume goes on." in said


@pytest.mark.parametrize(("marks", "left"), [("", 3), ("r", 2), ("w", 3), ("q", 3), ("rq", 2)])
def test_where_answers_end_early_what_was_not_asked_is_said(marks, left):
    said = run(letters(marks)).stdout
    assert f"{left} questions were not asked" in said
    assert ("--resume goes on" in said) == (marks.strip("q") != "")


def test_resume_is_back_at_the_same_question(tmp_path):
    before = run(letters("rw"), "--seed", "0").stdout
    after = run("", "--resume").stdout
    where = "Asked again"
    asked = [said[said.index(where) :].partition("Your answer")[0] for said in (before, after)]
    assert asked[0] == asked[1]
    typed = letters("rwrr").split("\n", 2)[2]
    done = run(typed, "--resume").stdout
    assert re.search(r"\nlearned +1 ", done)
    assert "Question" not in run("", "--resume").stdout


def test_an_unfinished_quiz_is_not_replaced_without_a_word():
    run(letters("r"))
    assert "your first answer replaces an unfinished quiz" in run("q\n").stderr
    assert "Question 2 of 3" in run("", "--resume").stdout  # nothing was answered, nothing is lost
    run(letters("rr").split("\n", 1)[1], "--resume")
    run(letters("rrr").split("\n", 2)[2], "--resume")
    assert run("q\n").stderr == ""


def test_learners_differ_by_their_seed():
    said = {re.findall(r"[abc]\) [−\d].*", run(letters("r"), "--seed", str(seed), "--chapter", "1").stdout)[0]
            for seed in range(3)}  # fmt: skip
    assert len(said) == 3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--seed", "x"], '--seed: "x" is'),
        (["--seed", "-1"], "--seed: "),
        (["--seed", "99999999999"], '--seed: "99999999999" is too large'),
        (["--chapter", "9"], "--chapter: there are no questions about chapter 9; choose from 1, 2"),
        (["--chapter", "x"], '--chapter: "x" is'),
        (["--resume"], "--resume: no quiz was begun yet; leave out --resume to begin one"),
        (["--resume", "--seed", "1"], "--seed: cannot be combined with --resume"),
        (["--resume", "--chapter", "1"], "--chapter: cannot be combined with --resume"),
        (["--export", "x.txt"], '--export: "x.txt" ends in neither .json nor .csv'),
        (["--export", ""], "--export: requires the name of a file, such as results.json"),
    ],
)
def test_bad_options_are_refused_in_one_line_before_the_first_question(options, told):
    result = run("", *options, code=2)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"backprop-tui: {told}")


def test_an_export_that_cannot_be_written_is_refused_before_the_first_question(tmp_path):
    result = run(letters("rrr"), "--export", str(tmp_path / "none" / "r.json"), code=74)
    assert (result.stdout, "there is no folder" in result.stderr) == ("", True)


def test_the_result_is_exported(tmp_path):
    file = tmp_path / "results.json"
    run(letters("uwsrr"), "--export", str(file))
    found = json.loads(file.read_text())
    assert (found["seed"], found["chapters"], found["finished"]) == (0, [1, 2], True)
    outcomes = {row["question"]: row["outcome"] for row in found["questions"]}
    assert outcomes == {"one-words": "unsure", "one-number": "learned", "two-words": "known"}
    (missed, skipped, right) = found["questions"][1]["answers"]
    assert missed.pop("misconception") in MISCONCEPTIONS
    assert missed == {"right": False, "sure": True, "skipped": False}
    assert skipped == {"right": False, "sure": False, "skipped": True, "misconception": None}
    assert right == {"right": True, "sure": True, "skipped": False, "misconception": None}


def test_the_result_is_exported_as_csv_with_a_line_for_each_answer(tmp_path):
    file = tmp_path / "results.csv"
    run(letters("rw"), "--export", str(file))
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["question"], row["outcome"], row["attempt"], row["right"]) for row in rows] == [
        ("one-words", "known", "1", "True"),
        ("one-number", "missed", "1", "False"),
        ("two-words", "not asked", "0", ""),
    ]


def test_the_exit_code_is_0_whatever_the_score():
    run(letters("wwwwww"))


def test_input_without_end_is_given_up():
    result = run(b"no\n" * 500, code=2)
    assert result.stdout.count("Your answer") == command.MOST_BAD
    assert "100 lines in a row are no answers" in result.stderr


def test_a_quiz_that_cannot_be_kept_goes_on(monkeypatch):
    def refuse(quiz):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(quiz_progress, "save", refuse)
    result = run(letters("rrr"))
    assert "the quiz is not kept for --resume: No space left on device" in result.stderr
    assert result.stdout.count("\nRight.") == 3


def test_for_screen_readers_it_is_plain():
    said = run(letters("wrrr"), "--plain").stdout
    assert said.isascii()
    assert re.search(r"^a: \S", said, re.MULTILINE)
    assert not re.search(r"\S  \S", said)


def test_each_answer_is_kept_at_once():
    run(letters("rw"))
    kept = quiz_progress.load(COURSE)
    assert [each.right for each in kept.given] == [True, False]
    assert isinstance(kept.given[0], Given)
