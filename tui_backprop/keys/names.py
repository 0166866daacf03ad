"""What keys are called: by Textual, and by people."""

from __future__ import annotations

import unicodedata

# What Textual calls keys: characters by their Unicode name, but for a few, and the keys that make none.
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
    """Textual's name of the key that makes a character."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return SHORT.get(name, name)


CHARACTERS = {key_name(chr(code)): chr(code) for code in range(33, 127)}


def shown_key(name: str) -> str:
    """A key as people read it."""
    *modifiers, last = name.split("+")
    return "+".join([*modifiers, SHOWN.get(last) or CHARACTERS.get(last, last)])


def types(name: str) -> bool:
    """Whether a key types a character where there is a text to be typed."""
    return name in CHARACTERS or name == "space" or len(name) == 1
