"""Recordings of PyTorch: opened, and held for the specifications that name them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.frontends.recording.recorded import RecordingHeader
from tui_backprop.engine.frontends.recording.spec import HeldRecording, RecordingSpec, hold
from tui_backprop.engine.frontends.recording.translation import NoRow
from tui_backprop.engine.network.model import ITEMSIZE
from tui_backprop.files.recording import open_recording
from tui_backprop.support.errors import FileError, InputError
from tui_backprop.support.memory import available
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import quoted

FIELD = "recording"
AT_ONCE = 4  # arrays as large as the largest tensor that are in memory at a time


def recorded_model(path: Path, iteration: int | None = None) -> RecordingSpec:
    """Open a recording; return the model of its last step, or of the ``iteration`` of a number. Raises FileError for
    a file that is none, InputError for a step that it does not have."""
    header, arrays = open_recording(path)
    identity = sha256(msgspec.json.encode((header, str(path.absolute())))).hexdigest()
    hold(identity, HeldRecording(path.name, str(path), header, arrays))
    numbers = [each.number for each in header.iterations]
    if iteration is not None and iteration not in numbers:
        ends = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]} alone"
        raise InputError("iteration", f"{iteration} is not recorded; {quoted(path.name)} has {ends}")
    _check_sizes(path, header)
    spec = RecordingSpec(identity, len(numbers) - 1 if iteration is None else numbers.index(iteration))
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
