"""Units of time, in seconds."""

from __future__ import annotations

MINUTE, HOUR, DAY, YEAR = 60.0, 3600.0, 86400.0, 365.25 * 86400
UNIVERSE = 13.8e9 * YEAR  # the age of the universe, 4.35e17 s
