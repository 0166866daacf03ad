"""The names of keys: Textual's, and those for display."""

from __future__ import annotations

import unicodedata

# Textual names keys by the Unicode name of their character, with a few exceptions; other keys are NAMED.
SHORT = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
NAMED = {
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "enter",
    "escape", "tab", "space", *(f"f{number}" for number in range(1, 25)),
}  # fmt: skip
SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "page up", "pagedown": "page down",
    "escape": "esc", "minus": "−", **{f"f{number}": f"F{number}" for number in range(1, 25)},
}  # fmt: skip


def key_name(character: str) -> str:
    """Return Textual's name of the key that types a character."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return SHORT.get(name, name)


CHARACTERS = {key_name(chr(code)): chr(code) for code in range(33, 127)}


def shown_key(name: str) -> str:
    """Return a key for display."""
    *modifiers, last = name.split("+")
    return "+".join([*modifiers, SHOWN.get(last) or CHARACTERS.get(last, last)])


def spoken_key(name: str) -> str:
    """Return a key in words: right arrow, question mark, capital T."""
    *modifiers, last = name.split("+")
    if last in ("up", "down", "left", "right"):
        last = f"{last} arrow"
    elif len(last) == 1 and last.isupper():
        last = f"capital {last}"
    return "+".join([*modifiers, last.replace("_", " ")])


def types(name: str) -> bool:
    """Return True for a key that types a character in a text field."""
    return name in CHARACTERS or name == "space" or len(name) == 1
