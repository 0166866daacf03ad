"""Measurements of another machine, another BLAS or another number of threads are made again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cost.machines import machine
from tui_backprop.cost.measure import cache
from tui_backprop.cost.model.cost_model import CostModel


@pytest.mark.parametrize("name", sorted(cache.machine()))
def test_whatever_measurements_depend_on_makes_saved_ones_void(name, tmp_path, monkeypatch):
    cache.store(machine(), tmp_path)
    assert cache.load(tmp_path) is not None
    other = {**cache.machine(), name: "another"}
    monkeypatch.setattr(cache, "machine", lambda: other)
    assert cache.load(tmp_path) is None


def test_the_threads_are_those_that_share_a_pass_and_the_blas_is_the_one_loaded(monkeypatch):
    here = cache.machine()
    assert int(here["threads"]) == cache.team().threads
    assert here["blas"] != "unknown"


def test_shares_are_saved_with_the_points(tmp_path):

    good = machine()
    busy = CostModel(tuple(replace(point, share=0.45) for point in good.points), good.probe)
    cache.store(busy, tmp_path)
    assert cache.load(tmp_path) == busy
