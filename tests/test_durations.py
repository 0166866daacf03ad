"""The pattern of times that other tests use."""

from __future__ import annotations

import re

import numpy as np

from tests.durations import DURATION, UNITS
from tui_backprop.support.format import format_duration


def test_every_time_matches_and_no_other_text():
    times = [format_duration(seconds) for seconds in np.logspace(-9, 60, 2000)]
    assert [each for each in times if not re.fullmatch(DURATION, each)] == []
    assert {unit for unit in UNITS for each in times if each.endswith(f" {unit}")} == set(UNITS)
    for text in ("3.84", "min", "3.84 mins", "3.84min", "forward s", "3 steps"):
        assert not re.fullmatch(DURATION, text)
