"""Record a training step of a PyTorch model, for backprop-tui to open:

    from tui_backprop.record import record

    with record("run.bp"):
        loss = model(x).mean()
        loss.backward()

This package needs PyTorch (the extra ``torch``); opening a recording does not."""

from tui_backprop.record.errors import RecordError
from tui_backprop.record.recording import record

__all__ = ["RecordError", "record"]
