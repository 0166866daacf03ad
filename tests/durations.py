"""Times in what the program says: on a slow day they have other units."""

from __future__ import annotations

import re

from tui_backprop.support.format import TIME_UNITS

UNITS = [name for *_, name in TIME_UNITS] + ["times the age of the universe"]
# Matches all that format_duration returns: 81.2 µs, 3.84 min, 5.21 million years, 1.20 times the age of the universe.
DURATION = rf"\d[\d.,]*(?:e\d+)?(?: [a-z]+llion| thousand)? (?:{'|'.join(map(re.escape, UNITS))})\b"
