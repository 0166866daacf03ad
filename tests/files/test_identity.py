"""The SHA-256 of a large file is computed in a thread: nothing waits for it but what leaves the process."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import pytest
from click.testing import CliRunner

from tests.waits import GENEROUS, until
from tui_backprop.cli.main import main
from tui_backprop.cli.session_options import session_from
from tui_backprop.data.own import table_of
from tui_backprop.files import identity as module
from tui_backprop.files import known, opener
from tui_backprop.files.identity import Identity, StillHashing, by_content, wait
from tui_backprop.session.autosave import Saver, load
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.transitions import after_update
from tui_backprop.support.starting import StartError

CONTENT = b"numbers" * 1000


@pytest.fixture
def hashing(monkeypatch):
    """Every file counts as large, and its thread waits until the list of threads' work is run."""
    work = []
    monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(module, "PART", 2000)
    monkeypatch.setattr(module, "_begun", {})
    monkeypatch.setattr(module, "start_thread", lambda call, name: work.append(call))
    return work


def run_all(work):
    while work:
        work.pop()()


def table(folder):
    """Write a table of too many numbers for a token; return its path."""
    path = folder / "points.csv"
    np.savetxt(path, np.arange(6000.0).reshape(2000, 3) % 7.5, delimiter=",")
    return path


def weights(folder):
    """Write weights of too many numbers for a token; return the path."""
    rng = np.random.default_rng(0)
    path = folder / "weights.npz"
    np.savez(
        path, W1=rng.normal(size=(2, 900)), b1=np.zeros(900), W2=rng.normal(size=(900, 2)), b2=np.zeros(2)
    )
    return path


def brought(folder, kind):
    """Return a session on a large file of a kind, and the file."""
    if kind == "data":
        path = table(folder)
        return session_from({"data": str(path), "layers": "2,4,1", "loss": "mse"}), path
    path = weights(folder)
    return session_from({"preset": "xor", "weights": str(path)}), path


kinds = pytest.mark.parametrize("kind", ["data", "weights"])


def test_a_small_content_is_known_at_once(tmp_path):
    found = Identity(CONTENT, tmp_path)
    assert found.id == found.digest == sha256(CONTENT).hexdigest()


def test_a_large_content_goes_by_a_key_until_it_is_hashed(hashing, tmp_path):
    found, heard = Identity(CONTENT, tmp_path / "a.npz"), []
    found.then(heard.append)
    assert (found.id, found.digest, heard) == (found.key, "", [])
    with pytest.raises(StillHashing, match=r'hashing the file "a.npz": 0%; try again'):
        by_content(f"a.npz#{found.key[:32]}")
    assert by_content("W1") == "W1"
    run_all(hashing)
    digest = sha256(CONTENT).hexdigest()
    assert (found.id, heard) == (digest, [digest])
    found.then(heard.append)
    assert heard == [digest, digest]
    assert by_content(f"a.npz#{found.key[:32]}") == f"a.npz#{digest[:32]}"


def test_the_progress_is_told_part_by_part(hashing, monkeypatch, tmp_path):
    found, told = Identity(CONTENT, tmp_path / "a.npz"), []

    def look(seconds):
        told.append(found.words.rpartition(" ")[2])
        run_all(hashing)
        return True

    monkeypatch.setattr(found.finished, "wait", look)
    watched = []
    wait(lambda done, of: watched.append((done, of)))
    assert (told, watched) == (["0%"], [(0, len(CONTENT))])
    assert found.done == found.of == len(CONTENT)


def test_where_no_thread_can_be_started_the_content_is_hashed_at_once(hashing, monkeypatch, tmp_path):
    def refuse(call, name):
        raise StartError("none")

    monkeypatch.setattr(module, "start_thread", refuse)
    found = Identity(CONTENT, tmp_path)
    assert found.id == sha256(CONTENT).hexdigest()


