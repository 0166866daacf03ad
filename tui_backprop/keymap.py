"""Other keys for actions, as the settings file names them, held against the table of keys."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from tui_backprop.engine.spec import SpecError, quoted
from tui_backprop.places import plain
from tui_backprop.ui.keys import KEYS, Key

ACTIONS = {key.action: key for key in KEYS}
MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")

# What Textual calls keys: characters by their Unicode name, but for a few, and the keys that make none.
SHORT = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
NAMED = {
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "enter",
    "escape", "tab", "space", *(f"f{number}" for number in range(1, 25)),
}  # fmt: skip
ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→"}


def key_name(character: str) -> str:
    """Textual's name of the key that makes a character."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return SHORT.get(name, name)


CHARACTERS = {key_name(chr(code)): chr(code) for code in range(33, 127)}


def read_key(text: object) -> str | None:
    """A key as Textual names it (``ctrl+r``, ``question_mark``), from that or from its character; None for others."""
    if not isinstance(text, str):
        return None
    if len(text) == 1 and text.isprintable():
        return "space" if text == " " else key_name(text)
    *modifiers, last = text.split("+")
    known = last in NAMED or last in CHARACTERS
    return text if known and all(each in MODIFIERS for each in modifiers) else None


def checked_keys(table: object, where: str) -> dict[str, tuple[str, ...]]:
    """The keys by action. Raises SpecError, beginning with ``where``, for an action that there is not, for what is no
    key, for an action without any, and for a key of two actions in one place."""
    if not isinstance(table, Mapping):
        raise SpecError("config", f'{where}keys: it is a table, [keys], of lines such as view = ["w"]')
    found: dict[str, tuple[str, ...]] = {}
    for action, keys in table.items():
        if action not in ACTIONS:
            raise SpecError("config", f"{where}keys: {plain(action, 40)} is no action; {_nearest(action)}")
        found[action] = _keys_of(action, keys, where)
    _check_clashes(found, where)
    return found


def _nearest(action: str) -> str:
    import difflib

    near = difflib.get_close_matches(action[:80], ACTIONS, 3)
    return f"did you mean {' or '.join(near)}?" if near else "such as step_on, unit(1), quit"


def _keys_of(action: str, keys: object, where: str) -> tuple[str, ...]:
    listed = [keys] if isinstance(keys, str) else keys
    if not isinstance(listed, list) or not listed:
        raise SpecError("config", f'{where}keys: {action} takes one or more keys, such as ["right", "l"]')
    names = [read_key(each) for each in listed]
    for each, name in zip(listed, names, strict=True):
        if name is None:
            raise SpecError(
                "config",
                f"{where}keys: {action}: {quoted(each)} is no key; write it like l, ctrl+r, f5 or pageup",
            )
    return tuple(dict.fromkeys(name for name in names if name))


def keys_of(key: Key, other: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The keys of a row: those chosen for its action, or its own."""
    return other.get(key.action) or tuple(key.keys.split(","))


def _check_clashes(found: Mapping[str, tuple[str, ...]], where: str) -> None:
    taken: dict[tuple[str, str], str] = {}
    for key in sorted(KEYS, key=lambda key: key.action in found):  # so that it is said of the one in the file
        for name in keys_of(key, found):
            for place in key.places:
                before = taken.setdefault((name, place), key.action)
                if before != key.action:
                    raise SpecError(
                        "config",
                        f"{where}keys: {key.action}: {name} is a key of {before} already; give that another",
                    )


# --- what follows from it ------------------------------------------------------------------------------------


def shown_key(name: str) -> str:
    """A key as the key bar shows it."""
    *modifiers, last = name.split("+")
    return "+".join([*modifiers, ARROWS.get(last) or CHARACTERS.get(last, last)])


def remapped(other: Mapping[str, tuple[str, ...]]) -> tuple[Key, ...]:
    """The table of keys with those that were chosen, named as they are now. Two rows that are named together ("← →")
    stay so."""
    rows = []
    for at, key in enumerate(KEYS):
        beside = KEYS[at + 1] if " " in key.shown else key
        if key.action in other or beside.action in other:
            first, second = (shown_key(keys_of(each, other)[0]) for each in (key, beside))
            if shown_key(key.keys.split(",")[0]) == key.shown.split(" ")[-1]:
                first, second = second, first
            shown = (f"{first} {second}" if beside is not key else first) if key.shown else ""
            key = replace(key, keys=",".join(keys_of(key, other)), shown=shown)
        rows.append(key)
    return tuple(rows)
