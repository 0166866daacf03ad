"""What cannot be recorded."""

from __future__ import annotations


class RecordError(RuntimeError):
    """A step that cannot be recorded; its text says what to do instead."""
