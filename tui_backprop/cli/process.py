"""The process of a command: its streams, its signals, and its end."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

from tui_backprop.cli.streams import close_streams, open_streams, say
from tui_backprop.support.errors import WriteError
from tui_backprop.support.exit_codes import DONE, FAULT, INTERRUPTED, SIGNAL
from tui_backprop.support.signals import ENDING, STARTING

MOST_START = 1.0  # seconds that a start under way is waited for


def run() -> NoReturn:
    """Run the command line of the process, and exit with its code."""
    open_streams()
    from tui_backprop.cli.main import main

    heed_signals()
    exit_with(main)


def exit_with(command: Callable[[], object]) -> NoReturn:
    """Run a command, close the streams, and exit with the code of whatever happened."""
    code = _code_of(command)
    try:
        close_streams()
    except WriteError as error:
        say(f"backprop-tui: {error}")
        code = error.exit_code
    except SystemExit as error:
        code = int(error.code or DONE)
    STARTING.acquire(timeout=MOST_START)  # a process that is half started would say so
    if any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread()):
        atexit._run_exitfuncs()
        os._exit(code)  # the interpreter would wait for threads that still compute
    raise SystemExit(code)


def _code_of(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        say("backprop-tui: memory ran out; use a smaller network or batch")
        return FAULT
    except Exception as error:
        if (code := _signal_behind(error)) is not None:
            return code
        import traceback

        say(f"{traceback.format_exc()}backprop-tui: a fault of the program; please report the lines above")
        return FAULT
    return DONE


def _signal_behind(error: BaseException | None) -> int | None:
    """Return the exit code of a signal that came in the middle of what failed: Python wraps it where a class is made,
    and what is half imported fails otherwise. None if no signal came."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return INTERRUPTED
        if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > SIGNAL:
            return error.code
        error = error.__cause__ or error.__context__
    return None


def heed_signals() -> None:
    """Let signals end the process by way of exceptions, so that nothing is left unfinished. Those that are ignored
    remain so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    sys.unraisablehook = _unraisable


def _end(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # for those who cannot wait
    raise SystemExit(SIGNAL + number)


def _unraisable(lost: sys.UnraisableHookArgs) -> None:
    """End the process where the exception of a signal would be lost: in a destructor or a callback."""
    if isinstance(lost.exc_value, SystemExit):
        os._exit(int(lost.exc_value.code or DONE))
    if isinstance(lost.exc_value, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    sys.__unraisablehook__(lost)
