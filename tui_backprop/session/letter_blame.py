"""The blame of the letters before a prediction, for a text that a session walks or shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.data.passage import Passage
from tui_backprop.data.samples import cut, load_text
from tui_backprop.engine.analysis.blamed_letters import Letters, agreement, blamed_letters
from tui_backprop.engine.analysis.generation import Predictor, Sampling
from tui_backprop.engine.analysis.parameter_detail import ChangedParameter
from tui_backprop.engine.analysis.prediction_flips import FlipSearch
from tui_backprop.engine.analysis.ranking import Attribution, named, ranking
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.token_loss import NO_TARGET
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.session.misclassified import first_class
from tui_backprop.session.replay import Replay
from tui_backprop.session.session_parts import GeneratedText
from tui_backprop.session.state import Session
from tui_backprop.session.text_changes import appended
from tui_backprop.session.transitions import at_rank
from tui_backprop.session.update_log import EDIT_STEPS
from tui_backprop.support.errors import InputError

WEIGHTS = 5  # that are most to blame for a letter


@dataclass(frozen=True, eq=False)
class LetterBlame:
    """The ``letters`` before a prediction, in the order of their positions, and what they are to blame for: the
    ``loss`` of the token ``target``, which is predicted at the last of their positions with the probabilities ``p``
    (V,); of a whole text, its mean loss, a target of None and no probabilities. ``names`` are those of all
    tokens, as screens show them."""

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
    network, names = session.network, info(session.data).token_labels
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


@dataclass(frozen=True, eq=False)
class LetterFindings:
    """What is known of the letter of a ``passage``: its ``blame``, and the ``weights`` that are most to blame for it;
    the probability ``p`` of each letter of the passage, and of the end, as predicted now, and ``before`` without the
    edits (None: there are none)."""

    passage: Passage
    p: tuple[float, ...]
    before: tuple[float, ...] | None
    weights: tuple[Attribution, ...]
    blame: LetterBlame


def letter_findings(session: Session, passage: Passage, replay: Replay) -> Iterator[LetterFindings]:
    """Examine the letter of a passage, with the parameters of a session: first by one backward pass, then with one
    letter before it after the other replaced."""
    there = replace(session, passage=passage, batch=1)
    p, before = _of_letters(session, passage, replay), None
    if session.edits:
        before = _of_letters(replace(session, edits=()), passage, replay)
    weights = letter_weights(session, replay.take(there))
    for blame in letter_blame(there, replay.state(session).parameters):
        yield LetterFindings(passage, p, before, weights, blame)


def letter_weights(session: Session, iteration: Iteration) -> tuple[Attribution, ...]:
    """Return the weights that are most to blame for a letter, and the one that is inspected by its name."""
    measure, asked = session.inspection.measure, session.inspection.number
    ranked = tuple(ranking(iteration, measure, WEIGHTS))
    other = named(iteration, measure, *asked) if asked else None
    return ranked if other is None or other in ranked else (*ranked, other)


def chosen_weight(session: Session, weights: tuple[Attribution, ...]) -> Attribution | None:
    """Return the one of them that is inspected by its name, or else the one under the cursor of the ranking."""
    asked = next((each for each in weights if (each.tensor, each.index) == session.inspection.number), None)
    return asked or (weights[min(session.inspection.rank, len(weights) - 1)] if weights else None)


def next_weight(session: Session, weights: tuple[Attribution, ...], direction: int) -> Session:
    """Move the cursor from the chosen one of the weights to the next one, or to the one before. One that is inspected
    by its name but not among the ``WEIGHTS`` most to blame is the last."""
    chosen = chosen_weight(session, weights)
    if chosen is None:
        return session
    at = weights.index(chosen)
    to = min(max(at + direction, 0), len(weights) - 1)
    return session if to == at else at_rank(session, min(to, WEIGHTS - 1))


@dataclass(frozen=True)
class LetterFix:
    """The change of a ``weight`` ``by`` so much, and the probability ``p`` of the letter before. Of a change that is
    to flip the prediction, the ``search`` for it; ``by`` is None where none was found."""

    weight: Attribution
    by: float | None
    p: float
    search: FlipSearch | None = None


def letter_fix(session: Session, iteration: Iteration, how: str) -> LetterFix | None:
    """Work out how the chosen weight is to be changed in the iteration of a letter alone: ``up`` or ``down`` by a
    step, to ``zero``, or just enough to ``flip`` the prediction. None where there is no weight."""
    weight = chosen_weight(session, letter_weights(session, iteration))
    if weight is None:
        return None
    p = math.exp(-iteration.loss)
    if how != "flip":
        return LetterFix(weight, EDIT_STEPS.get(how, -weight.value), p)
    label = first_class(session, iteration)
    assert label is not None  # the letter
    search = ChangedParameter(iteration, weight).flips(label)
    return LetterFix(weight, search.best.by if search.best else None, p, search)


def _of_letters(session: Session, passage: Passage, replay: Replay) -> tuple[float, ...]:
    """Return the probability of each letter, and of the end where the context has room for it."""
    text = load_text(session.data)
    predictor = Predictor(session.network, replay.state(session).parameters, text.boundary)
    _, *tokens, end = text.encode(passage.characters).tolist()
    p = predictor.probabilities(tokens)
    following = [*tokens, end][: session.network.context]
    return tuple(p[np.arange(len(following)), following].tolist())


def generated(session: Session, count: int, replay: Replay) -> GeneratedText:
    """Go on with the generated text of a session by so many tokens, 0: up to the end. Raises InputError where the
    network predicts none."""
    text, data = session.text, load_text(session.data)
    predictor = Predictor(session.network, replay.state(session).parameters, data.boundary)
    sampling = Sampling(text.temperature, session.network.seed, text.series)
    choices = predictor.generate(data.encode(text.characters)[1:-1].tolist(), sampling)
    tokens = [choice.token for choice in islice(choices, count or None)]
    return appended(session, data.decode(tokens), data.boundary in tokens).text
