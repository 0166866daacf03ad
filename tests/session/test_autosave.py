"""The last session is kept in one piece, whatever happens while it is."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.waits import GENEROUS, until
from tui_backprop.files import opener
from tui_backprop.session import autosave
from tui_backprop.session.autosave import NAME, load, save
from tui_backprop.session.bookmark_changes import add_bookmark
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training, after_update, at_step
from tui_backprop.support import paths as places
from tui_backprop.support.errors import UserError

XOR = from_preset("xor")
KILLS = 25

# Saves one session after the other as fast as it can, of the kind that it is told, until it is killed.
SAVE_FOR_EVER = """
import itertools, sys
from dataclasses import replace
from pathlib import Path
from tui_backprop.session.autosave import save
from tui_backprop.session.state import UpdateRun, Session
many = tuple(UpdateRun(0, 1, 0.01 + i / 1e6) for i in range(300))
print("ready", flush=True)
for i in itertools.count():
    save(replace(Session(), sample=i % 4000, batch=int(sys.argv[2]), update_log=many[: i % 300]), Path(sys.argv[1]))
"""

# Saves once, and kills itself before or after a call to the system, or when half is written.
SAVE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tui_backprop.session.autosave import save
from tui_backprop.session.state import Session
folder, when, call = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
die, true_open = lambda: os.kill(os.getpid(), signal.SIGKILL), os.fdopen
def dying(*arguments, original=getattr(os, call), **named):
    when == "before" and die()
    result = original(*arguments, **named)
    when == "after" and die()
    return result
def halved(handle, mode):
    file = true_open(handle, mode, buffering=0)
    class Half:
        __enter__ = lambda self: self
        __exit__ = lambda self, *error: file.close()
        write = lambda self, text: (file.write(text[: len(text) // 2]), die())
    return Half()
setattr(os, *(("fdopen", halved) if call == "write" else (call, dying)))
save(Session(), folder)
"""


