"""Text as data: each line is a document, and each of its characters a token.

A sample is a document of which every next token is predicted: the first character from the boundary, the second from
both, and the boundary from the whole document.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tui_backprop.data.info import MOST_CHARACTERS
from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.files.decoder import DecodeError
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted

NO_TARGET = -1  # the target of a position after the end of a document
NEWLINE = ord("\n")  # stands for the boundary


@dataclass(frozen=True, eq=False)
class Text:
    """Documents as tokens.

    ``characters`` are sorted: character i is token i, and the ``boundary`` is the token after the last one.
    ``tokens`` (N,) has all documents, with a boundary before the first, between any two and after the last;
    ``starts`` (samples + 1,) has the indices of the boundaries."""

    characters: str
    tokens: Array
    starts: Array

    @property
    def boundary(self) -> int:
        """The token that marks both ends of a document."""
        return len(self.characters)

    @property
    def samples(self) -> int:
        """Number of documents."""
        return len(self.starts) - 1

    def encode(self, document: str) -> Array:
        """Return the tokens of a document with the boundary at both ends, shape (characters + 2,). Raises InputError
        for a character that the data does not have."""
        for character in document:
            if character not in self.characters:
                raise InputError("text", f"the data has no character {quoted(character)}")
        places = [self.characters.index(character) for character in document]
        return np.array([self.boundary, *places, self.boundary])

    def decode(self, tokens: Sequence[int] | Array) -> str:
        """Return the characters of tokens; boundaries are left out."""
        return "".join(self.characters[token] for token in tokens if token != self.boundary)

    def windows(self, samples: Array, context: int) -> tuple[Array, Array]:
        """Return inputs and targets of documents, both int (n, context): the token at each position, and the one that
        follows it.

        Of a document that is longer, they are the first ones; a shorter one is filled up with boundaries, whose
        targets are NO_TARGET."""
        first, end = self.starts[samples, None], self.starts[samples + 1, None]
        places = first + np.arange(context)
        inside = places < end
        x = np.where(inside, self.tokens.take(places, mode="clip"), self.boundary)
        t = np.where(inside, self.tokens.take(places + 1, mode="clip"), NO_TARGET)
        return x.astype(np.int64), t.astype(np.int64)

    def window(self, document: Sequence[int] | Array, context: int) -> tuple[Array, Array]:
        """Return inputs and targets of one document, tokens without boundaries, as ``windows`` does, both int
        (context,)."""
        tokens = np.array([self.boundary, *document, self.boundary])[: context + 1]
        x, t = np.full(context, self.boundary), np.full(context, NO_TARGET)
        x[: len(tokens) - 1], t[: len(tokens) - 1] = tokens[:-1], tokens[1:]
        return x, t


def documents_of(text: str) -> tuple[str, ...]:
    """Return the lines of a text that are not empty, without the blanks around them."""
    lines = (line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return tuple(line for line in lines if line)


def text_of(documents: Sequence[str]) -> Text:
    """Return documents as tokens. Raises DecodeError if there are none, or too many different characters."""
    if not documents:
        raise DecodeError("it has no text; write a document on each line")
    joined = "\n".join(("", *documents, ""))
    kinds = sorted({*joined} - {"\n"})
    if len(kinds) > MOST_CHARACTERS:
        raise DecodeError(
            f"it has {len(kinds):,} different characters; at most {MOST_CHARACTERS} are allowed"
        )
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    token_of = np.zeros(sys.maxunicode + 1, np.int16)
    token_of[[*map(ord, kinds)]] = np.arange(len(kinds))
    token_of[NEWLINE] = len(kinds)
    tokens, starts = token_of[codes], np.flatnonzero(codes == NEWLINE)
    for array in (tokens, starts):
        array.setflags(write=False)
    return Text("".join(kinds), tokens, starts)


@lru_cache(maxsize=1)
def shipped(data: str) -> Text:
    """Return the text of a data set of the package. See NOTICE.md for its source."""
    return text_of(documents_of(Path(__file__).with_name(f"{data}.txt").read_text("ascii")))
