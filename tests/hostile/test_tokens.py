"""Tokens and session files of any content: the session that was meant, or one bounded line."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace

import msgspec

from tests.hostile.chance import cases, told
from tests.hostile.refusals import refused
from tests.session.sessions import sealed
from tui_backprop.data.catalogue import info
from tui_backprop.session.autosave import LONGEST_FILE, NAME, load, save
from tui_backprop.session.bookmark_changes import add_bookmark
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.share_token import START, decode, encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training
from tui_backprop.support.errors import UserError

VALUES = (
    None,
    True,
    -1,
    0,
    2**63,
    1e308,
    float("nan"),
    "",
    "\x1b[2J",
    "xor",
    [],
    [[]],
    {},
    {"a": {}},
    b"\0",
    "x" * 9999,
)
FIELDS = (
    "preset", "network", "data", "sample", "batch", "lr", "optimizer", "update_log", "edits",
    "walk", "inspection",
    "cost", "bookmarks", "bookmarked", "panel", "layers", "step", "name", "count", "unknown",
)  # fmt: skip


def some_session(chance: random.Random) -> Session:
    session = from_preset(chance.choice([*PRESETS]))
    if not session.network.holds_numbers:
        session = replace(session, sample=chance.randint(0, min(150, info(session.data).samples - 1)))
    session = after_training(session, chance.randint(1, 999)) if chance.random() < 0.5 else session
    return add_bookmark(session) if chance.random() < 0.3 else session


def content(chance: random.Random, depth: int = 0) -> object:
    if depth < 4 and chance.random() < 0.6:
        return {chance.choice(FIELDS): content(chance, depth + 1) for _ in range(chance.randint(0, 4))}
    if depth < 4 and chance.random() < 0.2:
        return [content(chance, depth + 1) for _ in range(chance.randint(0, 5))]
    return chance.choice(VALUES)


def damaged(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    other = chance.choice(["", "A", "_", " ", "\0", "é", "=" * 9, text])
    return text[:at] + other + text[at + chance.randint(0, 3) :]


def token(chance: random.Random) -> str:
    match chance.randint(0, 4):
        case 0:
            return damaged(encode(some_session(chance)), chance)
        case 1:
            return sealed(msgspec.msgpack.encode(content(chance)))
        case 2:
            return sealed(chance.randbytes(chance.randint(0, 99)))
        case 3:
            return sealed(b"\x91" * chance.randint(1, 200_000))
    return START + chance.choice(["", "!" * 50, "A" * 600_000, "\x1b]0;x\x07", zlib.compress(b"x").hex()])


def test_any_token_is_a_session_written_again_alike_or_refused_in_one_line():
    for chance in cases(300):
        text = token(chance)
        with told(text):
            try:
                session = decode(text)
            except UserError as error:
                refused(error, "open")
            else:
                assert encode(session) == "".join(text.split())


def test_any_session_file_is_a_session_or_refused_in_one_line(tmp_path):
    for chance in cases(60):
        session = some_session(chance)
        save(session, tmp_path)
        assert load(tmp_path) == session
        path = tmp_path / NAME
        text = path.read_bytes()
        at = chance.randrange(len(text))
        noise = chance.randbytes(chance.choice([0, 1, 9, 2 * LONGEST_FILE if chance.random() < 0.1 else 99]))
        path.write_bytes(text[:at] + noise + text[at + chance.randint(0, 9) :])
        with told(path.read_bytes()[:999]):
            try:
                load(tmp_path)
            except UserError as error:
                refused(error, "resume")
