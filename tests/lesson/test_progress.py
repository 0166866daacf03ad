"""Progress counts what was done, is kept in one piece, and believes nothing else."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor

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


def test_what_two_writers_did_is_done(tmp_path):
    both = Progress().with_skipped(FIRST).with_skipped(OTHER)
    save(both, tmp_path)
    save(both.with_done(FIRST).going_to(FIRST), tmp_path, since=both)
    save(both.with_done(OTHER).with_done(SECOND).going_to(SECOND), tmp_path, since=both)
    assert load(tmp_path) == Progress(frozenset({FIRST, SECOND, OTHER}), at=SECOND)


def test_what_one_writer_has_reset_stays_reset(tmp_path):
    both = Progress().with_done(FIRST).with_done(OTHER)
    save(both, tmp_path)
    save(both.without(NEURON), tmp_path, since=both)
    save(both.with_done(SECOND), tmp_path, since=both)
    assert load(tmp_path).done == {SECOND, OTHER}


def test_what_was_done_by_one_writer_and_shown_to_the_other_is_done(tmp_path):
    save(Progress().with_done(FIRST), tmp_path)
    save(Progress().with_shown(FIRST), tmp_path)
    assert load(tmp_path) == Progress(frozenset({FIRST}))


def test_many_writers_at_once_lose_nothing(tmp_path):
    steps = [step for chapter in chapters() for step in chapter.ids()]

    def write(own):
        before = Progress()
        for step in own:
            after = before.with_done(step)
            save(after, tmp_path, since=before)
            before = after

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [steps[i::4] for i in range(4)]))
    assert load(tmp_path).done == frozenset(steps)


@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_a_file_that_is_lost_meanwhile_is_written_again_whole(tmp_path, content):
    before = Progress().with_done(FIRST)
    save(before, tmp_path)
    (tmp_path / NAME).unlink()
    if content:
        (tmp_path / NAME).write_bytes(content)
    save(before.with_done(SECOND), tmp_path, since=before)
    assert load(tmp_path).done == {FIRST, SECOND}


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
