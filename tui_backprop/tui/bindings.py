"""The key table as Textual's bindings. The id of a binding is the name of its action in the settings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui_backprop.keys.table import KEYS, PANELS_OWN, Key


def _binding(key: Key) -> Binding:
    return Binding(key.keys, key.action, key.help, show=False, id=None if key.fixed else key.id)


def app_bindings() -> list[BindingType]:
    """Return the bindings of the app."""
    return [_binding(key) for key in KEYS]


def bindings(panel: str) -> list[BindingType]:
    """Return the bindings of a panel's own keys."""
    return [_binding(key) for key in PANELS_OWN if panel in key.places]
