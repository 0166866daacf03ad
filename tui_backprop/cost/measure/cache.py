"""Save the measurements of a sweep for the next start, for one machine and one set of libraries.

A file that is damaged, unreadable, or of another machine or version is ignored and replaced.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from tui_backprop import __version__
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import NetworkShape, shape_of
from tui_backprop.cost.model.speeds import Probe, Speeds
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.engine.arrays.team import blas, team
from tui_backprop.files.decoder import decode_json
from tui_backprop.files.opener import read_own
from tui_backprop.support import paths as places
from tui_backprop.support.atomic_write import replacing
from tui_backprop.support.cores import usable_cores

FORMAT = 5
NAME = "cost.json"
MOST_BYTES, MOST_POINTS = 1_000_000, 400  # of the file; a sweep measures some 80 points
SIZES = 1.0, 1e13  # bytes of memory, widths of layers, parameters
RATES = 1e4, 1e15  # bytes a second
TIMES = 1e-8, 1e5  # seconds


@dataclass(frozen=True)
class NetworkPoint(Measured):
    """A measured pass of a dense network; others are not kept."""

    shape: NetworkShape


class CacheFile(msgspec.Struct, frozen=True):
    """The content of the file."""

    format: int
    machine: dict[str, str]
    probe: Probe
    points: tuple[NetworkPoint, ...]


def machine() -> dict[str, str]:
    """Return what measurements depend on: processor, cores, memory, versions of libraries, and the threads that share
    a pass."""
    import psutil

    return {
        "processor": _processor(),
        "cores": str(usable_cores()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "platform": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": _blas(),
        "threads": str(team().threads),
        "backprop-tui": __version__,
    }


def _blas() -> str:
    """Return the name and version of the BLAS that is loaded, and the processor that it has chosen its rules for."""
    found = blas()
    known = [] if found is None else found.info()
    names = {f"{one['internal_api']} {one['version']} {one.get('architecture', '')}".strip() for one in known}
    return ", ".join(sorted(names)) or "unknown"


def _processor() -> str:
    """Return the model name of the processor, or its architecture if the name is unknown."""
    with suppress(OSError):
        for row in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if row.startswith("model name"):
                return row.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load(folder: Path | None = None) -> CostModel | None:
    """Load the saved cost model; None if there is none for this machine."""
    with suppress(OSError, ValueError):
        kept = decode_json(read_own((folder or places.cache_folder()) / NAME, MOST_BYTES), CacheFile)
        if kept.format == FORMAT and kept.machine == machine() and _sound(kept):
            return CostModel(tuple(Measured(**vars(point)) for point in kept.points), kept.probe)
    return None


def _sound(kept: CacheFile) -> bool:
    """Return True if every number of a file is one that a sweep can measure."""
    memories = kept.probe.reading, kept.probe.writing, kept.probe.complex
    speeds = [each for memory in memories for each in (memory.bytes, memory.rows)]
    timed = (
        0 <= kept.probe.share <= 1
        and _all_in([kept.probe.products], RATES)
        and 0 < len(kept.points) <= MOST_POINTS
    )
    return timed and all(map(_speeds, speeds)) and all(map(_point, kept.points))


def _speeds(speeds: Speeds) -> bool:
    sizes, rates = speeds.sizes, speeds.rates
    rising = all(one < other for one, other in pairwise(sizes))
    return 0 < len(sizes) == len(rates) and rising and _all_in(sizes, SIZES) and _all_in(rates, RATES)


def _point(point: NetworkPoint) -> bool:
    """Return True for a possible measurement of a possible network."""
    widths, pattern, times = point.shape.widths, point.shape.pattern, (point.low, point.middle, point.high)
    if point.kind not in PASS_KINDS or len(widths) != len(pattern.layers) or not _all_in(widths, SIZES):
        return False
    same = len(set(zip(pattern.layers, widths, strict=True))) == len(set(pattern.layers))
    known = same and shape_of(pattern).pattern == pattern and point.parameters <= SIZES[1]
    timed = 0 <= point.share <= 1 and point.runs > 0
    return known and timed and sorted(times) == [*times] and _all_in(times, TIMES)


def _all_in(values: Iterable[float], bounds: tuple[float, float]) -> bool:
    return all(bounds[0] <= value <= bounds[1] for value in values)


def store(cost_model: CostModel, folder: Path | None = None) -> bool:
    """Save what a cost model has of dense networks, atomically and for this user only; return whether that was
    possible. Without any, an earlier file stays."""
    dense = (point for point in cost_model.points if isinstance(point.shape, NetworkShape))
    kept = tuple(NetworkPoint(**vars(point)) for point in dense)
    if not kept:
        return True
    text = msgspec.json.encode(CacheFile(FORMAT, machine(), cost_model.probe, kept[-MOST_POINTS:]))
    try:
        with replacing(places.own_folder(folder or places.cache_folder()) / NAME, private=True) as file:
            file.write(text)
    except OSError:
        return False
    return True
