"""How fast memory is: the arithmetic of the probe, on a machine whose clock and whose memory are made up."""

from __future__ import annotations

import math
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from tui_backprop.cost.measure import bandwidth as module
from tui_backprop.cost.measure.bandwidth import LAYERS, Layer, falling, probe
from tui_backprop.cost.measure.timing import Clocks
from tui_backprop.cost.model.speeds import MemoryProbe, Speeds
from tui_backprop.support import memory
from tui_backprop.support.memory import Available


@pytest.fixture
def machine(monkeypatch):
    """Each byte that a product reads or writes takes a while: in sizes up to ``cache`` bytes 1 ns, beyond it 4."""
    made = SimpleNamespace(now=0.0, used=0.0, waits=0.0, cache=math.inf, ran=[], held=0)

    def takes(layers, passes, arrays):
        bytes_ = sum(layer.w.nbytes for layer in layers)
        made.held = max(made.held, sum(layer.w.nbytes + layer.gradient.nbytes for layer in layers))
        made.ran.append((bytes_, passes))
        took = passes * bytes_ * (1e-9 if arrays * bytes_ <= made.cache else 4e-9)
        made.used += took
        made.now += took * (1 + made.waits)

    made.clocks = lambda: Clocks(lambda: made.now, lambda: made.used, lambda: made.used)
    monkeypatch.setattr(module, "_down", lambda layers: takes(layers, 1, 1))
    monkeypatch.setattr(module, "_down_and_up", lambda layers: takes(layers, 3, 2))
    monkeypatch.setattr(memory, "available", lambda: Available(2**40))
    return made


def test_speeds_are_bytes_read_and_written_over_seconds(machine):
    found = probe(18, machine.clocks())
    assert found.reading.rates == pytest.approx([1e9] * 5)
    assert found.both.rates == pytest.approx([1e9] * 5)  # two readings and one writing


def test_each_speed_stands_at_the_bytes_that_are_gone_through(machine):
    found = probe(18, machine.clocks())
    for speeds, arrays in ((found.reading, 1), (found.both, 2)):  # weights; weights and their gradients
        assert list(speeds.sizes) == sorted(speeds.sizes)
        for size, power in zip(speeds.sizes, range(14, 19), strict=True):
            assert 0.9 * 2**power < size / arrays <= 2**power
            assert size / arrays == 4 * LAYERS * math.isqrt(2**power // 12) ** 2


def test_what_no_cache_holds_is_slower(machine):
    machine.cache = 2**16
    found = probe(18, machine.clocks())
    assert found.reading.rates == pytest.approx([1e9, 1e9, 1e9, 2.5e8, 2.5e8])
    assert found.both.rates == pytest.approx([1e9, 1e9, 2.5e8, 2.5e8, 2.5e8])


def test_other_work_slows_no_memory_but_is_on_record(machine):
    """Each run waits three times as long as it works."""
    machine.waits = 3.0
    found = probe(18, machine.clocks())
    assert found.reading.rates == pytest.approx([1e9] * 5)
    assert found.share == pytest.approx(0.25)


def test_a_clock_too_coarse_for_a_run_gives_a_speed_all_the_same(machine):
    found = probe(14, Clocks(lambda: 0.0, lambda: 0.0, lambda: 0.0))
    assert np.isfinite(found.reading.rates).all()
    assert (np.array(found.both.rates) > 0).all()


def test_it_takes_no_more_memory_than_the_largest_working_set(machine, monkeypatch):
    monkeypatch.setattr(module, "LOOK", 20)
    tracemalloc.start()
    try:
        found = probe(20, machine.clocks())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(found.reading.sizes), len(found.both.sizes)) == (7, 6)
    assert 0.9 * 2**20 < found.both.sizes[-1] <= 2**20
    assert peak < 1.1 * 2**20


@pytest.mark.parametrize(("available", "largest"), [(2**40, 20), (20 * 2**18, 18), (20 * 2**16, 16), (0, 16)])
def test_no_more_than_a_tenth_of_the_free_memory_is_taken(machine, monkeypatch, available, largest):
    monkeypatch.setattr(memory, "available", lambda: Available(int(available)))
    found = probe(20, machine.clocks())
    assert len(found.reading.sizes) == len(found.both.sizes) == largest - 13
    assert machine.held <= max(available / 10, 2**17)


def test_what_is_timed_are_the_products_of_a_pass_and_the_gradients():
    layers = [Layer(5, trains=True) for _ in range(LAYERS)]
    for layer in layers:
        layer.x[:], layer.column[:], layer.gradient[:] = 2.0, 3.0, 0.0
        layer.w[:] = np.arange(25, dtype=np.float32).reshape(5, 5)
        assert {a.dtype for a in (layer.w, layer.gradient, layer.x, layer.column, layer.y)} == {
            np.dtype(np.float32)
        }
        assert layer.w.nbytes == layer.gradient.nbytes == 100
    module._down(layers)
    for layer in layers:
        assert layer.y.tolist() == [[100, 110, 120, 130, 140]]  # x W
        assert not layer.gradient.any()
    module._down_and_up(layers)
    for layer in layers:
        assert layer.y.tolist() == [[20, 70, 120, 170, 220]]  # x Wᵀ
        assert (layer.gradient == 6).all()


def test_between_sizes_speeds_lie_on_a_line_of_logarithms_and_beyond_them_they_stay():
    speeds = Speeds((1e3, 1e5), (4e9, 1e9))
    assert [speeds.at(size) for size in (1e3, 1e4, 1e5)] == pytest.approx([4e9, 2e9, 1e9])
    assert [speeds.at(size) for size in (0, 1, 500, 1e6, 1e15)] == pytest.approx([4e9, 4e9, 4e9, 1e9, 1e9])


def test_the_real_machine_has_speeds():
    found = probe(15)
    assert isinstance(found, MemoryProbe)
    assert all(rate > 0 for rate in (*found.reading.rates, *found.both.rates))


def test_behind_the_highest_no_rate_rises():
    assert falling([1.0, 4.0, 2.0, 1.0]) == pytest.approx((1.0, 4.0, 2.0, 1.0))
    assert falling([3.0, 8.0, 2.0, 8.0, 1.0]) == pytest.approx((3.0, 8.0, 4.0, 4.0, 1.0))
    assert falling([1.0, 2.0, 3.0]) == pytest.approx((1.0, 2.0, 3.0))
    assert falling([32.0, 1.0, 4.0, 16.0]) == pytest.approx((32.0, 4.0, 4.0, 4.0))
