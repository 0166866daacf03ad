"""How well blame to first order ranks the tokens before a prediction: held against replacing them, in many texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui_backprop.engine.analysis.blamed_letters import (
    FEWEST,
    BlamedLetter,
    Letters,
    agreement,
    blamed_letters,
    same_signs,
    target_at,
)
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.token_loss import NO_TARGET


@dataclass(frozen=True)
class Judged:
    """The ranking of the tokens before the prediction at a ``position`` of text number ``text``."""

    text: int
    position: int
    letters: Letters

    @property
    def rho(self) -> float:
        """Spearman's ρ of blame and the real change."""
        return agreement(self.letters)

    @property
    def same_first(self) -> bool:
        """Whether the first of the ranking to first order is the one whose replacement changes the loss most."""
        blamed = max(self.letters, key=lambda each: abs(each.first_order))
        changing = max(self.letters, key=lambda each: abs(each.replaced.mean) if each.replaced else 0.0)
        return blamed is changing

    @property
    def same_signs(self) -> float:
        """The part of the tokens whose replacement changes the loss in the direction that first order says."""
        return same_signs(self.letters) / len(self.letters)

    @property
    def worst(self) -> BlamedLetter:
        """The token on which blame and the real change disagree most."""
        return max(self.letters, key=lambda each: each.disagreement)


def judged(
    spec: Model, parameters: Array, texts: Iterable[tuple[Array, Array]], boundary: int
) -> Iterator[Judged]:
    """Judge the ranking for each prediction that has at least FEWEST tokens before it; texts are inputs and targets,
    both (T,)."""
    for number, (x, t) in enumerate(texts):
        for position in range(FEWEST - 1, int((t != NO_TARGET).sum())):
            *_, letters = blamed_letters(spec, parameters, x, target_at(t, position), boundary)
            yield Judged(number, position, letters)
