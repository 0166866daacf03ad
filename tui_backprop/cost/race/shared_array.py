"""An array in memory that two processes share, without a name: nobody else can open it, and nothing of it stays
behind, however they end."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from multiprocessing import reduction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tui_backprop.engine.primitives import Array


class SharedArray:
    """``values`` (``count``,) of a type, 0 at first. It can be given to a process as that is started."""

    def __init__(self, count: int, dtype: DTypeLike = np.float64) -> None:
        handle = _unnamed_file()
        os.ftruncate(handle, count * np.dtype(dtype).itemsize)
        self._map(handle, count, np.dtype(dtype))

    def _map(self, handle: int, count: int, dtype: np.dtype[Any]) -> None:
        self._handle, self._dtype = handle, dtype
        weakref.finalize(self, os.close, handle)
        self.values: Array = np.frombuffer(mmap.mmap(handle, count * dtype.itemsize), dtype)

    def __getstate__(self) -> tuple[Any, int, np.dtype[Any]]:
        return reduction.DupFd(self._handle), len(self.values), self._dtype

    def __setstate__(self, state: tuple[Any, int, np.dtype[Any]]) -> None:
        self._map(state[0].detach(), *state[1:])


def _unnamed_file() -> int:
    """Open a file that is in no folder: in memory, where the system has that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("backprop-tui", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
