"""plotext, without its manual: importing it builds that out of some 1,500 lines, which takes two thirds of
the 0.2 s, and nothing here reads it."""

from __future__ import annotations

import sys
from types import ModuleType

_MANUAL = "plotext._doc.doc"

_stand_in = ModuleType(_MANUAL)
_stand_in.docs = None  # type: ignore[attr-defined]
_theirs = sys.modules.setdefault(_MANUAL, _stand_in) is _stand_in
try:
    import plotext
finally:
    if _theirs:
        del sys.modules[_MANUAL]

__all__ = ["plotext"]
