"""Textual's bindings from the rows of ``keys/table.py``, and the methods that carry out actions.

An action ``step_on`` is the method ``action_step_on`` of one of the app's parts, in ``tui/app/``; the app calls it
through the table that ``actions_of`` makes. The id of a binding is the name of its action in the settings."""

from __future__ import annotations

from collections.abc import Callable

from textual.binding import Binding, BindingType

from tui_backprop.keys.table import KEYS, PANELS_OWN, Key

ACTION = "action_"  # prefix of the name of a method that is an action


def _binding(key: Key) -> Binding:
    return Binding(key.keys, key.action, key.help, show=False, id=None if key.fixed else key.id)


def app_bindings() -> list[BindingType]:
    """Return the bindings of the app."""
    return [_binding(key) for key in KEYS]


def bindings(panel: str) -> list[BindingType]:
    """Return the bindings of a panel's own keys."""
    return [_binding(key) for key in PANELS_OWN if panel in key.places]


def actions_of(*parts: object) -> dict[str, Callable[..., object]]:
    """Collect the actions of the parts, each by the name of its method, such as ``action_step_on``."""
    found: dict[str, Callable[..., object]] = {}
    for part in parts:
        for name in dir(type(part)):
            if name.startswith(ACTION):
                assert name not in found, f"{name} belongs to two parts"
                found[name] = getattr(part, name)
    return found
