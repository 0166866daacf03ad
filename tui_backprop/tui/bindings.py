"""The table of keys as Textual takes it. What the settings call an action is the binding's id."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui_backprop.keys.table import KEYS, PANELS_OWN, Key


def _binding(key: Key) -> Binding:
    return Binding(key.keys, key.action, key.help, show=False, id=None if key.fixed else key.id)


def app_bindings() -> list[BindingType]:
    """The keys that the app has."""
    return [_binding(key) for key in KEYS]


def bindings(place: str) -> list[BindingType]:
    """The keys that a panel has for itself."""
    return [_binding(key) for key in PANELS_OWN if place in key.places]
