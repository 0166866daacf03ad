"""What is known of a data set before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False, repr=False)
class DataInfo:
    """A data set: inputs per sample, the kind of target, the number of samples, and the ``first`` one shown."""

    about: str
    inputs: int
    samples: int
    classes: int = 0  # 0: the targets are real values
    outputs: int = 1  # values per target, where they are real
    image: tuple[int, int] | None = None  # rows, columns of a sample that is a picture
    first: int = 0  # of the digits, one that is read as handwriting even in a few cells

    @property
    def widths(self) -> tuple[int, ...]:
        """Output sizes that fit, best first: one per class; a single output also fits two classes."""
        if not self.classes:
            return (self.outputs,)
        return (2, 1) if self.classes == 2 else (self.classes,)
