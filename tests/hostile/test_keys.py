"""All keys, the palette and those that end or suspend the app included, at random sizes: it stays alive."""

from __future__ import annotations

import random

from textual.screen import ModalScreen

from tests.hostile.chance import cases, told
from tests.tui.conftest import open_app  # noqa: F401
from tui_backprop.keys.table import ROWS
from tui_backprop.session.state import from_preset
from tui_backprop.tui.screens.dialog import Dialog

BOUND = sorted({name for row in ROWS for name in row.keys.split(",")})
OTHERS = [
    *"abcdefghijklmnopqrstuvwxyz0123456789", "enter", "escape", "backspace", "delete", "tab", "shift+tab", "pageup",
    "pagedown", "home", "end", "ctrl+c", "ctrl+d", "ctrl+g", "ctrl+k", "ctrl+w", "ctrl+v", "insert", "f11", "ctrl+at",
]  # fmt: skip
OPENING = ["ctrl+p", "question_mark", "slash", "C", "1"]  # what keys are typed into
SIZES = ((1, 1), (60, 4), (20, 5), (40, 10), (60, 18), (80, 24), (120, 40), (200, 60))
TOGETHER = 8  # most keys in one read


def handful(chance: random.Random) -> list[str]:
    pools = BOUND, OTHERS, OPENING, ["enter", "escape", "ctrl+p", "pagedown"]
    return [chance.choice(chance.choice(pools)) for _ in range(chance.randrange(1, TOGETHER))]


async def test_random_keys_at_random_sizes_leave_the_app_alive(open_app, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.chdir(tmp_path)  # for screenshots
    ended = []
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        for name in ("exit", "action_suspend_process"):
            monkeypatch.setattr(ui.app, name, lambda *given, **named: ended.append(given))
        for chance in cases(60):
            keys = handful(chance)
            with told(keys):
                if chance.random() < 0.25:
                    await ui.pilot.resize_terminal(*chance.choice(SIZES))
                await ui.pilot.press(*keys)
                assert ui.app.fault is None
                assert all(isinstance(each, Dialog) for each in ui.app.screen_stack[1:])
        for _ in range(4):
            await ui.pilot.press("escape", "ctrl+g")
        await ui.pilot.resize_terminal(120, 40)
        await ui.until(lambda: len(ui.app.screen_stack) == 1, "the app without dialogs")
        await ui.pilot.press("f3")
        await ui.until(lambda: ui.focused == "walk", lambda: f"the walk:\n{ui.screen}")


def test_every_dialog_has_the_guard_against_a_second_dismissal():
    found = [each for kind in ModalScreen.__subclasses__() for each in (kind, *kind.__subclasses__())]
    ours = [kind for kind in found if kind.__module__.startswith("tui_backprop")]
    assert ours
    assert all(issubclass(kind, Dialog) for kind in ours)
    assert all("dismiss" not in vars(kind) for kind in ours if kind is not Dialog)
