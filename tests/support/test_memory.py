"""Memory that may be taken: the least of what the system, the container and the limits of the process leave."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from tui_backprop.support.memory import Available, available

MEBI = 2**20
INFO = "MemTotal: 24000000 kB\nMemAvailable: 20000 kB\nCommitLimit: 12000 kB\nCommitted_AS: 9000 kB\n"
CONTAINER = "the memory limit of the container (cgroup)"


@pytest.fixture
def system(tmp_path):
    """A system as its files describe it: ``system(path=text)``."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    write({"proc/meminfo": INFO})
    return write


def test_without_limits_it_is_what_the_system_has_left(system):
    assert available(system({})) == Available(20_000 * 1024)
    assert available().bytes > 0


def test_a_system_that_promises_no_more_than_it_has_leaves_what_is_not_promised(system):
    assert available(system({"proc/sys/vm/overcommit_memory": "0\n"})).within == ""
    found = available(system({"proc/sys/vm/overcommit_memory": "2\n"}))
    assert found == Available(3_000 * 1024, "the commit limit of the system")


@pytest.mark.parametrize("folder", ["", "inner/", "other/"], ids=["own", "parent", "unseen"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_container_leaves_its_limit_less_what_is_used_and_cannot_be_freed(system, version, folder):
    own = {"": "", "inner/": "outer/inner", "other/": "docker/1234"}[folder]
    if version == 2:
        base, names = "sys/fs/cgroup/", ("memory.max", "memory.current", "inactive_file")
        line = f"0::/{own}\n"
    else:
        base = "sys/fs/cgroup/memory/"
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        line = f"9:cpu:/\n4:hugetlb,memory:/{own}\n"
    base += {"": "", "inner/": "outer/", "other/": ""}[
        folder
    ]  # the limit of any of the groups around it counts
    limit, used, freed = names
    files = {"proc/self/cgroup": line, base + limit: f"{10 * MEBI}\n", base + used: f"{8 * MEBI}\n"}
    assert available(system(files)) == Available(2 * MEBI, CONTAINER)
    root = system({base + "memory.stat": f"cache 1\n{freed} {5 * MEBI}\n"})
    assert available(root) == Available(7 * MEBI, CONTAINER)
    system({base + used: f"{20 * MEBI}\n"})
    assert available(root) == Available(0, CONTAINER)
    system({base + limit: "max\n" if version == 2 else "9223372036854771712\n"})
    assert available(root).within == ""


CODE = """
import resource
from tui_backprop.support.memory import available
limit = getattr(resource, {name!r})
before = available()
resource.setrlimit(limit, ({bytes}, resource.RLIM_INFINITY))
print(before.bytes, available())
"""


@pytest.mark.parametrize("name", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_limit_of_the_process_leaves_what_is_not_taken(name):
    limit = 2**30
    code = CODE.format(name=name, bytes=limit)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    before, found = done.stdout.split(" ", 1)
    assert f"within='{name}, a limit of this process'" in found or int(before) < limit
    assert 0.5 * limit < int(found.partition("bytes=")[2].partition(",")[0]) < limit
    assert resource.getrlimit(getattr(resource, name))[0] == resource.RLIM_INFINITY
