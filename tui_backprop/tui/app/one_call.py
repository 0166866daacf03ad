"""A call that is made once."""

from __future__ import annotations

from collections.abc import Callable


class OneCall:
    """A call that forgets what it is made of when it is made: a worker is remembered for longer than it runs, by the
    message that it has finished, and what it works on may be large."""

    def __init__(self, work: Callable[..., object], *arguments: object) -> None:
        self._call: tuple[Callable[..., object], tuple[object, ...]] | None = (work, arguments)

    def __call__(self) -> None:
        if self._call is not None:
            (work, arguments), self._call = self._call, None
            work(*arguments)
