"""Quantities and texts in both forms: as written, and as spoken."""

from __future__ import annotations

import pytest

from tui_backprop.support.quantity import Quantity, Text, joined, phrase, ratio, seconds, spoken, written
from tui_backprop.support.units import HOUR, MINUTE, UNIVERSE, YEAR


@pytest.mark.parametrize(
    ("quantity", "shown", "said"),
    [
        (seconds(63.2e-6), "63.2 µs", "63.2 microseconds"),
        (seconds(0.021), "21.0 ms", "21.0 milliseconds"),
        (seconds(1.5), "1.50 s", "1.50 seconds"),
        (seconds(2.05 * MINUTE), "2.05 min", "2.05 minutes"),
        (seconds(19.4 * HOUR), "19.4 h", "19.4 hours"),
        (seconds(143e3 * YEAR, brief=True), "1.4e5 years", "143 thousand years"),
        (seconds(1.05e6 * YEAR, brief=True), "1.0e6 years", "1.05 million years"),
        (seconds(1.04 * UNIVERSE, brief=True), "1.4e10 years", "1.04 times the age of the universe"),
        (Quantity(26e3, "count"), "26k", "26 thousand"),
        (Quantity(2.91e6, "count"), "2.91M", "2.91 million"),
        (Quantity(1e9, "count"), "1B", "1 billion"),
        (Quantity(1.05e12, "count"), "1.05T", "1.05 trillion"),
        (Quantity(809, "count"), "809", "809"),
        (Quantity(0.06, "±"), "±6%", "within 6%"),
        (Quantity(2, "within"), "within 2.0x", "within a factor of 2.0"),
        (ratio(3.32), "3.32x", "3.32 times"),
        (ratio(3, 0), "3x", "3 times"),
        (ratio(2.998), "2.998x", "2.998 times"),
        (ratio(2.9999), "<3.00x", "less than 3.00 times"),
        (ratio(1.0001), ">1.00x", "more than 1.00 times"),
        (Quantity(0.0002, "±"), "±0.1%", "within 0.1%"),
        (Quantity(0, "±"), "±0%", "within 0%"),
        (Quantity(0.003, "±"), "±0.3%", "within 0.3%"),
        (Quantity(9876, "per second"), "9,876/s", "9,876 a second"),
        (Quantity(2050, "bytes"), "2.05 kB", "2.05 kilobytes"),
        (Quantity(88, "bytes"), "88 bytes", "88 bytes"),
    ],
)
def test_units_are_written_short_and_spoken_in_words(quantity, shown, said):
    assert written(quantity) == shown
    assert spoken(quantity) == said


def test_what_is_no_quantity_is_the_same_in_both_forms():
    for text in ("784x256", "2P forward passes", "h = 3.5e-04", "W1[3,2]"):
        assert written(text) == spoken(text) == text


def test_a_phrase_is_made_of_quantities():
    assert phrase("forward {}, {} as long", seconds(0.021), ratio(2.4)) == Text(
        "forward 21.0 ms, 2.40x as long", "forward 21.0 milliseconds, 2.40 times as long"
    )
    assert phrase("from {} to {}", Quantity(1e3, "count"), "many") == Text(
        "from 1,000 to many", "from 1,000 to many"
    )


def test_what_stands_side_by_side_is_spoken_with_commas():
    assert joined(("a", ratio(2, 0)), "  ") == Text("a  2x", "a, 2 times")
