"""What is known of a data set before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import combining, east_asian_width

MOST_CHARACTERS = 256  # different ones in a text
BOUNDARY = "BOS"  # the name of the token that marks both ends of a document
BOUNDARY_SIGN, BLANK_SIGN, OTHER_SIGN = (
    "•",
    "␣",
    "¤",
)  # of the boundary, a blank, and what has no width of one column
SCALES = ("standard", "minmax")  # of the inputs in a file


@dataclass(frozen=True, eq=False, repr=False)
class DataInfo:
    """A data set: inputs per sample, the kind of target, the number of samples, and the ``first`` one shown.

    Text has the ``characters`` of its documents, sorted; a sample is a document of any length, so that it has no
    number of inputs."""

    about: str
    inputs: int
    samples: int
    classes: int = 0  # 0: the targets are real values, or tokens
    outputs: int = 1  # values per target, where they are real
    image: tuple[int, int] | None = None  # rows, columns of a sample that is a picture
    first: int = 0  # of the digits, one that is read as handwriting even in a few cells
    characters: str = ""

    @property
    def widths(self) -> tuple[int, ...]:
        """Output sizes that fit, best first: one per class; a single output also fits two classes."""
        if not self.classes:
            return (self.outputs,)
        return (2, 1) if self.classes == 2 else (self.classes,)

    @property
    def token_names(self) -> tuple[str, ...]:
        """The names of the tokens of a text, in order: its characters, blanks and control characters escaped, and the
        boundary; () for other data."""
        return (*map(_name, self.characters), BOUNDARY) if self.characters else ()

    @property
    def token_labels(self) -> tuple[str, ...]:
        """The names of the tokens as screens show them: the boundary by its sign; () for other data."""
        return (*self.token_names[:-1], BOUNDARY_SIGN) if self.characters else ()

    @property
    def token_signs(self) -> str:
        """One character for each token of a text, in order: the boundary as •, a blank as ␣; "" for other data."""
        return "".join((*map(_sign, self.characters), BOUNDARY_SIGN)) if self.characters else ""


def _sign(character: str) -> str:
    """Return a visible sign of a character that is one column wide."""
    if character == " ":
        return BLANK_SIGN
    narrow = east_asian_width(character) not in "WF" and not combining(character)
    return character if character.isprintable() and narrow else OTHER_SIGN


def _name(character: str) -> str:
    """Name a character so that it can be seen."""
    if character == " ":
        return "space"
    return character if character.isprintable() else repr(character)[1:-1]
