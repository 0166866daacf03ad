"""Keys, pastes and clicks in the order in which they come, one at a time.

Several keys can arrive in one read: from a slow line, a paste or a script. The next one is handled once everything
that the last one set off has been done, be it in the widget that has the focus, in a dialog that opens, or by an
action that waits for a computation. So it makes no difference how the keys are split into reads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget

from tui_backprop.tui.screens.dialog import Dialog

PAINT_TIME = 0.03  # seconds in which what a key changed is on the screen: looking at messages would delay it
ROUNDS = 2  # looks in a row at which no message waits
LOOK = 0.005  # seconds between two looks at an action that waits
SETTLE_TIME = 2.0  # seconds at most for messages; what an action waits for may take longer
PATIENCE = 0.3  # seconds after which it is said that keys wait, and escape and the keys that quit do not

CLICKS = (events.MouseDown, events.MouseUp, events.MouseScrollDown, events.MouseScrollUp)


class Deferring(Protocol):
    """A part of the app whose actions may have to wait for a computation."""

    @property
    def waits(self) -> bool:
        """True while one waits."""

    def drop_waiting(self) -> None:
        """Forget those that wait."""


class KeyQueue:
    """Hand keys to the ``app``, in order. The next one waits while one of the ``parts`` does; but keys that are
    ``urgent`` do not wait for long. ``say`` shows that keys wait."""

    def __init__(
        self,
        app: App[Any],
        parts: tuple[Deferring, ...],
        urgent: Callable[[events.Key], bool],
        say: Callable[[str], None],
    ) -> None:
        self._app, self._parts, self._urgent, self._say = app, parts, urgent, say
        self._queue: deque[events.Event] = deque()
        self._handled: events.Event | None = None  # one that has waited, and is handled now
        self._task: asyncio.Task[None] | None = None
        self._since = 0.0  # when the last one was handled
        self._more = asyncio.Event()  # another one has come

    def __len__(self) -> int:
        """Return the number of keys that wait."""
        return len(self._queue)

    def holds(self, event: events.Event) -> bool:
        """Take an event that has just come; return True if it is handled later, or was handled."""
        if event is self._handled or not isinstance(event, (events.Key, events.Paste, *CLICKS)):
            return False
        if self._task is None:
            self._begin()
            return False
        if isinstance(event, events.Key) and event.time > self._since + PATIENCE and self.waits:
            if event.key == "escape":
                self.drop()
                return not self._dialog_waits  # a dialog is closed
            if self._is_urgent(event):
                return False
        self._queue.append(event)
        self._more.set()
        return True

    def _is_urgent(self, event: events.Event) -> bool:
        return isinstance(event, events.Key) and self._urgent(event)

    def _overdue(self) -> bool:
        """Return True if an urgent key has waited long enough; then what came before it is forgotten."""
        due = monotonic() - PATIENCE
        at = next(
            (i for i, each in enumerate(self._queue) if self._is_urgent(each) and each.time < due), None
        )
        for _ in range(at or 0):
            self._queue.popleft()
        return at is not None

    def drop(self) -> None:
        """Forget all that waits."""
        self._queue.clear()
        for part in self._parts:
            part.drop_waiting()

    def _begin(self) -> None:
        self._since = monotonic()
        self._task = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        """Handle the next key once all is done that the last one set off."""
        if not self._queue:
            self._more.clear()
            await self._within(PAINT_TIME, self._more)
        await self._all_read()
        said = False
        while self.waits and self._app.is_running:
            await asyncio.sleep(LOOK)
            if self._overdue():
                break
            if self._queue and not said and monotonic() > self._since + PATIENCE:
                said = True
                self._say("still computing; the next keys wait, esc drops them")
        self._handled = self._task = None
        if self._queue and self._app.is_running:
            self._handled = self._queue.popleft()
            self._begin()
            self._app.post_message(self._handled)

    async def _all_read(self) -> None:
        """Wait until no message is unread."""
        began, calm = monotonic(), 0
        while calm < ROUNDS and self._app.is_running and monotonic() < began + SETTLE_TIME:
            before = self._focused
            await self._reached(self._app)
            for pump in {self._screen, before, self._focused}:
                await self._reached(pump)
            calm = 0 if any(pump.message_queue_size for pump in self._pumps()) else calm + 1

    async def _reached(self, pump: MessagePump | None) -> None:
        """Wait until a widget has done with the messages that it has."""
        done = asyncio.Event()
        if pump is not None and pump.is_running and pump.call_later(done.set):
            await self._within(SETTLE_TIME, done)

    @staticmethod
    async def _within(seconds: float, event: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)

    @property
    def _screen(self) -> Screen[Any] | None:
        stack = self._app.screen_stack
        return stack[-1] if stack else None

    @property
    def _focused(self) -> Widget | None:
        return self._screen.focused if self._screen is not None else None

    @property
    def waits(self) -> bool:
        """True while an action waits for a computation."""
        return self._dialog_waits or any(part.waits for part in self._parts)

    @property
    def _dialog_waits(self) -> bool:
        """True while a dialog computes what it shows, or the command palette searches."""
        screen = self._screen
        if isinstance(screen, Dialog):
            return screen.waits
        return any(worker.node is screen and not worker.is_finished for worker in self._app.workers)

    def _pumps(self) -> Iterator[MessagePump]:
        yield self._app
        if self._screen is not None:
            yield from self._screen.walk_children(with_self=True)
