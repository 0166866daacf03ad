"""From the bytes of a terminal to messages: keys, pastes, mouse and focus events, and replies to queries.

The structure of control sequences is that of ECMA-48, section 5.4. What is not understood is dropped: a reply that
nobody asked for is never typed as keys. Bytes that are not UTF-8 become replacement characters. It makes no
difference how the bytes are split into reads.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

from textual import constants, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from tui_backprop.terminal.key_codes import key_sequence

ESC = 0x1B
MOST_PASTED = 2**16  # bytes of a paste; the rest of it is dropped
LONGEST_CONTROL = 128  # bytes of a control sequence; longer ones are dropped

# Seconds without a byte after which what is incomplete is taken as it is. A key that sends an escape and more sends
# them at once, so that even a slow line carries them in one piece; ESCDELAY (in milliseconds) waits longer.
ESCAPE_TIME = constants.ESCAPE_DELAY  # an escape alone: the key
SEQUENCE_TIME = max(1.0, ESCAPE_TIME)  # the beginning of a sequence, a string or a character: it is dropped

_CONTROL = re.compile(rb"\x1b\[[0-?]*[ -/]*(?P<final>[@-~])?")
_REST_OF_CONTROL = re.compile(rb"[ -?]*(?P<final>[@-~])?")
_X10_MOUSE = re.compile(rb"\x1b\[M(?:.{3})?", re.DOTALL)  # three raw bytes, without the SGR encoding
_UNUSUAL_KEY = re.compile(rb"\x1b\[(?:\[[A-E]|\d{1,2}\$)")  # F1 to F5 of the Linux console; shift in rxvt
# BEL, CAN, SUB, ST; the ESC of another sequence ends it, too, and any control character that no string contains.
_STRING_END = re.compile(rb"[\x07\x18\x1a]|\x1b\\?|(?=[\x00-\x06\x0e-\x17\x19\x1c-\x1f])")
_STRINGS = frozenset(b"P]X^_")  # DCS, OSC, SOS, PM, APC
_PASTE, _PASTE_END = b"\x1b[200~", b"\x1b[201~"
_CURSOR_REPORT = re.compile(rb"\x1b\[(\d+);(\d+)R")
_SYNCHRONIZED_OUTPUT = re.compile(rb"\x1b\[\?2026;[1-4]\$y")
_MOUSE = re.compile(r"\x1b\[<\d{1,5};-?\d{1,5};-?\d{1,5}[mM]")
_FOCUS = {b"\x1b[I": events.AppFocus, b"\x1b[O": events.AppBlur}


class CursorReport(Message):
    """A report of the cursor's position. In some terminals F3 with a modifier sends the same bytes: ``keys`` are what
    it is if no report was asked for."""

    def __init__(self, keys: tuple[events.Key, ...]) -> None:
        super().__init__()
        self.keys = keys


class InputParser:
    """A parser that keeps what is incomplete until the rest arrives."""

    def __init__(self) -> None:
        self._names = XTermParser()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = b""
        self._pasted = bytearray()
        self._take: Callable[[], Iterator[Message] | None] = self._ground
        self._introducer = ""  # of a string of which nothing has come yet: it may have been typed, with alt

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that end in ``data``."""
        self._pending += data
        found: list[Message] = []
        while self._pending and (messages := self._take()) is not None:
            found += messages
        return found

    def expire(self, idle: float) -> list[Message]:
        """Return what is incomplete as it is, once nothing has come for ``idle`` seconds."""
        found: list[Message] = []
        if self._pending == b"\x1b" and self._take == self._ground and idle >= ESCAPE_TIME:
            self._pending = b""
            found.append(events.Key("escape", "\x1b"))
        elif idle >= SEQUENCE_TIME:
            if self._take == self._paste:
                found.append(self._end_paste())
            elif self._take == self._string and self._introducer:
                found += self._alt_keys(self._introducer)
            elif self._pending[:1] == b"\x1b" and len(self._pending) == 2:
                found += self._alt_keys(chr(self._pending[1]))
            found += self._text(b"", final=True)
            self._pending, self._take = b"", self._ground
        return found

    @property
    def incomplete(self) -> bool:
        """True while more bytes are needed, or time has to pass."""
        return bool(self._pending) or self._take != self._ground or bool(self._decoder.getstate()[0])

    # --- states: each takes a piece of what is pending, or returns None until there is more of it ---------------

    def _ground(self) -> Iterator[Message] | None:
        if before := self._pending.partition(b"\x1b")[0]:
            return self._cut(len(before), self._text(before))
        if self._decoder.getstate()[0]:
            return self._cut(0, self._text(b"", final=True))
        if len(self._pending) == 1:
            return None
        second = self._pending[1]
        if second == ESC:
            return self._cut(1, [events.Key("escape", "\x1b")])
        if second in _STRINGS:
            self._take = self._string_start
            return iter(())
        if second == ord("["):
            return self._control()
        if second == ord("O"):
            return None if len(self._pending) == 2 else self._single_shift()
        return self._alt()

    def _alt(self) -> Iterator[Message] | None:
        """A character after an escape: alt was held."""
        for size in range(1, 5):
            try:
                character = self._pending[1 : 1 + size].decode()
            except UnicodeDecodeError as error:
                if "unexpected end" in error.reason and len(self._pending) > size:
                    continue
                return None if "unexpected end" in error.reason else self._cut(1, ())
            return self._cut(1 + size, self._alt_keys(character))
        return self._cut(1, ())

    def _single_shift(self) -> Iterator[Message]:
        third = self._pending[2]
        if not 0x20 <= third < 0x7F:
            return self._cut(2, self._alt_keys("O"))
        return self._cut(3, self._keys(self._pending[:3].decode("ascii")))

    def _control(self) -> Iterator[Message] | None:
        """A control sequence: its parameters, and a final byte that says what it is."""
        if mouse := _X10_MOUSE.match(self._pending):
            return self._cut(6, ()) if mouse.end() == 6 else None
        if key := _UNUSUAL_KEY.match(self._pending):
            return self._cut(key.end(), self._keys(key[0].decode("ascii")))
        if self._pending == b"\x1b[[":
            return None
        found = _CONTROL.match(self._pending)
        assert found is not None, "it begins with ESC ["
        sequence = found[0]
        if len(sequence) > LONGEST_CONTROL:
            self._take = self._rest_of_control
            return self._cut(LONGEST_CONTROL, ())
        if found["final"] is None:
            if found.end() < len(self._pending):  # a byte that no control sequence has
                return self._cut(found.end(), ())
            return None
        if sequence == _PASTE:
            self._take = self._paste
            return self._cut(len(sequence), ())
        return self._cut(len(sequence), self._control_messages(sequence))

    def _rest_of_control(self) -> Iterator[Message]:
        """The rest of a control sequence that is too long: it is dropped."""
        found = _REST_OF_CONTROL.match(self._pending)
        assert found is not None, "it may be empty"
        if found["final"] is not None or found.end() < len(self._pending):
            self._take = self._ground
        return self._cut(found.end(), ())

    def _string_start(self) -> Iterator[Message]:
        self._introducer = chr(self._pending[1])
        self._pending, self._take = self._pending[2:], self._string
        return iter(())

    def _string(self) -> Iterator[Message] | None:
        """A string for the host, such as the reply to a query of colors: it is dropped."""
        self._introducer = ""
        end = _STRING_END.search(self._pending)
        if end is None:
            self._pending = b""
            return None
        if end[0] == b"\x1b" and end.end() == len(self._pending):  # the beginning of ST, or not
            self._pending = b"\x1b"
            return None
        self._take = self._ground
        return self._cut(end.end() if end[0] != b"\x1b" else end.start(), ())

    def _paste(self) -> Iterator[Message] | None:
        end = self._pending.find(_PASTE_END)
        if end < 0:
            kept = len(_PASTE_END) - 1  # the end may have begun
            self._keep_pasted(self._pending[:-kept])
            self._pending = self._pending[-kept:]
            return None
        self._keep_pasted(self._pending[:end])
        return self._cut(end + len(_PASTE_END), [self._end_paste(pending=False)])

    # --- messages ---------------------------------------------------------------------------------------------

    def _cut(self, size: int, messages: Iterator[Message] | list[Message] | tuple[()]) -> Iterator[Message]:
        """Take ``size`` bytes off, and return what they were."""
        found = iter([*messages])
        self._pending = self._pending[size:]
        return found

    def _text(self, data: bytes, final: bool = False) -> Iterator[Message]:
        for character in self._decoder.decode(data, final):
            yield from self._keys(character)

    def _keys(self, sequence: str, alt: bool = False) -> Iterator[events.Key]:
        """The keys of a character or of a sequence, by Textual's names."""
        return (key for key in self._names._sequence_to_key_events(sequence, alt) if key.key != "<ignore>")

    def _alt_keys(self, character: str) -> Iterator[events.Key]:
        sequence = f"\x1b{character}"
        return self._keys(sequence) if sequence in ANSI_SEQUENCES_KEYS else self._keys(character, alt=True)

    def _control_messages(self, sequence: bytes) -> Iterator[Message]:
        text = sequence.decode("ascii")
        if focus := _FOCUS.get(sequence):
            yield focus()
        elif _SYNCHRONIZED_OUTPUT.fullmatch(sequence):
            yield TerminalSupportsSynchronizedOutput()
        elif _MOUSE.fullmatch(text):
            if event := self._names.parse_mouse_code(text):
                yield event
        else:
            key = key_sequence(text)
            keys = () if key is None else tuple(self._keys(key))
            yield from (CursorReport(keys),) if _CURSOR_REPORT.fullmatch(sequence) else keys

    def _keep_pasted(self, data: bytes) -> None:
        self._pasted += data[: MOST_PASTED - len(self._pasted)]

    def _end_paste(self, pending: bool = True) -> events.Paste:
        self._keep_pasted(self._pending if pending else b"")
        text = self._pasted.decode("utf-8", "replace").replace("\0", "")
        self._pasted.clear()
        self._take = self._ground
        return events.Paste(text)
