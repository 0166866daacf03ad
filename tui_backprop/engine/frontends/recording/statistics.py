"""What is said of an array in a few numbers."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.engine.frontends.recording.recorded import Statistics


def statistics_of(array: Array) -> Statistics:
    """Summarize an array."""
    numbers = np.asarray(array, np.float64).reshape(-1)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return Statistics(0.0, 0.0, 0.0, 0, numbers.size)
    largest = float(np.abs(finite).max())
    rms = largest * float(np.sqrt(np.mean((finite / largest) ** 2))) if largest else 0.0
    zeros = int((finite == 0).sum())
    return Statistics(float(finite.min()), float(finite.max()), rms, zeros, numbers.size - finite.size)
