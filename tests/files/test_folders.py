"""Completing a path: as far as it is certain, and what it may go on to."""

from __future__ import annotations

import os

import pytest

from tui_backprop.files import folders
from tui_backprop.files.folders import candidates, completed, names_in


@pytest.fixture
def folder(tmp_path):
    for name in ("flowers.csv", "flow.txt", "points.csv", ".hidden"):
        (tmp_path / name).write_text("")
    (tmp_path / "data").mkdir()
    return f"{tmp_path}/"


def test_folders_are_marked_and_names_are_in_order(folder):
    assert names_in(folder) == (".hidden", "data/", "flow.txt", "flowers.csv", "points.csv")


@pytest.mark.parametrize(
    ("typed", "found", "after"),
    [
        ("", ("data/", "flow.txt", "flowers.csv", "points.csv"), ""),
        ("f", ("flow.txt", "flowers.csv"), "flow"),
        ("flowe", ("flowers.csv",), "flowers.csv"),
        ("flowers.csv", (), "flowers.csv"),
        ("d", ("data/",), "data/"),
        (".", (".hidden",), ".hidden"),
        ("x", (), "x"),
    ],
)
def test_a_path_is_completed_as_far_as_its_candidates_agree(folder, typed, found, after):
    names = names_in(folder)
    assert candidates(folder + typed, names) == found
    assert completed(folder + typed, names) == folder + after


def test_what_cannot_be_read_has_no_names(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in ("nowhere/", "file/", "~nobody-of-this-name/"):
        assert names_in(f"{tmp_path}/{folder}" if not folder.startswith("~") else folder) == ()


def test_a_name_that_cannot_be_typed_is_left_out(tmp_path):
    for name in (b"good", b"bad\x1b[31m", b"bad\nline", b"bad\xff"):
        os.close(os.open(os.fsencode(tmp_path) + b"/" + name, os.O_CREAT))
    assert names_in(f"{tmp_path}/") == ("good",)


def test_of_a_huge_folder_no_more_than_a_bound_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MOST", 3)
    for n in range(9):
        (tmp_path / f"{n}").write_text("")
    assert len(names_in(f"{tmp_path}/")) == 3


def test_the_home_folder_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "weights.npz").write_text("")
    assert names_in("~/") == ("weights.npz",)
