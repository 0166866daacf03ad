"""Run a generator in a process of its own, and take what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tui_backprop.cost.race.worker import leave_terminal, lower_priority
from tui_backprop.support.errors import reason_of
from tui_backprop.support.starting import start_talking


class SubprocessGenerator:
    """``make(*given)`` makes the generator; it, what it is given and what it yields have to be picklable. Raises
    StartError."""

    def __init__(self, make: Callable[..., Iterator[Any]], *given: object) -> None:
        self._process, self._here = start_talking(_run, (make, given))
        self.over = False
        self.why = ""  # it failed, in a line

    def __enter__(self) -> SubprocessGenerator:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def received(self, seconds: float = 0.0) -> list[Any]:
        """What came since the last time; waits so many seconds for the first of it. ``over`` is set with the last."""
        found: list[Any] = []
        try:
            while not self.over and self._here.poll(0 if found else seconds):
                kind, what = self._here.recv()
                if kind == "found":
                    found.append(what)
                else:
                    self.over, self.why = True, what
        except (EOFError, OSError):
            self.over, self.why = True, "its process was ended"
        return found

    def close(self) -> None:
        """End it, wherever it is."""
        if self._process is None:
            return
        self._process.kill()
        self._process.join()
        self._process.close()
        self._process = None
        self._here.close()
        self.over = True


def _run(there: Any, make: Callable[..., Iterator[Any]], given: tuple[object, ...]) -> None:
    leave_terminal()
    lower_priority()
    try:
        for found in make(*given):
            there.send(("found", found))
        there.send(("over", ""))
    except (BrokenPipeError, ConnectionError):  # nobody is there any more
        return
    except BaseException as error:
        there.send(("over", reason_of(error)))
