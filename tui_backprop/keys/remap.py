"""Other keys for actions, as in the settings file, checked against the key table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui_backprop.keys.key_names import CHARACTERS, NAMED, key_name, shown_key
from tui_backprop.keys.table import ROWS, Key
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import printable
from tui_backprop.support.validation import quoted

ACTIONS = {key.id: key for key in ROWS if not key.fixed}
MAX_KEY = 80  # characters
MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")


def read_key(text: object) -> str | None:
    """Return Textual's name of a key (``ctrl+r``, ``question_mark``), given that or its character; otherwise None."""
    if not isinstance(text, str) or len(text) > MAX_KEY:
        return None
    if len(text) == 1 and text.isprintable():
        return "space" if text == " " else key_name(text)
    *modifiers, last = text.split("+")
    known = (last in NAMED or last in CHARACTERS) and set(modifiers) <= set(MODIFIERS)
    return text if known and len(set(modifiers)) == len(modifiers) else None


def checked_keys(table: object) -> dict[str, tuple[str, ...]]:
    """Return the keys by action. Raises InputError for an unknown action or key, for an action without keys, and
    for a key of two actions in one place."""
    if not isinstance(table, Mapping):
        raise InputError("keys", 'expected a table [keys] of lines such as view = ["w"]')
    found: dict[str, tuple[str, ...]] = {}
    for action, keys in table.items():
        if action not in ACTIONS:
            raise InputError("keys", f"unknown action {printable(action, 40)}; {_nearest(action)}")
        found[action] = _keys_of(action, keys)
    _check_clashes(found)
    return found


def _nearest(action: str) -> str:
    import difflib

    near = difflib.get_close_matches(action[:80], ACTIONS, 3)
    return f"did you mean {' or '.join(near)}?" if near else "such as step_on, unit(1), quit"


def _keys_of(action: str, keys: object) -> tuple[str, ...]:
    listed = [keys] if isinstance(keys, str) else keys
    if not isinstance(listed, list) or not listed:
        raise InputError("keys", f'{action} takes one or more keys, such as ["right", "l"]')
    names = [read_key(each) for each in listed]
    for each, name in zip(listed, names, strict=True):
        if name is None:
            raise InputError(
                "keys",
                f"{action}: {quoted(each)} is not a key; examples: l, ctrl+r, f5, pageup",
            )
    return tuple(dict.fromkeys(name for name in names if name))


def keys_of(key: Key, other: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the keys of a row: those chosen for its action, or the default ones."""
    return other.get(key.id) or tuple(key.keys.split(","))


def _check_clashes(found: Mapping[str, tuple[str, ...]]) -> None:
    """Check that a key has one action in each panel; a panel's own keys take precedence over those for everywhere."""
    owners: dict[tuple[str, str, bool], str] = {}
    for key in sorted(ROWS, key=lambda key: key.id in found):  # so that the error names the one in the file
        for name in keys_of(key, found):
            for place in key.places:
                before = owners.setdefault((name, place, key.own), key.id)
                if before != key.id:
                    raise InputError(
                        "keys",
                        f"{key.id}: {name} is already a key of {before}; choose another for one of them",
                    )


def remapped(other: Mapping[str, tuple[str, ...]]) -> tuple[Key, ...]:
    """Return the key table with the chosen keys, and their names. Rows that are shown together
    ("← →") stay together."""
    rows = []
    for at, key in enumerate(ROWS):
        together = ROWS[at : at + len(key.shown.split())]
        if any(keys_of(each, other) != tuple(each.keys.split(",")) for each in (key, *together)):
            now = {
                shown_key(each.keys.split(",")[0]): shown_key(keys_of(each, other)[0]) for each in together
            }
            shown = " ".join(now.get(name, name) for name in key.shown.split())
            key = replace(key, keys=",".join(keys_of(key, other)), shown=shown)
        rows.append(key)
    return tuple(rows)
