"""The quiz is kept after each answer; a file that holds something else is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.lesson.taking import COURSE, FRESH, take
from tui_backprop.lesson.quiz_progress import LONGEST_FILE, NAME, load, save
from tui_backprop.support.errors import FileError


def test_a_quiz_comes_back_as_it_was(tmp_path):
    for quiz in (FRESH, take(FRESH, "rw"), take(FRESH, "uwsrr"), replace(FRESH, seed=7, chapters=(2,))):
        save(quiz, tmp_path)
        assert load(COURSE, tmp_path) == quiz
        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_without_a_file_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(FileError, match="no quiz was begun yet; leave out --resume to begin one"):
        load(COURSE, tmp_path)


KEPT = {"seed": 0, "chapters": [1, 2], "given": [{"question": "one-words"}]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"{" * 20000,
        json.dumps(KEPT | {"seed": -1}).encode(),
        json.dumps(KEPT | {"seed": "0"}).encode(),
        json.dumps(KEPT | {"chapters": [99]}).encode(),
        json.dumps(KEPT | {"given": [{"question": "two-words"}]}).encode(),
        json.dumps(KEPT | {"given": [{"question": "one-words", "misconception": "no-slope"}]}).encode(),
    ],
)
def test_a_damaged_file_is_of_no_use(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(FileError, match="is of no use: ") as error:
        load(COURSE, tmp_path)
    assert error.value.message.isprintable()
    assert error.value.message.endswith("; the next quiz replaces it")


def test_a_file_that_is_too_long_is_not_read(tmp_path):
    (tmp_path / NAME).write_bytes(json.dumps(KEPT).encode() + b" " * LONGEST_FILE)
    with pytest.raises(FileError, match="the quiz cannot be read: it is larger than"):
        load(COURSE, tmp_path)
