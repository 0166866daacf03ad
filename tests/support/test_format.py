"""Numbers and times as text."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.support.format import (
    MINUS,
    format_count,
    format_duration,
    format_faster,
    format_fixed,
    format_number,
    format_ratio,
    format_relative,
    format_share,
    format_short_count,
    format_times,
    format_work,
)
from tui_backprop.support.units import DAY, HOUR, MINUTE, UNIVERSE, YEAR

EXPLORE = settings(derandomize=True, deadline=None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1.00"), (0.0213, "0.0213"), (-1.27, "−1.27"), (3.1e-9, "3.10e-09"),
        (12.34, "12.3"), (123.4, "123"), (1234.5, "1,234"), (999.6, "1,000"), (9.996, "10.0"), (0.09996, "0.100"),
        (1e-4, "0.000100"), (9.99e-5, "9.99e-05"), (99999.9, "100,000"), (1e6, "1.00e+06"), (1e30, "1.00e+30"),
        (-1e30, "−1.00e+30"), (1e-300, "1.00e-300"), (5e-324, "4.94e-324"), (1e308, "1.00e+308"),
        (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_a_number_has_three_significant_digits(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize("value", [1.797e308, -1.797e308])
def test_the_largest_numbers_there_are_can_be_written(value):
    assert "e+308" in format_number(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "+1.00"), (-1, "−1.00"), (0, "0"), (math.inf, "+∞"), (-math.inf, "−∞"), (math.nan, "NaN")],
)
def test_a_sign_is_written_where_it_is_asked_for(value, text):
    assert format_number(value, sign=True) == text


@pytest.mark.parametrize(
    ("macs", "flops", "text"),
    [(65536, 131072, "65,536 MACs"), (1, 2, "1 MAC"), (0, 50, "50 FLOPs"), (0, 1, "1 FLOP")],
)
def test_work_is_in_macs_if_there_are_products(macs, flops, text):
    assert format_work(macs, flops) == text


def test_more_digits_are_given_where_they_are_asked_for():
    assert format_number(2.71828, 5) == "2.7183"


@EXPLORE
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_a_number_reads_back_to_three_digits(value):
    text = format_number(value)
    assert len(text) <= 10
    back = float(text.replace(MINUS, "-").replace(",", ""))
    assert back == pytest.approx(value, rel=5.1e-3)
    assert (back < 0) == (value < 0)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1.005, 1, "+1.0"), (-1.27, 2, "−1.27"), (0.0, 2, "0.00"), (-0.0, 2, "0.00"), (-0.004, 2, "0.00"),
        (0.004, 2, "0.00"), (0.006, 2, "+0.01"), (12.0, 0, "+12"), (math.nan, 2, "NaN"), (math.inf, 2, "+∞"),
        (-math.inf, 2, "−∞"),
    ],
)  # fmt: skip
def test_a_fixed_number_has_its_decimals_and_no_sign_on_zero(value, decimals, text):
    assert format_fixed(value, decimals) == text


def test_a_fixed_number_goes_without_a_plus_where_none_is_wanted():
    assert (format_fixed(1.5, 1, sign=False), format_fixed(-1.5, 1, sign=False)) == ("1.5", "−1.5")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 µs"), (1e-9, "0.00100 µs"), (81.2e-6, "81.2 µs"), (1e-3, "1.00 ms"), (0.0123, "12.3 ms"),
        (1.0, "1.00 s"), (33.1, "33.1 s"), (119.9, "120 s"), (2 * MINUTE, "2.00 min"), (335.115, "5.59 min"),
        (2 * HOUR, "2.00 h"), (47 * HOUR, "47.0 h"), (2 * DAY, "2.00 days"), (388 * DAY, "388 days"),
        (400 * DAY, "1.10 years"), (100 * YEAR, "100 years"), (1e6 * YEAR, "1.00 million years"),
        (1e9 * YEAR, "1.00 billion years"), (13.7e9 * YEAR, "13.7 billion years"),
        (UNIVERSE, "1.00 times the age of the universe"), (2.3 * UNIVERSE, "2.30 times the age of the universe"),
        (1.3e7 * UNIVERSE, "13 million times the age of the universe"),
    ],
)  # fmt: skip
def test_a_time_is_in_the_unit_in_which_people_say_it(seconds, text):
    assert format_duration(seconds) == text


@EXPLORE
@given(st.floats(1e-8, 1e22))
def test_a_time_is_short_and_has_no_more_digits_than_it_deserves(seconds):
    figure, _, unit = format_duration(seconds).partition(" ")
    assert unit
    assert len(figure) <= 8


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9, "9"),
        (335_114, "335,114"),
        (9_999_999_999, "9,999,999,999"),
        (1e10, "10 billion"),
        (17_782_794_100, "17.8 billion"),
        (175e9, "175 billion"),
        (999.9e9, "1 trillion"),
        (1e12, "1 trillion"),
        (6.125e14, "612 trillion"),
        (9.999e14, "1.00e15"),
        (6.12e22, "6.12e22"),
        (1e300, "1.00e300"),
    ],
)
def test_a_count_is_whole_or_in_words_or_a_power_of_ten(value, text):
    assert format_count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(9, "9"), (1_738, "1,738"), (31_810, "31.8k"), (335_114, "335k"), (999_499, "999k"), (999_600, "1M"),
     (2_913_290, "2.91M"), (175e9, "175B"), (1e12, "1T"), (123e12, "123T"),
     (9.994e14, "999T"), (9.996e14, "1.00e15"), (6.12e22, "6.12e22"), (1.22e23, "1.22e23")],
)  # fmt: skip
def test_a_short_count_takes_a_few_characters(value, text):
    assert format_short_count(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.5, "0.5"), (3.44, "3.4"), (9.96, "10"), (42.4, "42"), (999.6, "1,000"), (48_123, "48,000"),
     (139_640, "140,000"), (996_000, "1 million"), (16_800_000, "17 million"), (7.41e8, "740 million"),
     (9.99e8, "1 billion"), (4.17e11, "420 billion"), (9.96e11, "1 trillion"),
     (1.44e12, "1.4 trillion"), (4.17e14, "420 trillion"), (9.96e14, "1.0e15"), (3.9e15, "3.9e15")],
)  # fmt: skip
def test_a_ratio_has_two_digits(ratio, text):
    assert format_ratio(ratio) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (33.1, "33.1 s"), (5.21e6 * YEAR, "5.2e6 years"), (2e9 * YEAR, "2.0e9 years"),
        (9e3 * YEAR, "9,000 years"), (143e3 * YEAR, "1.4e5 years"), (2.3 * UNIVERSE, "3.2e10 years"),
        (1.3e7 * UNIVERSE, "1.8e17 years"),
    ],
)  # fmt: skip
def test_a_long_time_has_a_brief_form(seconds, text):
    assert format_duration(seconds, brief=True) == text


@pytest.mark.parametrize(
    ("part", "whole", "decimals", "text"),
    [
        (0, 9, 0, "0%"), (9, 9, 0, "100%"), (1, 3, 0, "33%"), (1, 1000, 0, "0.1%"), (4, 1000, 0, "0.4%"),
        (1, 10_001, 0, "<0.1%"), (9996, 10_000, 0, ">99.9%"), (996, 1000, 0, "99.6%"), (9999, 10_000, 0, ">99.9%"),
        (2, 3, 1, "66.7%"), (0, 3, 1, "0%"), (3, 3, 1, "100%"), (1, 3000, 1, "<0.1%"), (2999, 3000, 1, ">99.9%"),
        (0.1, 1, None, "10%"), (0.125, 1, None, "12.5%"), (0.9999999999, 1, None, ">99.9%"), (0, 1, None, "0%"),
        (1.0004, 1, 0, ">100%"), (1.3, 1, 0, "130%"), (-0.25, 1, 0, "−25%"), (-1, 1, 0, "−100%"),
        (1, 0, 0, "NaN"), (math.nan, 1, 0, "NaN"), (math.inf, 1, 1, "NaN"),
        (335_113, 335_114, 0, ">99.9%"), (1, 2.9e9, 0, "<0.1%"),
    ],
)  # fmt: skip
def test_a_share_is_none_or_all_only_where_it_is(part, whole, decimals, text):
    assert format_share(part, whole, decimals) == text


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.sampled_from([0, 1, 2, None]))
def test_a_share_of_a_count_never_claims_more_than_is_so(part, whole, decimals):
    part = min(part, whole)
    text = format_share(part, whole, decimals)
    assert (text == "0%") == (part == 0)
    assert (text == "100%") == (part == whole)
    lead, number = re.fullmatch(r"([<>]?)([\d.e-]+)%", text).groups()
    exact = Fraction(100 * part, whole)
    if lead:
        assert exact < Fraction("0.1") if lead == "<" else exact > Fraction("99.9")
    else:
        assert abs(exact - Fraction(number)) <= Fraction("0.51")


@pytest.mark.parametrize(
    ("ratio", "decimals", "text"),
    [
        (2.4, 2, "2.40"), (3, 2, "3.00"), (3, 0, "3"), (2.998, 2, "2.998"), (2.9999, 2, "<3.00"),
        (1.0004, 2, ">1.00"), (181.02, 1, "181.0"), (1.004, 2, "1.004"), (1, 2, "1.00"), (0.9999, 2, "<1.00"),
        (0, 2, "0.00"), (0.001, 2, "0.001"), (1e-9, 2, ">0.00"), (2.96, 1, "2.96"), (1.04, 1, "1.04"),
        (math.inf, 2, "∞"), (math.nan, 2, "NaN"),
    ],
)  # fmt: skip
def test_a_factor_is_a_whole_number_only_where_it_is_one(ratio, decimals, text):
    assert format_times(ratio, decimals) == text


@given(st.floats(1e-6, 9.99), st.sampled_from([0, 1, 2]))
def test_no_factor_is_rounded_to_a_whole_number(ratio, decimals):
    text = format_times(ratio, decimals)
    if float(text.strip("<>")) == round(ratio):
        assert text.startswith("<") == (ratio < round(ratio))
        assert text.startswith(">") == (ratio > round(ratio))


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (1, 2, "100%"),
        (0.9997, 2, ">99.9%"),
        (0.9997, 3, ">99.9%"),
        (1.2e-7, 2, "1.2e-05%"),
        (0.0213, 3, "2.13%"),
    ],
)
def test_a_relative_size_has_digits_however_small_and_is_100_percent_only_where_it_is_1(share, digits, text):
    assert format_relative(share, digits) == text


def test_what_takes_longer_is_not_called_faster():
    texts = [format_faster(ratio) for ratio in (490.0, 1.04, 1.0004, 1.0, 0.5, 0.99)]
    assert texts == [
        "490 times faster", "1.04 times faster", ">1.0 times faster", "1.0 times faster", "2.0 times slower",
        "1.01 times slower",
    ]  # fmt: skip
