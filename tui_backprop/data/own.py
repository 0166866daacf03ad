"""Data that a user brings, as the text that a session holds: JSON with the numbers or documents themselves, if they
are few, or with the name and the SHA-256 of their file. The samples of a file are held by this process. No numpy is
needed for what is in the text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, NoReturn

import msgspec

from tui_backprop.data.catalogue import BROUGHT
from tui_backprop.data.info import MOST_CHARACTERS, DataInfo
from tui_backprop.data.text import Text, documents_of, text_of
from tui_backprop.files.decoder import DecodeError, decode_json
from tui_backprop.files.identity import DIGITS, Identity
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import printable
from tui_backprop.support.validation import quoted

if TYPE_CHECKING:
    from tui_backprop.engine.primitives import Array

FIELD = "data"
INSIDE = 4000  # numbers or characters that are part of the text
LONGEST = 30 * INSIDE  # characters
Label = Annotated[int, msgspec.Meta(ge=0, lt=1000)]


class Own(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text: a ``name``, and samples ``x`` with real values ``y``, or with ``labels`` into the ``classes``; or the
    ``sha256`` of a file, with the options ``target`` and ``scale`` that it was read by. With ``documents``, they are
    ``lines`` of text, or a file of them."""

    name: str
    x: tuple[tuple[float, ...], ...] = ()
    y: tuple[tuple[float, ...], ...] = ()
    labels: tuple[Label, ...] = ()
    classes: tuple[str, ...] = ()
    sha256: str = ""
    target: str = ""
    scale: str = ""
    documents: bool = False
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, eq=False)
class Table:
    """Samples: ``x`` (samples, inputs) and ``target``, class labels (samples,) or real values (samples, outputs); the
    names of the ``classes``, and the rows and columns of an ``image``, if each sample is one."""

    x: Array
    target: Array
    classes: tuple[str, ...] = ()
    image: tuple[int, int] | None = None


_held: dict[str, Table] = {}  # by the text that names its file
_held_texts: dict[str, Text] = {}  # likewise


def is_own(data: str) -> bool:
    """Return True for the text of data that a user brought."""
    return data.startswith(BROUGHT)


@lru_cache(maxsize=16)
def parsed(data: str) -> Own:
    """Return what a text says. Raises InputError unless it was written here, with rows that agree."""
    try:
        if len(data) > LONGEST:
            raise DecodeError("it is too long")
        own = decode_json(data.encode(), Own)
    except DecodeError as error:
        raise InputError(FIELD, f"these are no samples: {error}") from None
    if own.text != data or not _belongs_together(own):
        raise InputError(FIELD, "these are no samples that belong together; give them again")
    return own


def _belongs_together(own: Own) -> bool:
    """Return True for either a file, or documents, or rows that agree with their targets."""
    numbers = own.x or own.y or own.labels or own.classes
    if own.sha256:
        return not (numbers or own.lines)
    if own.documents:
        few = len(set().union(*own.lines)) <= MOST_CHARACTERS
        return bool(own.lines and few and not numbers) and documents_of("\n".join(own.lines)) == own.lines
    lengths = {*map(len, own.x)}, {*map(len, own.y)}
    targets = own.labels if own.classes else own.y
    inside = bool(own.x) and len(own.x) == len(targets) and all(len(each) <= 1 for each in lengths)
    fits = all(lengths[0]) and all(label < len(own.classes) for label in own.labels)
    return inside and fits and not own.lines


def title(data: str) -> str:
    """Name data for a reader: what they are called, or the name of their file."""
    return printable(parsed(data).name, 40)


@lru_cache(maxsize=16)
def info(data: str) -> DataInfo:
    """Describe data. Raises InputError if their file is not held."""
    own = parsed(data)
    if own.documents:
        text = documents(data)
        return DataInfo(title(data), 0, text.samples, characters=text.characters)
    if own.sha256:
        table = table_of(data)
        outputs = 1 if table.target.ndim == 1 else table.target.shape[1]
        return DataInfo(title(data), table.x.shape[1], len(table.x), len(table.classes), outputs, table.image)
    outputs = 1 if own.classes else len(own.y[0])
    return DataInfo(title(data), len(own.x[0]), len(own.x), len(own.classes), outputs)


def table_of(data: str) -> Table:
    """Return the samples. Raises InputError for text, and if their file is not held."""
    own = parsed(data)
    if own.documents:
        raise InputError(FIELD, f"{title(data)} is text, which has no columns of numbers")
    if own.sha256:
        return _held[data] if data in _held else _lacking(own)
    return _inside(data)


def documents(data: str) -> Text:
    """Return the text. Raises InputError for numbers, and if its file is not held."""
    own = parsed(data)
    if not own.documents:
        raise InputError(FIELD, f"{title(data)} has numbers, but no text")
    if own.sha256:
        return _held_texts[data] if data in _held_texts else _lacking(own)
    return _text_inside(data)


def _lacking(own: Own) -> NoReturn:
    what = f"the file {quoted(own.name)} (SHA-256 {own.sha256[:12]}...)"
    raise InputError(FIELD, f"this session needs {what}; give it with --data")


@lru_cache(maxsize=4)
def _inside(data: str) -> Table:
    import numpy as np

    own = parsed(data)
    target = np.array(own.labels, np.int64) if own.classes else np.array(own.y, float)
    return _frozen(Table(np.array(own.x, float), target, own.classes))


@lru_cache(maxsize=4)
def _text_inside(data: str) -> Text:
    return text_of(parsed(data).lines)


def _frozen(table: Table) -> Table:
    for array in (table.x, table.target):
        array.setflags(write=False)
    return table


def missing(data: str) -> Own | None:
    """Return what a text says of a file that is not held; None if nothing is lacking."""
    if not is_own(data):
        return None
    own = parsed(data)
    return own if own.sha256 and data not in (_held_texts if own.documents else _held) else None


def hold(name: str, identity: Identity, table: Table, target: str, scale: str) -> str:
    """Return the text of samples from a file: with their numbers, if they are few; otherwise they are held."""
    if table.x.size + table.target.size <= INSIDE and table.image is None:
        x = tuple(map(tuple, table.x.tolist()))
        if table.classes:
            return Own(name, x, labels=tuple(table.target.tolist()), classes=table.classes).text
        return Own(name, x, y=tuple(map(tuple, table.target.tolist()))).text
    held = _frozen(table)

    def keep(digest: str) -> str:
        text = Own(name, sha256=digest[:DIGITS], target=target, scale=scale).text
        _held[text] = held
        info.cache_clear()
        return text

    text = keep(identity.id)
    identity.then(keep)
    return text


def hold_text(name: str, digest: str, lines: tuple[str, ...], text: Text) -> str:
    """Return the text of documents from a file: with their characters, if they are few; otherwise they are held."""
    if len(text.tokens) <= INSIDE:
        return Own(name, documents=True, lines=lines).text
    held = Own(name, sha256=digest[:DIGITS], documents=True).text
    _held_texts[held] = text
    info.cache_clear()
    return held
