"""Save the measurements of a sweep for the next start, for one machine and one set of libraries.

A file that is damaged, unreadable, or of another machine or version is ignored and replaced.
"""

from __future__ import annotations

import os
import platform
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tui_backprop import __version__
from tui_backprop.cost.model.cost_model import CostModel, Measured
from tui_backprop.cost.model.speeds import MemoryProbe

FORMAT = 2
NAME = "cost.json"


class CacheFile(msgspec.Struct, frozen=True):
    """The content of the file."""

    format: int
    machine: dict[str, str]
    probe: MemoryProbe
    points: tuple[Measured, ...]


def place() -> Path:
    """Return the cache folder of this platform."""
    from platformdirs import user_cache_path

    return user_cache_path("backprop-tui")


def machine() -> dict[str, str]:
    """Return what measurements depend on: processor, cores, memory, threads and versions of libraries."""
    import psutil

    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    threads = {
        name: os.environ[name]
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        if name in os.environ
    }
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "platform": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name')} {blas.get('version')}",
        "threads": ",".join(f"{name}={value}" for name, value in threads.items()),
        "backprop-tui": __version__,
    }


def _processor() -> str:
    """Return the model name of the processor, or its architecture if the name is unknown."""
    with suppress(OSError):
        for row in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if row.startswith("model name"):
                return row.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load(folder: Path | None = None) -> CostModel | None:
    """Load the saved cost model; None if there is none for this machine."""
    with suppress(OSError, ValueError, msgspec.MsgspecError, TypeError):
        kept = msgspec.json.decode(((folder or place()) / NAME).read_bytes(), type=CacheFile)
        sound = all(p.low > 0 and p.median >= p.low and p.high >= p.median for p in kept.points)
        sound = sound and all(len(p.shape.widths) == len(p.shape.pattern.layers) for p in kept.points)
        speeds = (kept.probe.reading, kept.probe.both)
        sound = sound and all(len(s.sizes) == len(s.rates) > 0 and min(s.rates) > 0 for s in speeds)
        if kept.format == FORMAT and kept.machine == machine() and kept.points and sound:
            return CostModel(kept.points, kept.probe)
    return None


def store(cost_model: CostModel, folder: Path | None = None) -> bool:
    """Save a cost model, atomically; return whether that was possible."""
    folder = folder or place()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = msgspec.json.encode(CacheFile(FORMAT, machine(), cost_model.probe, cost_model.points))
        handle, name = tempfile.mkstemp(dir=folder, prefix=NAME)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, folder / NAME)
        except BaseException:
            os.unlink(name)
            raise
    except OSError:
        return False
    return True