@kinds
def test_a_session_has_a_token_as_soon_as_its_file_is_hashed_the_same_as_with_a_small_file(
    hashing, monkeypatch, tmp_path, kind
):
    monkeypatch.setattr(known, "_here", {})  # other tests open files of the same content
    monkeypatch.setattr(known, "state_folder", lambda: tmp_path / "state")
    session, path = brought(tmp_path, kind)
    session = after_update(session)
    with pytest.raises(StillHashing, match=rf'hashing the file "{path.name}": 0%'):
        encode(session)
    assert sha256(path.read_bytes()).hexdigest() not in known.known()
    run_all(hashing)
    token = encode(session)
    assert known.known()[sha256(path.read_bytes()).hexdigest()] == str(path)
    opened = decode(token)
    assert encode(opened) == token
    monkeypatch.setattr(module, "LARGE", 2**24)
    assert encode(after_update(brought(tmp_path, kind)[0])) == token
    if kind == "data":
        np.testing.assert_array_equal(table_of(opened.data).x, table_of(session.data).x)


@kinds
def test_an_autosave_waits_for_the_hash_and_nobody_for_the_autosave(hashing, tmp_path, kind):
    session, _ = brought(tmp_path, kind)
    saver = Saver(tmp_path / "state", every=0.01)
    saver.save(session)
    saver.save(after_update(session))
    assert (saver.saved, saver.trouble) == (None, None)
    run_all(hashing)
    until(lambda: saver.saved is not None)
    saver.close(GENEROUS)
    assert saver.saved == after_update(session)
    assert not saver.waits
    assert encode(load(tmp_path / "state")) == encode(after_update(session))


@kinds
def test_a_session_that_waits_when_the_app_ends_is_saved_after_it(hashing, tmp_path, kind):
    session, _ = brought(tmp_path, kind)
    saver = Saver(tmp_path / "state", every=0.01)
    saver.save(session)
    saver.close(GENEROUS)
    assert saver.waits
    assert saver.saved is None
    run_all(hashing)
    saver.finish(lambda done, of: None)
    assert (saver.saved, saver.waits, saver.trouble) == (session, False, None)


@kinds
def test_a_file_that_changed_before_it_was_hashed_is_named_in_one_line(hashing, tmp_path, kind):
    session, path = brought(tmp_path, kind)
    with path.open("ab") as file:
        file.write(b"1,2,3\n")
    run_all(hashing)
    saver = Saver(tmp_path / "state", every=0.01)
    saver.save(session)
    saver.close(GENEROUS)
    assert saver.saved == session
    assert saver.trouble == f'"{path.name}" has changed since it was read: --resume needs it as it was'


def test_a_file_that_changes_while_it_is_read_is_refused(monkeypatch, tmp_path):
    path = table(tmp_path)
    bounded = opener._bounded

    def written_meanwhile(content, most):
        with path.open("ab") as file:
            file.write(b"1,2,3\n")
        return bounded(content, most)

    monkeypatch.setattr(opener, "_bounded", written_meanwhile)
    result = CliRunner().invoke(main, ["token", "--data", str(path)])
    assert result.exit_code == 2
    assert '" cannot be read: it changed while it was read; try again' in result.stderr


def test_the_token_command_waits_for_the_hash(monkeypatch, tmp_path):
    path = table(tmp_path)
    options = ["--data", str(path), "--layers", "2,4,1", "--loss", "mse"]
    small = CliRunner().invoke(main, ["token", *options]).stdout
    monkeypatch.setattr(module, "LARGE", 0)
    large = CliRunner().invoke(main, ["token", *options])
    assert (large.exit_code, large.stdout) == (0, small)
    opened = CliRunner().invoke(main, ["trace", "--json", "--open", small.strip(), "--data", str(path)])
    assert json.loads(opened.stdout)["network"]["layers"] == [2, 4, 1]


def test_keys_cannot_be_guessed(hashing, tmp_path):
    assert len({Identity(CONTENT, tmp_path).key for _ in range(5)}) == 5
