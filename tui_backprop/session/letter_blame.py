"""The blame of the letters before a prediction, for a text that a session walks or shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.data.passage import Passage
from tui_backprop.data.samples import cut, load_text
from tui_backprop.engine.analysis.blamed_letters import Letters, agreement, blamed_letters
from tui_backprop.engine.analysis.generation import Predictor
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.token_loss import NO_TARGET
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError


@dataclass(frozen=True, eq=False)
class LetterBlame:
    """The ``letters`` before a prediction, in the order of their positions, and what they are to blame for: the
    ``loss`` of the token ``target``, which is predicted at the last of their positions with the probabilities ``p``
    (V,); of a whole text, its mean loss, a target of None and no probabilities. ``names`` are those of all tokens."""

    letters: Letters
    loss: float
    names: tuple[str, ...]
    target: int | None = None
    p: Array | None = None

    @property
    def rho(self) -> float:
        """The rank correlation of blame to first order and the actual change; NaN while too few are known."""
        return agreement(self.letters)

    @property
    def whole(self) -> bool:
        """Whether every letter was replaced."""
        return all(each.replaced for each in self.letters)


def letter_blame(session: Session, parameters: Array) -> Iterator[LetterBlame]:
    """Blame the letters for the loss of a session's sample, or its passage, with these ``parameters`` (P,): first by
    one backward pass, then with one letter after the other replaced. Raises InputError for samples that are no text,
    and for several of them."""
    network, names = session.network, info(session.data).token_names
    if not network.context:
        raise InputError(
            "letters", f"requires a text, which {network.title} does not take; add --preset microgpt"
        )
    if session.batch != 1:
        raise InputError("letters", "takes one sample; add --batch 1")
    batch, boundary = cut(network, session.data, *session.samples), load_text(session.data).boundary
    x, t = batch.x[0].astype(int), batch.t[0]
    places = np.flatnonzero(t != NO_TARGET)
    p = Predictor(network, parameters, boundary).probabilities(x[1 : places[-1] + 1].tolist())
    with np.errstate(divide="ignore"):
        found = LetterBlame((), float(-np.log(p[places, t[places]]).mean()), names)
    if len(places) == 1:
        found = replace(found, target=int(t[places[0]]), p=p[places[0]])
    for letters in blamed_letters(network, parameters, x, t, boundary):
        yield replace(found, letters=letters)


def blame_of_letter(session: Session, parameters: Array, passage: Passage) -> Iterator[LetterBlame]:
    """Blame the letters before the letter of a passage."""
    yield from letter_blame(replace(session, passage=passage, batch=1), parameters)
