"""Transitions of the generated text: pure functions, each from one Session to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui_backprop.engine.network.axes import POSITION
from tui_backprop.session import transitions
from tui_backprop.session.session_parts import TEMPERATURES
from tui_backprop.session.state import Session
from tui_backprop.session.walk_steps import steps_of


def _text(session: Session, **changes: Any) -> Session:
    return replace(session, text=replace(session.text, **changes))


def is_complete(session: Session) -> bool:
    """Return True if nothing can be added: the text has ended, or fills the context."""
    return session.text.ended or len(session.text.characters) >= session.network.context


def appended(session: Session, characters: str, ended: bool) -> Session:
    """Add generated characters, and the end; the cursor goes to the last letter."""
    after = replace(session.text, characters=session.text.characters + characters, ended=ended)
    return replace(session, text=replace(after, letter=after.letters))


def with_text(session: Session) -> Session:
    """Show the text of the passage of a session, to its end, as if it was generated."""
    if (passage := session.passage) is None:
        return session
    shown = _text(session, series=0, given=passage.characters)
    return _text(_given(shown), letter=passage.letter or _given(shown).text.letter)


def _given(session: Session) -> Session:
    """Show the text that was given, to its end."""
    given = session.text.given
    return appended(_text(session, characters=""), given, len(given) < session.network.context)


def begin_text(session: Session, direction: int = 1) -> Session:
    """Begin the next text, or the one before it; an empty one is begun already. One that was given is complete."""
    text = session.text
    series = max(text.series + direction, 0) if text.characters or direction < 0 else text.series
    begun = _text(session, characters="", ended=False, letter=0, series=series)
    return _given(begun) if text.given and not series else begun


def change_temperature(session: Session, by: int) -> Session:
    """Choose a higher (+1) or lower (-1) temperature."""
    at = TEMPERATURES.index(session.text.temperature) + by
    return _text(session, temperature=TEMPERATURES[min(max(at, 0), len(TEMPERATURES) - 1)])


def move_letter(session: Session, by: int) -> Session:
    """Move the cursor over the letters; without any there is nothing to move to."""
    text = session.text
    return _text(session, letter=min(max(text.letter + by, 1), text.letters)) if text.letters else session


def walk_letter(session: Session) -> Session:
    """Walk the text with the loss of the letter under the cursor: at the step of the loss, and at its position."""
    passage = session.text.passage
    if passage is None:
        return session
    after = transitions.inspect_automatic(transitions.walk_passage(session, passage))
    graph = after.network.graph
    made = {step.tensor: step.index for step in steps_of(after)}
    after = transitions.at_step(after, made.get(graph.loss, 0))
    axes = [*graph.axes]
    return transitions.select(after, axes.index(POSITION), passage.position) if POSITION in axes else after