@pytest.fixture
def writer(tmp_path):
    """Start a process that saves for ever, with sessions of a batch size."""
    started = []

    def start(batch=1):
        command = [sys.executable, "-c", SAVE_FOR_EVER, str(tmp_path), str(batch)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def refusal(folder):
    with pytest.raises(UserError) as caught:
        load(folder)
    assert caught.value.field == "resume"
    assert caught.value.message.isprintable()
    return caught.value.message


def test_what_is_saved_is_what_is_loaded(tmp_path):
    for session in (Session(), after_training(XOR, 1000), add_bookmark(at_step(after_update(XOR), 3))):
        save(session, tmp_path / "new" / "folder")
        assert load(tmp_path / "new" / "folder") == session
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == [NAME]


def test_the_file_is_a_line_for_people_and_a_token(tmp_path):
    session = at_step(after_training(Session(), 1234), 9)
    save(session, tmp_path)
    assert (tmp_path / NAME).read_text() == (
        "# 784,256,256,256,10 on digits, iteration 1,234, step 9; backprop-tui --resume opens it\n"
        f"{encode(session)}\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_nobody_else_may_read_it(tmp_path):
    for mode in (0o755, 0o777):
        folder = tmp_path / oct(mode)
        folder.mkdir()
        folder.chmod(mode)
        save(XOR, folder)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    save(XOR, tmp_path / "made" / "here")
    assert (tmp_path / "made" / "here").stat().st_mode & 0o777 == 0o700


def test_its_place_is_the_platform_s(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "state_folder", None)
    monkeypatch.setattr(autosave, "state_folder", lambda: tmp_path / "state")
    save(XOR)
    assert (tmp_path / "state" / NAME).exists()
    assert load() == XOR


# --- kills, and others that write --------------------------------------------------------------------------


def test_a_kill_at_any_moment_leaves_the_old_one_or_the_new_one(writer, tmp_path):
    rng, seen = random.Random(1), set()
    save(XOR, tmp_path)
    for _ in range(KILLS):
        before = (tmp_path / NAME).read_bytes()
        process = writer()
        until(lambda before=before: (tmp_path / NAME).read_bytes() != before)
        time.sleep(rng.uniform(0, 0.02))  # at any moment of the next ones
        process.send_signal(signal.SIGKILL)
        process.wait()
        session = load(tmp_path)
        assert session.batch == 1
        assert len(session.update_log) == session.sample % 300
        seen.add(session.sample)
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("snapshot", "left"),
    [("before open", "old"), ("after open", "old"), ("half write", "old"),
     ("before fsync", "old"), ("after fsync", "old"), ("before replace", "old"), ("after replace", "new")],
)  # fmt: skip
def test_a_kill_at_a_given_moment_leaves_the_one_that_was_whole_then(tmp_path, snapshot, left):
    save(XOR, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SAVE_AND_DIE, str(tmp_path), *snapshot.split()], timeout=GENEROUS, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert load(tmp_path) == {"old": XOR, "new": Session()}[left]


def test_two_at_once_never_mix(writer, tmp_path):
    save(replace(XOR, batch=1), tmp_path)
    writer(1), writer(2)
    seen = {1: set(), 2: set()}
    reads = 0
    while reads < 300 or min(map(len, seen.values())) < 10:
        session = load(tmp_path)
        if session.network != XOR.network:
            assert len(session.update_log) == session.sample % 300
            seen[session.batch].add(session.sample)
        reads += 1
        assert reads < 20_000


# --- what cannot be written, or read -----------------------------------------------------------------------


@pytest.mark.parametrize("call", ["replace", "fsync", "fdopen"])
def test_a_full_disk_leaves_the_old_one_and_nothing_else(monkeypatch, tmp_path, call):
    save(XOR, tmp_path)

    def full(*arguments, **named):
        if call == "fdopen":
            os.close(arguments[0])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        save(Session(), tmp_path)
    monkeypatch.undo()
    assert load(tmp_path) == XOR
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_where_nothing_is_kept_it_is_said(tmp_path):
    assert "yet; the app keeps one at each step" in refusal(tmp_path)
    assert "yet; the app keeps one at each step" in refusal(tmp_path / "not" / "there")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "damaged"),
        (b"# a line\n", "damaged"),
        (b"\xff\xfe\x00" * 99, "damaged"),
        (b"# a line\nbp4-u8P902sAAA\nbp4-u8P902sAAA\n", "damaged"),
        (b"# a line\nbp4-u8P902sAA", "damaged"),
        (b"# a line\nbp4-u8P902sAAB\n", "damaged"),
        (b"# a line\nbp5-u8P902sAAA\n", "newer format"),
        (b"# a line\n\x1b[2Jhello\n", "is no token"),
    ],
    ids=range(8),
)
def test_a_file_that_is_of_no_use_is_said_to_be(tmp_path, content, why):
    (tmp_path / NAME).write_bytes(content)
    message = refusal(tmp_path)
    assert why in message
    assert message.endswith("; the next session replaces it")


def test_what_is_no_file_of_this_user_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / NAME
    path.mkdir()
    assert "cannot be read: Is a directory" in refusal(tmp_path)
    path.rmdir()
    os.mkfifo(path)
    assert "it is not a regular file" in refusal(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "it is not a regular file" in refusal(tmp_path)
    path.unlink()
    path.write_bytes(b"x" * 2**21)
    assert "it is larger than 525 kB" in refusal(tmp_path)
    save(XOR, tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(opener, "SUPERUSER", 12346)
    assert "it belongs to another user" in refusal(tmp_path)
    with pytest.raises(OSError, match="belongs to another user"):
        save(XOR, tmp_path)


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path):
    other = tmp_path / "other"
    other.write_text("kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / NAME).symlink_to(other)
    save(XOR, folder)
    assert (load(folder), other.read_text()) == (XOR, "kept")
    assert not (folder / NAME).is_symlink()
