"""Transitions of the generated text: pure functions, each from one Session to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui_backprop.engine.network.axes import POSITION
from tui_backprop.session import transitions
from tui_backprop.session.session_parts import MOST_KEPT, TEMPERATURES, GeneratedText, Text
from tui_backprop.session.state import Session
from tui_backprop.session.walk_steps import steps_of


def is_complete(session: Session) -> bool:
    """Return True if nothing can be added: the text has ended, or fills the context."""
    return session.text.ended or len(session.text.characters) >= session.network.context


def with_shown(session: Session, text: GeneratedText) -> Session:
    """Show a text; at another letter, the weight that is most to blame for it is the chosen one."""
    before, after = session.text, replace(session, text=text)
    same = (before.series, before.passage) == (text.series, text.passage)
    return after if same else transitions.at_rank(after, 0)


def _with(session: Session, **changes: Any) -> Session:
    return with_shown(session, replace(session.text, **changes))


def appended(session: Session, characters: str, ended: bool) -> Session:
    """Add generated characters, and the end; the cursor goes to the last letter."""
    after = replace(session.text, characters=session.text.characters + characters, ended=ended)
    return with_shown(session, replace(after, letter=after.letters))


def with_text(session: Session) -> Session:
    """Show the text of the passage of a session, to its end, as if it was generated: after those that are there."""
    if (passage := session.passage) is None:
        return session
    ended = len(passage.characters) < session.network.context
    shown = appended(begin_text(session), passage.characters, ended)
    return _with(shown, letter=passage.letter or shown.text.letter)


# --- from text to text --------------------------------------------------------------------------------------


def _turn_to(session: Session, series: int) -> Session:
    """Show the text of a number as it was left, or begin it. The one that was shown is kept, unless it is empty."""
    text = session.text
    texts = {each.series: each for each in text.kept}
    if text.letters:
        texts[text.series] = Text(text.characters, text.ended, text.series, text.letter)
    shown = texts.pop(series, Text(series=series))
    kept = tuple(texts[each] for each in sorted(texts)[-MOST_KEPT:])
    return with_shown(session, replace(text, **vars(shown), kept=kept))


def begin_text(session: Session) -> Session:
    """Begin a text after all others; an empty one is begun already."""
    text = session.text
    return _turn_to(session, max(each.series for each in (text, *text.kept)) + 1) if text.letters else session


def next_text(session: Session) -> Session:
    """Show the text after this one, or begin it; nothing comes after an empty one."""
    return _turn_to(session, session.text.series + 1) if session.text.letters else session


def previous_text(session: Session) -> Session:
    """Show the text before this one, if one is kept."""
    before = [each.series for each in session.text.kept if each.series < session.text.series]
    return _turn_to(session, max(before)) if before else session


# --- within a text ------------------------------------------------------------------------------------------


def change_temperature(session: Session, by: int) -> Session:
    """Choose a higher (+1) or lower (-1) temperature."""
    at = TEMPERATURES.index(session.text.temperature) + by
    return _with(session, temperature=TEMPERATURES[min(max(at, 0), len(TEMPERATURES) - 1)])


def move_letter(session: Session, by: int) -> Session:
    """Move the cursor over the letters; without any there is nothing to move to."""
    text = session.text
    return _with(session, letter=min(max(text.letter + by, 1), text.letters)) if text.letters else session


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
