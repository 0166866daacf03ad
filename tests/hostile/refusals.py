"""What a refusal is: about the right thing, in one bounded line."""

from __future__ import annotations

from tui_backprop.support.errors import UserError


def refused(error: UserError, field: str) -> None:
    """Check that an error is about a field, in one line of a bounded length without control characters."""
    assert error.field == field
    assert len(error.message) < 400
    assert error.message.isprintable()
