"""What ``blame --letters`` prints: the ranking of the letters before a prediction, as text or as an object."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tui_backprop.data.catalogue import info
from tui_backprop.engine.analysis.blamed_letters import same_signs
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.letters import letter_at
from tui_backprop.render.panels.letters import ABOUT, letter_table, prediction_words, ranked, trust_lines
from tui_backprop.render.session_text import sample_text
from tui_backprop.report.place import data_text
from tui_backprop.report.rows import (
    BLANK,
    ENDLESS,
    Column,
    Drawing,
    Forms,
    Row,
    Sentence,
    Table,
    text_of,
)
from tui_backprop.session.letter_blame import LetterBlame
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number

WIDE = 78  # columns of the text
SPOKEN = (
    "",
    "mean change of the loss to first order",
    "mean actual change",
    "largest actual change",
    "actual change by the boundary",
)


def letters_text(session: Session, blame: LetterBlame, context: RenderContext) -> str:
    """The prediction, the ranking, and how far it can be trusted; spoken, the boundary has its name."""
    if context.linear:
        blame = _in_words(session, blame)
    return text_of(_rows(session, blame, context), context, WIDE)


def _in_words(session: Session, blame: LetterBlame) -> LetterBlame:
    return replace(blame, names=info(session.data).token_names)


def _rows(session: Session, blame: LetterBlame, context: RenderContext) -> Iterator[Row]:
    yield Sentence(data_text(session, sample_text(session, None)))
    yield Sentence(prediction_words(blame))
    table = letter_table(blame, WIDE, len(blame.letters) + 1, context)
    yield Forms(
        written=(BLANK, Sentence(f"{ABOUT}:"), Drawing(tuple(table)), BLANK), spoken=(_spoken(blame),)
    )
    for row in trust_lines(blame, ENDLESS, context):
        yield Sentence("".join(text for text, _ in row))


def _spoken(blame: LetterBlame) -> Table:
    rows = []
    for letter in ranked(blame):
        cells = [
            letter_at(letter.position, blame.names[letter.token]),
            format_number(letter.first_order, sign=True),
        ]
        if (found := letter.replaced) is not None:
            cells += [
                format_number(found.mean, sign=True),
                f"{format_number(found.largest, sign=True)} by {blame.names[found.by]}",
                "" if found.boundary is None else format_number(found.boundary, sign=True),
            ]
        rows.append(tuple(cells))
    return Table(tuple(map(Column, SPOKEN)), tuple(rows))


def letters_dict(session: Session, blame: LetterBlame) -> dict[str, Any]:
    """What ``blame --letters --json`` prints; the letter most to blame first, changes of the loss."""
    blame = _in_words(session, blame)
    p = None if blame.p is None else dict(zip(blame.names, map(float, blame.p), strict=True))
    return {
        "iteration": session.t,
        "loss": blame.loss,
        "letter": None if blame.target is None else blame.names[blame.target],
        "p": p,
        "rank_correlation": None if math.isnan(blame.rho) else blame.rho,
        "same_signs": same_signs(blame.letters),
        "letters": [
            {
                "position": each.position,
                "letter": blame.names[each.token],
                "first_order": each.first_order,
                "norm": each.norm,
                "replaced": each.replaced
                and {
                    "mean": each.replaced.mean,
                    "largest": each.replaced.largest,
                    "by": blame.names[each.replaced.by],
                    "boundary": each.replaced.boundary,
                },
            }
            for each in ranked(blame)
        ],
    }
