"""A session as one line of text, and back: a link to a state of the app, for another machine or another day.

``bp4-`` and then, in base64 of the kind that needs no quotes anywhere: a checksum of four bytes, and what differs
from the nearest preset, as msgpack, deflated. The meaning of a token of one version never changes: a change of
a preset, a default or the words below makes a new version (the tests hold older tokens).

Tokens are not trusted. Nothing in one is run, unpacking is bounded, and its content has to be a session that keys of
the app can produce (see ``validation``), written as ``encode`` writes it.
"""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec

from tui_backprop.data.passage import Passage
from tui_backprop.files.decoder import convert, decode_msgpack
from tui_backprop.files.identity import Watch, by_content
from tui_backprop.session.brought_files import fetch_files
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.session_parts import Bookmarks, Text
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.update_log import Edit, UpdateRun
from tui_backprop.session.validation import MOST_BOOKMARKS, check, check_limits, settled
from tui_backprop.support.errors import TokenError, UserError
from tui_backprop.support.validation import one_of, quoted

VERSION = 4
START = f"bp{VERSION}-"
FORM = re.compile(r"bp([0-9]{1,6})-(.*)", re.DOTALL)
BODY = re.compile(r"[A-Za-z0-9_-]*")
MOST = 2**18  # bytes of a session as msgpack
LONGEST = 2**19  # characters of a token
SHOWN = 200  # characters of the message about a bad one
USUAL = "lesson"  # the preset that need not be named

DAMAGED = "this token is damaged; copy it again, all of it"

# What each of these is compared with: no valid one, so that every field it needs is written.
INVALID: dict[type, Any] = {
    UpdateRun: UpdateRun(-1, 0, 0.0),
    Edit: Edit("", (-1,), 0.0),
    Passage: Passage("\n", -1),
    Text: Text("\n", False, -1, -1),
}

# Dictionary of deflate, the most frequent words last. Part of the version: it never changes.
WORDS = (
    "sum-product sigmoid-neuron micrograd three-uses x-squared-sine logistic-neuron given text let"
    " bookmarks held cursor bookmarked confusion pair pinned number rank measure inspection method precision"
    " step_index zoom axis lesson_clock cost decade weight\x20x\x20gradient float32 update passes FLOPs training"
    " largest picture histogram layer operation horizon warmup schedule clip decay_bias weight_decay epsilon rho"
    " beta2 beta1 momentum nesterov rmsprop rmsprop-momentum adam adamw name optimizer"
    " cosine linear exponential inverse-sqrt step"
    " input_gradient output_activation"
    " l2_bias l2 dropout residual layer_norm seed bias init loss activation layers xavier orthogonal normal constant"
    " zeros lecun half-squares"
    " mse binary-cross-entropy leaky-relu elu gelu silu softplus sigmoid identity relu tanh float64 dtype network"
    " digits circles spiral moons sine vanishing xor preset data view grain units W1 W2 by index tensor edits"
    " sample batch lr count stride update_log sample batch lr count stride walk step"
)


@lru_cache(maxsize=1)
def _words() -> bytes:
    """Return the words as msgpack writes short texts: a byte with the length, and then the text."""
    texts = [word.encode() for word in WORDS.split(" ")]
    return b"".join(bytes([0xA0 + len(text)]) + text for text in texts)


# --- writing -----------------------------------------------------------------------------------------------


def encode(session: Session) -> str:
    """Return the token of a session. Raises TokenError for the field ``open`` if no machine would open it: too many
    layers, bookmarks, runs of updates, or days of training; or a bug that was planted in it. Raises StillHashing
    while the content of a file that it names is not known."""
    for each in (session, *session.bookmarks.items):
        if each.network.no_token:
            raise TokenError("open", each.network.no_token)
    try:
        check_limits(session)
    except UserError as error:
        raise TokenError("open", f"this session has no token: {error.field}: {error.message}") from None
    packed = _packed(settled(session))
    if len(packed) > MOST:
        raise TokenError(
            "open", "this session is too large for a token; drop bookmarks, or train in longer runs"
        )
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=_words())
    return START + _sealed(squeeze.compress(packed) + squeeze.flush())


def _sealed(squeezed: bytes) -> str:
    """Return the text of a token after its prefix."""
    checksum = zlib.crc32(squeezed).to_bytes(4, "big")
    return urlsafe_b64encode(checksum + squeezed).rstrip(b"=").decode()


def _packed(session: Session) -> bytes:
    """Return as msgpack what differs from the nearest preset, and in bookmarks from the session itself, or from a
    preset where they are of another front end."""
    alone, marks = replace(session, bookmarks=Bookmarks()), session.bookmarks.items
    name = _nearest(alone)
    found: dict[str, Any] = {} if name == USUAL else {"preset": name}
    found |= _different(replace(session, bookmarks=replace(session.bookmarks, items=())), _start(name))
    if marks:
        found["bookmarked"] = [_bookmarked(mark, alone) for mark in marks]
    return msgspec.msgpack.encode(found)


def _bookmarked(mark: Session, session: Session) -> dict[str, Any]:
    if mark.network.frontend == session.network.frontend:
        return _different(mark, session)
    name = _nearest(mark)
    return {"preset": name, **_different(mark, _start(name))}


