"""The cores that may be used: those of the system, within the quota of a container."""

from __future__ import annotations

import os

import pytest

from tui_backprop.support import cores
from tui_backprop.support.cores import usable_cores

UNIFIED, SPLIT = "0::/a/b\n", "4:memory:/x\n3:cpu,cpuacct:/a/b\n"
V2 = "sys/fs/cgroup/{}cpu.max"
V1 = "sys/fs/cgroup/cpu/{}cpu.cfs_{}_us"


@pytest.fixture(autouse=True)
def eight(monkeypatch):
    monkeypatch.setattr(cores, "_bound", lambda: 8)


@pytest.mark.parametrize(
    ("line", "files", "usable"),
    [
        ("", {}, 8),
        (UNIFIED, {}, 8),
        (UNIFIED, {V2.format("a/b/"): "max 100000\n"}, 8),
        (UNIFIED, {V2.format("a/b/"): "350000 100000\n"}, 3),
        (UNIFIED, {V2.format("a/b/"): "25000 100000\n"}, 1),
        (UNIFIED, {V2.format("a/b/"): "max 100000\n", V2.format("a/"): "200000 100000\n"}, 2),
        (UNIFIED, {V2.format(""): "200000 100000\n"}, 2),
        (UNIFIED, {V2.format("a/b/"): "1600000 100000\n"}, 8),
        (UNIFIED, {V2.format("a/b/"): "nonsense\n"}, 8),
        (UNIFIED, {V2.format("a/b/"): "100000 0\n"}, 8),
        (SPLIT, {V1.format("a/b/", "quota"): "-1\n", V1.format("a/b/", "period"): "100000\n"}, 8),
        (SPLIT, {V1.format("a/b/", "quota"): "250000\n", V1.format("a/b/", "period"): "100000\n"}, 2),
        (SPLIT, {V1.format("a/b/", "quota"): "250000\n"}, 8),
    ],
)  # fmt: skip
def test_a_quota_bounds_them(tmp_path, line, files, usable):
    for name, text in {"proc/self/cgroup": line, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert usable_cores(tmp_path) == usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not bound to cores here")
def test_those_that_the_process_is_bound_to_count(monkeypatch, tmp_path):
    monkeypatch.undo()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)
