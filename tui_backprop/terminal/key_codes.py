"""Which control sequences are keys, and the numbers of keys in the kitty keyboard protocol
(https://sw.kovidgoyal.net/kitty/keyboard-protocol)."""

from __future__ import annotations

import re

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

RELEASED = "3"  # the type of an event
MODIFIERS = range(57441, 57455)  # shift, control ... pressed by themselves
LOCKS = range(57358, 57361)
CHARACTERS = (range(1, 0xD800), range(0xE000, 0x110000))
MOST_MODIFIERS = 256  # 1 and a bit for each of eight

# number : other numbers ; modifiers : type of the event ; text, and the final character
_KEY = re.compile(
    r"\x1b\[(?P<number>\d{0,7})(?::\d{0,7}){0,2}"
    r"(?:;(?P<modifiers>\d{0,3})(?::(?P<event>\d))?(?:;(?P<text>\d{1,7}(?::\d{1,7})*)?)?)?"
    r"(?P<final>[u~ABCDEFHPQRS])"
)

# Keys of the keypad: the characters that they type, or the sequences of the keys that they double.
_KEYPAD_CHARACTERS = dict(zip(range(57399, 57417), map(ord, "0123456789./*-+\r=,"), strict=True))
_KEYPAD_KEYS = {
    57417: "1D", 57418: "1C", 57419: "1A", 57420: "1B", 57421: "5~", 57422: "6~", 57423: "1H", 57424: "1F",
    57425: "2~", 57426: "3~",
}  # fmt: skip


def key_sequence(sequence: str) -> str | None:
    """Return a complete control sequence, if it is a key that is pressed, as Textual reads it: a number that is a
    character's or a key's, modifiers and text; a key of the keypad as the key that it doubles. None for any other."""
    if sequence in ANSI_SEQUENCES_KEYS:
        return sequence
    found = _KEY.fullmatch(sequence)
    if found is None or found["event"] == RELEASED:
        return None
    number, modifiers, text = int(found["number"] or 1), int(found["modifiers"] or 1), found["text"]
    if found["final"] not in "u~" and number != 1:
        return None
    if number in MODIFIERS or number in LOCKS or not 1 <= modifiers <= MOST_MODIFIERS:
        return None
    if not all(map(_is_character, (number, *map(int, text.split(":") if text else ())))):
        return None
    key = f"{number}{found['final']}"
    if found["final"] == "u":
        key = _KEYPAD_KEYS.get(number, f"{_KEYPAD_CHARACTERS.get(number, number)}u")
    if key[-1] == "u" and modifiers == 1 and number in _KEYPAD_CHARACTERS:
        return chr(_KEYPAD_CHARACTERS[number])
    given = f";{modifiers}" if modifiers > 1 or text else ""
    return f"\x1b[{key[:-1]}{given}{f';{text}' if text else ''}{key[-1]}"


def _is_character(number: int) -> bool:
    return any(number in part for part in CHARACTERS)
