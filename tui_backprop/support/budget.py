"""One budget of memory for all that is kept in order to be shown again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager


class Budget:
    """An account of at most ``limit`` bytes, safe to use from several threads.

    What is kept can be dropped, and is, the least recently used first, when the sum exceeds the limit; the one used
    last always stays. What is in use cannot be dropped: it leaves less for what is kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, tuple[int, Callable[[], object]]] = OrderedDict()
        self._in_use: dict[str, int] = {}
        self._bytes = 0
        self._lock = threading.RLock()

    @property
    def bytes(self) -> int:
        """Bytes kept and in use."""
        return self._bytes

    def room(self, name: str) -> int:
        """Return the bytes that are left by everything in use but what has that name."""
        with self._lock:
            others = sum(size for each, size in self._in_use.items() if each != name)
        return max(self.limit - others, 0)

    def keep(self, key: Hashable, size: int, drop: Callable[[], object]) -> None:
        """Enter what was used just now: ``size`` bytes, and the function that drops it."""
        with self._lock:
            self.forget(key)
            self._kept[key] = size, drop
            self._bytes += size
            self._fit()

    def forget(self, key: Hashable) -> None:
        """Strike out what is no longer kept."""
        with self._lock:
            size, _ = self._kept.pop(key, (0, None))
            self._bytes -= size

    def use(self, name: str, size: int) -> None:
        """Enter, under a name, how many bytes are in use now; 0 for none."""
        if self._in_use.get(name) == size:
            return
        with self._lock:
            self._bytes += size - self._in_use.get(name, 0)
            self._in_use[name] = size
            self._fit()

    @contextmanager
    def using(self, name: str, size: int) -> Iterator[None]:
        """Enter the bytes that a computation uses, as long as it takes."""
        self.use(name, size)
        try:
            yield
        finally:
            self.use(name, 0)

    def spare(self) -> None:
        """Drop all that is kept, but what was used last."""
        with self._lock:
            self._fit(limit=0)

    def _fit(self, limit: int | None = None) -> None:
        """Drop what was used least recently, until the limit holds."""
        while len(self._kept) > 1 and self._bytes > (self.limit if limit is None else limit):
            _, (size, drop) = self._kept.popitem(last=False)
            self._bytes -= size
            drop()
