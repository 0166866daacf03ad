"""Cases of chance: the same for the same seed, few in CI, as many as are asked for otherwise.

HOSTILE_TIMES=100 HOSTILE_SEED=7 .venv/bin/python -m pytest tests/hostile
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

SEED, TIMES = int(os.environ.get("HOSTILE_SEED", "0")), float(os.environ.get("HOSTILE_TIMES", "1"))
EXIT_CODES = {0, 1, 2, 74, 129, 130, 131, 141, 143}  # those of the table that are no fault of the program
KILLED = {-1, -2, -3, -15}  # by a signal that came before the program heeded it


def cases(count: int) -> Iterator[random.Random]:
    """Yield a source of chance for each of ``count`` cases, times HOSTILE_TIMES."""
    for number in range(max(round(count * TIMES), 1)):
        yield random.Random(f"{SEED}-{number}")


@contextmanager
def told(*case: object) -> Iterator[None]:
    """Add a case, and the seed that leads to it, to an error."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"HOSTILE_SEED={SEED} HOSTILE_TIMES={TIMES:g}, case {case!r:.2000}")
        raise
