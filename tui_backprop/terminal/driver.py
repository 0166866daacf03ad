"""A driver for a real terminal, based on Textual's own: it reads keys with a parser of its own, sends only the cells
that changed, and never more than the connection carries."""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import suppress
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

from textual.message import Message

from tui_backprop.terminal.flow_control import CURSOR_POSITION_QUERY, FlowControl
from tui_backprop.terminal.hangup import hung_up
from tui_backprop.terminal.input_parser import CursorReport, InputParser
from tui_backprop.terminal.screen_diff import ScreenDiff
from tui_backprop.terminal.setup import erases_with_background

if TYPE_CHECKING:
    from textual.driver import Driver

CLEAR_SCREEN = "\x1b[m\x1b[2J\x1b[H"
RESIZE_SETTLE_TIME = 0.2  # seconds within which the app has painted the screen for a new size
READ_SIZE = 4096  # bytes
READ_WAIT = 0.1  # seconds between two looks at whether the input was disabled
REST_WAIT = 0.02  # seconds between two looks at whether the rest of a sequence is overdue
MAX_EXIT_WAIT = 1.0  # seconds to wait at most for the last replies, which would otherwise end up in the shell


class HangupTolerantFile:
    """A file whose writes never fail. (Otherwise Textual's writer thread would end with an error when the terminal is
    gone, and everyone with something to write would wait for it forever.)"""

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


def diffing_driver(driver: type[Driver], *, remote: bool = False, report_slow: bool = True) -> type[Driver]:
    """Derive from a driver class one that sends differences. With ``remote``, the line is measured by the terminal's
    replies; with ``report_slow``, the app gets one ``SlowLine`` message if it turns out to be slow."""

    class DiffingDriver(driver):  # type: ignore[misc,valid-type]
        _file: Any  # the file that Textual writes to

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._file = HangupTolerantFile(self._file)
            self._diff = ScreenDiff(erases_with_background())
            self._flow: FlowControl | None = None
            self._lock = threading.RLock()  # held frames are sent by the thread that reads replies
            self._frame_held = self._resized = False
            self._slow_reported = False
            self._all_answered = threading.Event()

        # --- sending ------------------------------------------------------------------------------------------

        def write(self, data: str) -> None:
            with self._lock:
                if self._resized:
                    self._resized = False
                    self._resize_diff()
                self._diff.paint(data)
                self._send()

        def _resize_diff(self) -> None:
            """Forward the size of the terminal, if it is known."""
            with suppress(OSError):
                size = os.get_terminal_size(self.fileno)
                if all(size):
                    self._diff.resize(*size)

        def _send(self) -> None:
            """Send what cannot wait, and the difference between what is painted and what is shown. If the line cannot
            take a frame yet, the difference is sent after the next reply, or when no reply arrives in time."""
            text, flow, now = self._diff.take_passthrough(), self._flow, monotonic()
            if flow is None or flow.can_send(now):
                self._frame_held = False
                update = self._diff.take_update()
                text += update
                if update and flow is not None and flow.replies:
                    text += CURSOR_POSITION_QUERY
                    flow.sent(len(update.encode()), now)
            elif not self._frame_held:
                self._frame_held = True
                self._loop.call_soon_threadsafe(self._loop.call_later, flow.retry_after, self._send_held)
            if text:
                super().write(text)

        def _send_held(self) -> None:
            with self._lock:
                if self._frame_held:
                    self._frame_held = False
                    self._send()

        def redraw(self) -> None:
            """Send the whole screen, whatever the terminal shows."""
            with self._lock:
                self._diff.invalidate()
                self._send()

        # --- input --------------------------------------------------------------------------------------------

        def run_input_thread(self) -> None:
            """Read keys and replies until input is disabled, or another thread reads (after a signal to continue)."""
            parser, last, this = InputParser(), monotonic(), threading.current_thread()
            while self._key_thread is this and not self.exit_event.is_set():
                if data := self._read(REST_WAIT if parser.incomplete else READ_WAIT):
                    last = monotonic()
                for message in parser.feed(data) if data else parser.expire(monotonic() - last):
                    self.process_message(message)

        def _read(self, wait: float) -> bytes:
            """Read what there is, or wait a little; nothing comes from a terminal that is gone."""
            with suppress(OSError):
                if not select.select([self.fileno], [], [], wait)[0]:
                    return b""
                if data := os.read(self.fileno, READ_SIZE):
                    return data
            self.exit_event.wait(READ_WAIT)
            return b""

        def _query_in_band_window_resize(self) -> None:
            """Ask for no reports of the size in the input: the system says when it changes."""

        def process_message(self, message: Any) -> None:
            if not isinstance(message, CursorReport):
                super().process_message(message)
            elif not self._reply_received():
                for key in message.keys:
                    super().process_message(key)

        # --- replies ------------------------------------------------------------------------------------------

        def _reply_received(self) -> bool:
            """Account for a cursor position report; False if it is not a reply to one of our queries."""
            with self._lock:
                flow = self._flow
                if flow is None or not flow.reply_received(monotonic()):
                    return False
                self._send_held()
                if not flow.awaiting_reply:
                    self._all_answered.set()
                slow = flow.slow and report_slow and not self._slow_reported
                self._slow_reported = self._slow_reported or slow
            if slow:
                self.send_message(SlowLine())
            return True

        # --- start and stop -----------------------------------------------------------------------------------

        def start_application_mode(self) -> None:
            if hung_up(
                self.fileno, 0
            ):  # a hangup comes with the signal by which Textual is resumed after a stop
                return
            # The shell may have left anything on the screen.
            self._diff = ScreenDiff(erases_with_background())
            self._resize_diff()
            super().start_application_mode()
            if remote:
                self._flow = FlowControl()
                self._flow.sent(0, monotonic())
                self.write(CURSOR_POSITION_QUERY)
            self._watch_size()

        def _watch_size(self) -> None:
            """Note changes of the terminal's size, before Textual's own handler does."""
            if not hasattr(signal, "SIGWINCH"):
                return
            textual_handler = signal.getsignal(signal.SIGWINCH)

            def resized(number: int, frame: Any) -> None:
                self._resized = True
                # If the size is soon back to what it was, the app paints nothing: this write then draws the screen.
                self._loop.call_soon_threadsafe(self._loop.call_later, RESIZE_SETTLE_TIME, self.write, "")
                if callable(textual_handler):
                    textual_handler(number, frame)

            signal.signal(signal.SIGWINCH, resized)

        def disable_input(self) -> None:
            """Wait for outstanding replies before the reader stops."""
            with self._lock:
                self._frame_held = False
                self._all_answered.clear()
                awaiting = self._flow is not None and self._flow.awaiting_reply
            if awaiting:
                self._all_answered.wait(MAX_EXIT_WAIT)
            self._flow = None
            super().disable_input()

        def stop_application_mode(self) -> None:
            """Clear the screen first, for terminals without an alternate screen (GNU screen has none by default)."""
            with self._lock:
                self._diff = ScreenDiff(erases_with_background())  # nothing painted so far is sent any more
            self.write(CLEAR_SCREEN)
            super().stop_application_mode()

    return DiffingDriver


class SlowLine(Message):
    """The line to the terminal was measured, and is slow."""