def _nearest(session: Session) -> str:
    """Return the preset, of the same front end, from which the least differs."""
    here, kind = replace(session, update_log=(), edits=()), session.network.frontend
    names = [name for name, preset in PRESETS.items() if preset.frontend == kind]
    return min(names, key=lambda name: len(msgspec.msgpack.encode(_different(here, _start(name)))))


def _start(preset: str) -> Session:
    """Return what tokens differ from: a preset at its first sample in the file, whichever sample it starts at."""
    return replace(from_preset(preset), sample=0)


def _different(value: object, base: object) -> dict[str, Any]:
    """Return the fields of a dataclass that differ from those of another one, as plain values."""
    pairs = {f.name: (getattr(value, f.name), getattr(base, f.name)) for f in fields(value)}  # type: ignore[arg-type]
    return {name: _plain(mine, other) for name, (mine, other) in pairs.items() if mine != other}


def _plain(value: Any, base: object) -> Any:
    if is_dataclass(value):
        return _different(value, INVALID.get(type(value), base))
    if isinstance(value, str):
        return by_content(value)
    return [_plain(each, None) for each in value] if isinstance(value, tuple) else value


# --- reading -----------------------------------------------------------------------------------------------


def decode(text: str, watch: Watch = lambda done, of: None) -> Session:
    """Return the session of a token, in which whitespace is ignored; ``watch`` is called with the bytes hashed of the
    files that it names. Raises TokenError for the field ``open``, in one line, for any text that ``encode`` did not
    make, and for a session too large for this machine."""
    packed = _unpacked(text)
    try:
        session = _session(packed, watch)
        check(session)
    except UserError as error:
        why = f"the session of this token cannot be opened: {error.field}: {error.message}"
        raise TokenError("open", why if len(why) <= SHOWN else f"{why[: SHOWN - 3]}...") from None
    except (ArithmeticError, RecursionError, TypeError, ValueError):  # DecodeError, too
        raise TokenError("open", "this token does not hold a session") from None
    if _packed(session) != packed:
        raise TokenError("open", "this token was not written by backprop-tui; have it made again")
    return session


def _unpacked(text: str) -> bytes:
    """Return the msgpack in a token, after checks of its form, version, checksum and length."""
    if len(text) > LONGEST:
        raise TokenError("open", f"{len(text):,} characters are too many for a token (at most {LONGEST:,})")
    text = "".join(text.split())
    form = FORM.fullmatch(text)
    if form is None:
        raise TokenError("open", f"{quoted(text)} is no token; they begin with {START}")
    version, body = int(form[1]), form[2]
    if version != VERSION:
        when = "a newer" if version > VERSION else "an older"
        raise TokenError("open", f"this token is of {when} format (bp{version}-); this program reads {START}")
    if form[1] != str(VERSION) or not BODY.fullmatch(body) or len(body) % 4 == 1:
        raise TokenError("open", DAMAGED)
    sealed = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    if _sealed(sealed[4:]) != body:  # which the checksum is part of
        raise TokenError("open", DAMAGED)
    return _expanded(sealed[4:])


def _expanded(squeezed: bytes) -> bytes:
    """Inflate up to a bound: a few bytes can expand to gigabytes."""
    expand = zlib.decompressobj(-15, zdict=_words())
    try:
        packed = expand.decompress(squeezed, MOST + 1)
    except zlib.error:
        raise TokenError("open", DAMAGED) from None
    if len(packed) > MOST:
        raise TokenError("open", f"this token is too large; what it holds may take {MOST // 1024} KiB")
    if not expand.eof or expand.unused_data:
        raise TokenError("open", DAMAGED)
    return packed


def _session(packed: bytes, watch: Watch) -> Session:
    """Return the session in msgpack. Raises TypeError, ValueError and the like for malformed content; values are not
    checked, except where they would make the rest take long."""
    found = decode_msgpack(packed, dict[str, Any])
    fetch_files(found, watch)
    base = _start(one_of("preset", found.pop("preset", USUAL), PRESETS))
    marks = found.pop("bookmarked", [])
    if not isinstance(marks, list) or len(marks) > MOST_BOOKMARKS:
        raise TokenError("bookmarks", f"not a list of up to {MOST_BOOKMARKS} bookmarks")
    session: Session = _changed(base, found)
    alone = replace(session, bookmarks=Bookmarks())
    items = tuple(
        _changed(_start(one_of("preset", mark.pop("preset"), PRESETS)) if "preset" in mark else alone, mark)
        for mark in marks
    )
    return replace(session, bookmarks=replace(session.bookmarks, items=items))


def _changed(base: Any, found: dict[str, Any]) -> Any:
    """Return a dataclass with the fields of ``found`` changed, recursively."""
    if not isinstance(found, dict):
        raise TypeError(found)
    types, changes = get_type_hints(type(base), localns={"Session": Session}), {}
    for name, value in found.items():
        if name not in types or (
            name == "items" and isinstance(base, Bookmarks)
        ):  # these have a field of their own, ``bookmarked``
            raise TokenError(name if name.isidentifier() else "token", "this version has no such field")
        old = getattr(base, name)
        nested = is_dataclass(old) and type(old) not in INVALID
        changes[name] = _changed(old, value) if nested else convert(value, types[name])
    return replace(base, **changes)
