"""The definition of a misconception: a wrong idea about backpropagation, and what refutes it."""

from __future__ import annotations

from dataclasses import dataclass

OWN = "ours"  # source of an idea that was not found stated elsewhere


@dataclass(frozen=True)
class Misconception:
    """A row: the ``idea`` as someone would state it, the sentences that refute it, the ``panel`` where one can see
    that it is false, with the kind of ``step`` of the walk to go to, if it is one, and the ``source`` in which it was
    seen. Where a wrong number follows from the idea, a mutant of the same ``name`` computes it."""

    name: str
    idea: str
    refutation: str
    panel: str
    step: str = ""
    source: str = OWN
