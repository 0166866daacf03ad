"""The text panel: generated text, and what made the network say a letter. ``tui/app/text.py`` generates it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query, SnapshotView

if TYPE_CHECKING:
    from tui_backprop.session.letter_blame import LetterFindings
    from tui_backprop.session.replay import Replay

LASTING = 5  # the parts of the key that are the training and the text


def _draw(
    snapshot: Snapshot, found: object, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.render.panels.text import text_panel

    return text_panel(snapshot.session, cast("LetterFindings | None", found), columns, rows, context)


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    session, text = snapshot.session, snapshot.session.text
    if not text.letter:
        return ()
    inspected = session.inspection.measure, session.inspection.number
    trained = session.update_log, session.edits
    return *session.training_key, text.characters, text.ended, trained, text.letter, inspected


def _findings(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.session.letter_blame import letter_findings

    passage = snapshot.session.text.passage
    assert passage is not None
    return letter_findings(snapshot.session, passage, replay)


def _view(context: RenderContext) -> SnapshotView:
    return SnapshotView("text", context, _draw, partial=True)


PANEL = Panel(_view, Query(_about, _findings, lasting=LASTING))
