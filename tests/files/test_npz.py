"""Arrays that are written are read by numpy; an archive that is not complete is no archive."""

from __future__ import annotations

import gc
import io
import sys
from zipfile import BadZipFile

import numpy as np
import pytest

from tui_backprop.files.decoder import DecodeError
from tui_backprop.files.npz import read_npy, read_npz, write_npz

ARRAYS = {
    "x": np.arange(6.0).reshape(2, 3).T, "mask1": np.array([True, False]), "loss": np.float32(0.5),
    "empty": np.zeros((0, 4)), "large": np.ones(10_000),
}  # fmt: skip


class Disk(io.BytesIO):
    """A disk of so many bytes, that never has room again once it is full."""

    def __init__(self, size):
        super().__init__()
        self.left, self.after = size, 0  # bytes, writes tried once it was full

    def write(self, data):
        self.left -= len(memoryview(data).cast("B"))
        if self.left < 0:
            self.after += 1
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_numpy_reads_what_is_written():
    file = io.BytesIO()
    write_npz(file, ARRAYS)
    file.seek(0)
    with np.load(file, allow_pickle=False) as found:
        assert [*found] == [*ARRAYS]
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name], array, strict=True)


def test_objects_are_refused_as_they_would_be_pickled():
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz(io.BytesIO(), {"a": np.array([None])})


@pytest.mark.parametrize("size", [0, 20, 50, 300, 1000, 60_000, -300, -1])  # or less than all
def test_a_full_disk_is_one_error_and_no_more(monkeypatch, size):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    endless = Disk(10**6)
    write_npz(endless, ARRAYS)
    disk = Disk(size if size >= 0 else 10**6 - endless.left + size)
    with pytest.raises(OSError, match="No space left"):
        write_npz(disk, ARRAYS)
    after = disk.after
    gc.collect()
    assert (unraisable, disk.after) == ([], after)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_archive_that_is_interrupted_cannot_be_read(error):
    class Interrupted(dict):
        def items(self):
            yield from ARRAYS.items()
            raise error

    file = io.BytesIO()
    with pytest.raises(error):
        write_npz(file, Interrupted())
    gc.collect()
    assert len(file.getvalue()) > 80_000
    file.seek(0)
    with pytest.raises(BadZipFile):
        np.load(file, allow_pickle=False)


def content_of(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def test_what_is_written_is_read():
    found = read_npz(content_of(lambda file: write_npz(file, ARRAYS)), 2**20)
    assert {*found} == {*ARRAYS}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


def test_an_array_whose_header_promises_more_is_refused_before_any_is_allocated():
    whole = content_of(lambda file: np.save(file, np.ones(10)))
    promising = whole.replace(b"(10,)", b"(10000000000000000,)".ljust(5))
    start = whole.index(b"(10,)")
    header = whole[:start] + b"(99999999999999,)" + whole[start + 5 + 12 :]
    for content in (whole[:-8], promising, header):
        with pytest.raises(DecodeError):
            read_npy(content)


def test_an_archive_that_expands_too_far_is_refused():
    content = content_of(lambda file: np.savez_compressed(file, x=np.zeros(10**6)))
    with pytest.raises(DecodeError, match="take more than"):
        read_npz(content, 10**6)
