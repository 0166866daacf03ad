"""Views of named arrays, as text."""

from __future__ import annotations

import pytest

from tests.having import having
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.walk.tensor import tensor_view


@pytest.fixture(scope="session")
def view_of(snapshots):
    """Return a function that renders the view of a named array (W1' after the update) as text."""

    def of(session, view, name, columns=50, rows=27, context=UTF8):
        session = having(session, view=view)
        snapshot = next(
            each
            for each in snapshots(session)
            if each.step.tensor + "'" * (each.step.kind == "update") == name
        )
        return [plain(row) for row in tensor_view(snapshot, columns, rows, context)], snapshot.iteration

    return of
