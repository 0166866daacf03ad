"""Search in the commands: by their titles, and by the words that people use for what they do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

ABSENT = 100  # cost of a typed word that a command does not have


@dataclass(frozen=True)
class Command:
    """A command as it is listed: its ``id``, a short ``title``, its ``key`` for display, a sentence of ``help``, and
    more ``words`` that find it. A ``penalty`` ranks it behind others that fit as well."""

    id: str
    title: str
    key: str = ""
    help: str = ""
    words: str = ""
    penalty: int = 0

    @property
    def more(self) -> str:
        """The sentence of help, where it says more than the title."""
        return "" if self.help.rstrip(".") == self.title else self.help

    @cached_property
    def _texts(self) -> tuple[str, str]:
        """What is searched, the title first."""
        return self.title.lower(), f"{self.words} {self.help}".lower()

    def costs(self, typed: Collection[str]) -> int:
        """Return how badly some words fit in all."""
        return self.penalty + sum(map(self.cost, typed)) if typed else 0

    def cost(self, typed: str) -> int:
        """Return how badly a typed word in lower case fits: 0 for a word of the title, ABSENT if it is nowhere."""
        for better, fits in enumerate((_is_word, _begins_word, str.__contains__)):
            for second, text in enumerate(self._texts):
                if fits(text, typed):
                    return 2 * better + second
        return ABSENT


def _is_word(text: str, typed: str) -> bool:
    """Return True if a text has a word; a number with a point in it, as 10.5, is one word."""
    return re.search(rf"(?<!\w)(?<!\w\.){re.escape(typed)}(?!\.?\w)", text) is not None


def _begins_word(text: str, typed: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(typed)}", text) is not None


def search(query: str, commands: Iterable[Command], uses: Mapping[str, int]) -> list[Command]:
    """Return the commands that have all words of the query, or else those that have any; the best match first. Among
    equals, those that were used more often by ``uses`` come first, then short titles; without a query, their order
    counts."""
    words = query.lower().split()
    costs = [(command.costs(words), command) for command in commands]
    for bound in (ABSENT, ABSENT * max(len(words), 1)):
        found = [
            ((cost, -uses.get(command.id, 0), len(command.title) * bool(words)), command)
            for cost, command in costs
            if cost < bound
        ]
        if found:
            return [command for _, command in sorted(found, key=itemgetter(0))]
    return []
