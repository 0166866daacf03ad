"""Recordings of PyTorch: opened, and held for the specifications that name them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.frontends.recording.recorded import RecordedIteration, RecordingHeader
from tui_backprop.engine.frontends.recording.spec import HeldRecording, RecordingSpec, hold
from tui_backprop.engine.frontends.recording.translation import NoRow
from tui_backprop.engine.network.model import ITEMSIZE
from tui_backprop.files.recording import open_recording
from tui_backprop.support.errors import FileError, InputError
from tui_backprop.support.memory import available
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import quoted, whole_number

FIELD = "recording"
AT_ONCE = 4  # arrays as large as the largest tensor that are in memory at a time


def recorded_model(path: Path, iteration: int | None = None) -> RecordingSpec:
    """Open a recording; return the model of the step with the number ``iteration``; by default of the first one that
    has NaN or infinity, or else of the last one. Raises FileError for a file that is none, InputError for a step that
    it does not have."""
    header, arrays = open_recording(path)
    identity = sha256(msgspec.json.encode((header, str(path.absolute())))).hexdigest()
    hold(identity, HeldRecording(path.name, str(path), header, arrays))
    _check_sizes(path, header)
    step = chosen_step(path, header, iteration)
    if left := unknown(header.iterations[step]):
        name = quoted(display_path(path))
        raise FileError(
            FIELD,
            f"{name} keeps statistics of {left:,} arrays that a walk needs; trace lists them; record with"
            ' keep="everything" to walk them',
        )
    spec = RecordingSpec(identity, step)
    try:
        _ = spec.graph
    except NoRow:
        name = quoted(display_path(path))
        raise FileError(
            FIELD, f"{name} has no step to walk: its backward pass depends on no parameter"
        ) from None
    return spec


def _check_sizes(path: Path, header: RecordingHeader) -> None:
    """Raise FileError for a tensor that is too large for the memory there is."""
    most = available().bytes // ITEMSIZE["float64"] // AT_ONCE
    for step in header.iterations:
        for value in step.values:
            if (entries := size(value.shape)) > most:
                name = quoted(display_path(path))
                raise FileError(
                    FIELD, f"{name} has a tensor of {entries:,} entries, too large for the memory there is"
                )


def first_step(header: RecordingHeader) -> int:
    """Return the place of the first step that has NaN or infinity, or else of the last one."""
    bad = (k for k, step in enumerate(header.iterations) if step.bad)
    return next(bad, len(header.iterations) - 1)


def steps_words(model: RecordingSpec) -> str:
    """Say which step of several is opened, and why; "" for a recording of one step."""
    steps = model.held.header.iterations
    if len(steps) == 1:
        return ""
    here, ends = model.iteration.number, f"{steps[0].number} to {steps[-1].number}"
    first = model.step == first_step(model.held.header) and model.iteration.bad
    why = ", the first that has NaN or infinity" if first else ""
    return f"step {here} of {ends}{why}; --iteration chooses another"


def unknown(step: RecordedIteration) -> int:
    """Count the arrays of a step that were kept as statistics although they cannot be computed from others."""
    return sum(value.array in step.statistics for value in step.values if value.array)


def chosen_step(path: Path, header: RecordingHeader, iteration: object) -> int:
    """Return the place of the step with the number ``iteration``; for None, of the first one that has NaN or
    infinity, or else of the last one. Raises InputError for a step that there is not."""
    if iteration is None:
        return first_step(header)
    number = whole_number("iteration", iteration, 0)
    numbers = [each.number for each in header.iterations]
    if number not in numbers:
        ends = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]} alone"
        raise InputError("iteration", f"{number} is not recorded; {quoted(path.name)} has {ends}")
    return numbers.index(number)
