"""How fast a machine is: the arithmetic of the probe, on a machine whose clock and whose memory are made up."""

from __future__ import annotations

import math
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from tests.calculus import products
from tui_backprop.cost.measure import bandwidth as module
from tui_backprop.cost.measure.bandwidth import LAYERS, LEAST_POWER, PATTERNS, falling, oblong, probe, square
from tui_backprop.cost.measure.timing import Clocks, TimedRun
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.speeds import Probe, Speeds
from tui_backprop.cost.model.workload import work
from tui_backprop.support import memory
from tui_backprop.support.memory import Available

HELD = {pattern.memory: pattern.held for pattern in PATTERNS}


@pytest.fixture
def machine(monkeypatch):
    """Calls take 5 µs in all, each byte of a parameter that is read or written 1 ns, or 4 ns in working sets of more
    than ``cache`` bytes, and the beginning of a row ``row`` seconds."""
    made = SimpleNamespace(now=0.0, used=0.0, waits=0.0, cache=math.inf, quicker=math.inf, row=0.0, sides=[])

    def timed(pattern, spec):
        does = work(pattern.kind, shape_of(spec))
        moved = (does.read + does.written) * (1e-9 if does.touched <= made.cache else 4e-9)
        moved /= 2 if spec.weights >= made.quicker else 1
        moved += made.row * (does.rows_read + does.rows_written)
        made.sides.append((pattern.memory, spec.parameters))
        return TimedRun(lambda: takes(5e-6 + moved * (spec.layers[0] > module.LEAST_SIDE)))

    def takes(seconds):
        made.used += seconds
        made.now += seconds * (1 + made.waits)

    made.clocks = lambda: Clocks(lambda: made.now, lambda: made.used, lambda: made.used)
    monkeypatch.setattr(module, "_pass", timed)
    monkeypatch.setattr(module, "Program", lambda *given: SimpleNamespace(forward=lambda: takes(1e-3)))
    monkeypatch.setattr(memory, "available", lambda: Available(2**40))
    return made


def memories(found):
    return {pattern.memory: getattr(found, pattern.memory) for pattern in PATTERNS}


def test_speeds_are_bytes_of_parameters_over_seconds_besides_those_of_calls(machine):
    for name, found in memories(probe(20, machine.clocks())).items():
        assert found.bytes.rates == pytest.approx([1e9] * (6 - HELD[name]), rel=0.02), name


def test_products_are_operations_over_seconds(machine):
    assert probe(18, machine.clocks()).products == pytest.approx(2 * 128 * LAYERS * 256**2 / 1e-3)


def test_each_speed_stands_at_the_bytes_that_are_gone_through(machine):
    found = memories(probe(20, machine.clocks()))
    for name, arrays in (("reading", 1), ("writing", 2), ("complex", 2)):
        sizes = found[name].bytes.sizes
        assert list(sizes) == sorted(sizes)
        for size, power in zip(sizes, range(LEAST_POWER, 21), strict=False):
            assert 0.9 * 2**power < size / arrays < 1.1 * 2**power  # values are few beside parameters


def test_what_no_cache_holds_is_slower(machine):
    machine.cache = 1.1 * 2**18
    found = probe(20, machine.clocks())
    assert found.reading.bytes.rates == pytest.approx([1e9] * 3 + [2.5e8] * 2, rel=0.02)
    assert found.writing.bytes.rates == pytest.approx([1e9] * 2 + [2.5e8] * 2, rel=0.15)  # after what is read


def test_the_beginning_of_a_row_is_told_from_its_rest(machine):
    machine.row = 1e-7
    for name, found in memories(probe(24, machine.clocks())).items():
        largest = found.bytes.sizes[-1]
        assert found.rows.at(largest) == pytest.approx(1e7, rel=0.05), name
        assert found.bytes.at(largest) == pytest.approx(1e9, rel=0.05), name


def test_other_work_slows_no_memory_but_is_on_record(machine):
    """Each run waits three times as long as it works."""
    machine.waits = 3.0
    found = probe(20, machine.clocks())
    assert found.reading.bytes.rates == pytest.approx([1e9] * 5, rel=0.02)
    assert found.share == pytest.approx(0.25)


def test_passes_that_threads_share_may_be_quicker_than_those_of_smaller_networks(machine, monkeypatch):
    monkeypatch.setattr(module, "LEAST_MACS", 2**16)  # weights: from 2**18 bytes
    machine.quicker = 2**16
    rates = probe(20, machine.clocks()).reading.bytes.rates
    assert rates == pytest.approx([1e9] * 3 + [2e9] * 2, rel=0.02)


def test_a_clock_too_coarse_for_a_run_gives_a_speed_all_the_same(machine):
    found = probe(18, Clocks(lambda: 0.0, lambda: 0.0, lambda: 0.0))
    for each in memories(found).values():
        for speeds in (each.bytes, each.rows):
            assert np.isfinite(speeds.rates).all()
            assert (np.array(speeds.rates) > 0).all()


def test_it_takes_little_more_memory_than_the_largest_working_set():
    tracemalloc.start()
    try:
        found = probe(22)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [len(each.bytes.sizes) for each in memories(found).values()] == [7, 5, 6]
    assert peak < 1.5 * 2**22 + 2 * 2**20  # parameters being made; products with many samples


@pytest.mark.parametrize(("available", "largest"), [(2**40, 21), (20 * 2**19, 19), (20 * 2**16, 18), (0, 18)])
def test_no_more_than_a_tenth_of_the_free_memory_is_taken(machine, monkeypatch, available, largest):
    monkeypatch.setattr(memory, "available", lambda: Available(int(available)))
    probe(21, machine.clocks())
    for name, parameters in machine.sides:
        assert HELD[name] * 4 * parameters <= max(available / 10, 2**19)
    assert max(4 * parameters for _, parameters in machine.sides) > 0.9 * 2**largest


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.memory)
def test_what_is_timed_are_the_products_of_passes(monkeypatch, pattern):
    run, macs = module._pass(pattern, square(5)).run, products(monkeypatch)
    run()
    assert sum(macs) in (0, LAYERS * 25, (3 * LAYERS - 1) * 25)


def test_layers_are_square_or_oblong_and_of_one_size():
    for side in (150, 209, 1100):
        one, other = square(side), oblong(side)
        assert other.parameters == pytest.approx(one.parameters, rel=0.01)
        assert min(other.layers) >= 128
    assert sum(other.layers[:-1]) > 5 * sum(one.layers[:-1])


def test_between_sizes_speeds_lie_on_a_line_of_logarithms_and_beyond_them_they_stay():
    speeds = Speeds((1e3, 1e5), (4e9, 1e9))
    assert [speeds.at(size) for size in (1e3, 1e4, 1e5)] == pytest.approx([4e9, 2e9, 1e9])
    assert [speeds.at(size) for size in (0, 1, 500, 1e6, 1e15)] == pytest.approx([4e9, 4e9, 4e9, 1e9, 1e9])


def test_the_real_machine_has_speeds():
    found = probe(18)
    assert isinstance(found, Probe)
    assert all(rate > 0 for each in memories(found).values() for rate in each.bytes.rates)
    assert found.products > 0


def test_a_rate_is_at_least_those_of_larger_sizes():
    """Something else slowed it: a rate is never too high."""
    assert falling([1.0, 4.0, 2.0, 1.0]) == (4.0, 4.0, 2.0, 1.0)
    assert falling([8.0, 2.0, 4.0, 1.0]) == (8.0, 4.0, 4.0, 1.0)
    assert falling([]) == ()
