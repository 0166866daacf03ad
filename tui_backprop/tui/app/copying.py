"""What can be copied whole: a token of the state, and the lines of PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual.app import App

from tui_backprop.render.draw.statements import command_lines, statement_lines
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.errors import UserError
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.panel_focus import Panels
from tui_backprop.tui.app.state import AppState


class Copying:
    """Send text to the clipboard, and show it where it can be selected: not every terminal has a clipboard."""

    def __init__(self, app: AppContext, screen: App[None], state: AppState, panels: Panels) -> None:
        self._app, self._screen, self._state, self._panels = app, screen, state, panels

    def action_token(self) -> None:
        """Copy a token of what is on the screen."""
        from tui_backprop.session.share_token import encode

        try:
            token = encode(self._state.placed)
        except UserError as error:
            self._app.fail(f"No token: {error.message}")
            return
        lines = partial(command_lines, "backprop-tui --open", token)
        self._show("a token for this state, and the command that opens it", token, lines)

    def action_torch(self) -> None:
        """Copy the step in PyTorch; in the number panel, the number."""
        snapshot = self._state.snapshot
        if snapshot is None:
            return
        what, lines = _number(snapshot) if self._panels.current == "number" else _step(snapshot)
        if not lines:
            self._app.say(f"no PyTorch for {what}: it is given, not computed")
            return

        def shown(columns: int) -> list[str]:
            return [row for text in lines for row in statement_lines(text, columns)]

        self._show(f"{what} in PyTorch", "\n".join(lines), shown)

    def _show(self, title: str, text: str, lines: Callable[[int], Sequence[str]]) -> None:
        from tui_backprop.tui.screens.copy import CopyScreen

        self._screen.copy_to_clipboard(text)
        self._app.open_dialog(CopyScreen(title, lines, self._app.render_context))


def _step(snapshot: Snapshot) -> tuple[str, Sequence[str]]:
    """Name a step of the walk, with its lines in PyTorch."""
    from tui_backprop.render.walk.explanation import step_in_torch

    return f"step {snapshot.step.index}", step_in_torch(snapshot)


def _number(snapshot: Snapshot) -> tuple[str, Sequence[str]]:
    """Name the number of the number panel, with its lines in PyTorch."""
    from tui_backprop.engine.explain.number import number_of

    tensor, index = snapshot.number
    name = f"{tensor}[{','.join(map(str, index))}]" if index else tensor
    return name, number_of(snapshot.iteration, tensor, index, 1).torch
