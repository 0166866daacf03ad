"""The internals of Textual that the driver and the compositor of this package rely on: a new version that changes one
fails here, with its name."""

from __future__ import annotations

import inspect
import os
import re
import sys

import pytest
from textual import constants, events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import Compositor
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.widget import Widget

from tui_backprop.terminal.driver import diffing_driver
from tui_backprop.terminal.screen_diff import SYNCHRONIZED_UPDATE
from tui_backprop.tui.textual_fixes import Steady, steady

posix = pytest.mark.skipif(sys.platform == "win32", reason="the driver for Linux and macOS")
OVERRIDDEN = {
    "__init__", "write", "process_message", "start_application_mode", "disable_input", "stop_application_mode",
    "run_input_thread", "_query_in_band_window_resize",
}  # fmt: skip


def parameters(function):
    """The names of its parameters, without self."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


@pytest.fixture
def driver_class():
    from textual.drivers.linux_driver import LinuxDriver

    return LinuxDriver


@pytest.mark.parametrize(
    ("method", "names"),
    [
        (Driver.write, ["data"]),
        (Driver.process_message, ["message"]),
        (Driver.send_message, ["message"]),
        (Driver.start_application_mode, []),
        (Driver.disable_input, []),
        (Driver.stop_application_mode, []),
        (App.call_from_thread, ["callback", "args", "kwargs"]),
        (App.set_keymap, ["keymap"]),
        (Compositor.reflow, ["parent", "size"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_methods_that_are_overridden_or_called_have_these_parameters(method, names):
    assert parameters(method) == names


def test_an_app_takes_a_class_of_driver_and_exits_with_a_code():
    assert issubclass(App().driver_class, Driver)
    assert "driver_class" in parameters(App.__init__)
    assert "return_code" in parameters(App.exit)
    assert "mouse" in parameters(App.run)


@posix
def test_the_driver_has_the_attributes_that_ours_uses(driver_class):
    source = inspect.getsource(Driver) + inspect.getsource(driver_class)
    for name in ("_file", "fileno", "_app", "_loop", "exit_event", "_key_thread"):
        assert re.search(rf"self\.{name}(: [^=]+)? = ", source), name
    assert "WriterThread(self._file)" in source  # which is why the file is wrapped before the thread starts


@posix
def test_the_handler_of_sigwinch_is_set_at_the_start_so_that_ours_can_call_it(driver_class):
    assert "signal.signal(signal.SIGWINCH" in inspect.getsource(driver_class.start_application_mode)


@posix
def test_names_of_ours_hide_none_of_textual(driver_class):
    ours = diffing_driver(driver_class)
    assert {name for name in OVERRIDDEN if not hasattr(driver_class, name)} == set()
    added = {name for name in vars(ours) if not name.startswith(("__", "_abc"))} - OVERRIDDEN
    assert {name for name in added if hasattr(driver_class, name)} == set()
    written = set(re.findall(r"self\.(_\w+)(?:: [^=\n]+)? = ", inspect.getsource(ours))) - {"_file"}
    theirs = set(re.findall(r"self\.(_\w+)", inspect.getsource(Driver) + inspect.getsource(driver_class)))
    assert len(written) >= 6
    assert written & theirs == set()


@posix
def test_the_driver_reads_in_a_method_that_ours_replaces(driver_class):
    assert "self.run_input_thread()" in inspect.getsource(driver_class._run_input_thread)
    assert "self.exit_event.set()" in inspect.getsource(driver_class.disable_input)
    assert "self._query_in_band_window_resize()" in inspect.getsource(driver_class.start_application_mode)


def test_keys_are_named_and_mouse_reports_read_by_methods_that_our_parser_calls():
    assert parameters(XTermParser._sequence_to_key_events) == ["sequence", "alt"]
    assert [key.key for key in XTermParser()._sequence_to_key_events("\x1b[1;5C")] == ["ctrl+right"]
    assert isinstance(XTermParser().parse_mouse_code("\x1b[<0;3;7M"), events.MouseDown)
    assert int(os.environ.get("ESCDELAY", "100")) / 1000 == constants.ESCAPE_DELAY  # seconds


def test_frames_are_marked_as_the_screen_difference_expects():
    assert (SYNC_START, SYNC_END) == SYNCHRONIZED_UPDATE
    source = inspect.getsource(App)
    assert "SYNC_START" in source
    assert "SYNC_END" in source


def test_the_compositor_of_a_screen_can_be_replaced_before_it_is_shown():
    assert isinstance(Screen()._compositor, Compositor)
    assert isinstance(steady(Screen())._compositor, Steady)


async def test_a_reflow_reports_what_came_and_went_against_the_map_that_ours_restores():
    async with App().run_test(size=(20, 5)) as pilot:
        widget = Widget()
        await pilot.app.screen.mount(widget)
        await pilot.pause()
        for layout in (Compositor(), Steady()):
            assert widget in layout.reflow(pilot.app.screen, Size(20, 5)).shown
            assert layout._full_map[widget].region == Region(0, 0, *widget.outer_size)
            layout._full_map = {}
            again = layout.reflow(pilot.app.screen, Size(20, 5)).shown
            assert (widget in again) == (type(layout) is Compositor)
