"""The way that training went: runs of updates. A session keeps them in place of the parameters they led to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate


@dataclass(frozen=True)
class Edit:
    """A parameter moved by hand: ``by`` is added to the entry ``index`` of ``tensor``."""

    tensor: str
    index: tuple[int, ...]
    by: float


@dataclass(frozen=True)
class UpdateRun:
    """``count`` updates, one after the other, with ``batch`` samples and one base learning rate: the first from
    ``sample`` on, each of the others ``stride`` further (0: the same samples again; less than the data set has).
    ``fixes`` are made before the first of them."""

    sample: int
    batch: int
    lr: float
    count: int = 1
    stride: int = 0
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if self.count == 1:  # so that equal runs are equal
            object.__setattr__(self, "stride", 0)

    def update(self, i: int, samples: int) -> UpdateRun:
        """Update number ``i`` of it by itself; the data set goes round after ``samples``."""
        edits = () if i else self.edits
        return UpdateRun((self.sample + i * self.stride) % samples, self.batch, self.lr, edits=edits)


UpdateLog = tuple[UpdateRun, ...]


def iterations(way: UpdateLog) -> int:
    """Updates in all."""
    return sum(run.count for run in way)


def joined(way: UpdateLog, run: UpdateRun, samples: int) -> UpdateLog:
    """The way with a run after it. Updates are taken into the last run as long as they go on as it does, so that
    equal ways are equal however they came about."""
    if run.count < 1:
        return way
    if run.count > 1:
        way = _joined(way, run.update(0, samples), samples)
        rest = replace(run.update(1, samples), count=run.count - 1, stride=run.stride)
        return _joined(way, rest, samples)
    return _joined(way, run, samples)


def _joined(way: UpdateLog, run: UpdateRun, samples: int) -> UpdateLog:
    if not way:
        return (run,)
    last = way[-1]
    stride = last.stride if last.count > 1 else (run.sample - last.sample) % samples
    whole = replace(last, count=last.count + run.count, stride=stride)
    goes_on = whole.update(last.count, samples) == run.update(0, samples)
    return (*way[:-1], whole) if goes_on else (*way, run)


def beginning(way: UpdateLog, count: int) -> UpdateLog:
    """The first ``count`` updates of a way."""
    runs: list[UpdateRun] = []
    for run in way:
        if count <= 0:
            break
        runs.append(replace(run, count=min(run.count, count)))
        count -= run.count
    return tuple(runs)


def updates(way: UpdateLog, samples: int) -> Callable[[int], UpdateRun]:
    """Each update of a way, by its iteration."""
    ends = list(accumulate(run.count for run in way))

    def update(t: int) -> UpdateRun:
        run = way[at := bisect_right(ends, t)]
        return run.update(t - (ends[at - 1] if at else 0), samples)

    return update


def shared(one: UpdateLog, other: UpdateLog) -> int:
    """How many updates two ways begin with that are the same."""
    same = 0
    for a, b in zip(one, other, strict=False):
        if (a.sample, a.batch, a.lr, a.edits) != (b.sample, b.batch, b.lr, b.edits):
            break
        both = min(a.count, b.count)
        same += both if both == 1 or a.stride == b.stride else 1
        if a != b:
            break
    return same
