"""A sample of an iteration as text: what stands at its positions, and what should follow."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.data.catalogue import info
from tui_backprop.engine.arrays.types import Array
from tui_backprop.engine.network.axes import LOOKED_AT, POSITION, TOKEN
from tui_backprop.engine.primitives.token_loss import NO_TARGET
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.per_iteration import per_iteration
from tui_backprop.session.state import Session

POSITIONS = (POSITION, LOOKED_AT)


@dataclass(frozen=True)
class SampleText:
    """``signs`` has one character for each token, ``names`` a word. ``read`` are the tokens at the positions up to
    the last one with a target, ``follows`` are the targets of these, NO_TARGET where there is none."""

    signs: str
    names: tuple[str, ...]
    read: tuple[int, ...]
    follows: tuple[int, ...]

    @property
    def word(self) -> str:
        """The document without the boundaries at its ends; "…" after it if it goes on."""
        boundary = len(self.signs) - 1
        ends = self.follows[-1:] == (boundary,)
        tokens = self.read[1:] if ends else (*self.read[1:], *self.follows[-1:])
        return self._signs(tokens) + ("" if ends else "…")

    @property
    def reading(self) -> str:
        """The tokens that are read, one character each."""
        return self._signs(self.read)

    @property
    def following(self) -> str:
        """The tokens that should follow, one character each, and a blank where none counts."""
        return self._signs(self.follows)

    def predicted(self, logits: Array) -> str:
        """Return the tokens predicted at the positions that have a target, and a blank at the others, from ``logits``
        (T, vocabulary)."""
        found = logits[: len(self.read)].argmax(-1).tolist()
        return self._signs(
            tuple(
                NO_TARGET if follow == NO_TARGET else token
                for token, follow in zip(found, self.follows, strict=True)
            )
        )

    def _signs(self, tokens: tuple[int, ...]) -> str:
        return "".join(" " if token == NO_TARGET else self.signs[token] for token in tokens)

    def label(self, axis: str, i: int) -> str:
        """Return a short label of an index on an axis: 4 n, of a position; n, of a token."""
        if axis in POSITIONS and i < len(self.read):
            return f"{i} {self.signs[self.read[i]]}"
        return self.signs[i] if axis == TOKEN else str(i)

    def sign(self, axis: str, i: int) -> str:
        """Return the one character of an index on an axis; "" if it has none."""
        if axis in POSITIONS:
            return self.signs[self.read[i]] if i < len(self.read) else ""
        return self.signs[i] if axis == TOKEN else ""

    def words(self, axis: str, i: int, parameter: bool = False) -> str:
        """Name an index on an axis: position 4 (n), looks at 1 (m), token n, head 2; a position of a ``parameter``
        has no letter."""
        if axis in POSITIONS:
            named = f" ({self.names[self.read[i]]})" if i < len(self.read) and not parameter else ""
            return f"{'looks at' if axis == LOOKED_AT else axis} {i}{named}"
        return f"{axis} {self.names[i] if axis == TOKEN else i}"


def text_of(session: Session, iteration: Iteration, sample: int = 0) -> SampleText | None:
    """Return a sample of an iteration as text, by its place in the batch; None if the model takes none."""
    return _sample_text(iteration, session.data, sample) if session.network.vocabulary else None


@per_iteration
def _sample_text(iteration: Iteration, data: str, sample: int) -> SampleText:
    graph, about = iteration.graph, info(data)
    read, follows = (iteration.tensor(name)[sample] for name in (graph.input, graph.target))
    counted = int((follows >= 0).nonzero()[0].max(initial=-1)) + 1
    tokens = (tuple(map(int, each[:counted])) for each in (read, follows))
    return SampleText(about.token_signs, about.token_labels, *tokens)


def labels_text(session: Session, iteration: Iteration, name: str) -> str:
    """Write the labels or tokens of the first sample in a value that holds these; "" for a value of numbers."""
    graph = iteration.graph
    if not graph.by_name[name].classes:
        return ""
    text = text_of(session, iteration)
    if text is None:
        return ", ".join(str(int(each)) for each in iteration.tensor(name)[0].ravel())
    if name in graph.data:
        return text.following if name == graph.target else text.reading
    return "".join(text.signs[int(each)] for each in iteration.tensor(name)[0].ravel())
