"""The driver of a real terminal: Textual's own, which sends only what is different, no more than the line carries,
and is told when the terminal is gone.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import suppress
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

from textual import events
from textual.message import Message

from tui_backprop.terminal.flow_control import QUESTION, Link
from tui_backprop.terminal.screen_diff import Wire
from tui_backprop.terminal.setup import erases

if TYPE_CHECKING:
    from textual.driver import Driver

CLEARED = "\x1b[m\x1b[2J\x1b[H"
SETTLED = 0.2  # seconds after which the screen has been painted for a new size
FAREWELL = 1.0  # seconds at the most for the last answers: they should not arrive in the shell


class Outlasting:
    """A file that takes what is written to it also when its terminal is gone. (Otherwise the thread that writes would
    end, and those who have something to write would wait for it for ever.)"""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def careful(driver: type[Driver], *, far: bool = False, tells: bool = True) -> type[Driver]:
    """A driver like another one, with that. From a ``far`` terminal answers are asked for, to measure the line; with
    ``tells`` the app is told, once, that it is slow."""

    class Careful(driver):  # type: ignore[misc,valid-type]
        _file: Any  # that Textual writes to

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._file = Outlasting(self._file)
            self._wire = Wire(erases())
            self._link: Link | None = None
            self._lock = threading.RLock()  # frames that were held are sent by the thread that reads answers
            self._watched = self._told = self._held = self._resized = False
            self._quiet = threading.Event()

        # --- what is sent -------------------------------------------------------------------------------------

        def write(self, data: str) -> None:
            with self._lock:
                if self._resized:
                    self._resized = False
                    self._fit()
                self._wire.take(data)
                self._send()

        def _fit(self) -> None:
            """Tell the wire how large the terminal is, if that can be known."""
            with suppress(OSError):
                size = os.get_terminal_size(self.fileno)
                if all(size):
                    self._wire.fit(*size)

        def _send(self) -> None:
            """What has to go at once, and the difference between what is painted and what is shown; where the line
            cannot take that yet, it goes with the next answer, or when no answer comes any more."""
            text, link, now = self._wire.through(), self._link, monotonic()
            if link is None or link.free(now):
                self._held = False
                drawn = self._wire.drawn()
                text += drawn
                if drawn and link is not None and link.answers:
                    text += QUESTION
                    link.sent(len(drawn.encode()), now)
            elif not self._held:
                self._held = True
                self._loop.call_soon_threadsafe(self._loop.call_later, link.patience, self._send_held)
            if text:
                super().write(text)

        def _send_held(self) -> None:
            with self._lock:
                if self._held:
                    self._held = False
                    self._send()

        def draw_again(self) -> None:
            """Send all of the screen, whatever the terminal shows."""
            with self._lock:
                self._wire.forget()
                self._send()

        # --- what is answered ---------------------------------------------------------------------------------

        def process_message(self, message: Any) -> None:
            if isinstance(message, events.CursorPosition) and self._answered():
                return
            super().process_message(message)

        def _answered(self) -> bool:
            with self._lock:
                link = self._link
                if link is None or not link.answered(monotonic()):
                    return False
                self._send_held()
                if not link.waits:
                    self._quiet.set()
                slow = link.slow and tells and not self._told
                self._told = self._told or slow
            if slow:
                self.send_message(SlowLine())
            return True

        # --- from start to end --------------------------------------------------------------------------------

        def start_application_mode(self) -> None:
            if self._gone(0):  # a hangup comes with the signal by which Textual is woken after a stop
                return
            self._wire = Wire(erases())  # after a visit to the shell, whatever that left
            self._fit()
            super().start_application_mode()
            if far:
                self._link = Link()
                self._link.sent(0, monotonic())
                self.write(QUESTION)
            if hasattr(signal, "SIGWINCH"):
                theirs = signal.getsignal(signal.SIGWINCH)

                def resized(number: int, frame: Any) -> None:
                    self._resized = True
                    # Where the size is soon what it was before, nothing is painted anew: this then draws again.
                    self._loop.call_soon_threadsafe(self._loop.call_later, SETTLED, self.write, "")
                    if callable(theirs):
                        theirs(number, frame)

                signal.signal(signal.SIGWINCH, resized)
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, daemon=True, name="terminal").start()

        def disable_input(self) -> None:
            """Before nobody reads any more, wait for the answers that are on their way."""
            with self._lock:
                self._held = False
                self._quiet.clear()
                waits = self._link is not None and self._link.waits
            if waits:
                self._quiet.wait(FAREWELL)
            self._link = None
            super().disable_input()

        def stop_application_mode(self) -> None:
            """Leave nothing behind where there is no other screen to go back to (GNU screen has none unless told)."""
            with self._lock:
                self._wire = Wire(erases())  # nothing is painted any more, on neither screen
            self.write(CLEARED)
            super().stop_application_mode()

        def _watch(self) -> None:
            """Wait, without any work, until the terminal is gone; then end the app. A hangup is told by a signal only
            to those whose own terminal it was; everyone else would find nothing to read, again and again."""
            if self._gone(None):
                self._app.call_from_thread(self._app.exit, return_code=1)

        def _gone(self, patience: float | None) -> bool:
            """Whether the terminal goes away within so many milliseconds, or ever; not every system tells."""
            if not hasattr(select, "poll"):
                return False
            gone = select.poll()
            gone.register(self.fileno, 0)
            return bool(gone.poll(patience))

    return Careful


class SlowLine(Message):
    """The line to the terminal was measured, and is slow."""
