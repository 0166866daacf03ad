"""The split of a data set into samples to train on and samples held out for validation. No numpy is needed without
one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted, whole_number

if TYPE_CHECKING:
    from tui_backprop.engine.primitives import Array

FIELD = "validation"
TRAINING, VALIDATION = "training", "validation"  # the names of the parts


@dataclass(frozen=True, eq=False)
class Part:
    """Samples that batches go round in: their numbers in the data set, ascending. ``name`` is empty where they are
    the whole data set."""

    name: str
    samples: Sequence[int]

    def has(self, sample: int) -> bool:
        """Return True if a sample is in the part."""
        at = bisect_left(self.samples, sample)
        return at < len(self.samples) and self.samples[at] == sample

    def after(self, sample: int, by: int = 0) -> int:
        """Return the sample that comes ``by`` samples after (or before) another one, going round at the ends; of one
        that is not in the part, count from the next one that is."""
        return self.samples[(bisect_left(self.samples, sample) + by) % len(self.samples)]

    def distance(self, first: int, then: int) -> int:
        """Return how many samples after the ``first`` one another one comes, going round at the end."""
        return (bisect_left(self.samples, then) - bisect_left(self.samples, first)) % len(self.samples)

    def rows(self, sample: int, batch: int) -> slice | Array:
        """Return the numbers of the samples of a batch, (batch,), or as a slice where they follow each other."""
        import numpy as np

        first = bisect_left(self.samples, sample)
        if isinstance(self.samples, range) and first + batch <= len(self.samples):
            return slice(first, first + batch)
        places = np.arange(first, first + batch) % len(self.samples)
        return places if isinstance(self.samples, range) else np.asarray(self.samples)[places]


@dataclass(frozen=True)
class Split:
    """``validation`` of so many ``samples`` are held out, drawn with a seed: the first ones of
    ``numpy.random.default_rng(seed).permutation(samples)``. 0: there is one part, the whole data set."""

    samples: int
    validation: int
    seed: int

    @property
    def text(self) -> str:
        """Both parts in words: 800 samples for training, 200 for validation, drawn with seed 0."""
        left = self.samples - self.validation
        return (
            f"{left:,} samples for training, {self.validation:,} for validation, drawn with seed {self.seed}"
        )

    @cached_property
    def training(self) -> Part:
        """The samples to train on."""
        return self._parts[0]

    @cached_property
    def held_out(self) -> Part:
        """The samples that training never visits."""
        return self._parts[1]

    @cached_property
    def _parts(self) -> tuple[Part, Part]:
        if not self.validation:
            return Part("", range(self.samples)), Part(VALIDATION, range(0))
        import numpy as np

        drawn = np.random.default_rng(self.seed).permutation(self.samples)
        held_out, others = np.sort(drawn[: self.validation]), np.sort(drawn[self.validation :])
        return Part(TRAINING, others.data), Part(VALIDATION, held_out.data)

    def part(self, sample: int) -> Part:
        """Return the part that a sample is in."""
        return self.held_out if self.held_out.has(sample) else self.training


split_of = lru_cache(maxsize=8)(Split)  # their parts are drawn once


def held_out_count(value: object, samples: int) -> int:
    """Return how many of the ``samples`` to hold out: as many as the value says, a whole number, or the share that it
    says, between 0 and 1, rounded. Raises InputError unless it leaves samples for both parts, or is 0."""
    text = str(value).strip()
    try:
        share = float(text) if text.isascii() else -1.0
    except ValueError:
        share = -1.0
    if text.isdigit():
        return checked_count(whole_number(FIELD, text, 0), samples)
    if not 0 <= share < 1:
        wanted = "a share between 0 and 1, such as 0.2, or a number of samples, such as 200"
        raise InputError(FIELD, f"{quoted(value)} is not {wanted}")
    count = round(share * samples)
    if share and not count and samples > 1:
        raise InputError(FIELD, f"{text} of {samples:,} samples is none; hold out one at least, 1")
    return checked_count(count or bool(share), samples)


def checked_count(count: int, samples: int) -> int:
    """Return the number of samples held out. Raises InputError if none is left to train on."""
    if count and samples == 1:
        raise InputError(FIELD, "one sample cannot be split; leave it at 0")
    if not 0 <= count < samples:
        raise InputError(
            FIELD, f"{count:,} of {samples:,} samples leaves none for training; at most {samples - 1:,}"
        )
    return count
