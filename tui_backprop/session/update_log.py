"""The update log: runs of updates. A session stores them instead of the parameters that result from them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import accumulate

from tui_backprop.data.passage import Passage
from tui_backprop.data.split import Part
from tui_backprop.engine.network.model import TrainingSettings
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec

EDIT_STEP = 0.01  # by which a key changes a parameter
EDIT_STEPS = {"up": EDIT_STEP, "down": -EDIT_STEP}


@dataclass(frozen=True)
class Edit:
    """A change of one parameter by hand: ``by`` is added to the entry ``index`` of ``tensor``."""

    tensor: str
    index: tuple[int, ...]
    by: float


@dataclass(frozen=True)
class UpdateRun:
    """``count`` successive updates on ``batch`` samples with one base learning rate. The batch of the first update
    begins at ``sample``, each later one ``stride`` samples after the previous (0: the same samples again; less than
    their part of the data has). ``edits`` are made before the first update. ``settings`` are those of the network,
    and ``optimizer`` is that of all its updates: what differs from the run before has changed at its first update. A
    ``passage`` takes the place of the samples."""

    sample: int
    batch: int
    lr: float
    count: int = 1
    stride: int = 0
    edits: tuple[Edit, ...] = ()
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    passage: Passage | None = None

    def __post_init__(self) -> None:
        if self.count == 1:  # so that equal runs are equal
            object.__setattr__(self, "stride", 0)

    def update(self, i: int, part: Part) -> UpdateRun:
        """Return update number ``i`` as a run of its own; its samples go round in a ``part`` of the data."""
        edits, first = () if i else self.edits, part.after(self.sample, i * self.stride)
        return replace(self, sample=first, count=1, edits=edits)

    @property
    def kind(self) -> tuple[int, float, tuple[Edit, ...], TrainingSettings, OptimizerSpec, Passage | None]:
        """What its first update is, but for the samples."""
        return self.batch, self.lr, self.edits, self.settings, self.optimizer, self.passage


UpdateLog = tuple[UpdateRun, ...]


def iterations(log: UpdateLog) -> int:
    """Count the updates of a log."""
    return sum(run.count for run in log)


def joined(log: UpdateLog, run: UpdateRun, part: Part) -> UpdateLog:
    """Append a run to a log. Updates that continue the last run are merged into it, so that equal sequences of
    updates have equal logs."""
    if run.count < 1:
        return log
    if run.count > 1:
        log = _joined(log, run.update(0, part), part)
        rest = replace(run.update(1, part), count=run.count - 1, stride=run.stride)
        return _joined(log, rest, part)
    return _joined(log, run, part)


def _joined(log: UpdateLog, run: UpdateRun, part: Part) -> UpdateLog:
    if not log:
        return (run,)
    last = log[-1]
    stride = last.stride if last.count > 1 else part.distance(last.sample, run.sample)
    whole = replace(last, count=last.count + run.count, stride=stride)
    continues = whole.update(last.count, part) == run.update(0, part)
    return (*log[:-1], whole) if continues else (*log, run)


def beginning(log: UpdateLog, count: int) -> UpdateLog:
    """Return the first ``count`` updates of a log."""
    runs: list[UpdateRun] = []
    for run in log:
        if count <= 0:
            break
        runs.append(replace(run, count=min(run.count, count)))
        count -= run.count
    return tuple(runs)


def updates(log: UpdateLog, part: Part) -> Callable[[int], UpdateRun]:
    """Return the function from an iteration to its update."""
    ends = list(accumulate(run.count for run in log))

    def update(t: int) -> UpdateRun:
        run = log[at := bisect_right(ends, t)]
        return run.update(t - (ends[at - 1] if at else 0), part)

    return update


def begins(log: UpdateLog) -> tuple[int, ...]:
    """Return for each run the iteration at which its optimizer began: settings of an optimizer may change, one of
    another name is new."""
    found: list[int] = []
    t = 0
    for before, run in zip((None, *log), log, strict=False):
        same = before is not None and before.optimizer.name == run.optimizer.name
        found.append(found[-1] if same else t)
        t += run.count
    return tuple(found)


def shared(one: UpdateLog, other: UpdateLog) -> int:
    """Count the leading updates that two logs share."""
    same = 0
    for a, b in zip(one, other, strict=False):
        if (a.sample, a.kind) != (b.sample, b.kind):
            break
        both = min(a.count, b.count)
        same += both if both == 1 or a.stride == b.stride else 1
        if a != b:
            break
    return same
