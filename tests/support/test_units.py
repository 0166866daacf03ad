"""Units of time are as long as they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tui_backprop.cost.model.landmarks import LANDMARKS
from tui_backprop.support.format import TIME_UNITS, format_duration
from tui_backprop.support.units import DAY, HOUR, MINUTE, UNIVERSE, YEAR

LENGTHS = {
    "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "days": 86_400.0, "years": 31_557_600.0,
    "thousand years": 31_557_600e3, "million years": 31_557_600e6, "billion years": 31_557_600e9,
}  # fmt: skip


def test_units_have_their_length_in_seconds():
    found = [timedelta(seconds=each) for each in (MINUTE, HOUR, DAY, YEAR)]
    assert found == [
        timedelta(minutes=1),
        timedelta(hours=1),
        timedelta(days=1),
        timedelta(days=365, hours=6),
    ]
    assert pytest.approx(4.355e17, rel=1e-3) == UNIVERSE
    assert {name: unit for _, unit, name in TIME_UNITS} == pytest.approx(LENGTHS)


@pytest.mark.parametrize(("below", "unit", "name"), TIME_UNITS)
def test_what_is_printed_is_as_long_as_what_was_measured(below, unit, name):
    for seconds in (unit, below * 0.99):
        number, _, found = format_duration(seconds).partition(" ")
        assert float(number.replace(",", "")) * LENGTHS[found] == pytest.approx(seconds, rel=0.01)


def test_landmarks_stand_where_their_names_say():
    lengths = {"µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "hour": 3600, "day": 86_400, "year": 31_557_600}
    for name, seconds in LANDMARKS[:-1]:
        number, unit = name.split()
        assert seconds == pytest.approx(float(number) * lengths[unit])
    assert LANDMARKS[-1][1] == pytest.approx(13.8e9 * lengths["year"])
