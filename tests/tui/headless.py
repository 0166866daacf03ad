"""What is cheaper in an app without a terminal: its output, which nobody reads, its style sheet, which is that of the
last app, and the waits between keys.

Widgets are laid out as ever; what a test reads of a screen is drawn when it reads it. Textual waits between keys
until the process takes no time, which it does for a second while another thread computes; here the wait is until
every message has been taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import Any

import pytest
from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from tui_backprop.tui.textual_fixes import Steady

CALM = 3  # looks in a row at which no message waits
PAUSE = 0.001  # seconds between two looks
PARSE = Stylesheet._parse_rules
PARSED: dict[tuple[object, ...], list[RuleSet]] = {}  # by all that the rules depend on


def unread(app: App[object]) -> dict[str, int]:
    """How many messages wait for whom."""
    nodes = (app, *app.screen.walk_children(with_self=True))
    waiting = {str(node): node.message_queue_size for node in nodes if node.message_queue_size}
    queue = getattr(app, "key_queue", None)
    return waiting | ({"keys": len(queue)} if queue and not queue.waits else {})


async def all_read(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until no message waits, in place of Textual's ``wait_for_idle``."""
    app, calm, end = active_app.get(), 0, monotonic() + max_sleep
    while calm < CALM and monotonic() < end:
        await asyncio.sleep(PAUSE)
        calm = 0 if unread(app) else calm + 1


def full_update(compositor: Compositor, simplify: bool = False) -> None:
    """Draw all widgets, and put nothing together of it."""
    compositor._dirty_regions.clear()
    deque(compositor._get_renders(compositor.size.region), maxlen=0)


def partial_update(compositor: Compositor) -> None:
    """Draw nothing: what a test reads is drawn then."""
    compositor._dirty_regions.clear()


def parse_once(sheet: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
    key = (given, *named.items(), *sheet._variables.items())
    if key not in PARSED:
        PARSED[key] = PARSE(sheet, *given, **named)
    return PARSED[key]


def make_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Compositor, "render_full_update", full_update)
    monkeypatch.setattr(Steady, "render_partial_update", partial_update)
    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_once)
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", all_read)
