"""What ``blame`` prints: the ranking of all parameters and the case of the first, as text or as an object."""

from __future__ import annotations

from typing import Any

import msgspec

from tui_backprop.engine.notation import ascii_formula
from tui_backprop.session import Session
from tui_backprop.ui.moment import Accusation
from tui_backprop.ui.renderables.blame import called, choices, ranked, together
from tui_backprop.ui.renderables.case import nudge_lines, path_lines, pull_lines, turn_lines
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.names import titled
from tui_backprop.ui.renderables.spans import plain

COLUMNS = 78


def as_text(accusation: Accusation, glyphs: Glyphs) -> str:
    """The ranking, and for the parameter under the cursor its path, what nudging it does, and who pulls it."""
    session, taken, found = accusation.session, accusation.taken, accusation.case
    lines = [*called(session, taken), *choices(session, COLUMNS, glyphs)[2:]]
    if not accusation.ranked or found is None:
        return "\n".join(glyphs.text(plain(row)) for row in lines) + "\nevery one of them has score 0"
    several = taken.batch > 1
    lines += [*together(accusation.ranked, COLUMNS, glyphs, session.accused), ()]
    lines += ranked(accusation, COLUMNS, len(accusation.ranked) + 1, glyphs)
    lines += [(), *titled(session, found.culprit.tensor, found.culprit.index, COLUMNS, glyphs)]
    lines += path_lines(session, found, COLUMNS, len(found.path) + 3, several=several)
    lines += [(), *nudge_lines(found, COLUMNS, len(found.nudges), taken.loss), *turn_lines(found, COLUMNS)]
    lines += [(), *pull_lines(session, found, COLUMNS)] if several else []
    return "\n".join(glyphs.text(plain(row)).rstrip() for row in lines)


def as_object(accusation: Accusation) -> dict[str, Any]:
    """What ``blame --json`` prints; path, nudges and pulls are of the first parameter."""
    session: Session = accusation.session
    found: dict[str, Any] = msgspec.to_builtins(accusation.case) if accusation.case else {}
    culprits: list[dict[str, Any]] = [msgspec.to_builtins(each) for each in accusation.ranked or ()]
    for culprit in culprits:
        culprit["tensor"] = ascii_formula(culprit["tensor"])
    for hop in found.get("path", ()):
        hop["value"], hop["why"] = ascii_formula(hop["value"]), ascii_formula(hop["why"])
    return {
        "measure": session.measure,
        "layer": session.accused or None,
        "loss": accusation.taken.loss,
        "ranking": culprits,
        "path": found.get("path", []),
        "nudges": found.get("nudges", []),
        "turn": found.get("turn"),
        "pulls": found.get("pulls", []),
        "penalty": found.get("penalty", 0.0),
    }
