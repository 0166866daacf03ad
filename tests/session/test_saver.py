"""The thread that keeps sessions: never in anybody's way, whatever the disk does."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.waits import GENEROUS, until
from tui_backprop.session import autosave
from tui_backprop.session.autosave import NAME, Saver, load
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.atomic_write import UNFINISHED
from tui_backprop.support.errors import UserError

XOR = from_preset("xor")


@pytest.fixture
def disk(monkeypatch):
    """A disk that takes as long as it is told: what was written, and whether it may be."""

    class Disk:
        written, free = [], threading.Event()

        def save(self, session, folder):
            assert self.free.wait(GENEROUS)
            self.written.append(session)

    made = Disk()
    made.written = []
    made.free.set()
    monkeypatch.setattr(autosave, "save", made.save)
    return made


def test_of_many_sessions_in_a_row_the_first_and_the_last_are_written(disk, tmp_path):
    saver = Saver(tmp_path, every=GENEROUS)
    sessions = [replace(XOR, sample=i) for i in range(200)]
    saver.save(sessions[0])
    until(lambda: disk.written)
    for session in sessions[1:]:
        saver.save(session)
    until(lambda: saver._changed._waiters, "the thread to wait again")  # each of them woke it
    assert disk.written == sessions[:1]
    saver.close(GENEROUS)
    assert disk.written == [sessions[0], sessions[-1]]


def test_a_slow_disk_never_makes_the_caller_wait(disk, tmp_path):
    disk.free.clear()
    saver = Saver(tmp_path, every=0.0)
    for i in range(200):
        saver.save(replace(XOR, sample=i))  # would wait for ever
    assert disk.written == []
    disk.free.set()
    saver.close(GENEROUS)
    assert disk.written[-1] == replace(XOR, sample=199)
    assert len(disk.written) <= 2


def test_a_disk_that_never_answers_does_not_keep_anybody_from_leaving(disk, tmp_path):
    disk.free.clear()
    saver = Saver(tmp_path)
    saver.save(XOR)
    saver.close(patience=0.01)
    assert saver.trouble == "the session is not kept: the disk does not answer"
    assert saver._thread.daemon
    disk.free.set()
    saver._thread.join(GENEROUS)


def test_the_same_session_again_is_not_written_again(disk, tmp_path):
    saver = Saver(tmp_path, every=0.0)
    for _ in range(3):
        saver.save(XOR)
        until(lambda: disk.written and saver._newest is None)
    saver.close(GENEROUS)
    assert disk.written == [XOR]


def test_any_error_stays_in_the_thread(monkeypatch, tmp_path):
    def broken(session, folder):
        raise RecursionError("deep\nand deeper")

    monkeypatch.setattr(autosave, "save", broken)
    saver = Saver(tmp_path)
    saver.save(XOR)
    saver.close(GENEROUS)
    assert saver.trouble == f"the session is not kept in {tmp_path}: RecursionError: deep?and deeper"


def test_closed_it_takes_nothing_and_without_a_session_it_starts_nothing(disk, tmp_path):
    saver = Saver(tmp_path)
    saver.close()
    saver.save(XOR)
    assert saver._thread is None
    assert disk.written == []


def test_trouble_is_remembered_in_one_line_until_it_is_over(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    saver = Saver(tmp_path / "file", every=0.0)
    saver.save(XOR)
    until(lambda: saver.trouble)
    assert saver.trouble == f"the session is not kept in {tmp_path / 'file'}: Not a directory"
    (tmp_path / "file").unlink()
    saver.save(Session())
    until(lambda: not saver.trouble)
    saver.close(GENEROUS)
    assert load(tmp_path / "file") == Session()


def test_a_home_that_is_not_known_is_trouble_and_no_more(monkeypatch, tmp_path):
    def homeless():
        raise OSError("this user has no home folder")

    monkeypatch.setattr(autosave, "state_folder", homeless)
    saver = Saver()
    saver.save(XOR)
    saver.close(GENEROUS)
    assert saver.trouble == "the session is not kept: this user has no home folder"
    with pytest.raises(
        UserError, match=r"resume: the last session cannot be read: this user has no home folder$"
    ):
        load()


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / f".{NAME}.12345678{UNFINISHED}").write_text("# unfinished")
    saver = Saver(tmp_path)
    saver.save(XOR)
    saver.close(GENEROUS)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
