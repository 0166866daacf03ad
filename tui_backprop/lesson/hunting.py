"""A search for a bug as it is made on a screen: with the block and the kind that are chosen, and not named yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui_backprop.lesson.bug_hunt import Hunt
from tui_backprop.lesson.bugs import kinds_in


@dataclass(frozen=True)
class Hunting:
    """The state: the ``hunt``, a ``block`` (1 .. L), the index of a ``kind`` among those of its network, and whether
    it ``asks`` if the learner gives up."""

    hunt: Hunt
    block: int = 1
    kind: int = 0
    asks: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds to choose from."""
        return kinds_in(self.hunt.bug)

    @property
    def blocks(self) -> int:
        """The number of blocks to choose from."""
        return self.hunt.bug.session.network.graph.depth

    def choosing(self, block: int = 0, kind: int = 0) -> Hunting:
        """Move to another block or kind, by so many; round at the ends."""
        return replace(
            self,
            asks=False,
            block=(self.block - 1 + block) % self.blocks + 1,
            kind=(self.kind + kind) % len(self.kinds),
        )

    def naming(self) -> Hunting:
        """Name what is chosen."""
        return self.having(self.hunt.naming(self.block, self.kinds[self.kind]))

    def having(self, hunt: Hunt) -> Hunting:
        """Take the next state of the hunt."""
        return replace(self, hunt=hunt, asks=False)

    def giving_up(self) -> Hunting:
        """Ask whether to give up; asked already, give up."""
        return self.having(self.hunt.giving_up()) if self.asks else replace(self, asks=not self.hunt.over)
