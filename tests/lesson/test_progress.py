"""Progress counts what was done, is kept in one piece, and believes nothing else."""

from __future__ import annotations

import os
import stat

import pytest

from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.progress import LONGEST_FILE, NAME, Progress, load, save
from tui_backprop.support.errors import FileError

NEURON, DIALS = chapters()[1:3]
FIRST, SECOND = NEURON.ids()[:2]
OTHER = DIALS.ids()[0]


def test_what_was_skipped_or_shown_earns_nothing():
    progress = Progress().with_skipped(FIRST).with_shown(SECOND).with_done(SECOND)
    assert progress.done_in(NEURON) == 0
    assert progress == Progress(skipped=frozenset({FIRST}), shown=frozenset({SECOND}))


def test_a_skipped_step_can_be_done_later():
    progress = Progress().with_skipped(FIRST).with_done(FIRST)
    assert progress == Progress(done=frozenset({FIRST}))
    assert progress.with_skipped(FIRST).with_shown(FIRST) == progress


def test_one_chapter_is_reset():
    progress = Progress().with_done(FIRST).with_skipped(SECOND).with_done(OTHER).without(NEURON)
    assert progress == Progress(done=frozenset({OTHER}))
    assert Progress().with_shown(FIRST).without(NEURON).with_done(FIRST).done_in(NEURON) == 1


def test_progress_is_kept(tmp_path):
    progress = Progress().with_done(FIRST).with_skipped(SECOND).with_shown(OTHER).going_to(OTHER)
    save(progress, tmp_path)
    assert load(tmp_path) == progress
    assert stat.S_IMODE(os.stat(tmp_path / NAME).st_mode) == 0o600


def test_without_a_file_nothing_is_done(tmp_path):
    assert load(tmp_path) == Progress()
    assert load(tmp_path / "missing") == Progress()


def test_steps_that_are_not_in_the_lesson_are_left_out(tmp_path):
    gone = "neuron/of-an-earlier-version"
    save(Progress(frozenset({FIRST, gone}), frozenset({FIRST, gone}), frozenset({gone}), gone), tmp_path)
    assert load(tmp_path) == Progress(done=frozenset({FIRST}))


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff", b"[]", b'{"done": 3}', b'{"done": [1]}', b'{"at": null}', b"[" * 20_000, b'{"done": ["a"'],
    ids=["empty", "bytes", "list", "number", "numbers", "null", "deep", "cut"],
)  # fmt: skip
def test_a_file_that_holds_something_else_is_one_clear_line(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(
        FileError, match=r"is of no use: .*; the next step that is done replaces it"
    ) as caught:
        load(tmp_path)
    assert "\n" not in caught.value.message


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    (tmp_path / NAME).write_bytes(b" " * (LONGEST_FILE + 1))
    with pytest.raises(FileError, match="cannot be read: it is larger than"):
        load(tmp_path)


def test_a_folder_in_its_place_is_not_read(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(FileError, match="cannot be read"):
        load(tmp_path)
