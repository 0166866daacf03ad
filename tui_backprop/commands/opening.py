"""What the app opens on: a network and data from the options, the last session, or that of a token."""

from __future__ import annotations

from typing import Any

from tui_backprop.engine.spec import SpecError
from tui_backprop.options import session_from
from tui_backprop.session import Session


def opening(given: dict[str, Any], resume: bool, token: str | None) -> Session:
    """The session to open. Raises SpecError, naming the option, for a bad one, and for two that cannot both be."""
    if not resume and token is None:
        return session_from(given)
    field = "resume" if resume else "open"
    if resume and token is not None:
        raise SpecError(field, "--open brings a session of its own; leave one out")
    if given:
        other = next(iter(given)).replace("_", "-")
        raise SpecError(field, f"it brings its own network, data and place; leave --{other} out")
    if token is not None:
        from tui_backprop.token import decode

        return decode(token)
    from tui_backprop.autosave import load

    return load()
