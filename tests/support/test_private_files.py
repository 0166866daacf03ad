"""What the program keeps is for its user only, under any umask, and no link at its place is followed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cost.machines import machine
from tui_backprop.cost.measure import cache
from tui_backprop.session.autosave import NAME, save
from tui_backprop.session.state import from_preset
from tui_backprop.support.paths import cache_folder, state_folder
from tui_backprop.tui.app import first_run

FILES = {"session": NAME, "cache": cache.NAME, "lesson": first_run.NAME}


def folder_of(kind: str) -> Path:
    return cache_folder() if kind == "cache" else state_folder()


def keep(kind: str) -> None:
    match kind:
        case "session":
            save(from_preset("xor"))
        case "cache":
            assert cache.store(machine())
        case "lesson":
            first_run.lesson_seen()


@pytest.fixture
def deep_home(monkeypatch, tmp_path):
    """Folders whose parents are missing, too."""
    for name in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / ".local" / name.lower()))
    return tmp_path / "home"


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o777])
@pytest.mark.parametrize("kind", FILES)
def test_folders_are_0700_and_files_0600(deep_home, kind, mask):
    before = os.umask(mask)
    try:
        keep(kind)
        keep(kind)
    finally:
        os.umask(before)
    made = [deep_home, *deep_home.rglob("*")]
    assert (folder_of(kind) / FILES[kind]) in made
    assert {stat.S_IMODE(each.lstat().st_mode) for each in made if each.is_dir()} == {0o700}
    assert {stat.S_IMODE(each.lstat().st_mode) for each in made if each.is_file()} == {0o600}


@pytest.mark.parametrize("there", [True, False], ids=["a file", "dangling"])
@pytest.mark.parametrize("kind", FILES)
def test_a_link_makes_and_changes_no_file_elsewhere(deep_home, tmp_path, kind, there):
    keep(kind)
    path, other = folder_of(kind) / FILES[kind], tmp_path / "other"
    path.unlink()
    path.symlink_to(other)
    if there:
        other.write_text("kept")
    keep(kind)
    assert other.exists() == there
    assert not there or other.read_text() == "kept"
