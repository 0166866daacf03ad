"""How many threads are granted for certain: by the limits of the user, of the system and of containers."""

from __future__ import annotations

import sys

import pytest

from tui_backprop.support.process_limits import granted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")

SYSTEM = {"proc/loadavg": "0.1 0.1 0.1 3/300 4711\n", "proc/sys/kernel/threads-max": "9000\n"}
UNLIMITED = -1


@pytest.mark.parametrize(
    ("limit", "files", "threads"),
    [
        (UNLIMITED, SYSTEM, 8700),
        (1000, SYSTEM, 700),
        (200, SYSTEM, 0),
        (1000, {}, 0),
        (1000, SYSTEM | {"proc/loadavg": "nonsense"}, 0),
        (1000, SYSTEM | {"proc/self/cgroup": "0::/a\n"}, 700),
        (1000, SYSTEM | {"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/pids.max": "max\n"}, 700),
        (
            1000,
            SYSTEM
            | {
                "proc/self/cgroup": "0::/a\n",
                "sys/fs/cgroup/a/pids.max": "20\n",
                "sys/fs/cgroup/a/pids.current": "13\n",
            },
            7,
        ),
        (
            1000,
            SYSTEM
            | {
                "proc/self/cgroup": "5:pids:/a\n",
                "sys/fs/cgroup/pids/a/pids.max": "20\n",
                "sys/fs/cgroup/pids/a/pids.current": "21\n",
            },
            0,
        ),
        (1000, SYSTEM | {"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/pids.max": "nonsense\n"}, 0),
    ],
)
def test_the_least_of_the_limits_counts(monkeypatch, tmp_path, limit, files, threads):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limit, limit))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert granted(tmp_path) == threads
