"""Save the measurements of a sweep for the next start, for one machine and one set of libraries.

A file that is damaged, unreadable, or of another machine or version is ignored and replaced.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from tui_backprop import __version__
from tui_backprop.cost.measure.passes import kind_of
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.family_shape import FamilyShape
from tui_backprop.cost.model.network_shape import CostShape, NetworkShape, shape_of
from tui_backprop.cost.model.speeds import Probe, Speeds
from tui_backprop.cost.model.workload import PASS_KINDS, work
from tui_backprop.engine.arrays.team import blas, team
from tui_backprop.engine.frontends.conv import presets as conv
from tui_backprop.engine.frontends.gpt import presets as gpt
from tui_backprop.engine.frontends.rnn import presets as rnn
from tui_backprop.engine.network.model import Model
from tui_backprop.files.decoder import decode_json
from tui_backprop.files.opener import read_own
from tui_backprop.support import paths as places
from tui_backprop.support.atomic_write import replacing
from tui_backprop.support.cores import usable_cores

FORMAT = 5
FAMILIES: dict[str, Callable[[], Model]] = {
    gpt.FRONTEND: gpt.microgpt, conv.FRONTEND: conv.lenet, rnn.FRONTEND: rnn.names_rnn,
}  # fmt: skip
NAME = "cost.json"
MOST_BYTES, MOST_POINTS = 1_000_000, 400  # of the file; a sweep measures some 80 points
SIZES = 1.0, 1e13  # bytes of memory, widths of layers, parameters
RATES = 1e4, 1e15  # bytes a second
TIMES = 1e-8, 1e5  # seconds
MOST_CALLS = 1e5  # of numpy in a forward pass


@dataclass(frozen=True)
class NetworkPoint(Measured):
    """A measured pass of a dense network."""

    shape: NetworkShape


class FamilyPoint(msgspec.Struct, frozen=True):
    """A measured pass of a model with a family: its front end and settings."""

    frontend: str
    settings: dict[str, str | bool | int | tuple[int, ...]]
    kind: str
    low: float
    middle: float
    high: float
    runs: int
    share: float

    @property
    def measured(self) -> Measured:
        """The pass. Raises ValueError if there is no such model."""
        model = _model(self.frontend, self.settings)
        return Measured(self.kind, shape_of(model), self.low, self.middle, self.high, self.runs, self.share)


def _model(frontend: str, settings: Mapping[str, object]) -> Model:
    """Return a model with these settings; one larger than a user may ask for is of its family. Raises ValueError if
    there is none."""
    preset = FAMILIES[frontend]() if frontend in FAMILIES else None
    kinds = {} if preset is None else {name: type(value) for name, value in preset.settings.items()}
    if preset is None or {name: type(value) for name, value in settings.items()} != kinds:
        raise ValueError(f"there is no model of the kind {frontend!r} with these settings")
    assert preset.family is not None
    with suppress(ValueError):
        return preset.changed(**settings)
    return preset.family.unbounded.changed(**settings)


class CacheFile(msgspec.Struct, frozen=True):
    """The content of the file."""

    format: int
    machine: dict[str, str]
    probe: Probe
    points: tuple[NetworkPoint, ...]
    families: tuple[FamilyPoint, ...] = ()


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
        if kept.format == FORMAT and kept.machine == machine():
            points = (
                *(Measured(**vars(point)) for point in kept.points),
                *(one.measured for one in kept.families),
            )
            return CostModel(points, kept.probe) if _sound(kept) and all(map(_point, points)) else None
    return None


def _sound(kept: CacheFile) -> bool:
    """Return True if all speeds of a file are those that a sweep can measure, and it has points."""
    memories = kept.probe.reading, kept.probe.writing, kept.probe.complex
    speeds = [each for memory in memories for each in (memory.bytes, memory.rows)]
    timed = (
        0 <= kept.probe.share <= 1
        and _all_in([kept.probe.products], RATES)
        and 0 < len(kept.points) + len(kept.families) <= MOST_POINTS
    )
    return timed and all(map(_speeds, speeds))


def _speeds(speeds: Speeds) -> bool:
    sizes, rates = speeds.sizes, speeds.rates
    rising = all(one < other for one, other in pairwise(sizes))
    return 0 < len(sizes) == len(rates) and rising and _all_in(sizes, SIZES) and _all_in(rates, RATES)


def _point(point: Measured) -> bool:
    """Return True for a possible measurement of a possible network."""
    shape, times = point.shape, (point.low, point.middle, point.high)
    possible = _network(shape) if isinstance(shape, NetworkShape) else _family(shape)
    timed = 0 <= point.share <= 1 and point.runs > 0
    kind = point.kind in PASS_KINDS and possible
    return kind and timed and sorted(times) == [*times] and _all_in(times, TIMES)


def _network(shape: NetworkShape) -> bool:
    widths, pattern = shape.widths, shape.pattern
    if len(widths) != len(pattern.layers) or not _all_in(widths, SIZES):
        return False
    same = len(set(zip(pattern.layers, widths, strict=True))) == len(set(pattern.layers))
    return same and shape_of(pattern).pattern == pattern and shape.parameters <= SIZES[1]


def _family(shape: CostShape) -> bool:
    """Return True for a network that a sweep can measure: it is built, if its pass is measured again."""
    does = work("forward", shape)
    return shape.grows and does.calls <= MOST_CALLS and _all_in((shape.parameters, does.flops), SIZES)


def _all_in(values: Iterable[float], bounds: tuple[float, float]) -> bool:
    return all(bounds[0] <= value <= bounds[1] for value in values)


def store(cost_model: CostModel, folder: Path | None = None) -> bool:
    """Save the measurements of networks that grow, in place of those saved before of the same kinds of network,
    atomically and for this user only; return whether that was possible."""
    found = [point for point in cost_model.points if point.shape.grows]
    kinds, before = {kind_of(point.shape.pattern) for point in found}, load(folder)
    others = [] if before is None else [p for p in before.points if kind_of(p.shape.pattern) not in kinds]
    points = [*others, *found][-MOST_POINTS:]
    dense = tuple(NetworkPoint(**vars(point)) for point in points if isinstance(point.shape, NetworkShape))
    families = tuple(
        _kept(point, point.shape.model) for point in points if isinstance(point.shape, FamilyShape)
    )
    text = msgspec.json.encode(CacheFile(FORMAT, machine(), cost_model.probe, dense, families))
    try:
        with replacing(places.own_folder(folder or places.cache_folder()) / NAME, private=True) as file:
            file.write(text)
    except OSError:
        return False
    return True


def _kept(point: Measured, model: Model) -> FamilyPoint:
    times = point.low, point.middle, point.high
    return FamilyPoint(model.frontend, model.settings, point.kind, *times, point.runs, point.share)
