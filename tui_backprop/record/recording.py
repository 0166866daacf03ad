"""The public class: records training steps between its ``with`` and its end, and writes them to a file."""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, BinaryIO, cast

import torch

from tui_backprop.engine.frontends.recording.recorded import RecordedIteration, RecordingHeader
from tui_backprop.engine.frontends.recording.validity import VERSION
from tui_backprop.files.recording import Room, write_recording
from tui_backprop.record.backward import backward_seen
from tui_backprop.record.errors import RecordError
from tui_backprop.record.kept import EVERYTHING, Kept
from tui_backprop.record.modules import ModuleCalls
from tui_backprop.record.observer import Observer
from tui_backprop.record.packing import packed
from tui_backprop.support.atomic_write import replacing

LIMIT = 2**31  # bytes of arrays in one step


class record:
    """Record training steps of a PyTorch model to a file that backprop-tui opens without PyTorch.

    Parameters
    ----------
    path
        The file, such as ``run.bp``. It is written at the end; if the block ends with an exception, with the steps
        before it.
    model
        The model or a dict of models by name, whose names modules and parameters get. By default the outermost
        modules that are called.
    keep
        ``"everything"``; ``"statistics"`` (smallest and largest entry, root mean square, number of zeros and of those
        that are not finite); or the names of modules whose arrays are kept, such as ``["layer4", "fc"]``, and
        statistics of all others. The roots of the backward pass are always kept.
    last
        How many steps are kept: the last ones. By default all.
    limit
        Bytes of arrays of one step. What is beyond is kept as statistics, and a warning says so.

    Raises RecordError for what cannot be recorded: torch.compile, DataParallel.

    Examples
    --------
    >>> with record("run.bp") as r:                      # doctest: +SKIP
    ...     for n, (x, y) in enumerate(batches):
    ...         optimizer.zero_grad()
    ...         loss = loss_function(model(x), y)
    ...         loss.backward()
    ...         optimizer.step()
    ...         r.step(n)
    """

    def __init__(
        self,
        path: str | Path,
        *,
        model: Any = None,
        keep: str | Sequence[str] = EVERYTHING,
        last: int | None = None,
        limit: int = LIMIT,
    ) -> None:
        if last is not None and last < 1:
            raise ValueError(f"last: {last} is out of range; at least one step is kept")
        self._path, self._kept = Path(path), Kept.of(keep, limit)
        self._modules = ModuleCalls()
        self._observer = Observer(lambda: self._modules.current)
        named = model if isinstance(model, dict) else {"": model} if model is not None else {}
        for title, each in named.items():
            self._modules.name(each, f"{title}." if title else "")
        self._steps: deque[tuple[RecordedIteration, Room]] = deque(maxlen=last)

    def __enter__(self) -> record:
        self._seeing = ExitStack()
        self._seeing.enter_context(self._modules)
        self._seeing.enter_context(backward_seen(self._observer))
        self._seeing.enter_context(self._observer)
        return self

    def step(self, number: int | None = None) -> None:
        """End a training step, and begin the next one. ``number`` is what it is called, by default one more than the
        last. Nothing is noted of a step without a backward pass."""
        tape = self._observer.tape
        if tape.roots:
            if number is None:
                number = self._steps[-1][0].number + 1 if self._steps else 0
            tape.modules = self._modules.calls
            if len(self._steps) == self._steps.maxlen:
                self._steps.popleft()[1].file.close()
            room = Room(self._temporary())
            self._steps.append((packed(tape, number, self._modules.tensors, self._kept, room), room))
        self._modules.begin()
        self._observer.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seeing.close()
        if kind is None or self._observer.tape.roots:
            self.step()
        if self._steps:
            steps, rooms = zip(*self._steps, strict=True)
            version = str(torch.__version__)
            header = RecordingHeader(VERSION, version, platform.machine(), steps, self._kept.words)
            with self._temporary() as last, replacing(self._path) as file:
                write_recording(header, rooms, last, file)
            for room in rooms:
                room.file.close()
        elif kind is None:
            raise RecordError("nothing was recorded: no backward pass ran inside the with block")

    def _temporary(self) -> BinaryIO:
        """Return a temporary file beside the recording; it goes with its last reference."""
        return cast("BinaryIO", TemporaryFile(dir=self._path.absolute().parent))
