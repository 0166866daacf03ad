"""A file that is replaced is the old one or the new one, whatever happens in between."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import threading

import pytest

from tests.waits import until
from tui_backprop.support.atomic_write import UNFINISHED, replacing

OLD, NEW = b"old", b"new" * 1000


@pytest.fixture
def umask():
    """Set the umask of the process for a test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def write(path, **how):
    with replacing(path, **how) as file:
        file.write(NEW)


def names(folder):
    return sorted(os.listdir(folder))


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt(), MemoryError(), SystemExit(143)])
def test_the_old_file_stays_if_anything_goes_wrong(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(OLD)

    def interrupted():
        with replacing(path) as file:
            file.write(NEW)
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [OLD]


@pytest.mark.parametrize("call", ["open", "fsync", "replace", "fdopen"])
def test_the_old_file_stays_if_a_call_fails(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    path.write_bytes(OLD)

    def fail(*given, **named):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="Input/output error"):
            write(path)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [OLD]


@pytest.mark.parametrize("limit", [0, 1, 100, 2999])
def test_the_old_file_stays_where_files_may_not_grow(tmp_path, limit):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [OLD]


@pytest.mark.parametrize("name", ["file", "a [1]*.npz", "x" * 255])
def test_what_a_process_left_that_was_killed_is_removed_with_the_next_save(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(OLD)
    code = (
        "import sys, time; from pathlib import Path; from tui_backprop.support.atomic_write import replacing\n"
        "with replacing(Path(sys.argv[1])) as file: file.write(b'half'); file.flush(); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)]) as process:
        until(lambda: any(each.stat().st_size == 4 for each in tmp_path.iterdir()), "half a file")
        write(path)
        assert len(names(tmp_path)) == 2  # it is still written
        process.send_signal(signal.SIGKILL)
    assert len(names(tmp_path)) == 2
    write(path)
    assert names(tmp_path) == [name]
    assert path.read_bytes() == NEW


def test_nothing_but_unfinished_files_of_the_same_target_is_removed(tmp_path):
    left, target = [f".file.{letter * 8}{UNFINISHED}" for letter in "abcd"], tmp_path / "target"
    others = [
        f".file.1234567{UNFINISHED}", f".file.1234567g{UNFINISHED}", f".other.12345678{UNFINISHED}",
        f"file.12345678{UNFINISHED}", ".file.12345678", f".file.12345678{UNFINISHED}.12345678{UNFINISHED}",
    ]  # fmt: skip
    for name in (*others, "target", left[0]):
        (tmp_path / name).write_bytes(OLD)
    (tmp_path / left[1]).symlink_to(target)
    (tmp_path / left[2]).mkdir()
    os.mkfifo(tmp_path / left[3])
    write(tmp_path / "file")
    assert names(tmp_path) == sorted([*others, *left[1:], "file", "target"])


def test_a_file_that_is_removed_before_it_is_locked_is_begun_again(tmp_path, monkeypatch):
    path, begun = tmp_path / "file", []
    true_open = os.open

    def slow_open(name, flags, *more, **named):
        handle = true_open(name, flags, *more, **named)
        if flags & os.O_CREAT:
            begun.append(name)
            if len(begun) < 3:
                os.unlink(name)  # by another process
        return handle

    monkeypatch.setattr(os, "open", slow_open)
    write(path)
    assert (len(begun), names(tmp_path), path.read_bytes()) == (3, ["file"], NEW)


def test_where_files_cannot_be_locked_none_is_removed(tmp_path, monkeypatch):
    def fail(*given):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    left = tmp_path / f".file.12345678{UNFINISHED}"
    left.write_bytes(OLD)
    write(tmp_path / "file")
    assert names(tmp_path) == [left.name, "file"]


def test_a_file_that_may_be_written_but_not_read_is_replaced_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o200)
    write(path)
    assert mode(path) == 0o200
    path.chmod(0o600)
    assert path.read_bytes() == NEW


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everything")
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o400)
    with pytest.raises(PermissionError):
        write(path)
    assert path.read_bytes() == OLD


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_a_new_file_has_the_permissions_that_the_umask_leaves_and_a_private_one_its_own(
    tmp_path, umask, mask
):
    umask(mask)
    write(tmp_path / "public")
    write(tmp_path / "private", private=True)
    assert mode(tmp_path / "public") == 0o666 & ~mask
    assert mode(tmp_path / "private") == 0o600


def test_a_link_is_followed_unless_the_file_is_private(tmp_path):
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_bytes(OLD)
    link.symlink_to(other)
    write(link)
    assert (other.read_bytes(), link.is_symlink()) == (NEW, True)
    other.write_bytes(OLD)
    write(link, private=True)
    assert (other.read_bytes(), link.read_bytes(), link.is_symlink()) == (OLD, NEW, False)


@pytest.mark.parametrize("there", ["file", "dangling link"])
def test_a_new_file_replaces_nothing(tmp_path, there):
    path, other = tmp_path / "file", tmp_path / "other"
    path.symlink_to(other) if "link" in there else path.write_bytes(OLD)
    with pytest.raises(FileExistsError):
        write(path, new=True)
    assert not other.exists()
    write(other, new=True)
    assert other.read_bytes() == NEW


def test_a_pipe_is_written_to_and_one_without_a_reader_is_refused_at_once(tmp_path):
    path, found = tmp_path / "pipe", []
    os.mkfifo(path)
    with pytest.raises(OSError, match="nobody reads this pipe"):
        write(path)
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()))
    reader.start()

    def written():
        try:
            write(path)
        except OSError:
            return False
        return True

    until(written, "the reader")
    reader.join()
    assert found == [NEW]


def test_a_name_of_any_length_and_any_bytes_will_do(tmp_path):
    for name in ("é" * 127, "x" * 255, os.fsdecode(b"\xff\xfe")):
        path = tmp_path / name
        write(path)
        assert path.read_bytes() == NEW
