"""Only the file of a content is read again, where it was last."""

from __future__ import annotations

from tui_backprop.files import known


def test_only_the_file_of_the_digest_is_read(tmp_path):
    known.remember("a" * 64, tmp_path / "old")
    known.remember("a" * 64, tmp_path / "one")
    known.remember("b" * 64, tmp_path / "two")
    read = []
    known.fetch("a" * 32, read.append)
    assert read == [tmp_path / "one"]


def test_a_damaged_index_is_no_index(tmp_path):
    (tmp_path / known.NAME).write_text("{")
    assert "c" * 64 not in known.known(tmp_path)
    known.remember("c" * 64, tmp_path / "one", tmp_path)
    assert known.known(tmp_path)["c" * 64] == str(tmp_path / "one")


def test_no_more_than_so_many_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(known, "_here", {})
    monkeypatch.setattr(known, "MOST", 2)
    for digest in "abc":
        known.remember(digest, tmp_path, tmp_path)
    monkeypatch.setattr(known, "_here", {})
    assert [*known.known(tmp_path)] == ["b", "c"]
