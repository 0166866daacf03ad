"""GPTs to begin with."""

from __future__ import annotations

FRONTEND = "gpt"
