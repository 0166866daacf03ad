"""One process at a time changes files in a folder, and none waits forever."""

from __future__ import annotations

import threading

import pytest

from tui_backprop.support import folder_lock
from tui_backprop.support.folder_lock import locked


def test_one_waits_for_the_other(tmp_path):
    order, inside = [], threading.Event()

    def second():
        inside.wait()
        with locked(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(tmp_path):
        inside.set()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_that_is_never_released_is_not_waited_for_forever(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_lock, "LONGEST_WAIT", 0.05)
    with locked(tmp_path), locked(tmp_path):
        pass


def test_where_folders_cannot_be_locked_it_goes_on(tmp_path, monkeypatch):
    def refused(handle, how):
        raise OSError("not supported")

    monkeypatch.setattr(folder_lock.fcntl, "flock", refused)
    with locked(tmp_path):
        pass


def test_a_folder_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), locked(tmp_path / "missing"):
        pass
