"""The app without a terminal: opened by Pilot, pressed, read as text."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest
from textual import events

from tests.steady import steady_machine
from tests.tui import headless
from tests.waits import GENEROUS, What, attempts
from tui_backprop.cost.measure import passes as measure
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.panels.form import field_columns
from tui_backprop.session.form_fields import BY_NAME, FIELDS, FOLDED
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.tui.app.app import BackpropApp
from tui_backprop.tui.panels.cost import CostView
from tui_backprop.tui.panels.walk import WalkView
from tui_backprop.tui.widgets.form import NetworkPanel
from tui_backprop.tui.widgets.form_rows import FormView
from tui_backprop.tui.widgets.screen_bars import KeyBar, StatusBar, TabBar

LASTING = 600.0  # seconds that a notice is shown
SOON, SELDOM = 0.002, 0.05  # seconds between two looks: at first, and when it takes long
CHOICES = {field.name: field.choices for field in FIELDS}
REAL_MEASUREMENT = measure.measure_machine


class Ui:
    """An open app: keys in, text out. A press waits until what it set off has been computed and drawn."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settled()

    async def type(self, text: str) -> None:
        """Replace what the selected field of the form says, by pasting (as fast as one key)."""
        await self.pilot.press("ctrl+e", "ctrl+u")
        if text:
            self.app.post_message(events.Paste(text))
        await self.settled()

    async def to_field(self, name: str) -> None:
        """Give the keys to a field of the form, with keys."""
        if self.focused != "network":
            await self.press("1")
        if name in FOLDED and name not in self.fields:
            await self.choose("more", "shown")
        here, names = self.app.query_one(NetworkPanel).form.row, self.fields
        await self.press(*["down"] * ((names.index(name) - here) % len(names)))

    async def choose(self, name: str, value: str) -> None:
        """Turn a field with choices to one of them."""
        await self.to_field(name)
        for _ in CHOICES[name]:
            if self.field(name) != value:
                await self.press("right")
        assert self.field(name) == value

    def field(self, name: str) -> str:
        """What a field of the form says."""
        row = self.form.splitlines()[self.form_layout.index(name)]
        row = row[: field_columns(self.app.query_one(FormView).size.width)]  # without what stands beside it
        return row.removeprefix(BY_NAME[name].label).strip("!‹› ")

    @property
    def fields(self) -> list[str]:
        """The names of the fields in sight."""
        return [field.name for field in self.app.query_one(NetworkPanel).form.fields]

    @property
    def form_layout(self) -> list[str]:
        """The name of the field on each line of the form; empty between groups."""
        panel = self.app.query_one(NetworkPanel)
        return [field.name if field else "" for field in panel._shown.layout(*panel._view.size)]

    @property
    def message(self) -> str:
        """What the form says below its fields, on one line."""
        return " ".join(" ".join(self.form.splitlines()[len(self.form_layout) :]).split())

    async def until(self, holds: Callable[[], bool], what: What = "a state") -> None:
        pause = SOON
        for _ in attempts(what):
            if holds():
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, SELDOM)

    def _quiet(self) -> bool:
        """Whether the numbers of the session are there, no thread works, and no message waits to be read."""
        app, snapshot = self.app, self.app.snapshot
        return (
            snapshot is not None
            and snapshot.session == app.session
            and all(worker.is_finished for worker in app.workers)
            and not headless.unread(app)
        )

    def _unquiet(self) -> str:
        """What keeps the app from being quiet, for a failure's message."""
        return f"{headless.unread(self.app)}, {[w for w in self.app.workers if not w.is_finished]}"

    async def settled(self) -> None:
        """Wait until all is computed and drawn: quiet three times in a row, since a message can send another."""
        rounds = 0
        for _ in attempts(lambda: f"the app to be quiet: {self._unquiet()}"):
            if rounds == 3:
                return
            await self.until(self._quiet, lambda: f"the app to be quiet: {self._unquiet()}")
            await self.pilot.pause(0)
            rounds = rounds + 1 if self._quiet() else 0

    async def resize(self, columns: int, rows: int) -> None:
        await self.pilot.resize_terminal(columns, rows)
        points = ((columns, self.app.HORIZONTAL_BREAKPOINTS), (rows, self.app.VERTICAL_BREAKPOINTS))
        classes = [[name for least, name in names if least <= size][-1] for size, names in points]
        await self.until(lambda: self.app.screen.has_class(*classes), "the layout for the new size")
        await self.pilot.pause()
        await self.settled()

    @property
    def screen(self) -> str:
        """All that the terminal would show."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    def _text(self, widget) -> str:
        return self.app.query_one(widget).text

    walk = property(lambda self: self._text(WalkView))
    cost = property(lambda self: self._text(CostView))
    form = property(lambda self: self._text(FormView))
    status = property(lambda self: self._text(StatusBar))
    keys = property(lambda self: self._text(KeyBar))
    tabs = property(lambda self: self._text(TabBar))

    @property
    def step(self) -> int:
        return self.app.session.walk.step

    @property
    def shown_panels(self) -> list[str]:
        return [panel.id for panel in self.app.query(".panel") if panel.size and panel.display]

    @property
    def focused(self) -> str:
        """The panel that has the keys."""
        widget = self.app.focused
        return next((p.id for p in widget.ancestors if p.has_class("panel")), "") if widget else ""


@pytest.fixture
def open_app(monkeypatch):
    """``async with open_app(session, size=...) as ui``; the clock of its machine is a steady one, and no notice
    passes while it is looked at."""
    monkeypatch.setattr(KeyBar, "SECONDS", LASTING)
    monkeypatch.setattr(measure, "measure_machine", steady_machine)
    headless.make_cheaper(monkeypatch)

    @asynccontextmanager
    async def opened(session=None, size=(120, 40), context=UTF8, settle=True, **more):
        app = BackpropApp(session or Session(), context, **more)
        async with app.run_test(size=size) as pilot:
            ui = Ui(app, pilot)
            if settle:
                await ui.settled()
            yield ui

    return opened


@pytest.fixture
def real_clock(open_app, monkeypatch):
    """The machine is measured after all."""
    monkeypatch.setattr(measure, "measure_machine", REAL_MEASUREMENT)


class Gate:
    """Holds every pass back in its thread until it is opened, and notes the threads and sessions."""

    def __init__(self, real):
        self._real, self._open = real, threading.Event()
        self.threads: list[threading.Thread] = []
        self.begun: list[Session] = []

    def open(self) -> None:
        self._open.set()

    def shut(self) -> None:
        self._open.clear()

    def take(self, replay: Replay, session: Session):
        self.threads.append(threading.current_thread())
        self.begun.append(session)
        assert self._open.wait(GENEROUS), "the gate was left shut"
        return self._real(replay, session)


@pytest.fixture
def gate(monkeypatch):
    """A Gate in front of ``Replay.take``, open at first; it opens at the end whatever happens."""
    gate = Gate(Replay.take)
    gate.open()
    monkeypatch.setattr(Replay, "take", lambda replay, session: gate.take(replay, session))
    yield gate
    gate.open()
