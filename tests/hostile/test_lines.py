"""Any bytes on the terminal's line, in any split: nothing but keys and known reports comes of them."""

from __future__ import annotations

import random

from textual import events
from textual.messages import TerminalSupportsSynchronizedOutput

from tests.hostile.chance import cases, told
from tests.terminal.test_input_parser import PIECES
from tests.terminal.test_input_parser import read as read_in_pieces
from tui_backprop.terminal.input_parser import CursorReport, InputParser

KNOWN = (
    events.Key, events.Paste, events.MouseEvent, events.AppFocus, events.AppBlur, CursorReport,
    TerminalSupportsSynchronizedOutput,
)  # fmt: skip
LONGEST = 300  # bytes
PAUSE = 9.0  # seconds without a byte


def line(chance: random.Random) -> bytes:
    """Return bytes: of chance alone, of pieces of sequences, or of both."""
    data, length = bytearray(), chance.randrange(LONGEST)
    while len(data) < length:
        whole = chance.random() < 0.7
        data += chance.choice(PIECES) if whole else chance.randbytes(chance.randrange(1, 6))
    return bytes(data)


def test_any_bytes_in_any_split_are_keys_and_reports():
    for chance in cases(1000):
        data = line(chance)
        cuts = tuple(chance.randrange(len(data) + 1) for _ in range(chance.randrange(8)))
        with told(data, cuts):
            parser = InputParser()
            messages = [*parser.feed(data), *parser.expire(PAUSE)]
            assert all(isinstance(each, KNOWN) for each in messages), messages
            typed = [
                each.character for each in messages if isinstance(each, events.Key) and each.is_printable
            ]
            assert all(character.isprintable() for character in typed)
            assert read_in_pieces(data, cuts) == read_in_pieces(data)
