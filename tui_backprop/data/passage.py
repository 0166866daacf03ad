"""A text that is walked in place of the samples of a data set."""

from __future__ import annotations

from dataclasses import dataclass

ALL = 0


@dataclass(frozen=True)
class Passage:
    """The ``characters`` of a text, and the ``letter`` whose prediction has the loss: the first one is 1, and the
    boundary behind the last one has the next number; ALL: the mean over all of them.

    Letter k stands at position k of the network's input, after the boundary at position 0, and is predicted at
    position k − 1."""

    characters: str
    letter: int = ALL

    @property
    def position(self) -> int:
        """The position at which the letter is predicted; -1 for ALL."""
        return self.letter - 1

    @property
    def title(self) -> str:
        """The text in quotes, and the letter: "emma", letter 3."""
        return f'"{self.characters}"' + (f", letter {self.letter}" if self.letter else "")
