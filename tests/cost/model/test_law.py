"""The law of a pass finds what made-up machines take, and knows what it cannot know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.cost.machines import LESSON, PROBE
from tests.cost.networks import SPECS
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.law import MOST_ERROR, TERMS, UNKNOWN_ERROR, fit, predict, quantities_of
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, work

DOUBT = {term.name: term.doubt for term in TERMS}
SIZES = [10 ** (3 + n / 2) for n in range(11)]


def quantities(kind, size):
    return np.array(quantities_of(work(kind, LESSON.at(size)), PROBE))


def test_before_anything_is_measured_a_pass_takes_what_the_probe_says():
    law = fit([], [])
    row = quantities("forward", 1e8)
    seconds, error = law.seconds(row)
    assert seconds == pytest.approx(sum(row * [term.expected for term in TERMS]))
    assert math.hypot(UNKNOWN_ERROR, DOUBT["parameters"]) == pytest.approx(error, rel=0.05)


def test_each_coefficient_is_found_where_passes_tell_it():
    true = np.array([4e-6, 1.2, 1.0, 6e-10, 0.8])
    for kind in ("forward", "backprop", "complex", "batched"):
        rows = [quantities(kind, size) for size in SIZES]
        law = fit(rows, [row @ true for row in rows])
        told = [i for i in range(len(TERMS)) if max(row[i] * true[i] / (row @ true) for row in rows) > 0.5]
        assert told
        assert law.coefficients[told] == pytest.approx(true[told], rel=0.15), kind
        assert law.seconds(rows[-1])[0] == pytest.approx(rows[-1] @ true, rel=0.03)


def test_what_small_networks_cannot_tell_stays_as_the_probe_has_it_and_as_uncertain():
    """The passes that are measured take only as long as their calls."""
    small = [quantities("forward", size) for size in (500, 1000, 1500, 2000)]
    law = fit(small, [1e-6 * row[0] for row in small])
    seconds, error = law.seconds(quantities("forward", 1e9))
    assert law.coefficients[0] == pytest.approx(1e-6, rel=0.1)
    assert seconds == pytest.approx(sum(quantities("forward", 1e9)[1:3]), rel=0.1)
    assert error > 0.9 * DOUBT["parameters"]
    large = [*small, *(quantities("forward", size) for size in (1e8, 2e8, 3e8))]
    assert fit(large, [1e-6 * row[0] + row[1] for row in large]).seconds(large[-1])[1] < 0.6 * error


def test_no_coefficient_is_negative_and_no_error_without_bounds():
    rows = [quantities("forward", size) for size in SIZES]
    for seconds in ([1e-3] * 11, [10.0**-i for i in range(11)], [1e-9] * 11):
        law = fit(rows, seconds)
        assert (law.coefficients >= 0).all()
        assert all(law.seconds(row)[1] <= MOST_ERROR for row in rows)


def test_at_the_edge_of_a_cache_a_pass_is_less_sure_and_between_both_speeds():
    law = fit([], [])
    within, edge, beyond = (LESSON.at(size) for size in (2e5, 3e6, 1e8))  # of 8 to 16 MB
    errors = [predict(law, work("forward", shape), PROBE)[1] for shape in (within, edge, beyond)]
    assert errors[1] > max(errors[0], errors[2])
    found = predict(law, work("forward", edge), PROBE)[0]
    sizes = [edge.parameters * 4 * factor for factor in (0.4, 2.5)]
    quick, slow = (edge.parameters * 4 / PROBE.reading.bytes.at(size) for size in sizes)
    assert quick < found < slow


def test_intervals_hold_nineteen_of_twenty_passes_of_networks_100_times_as_large():
    """Of 25 machines whose coefficients are as doubtful as the law says, with timings that are off by 5%."""
    rng, inside, offs = np.random.default_rng(1), 0, []
    for n in range(25):
        shape, kind = shape_of(SPECS[n % len(SPECS)]), [*PASS_KINDS][n % len(PASS_KINDS)]
        true = np.exp(rng.normal(0, [0.5, *(min(term.doubt, 0.5) for term in TERMS[1:])]))
        true *= [term.expected for term in TERMS]
        points = []
        for size in SIZES:
            row = np.array(quantities_of(work(kind, shape.at(size)), PROBE))
            seconds = float(row @ true) * math.exp(rng.normal(0, 0.05))
            points.append(Measured(kind, shape.at(size), seconds, seconds, seconds, 9))
        for larger in points[-4:]:
            known = [point for point in points if 99 * point.parameters <= larger.parameters]
            predicted = CostModel(tuple(known), PROBE).seconds(kind, larger.shape)
            inside += predicted.low <= larger.middle <= predicted.high
            offs.append(abs(math.log(predicted.middle / larger.middle)))
    assert len(offs) == 100
    assert inside >= 0.95 * 100
    assert np.quantile(offs, 0.5) < math.log(1.25)
