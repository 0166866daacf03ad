"""No code from the current folder or from TMPDIR: each command, and every process that one starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cost.race.shadows import plant
from tests.record.recordings import SMALL as RECORDING
from tests.waits import GENEROUS, all_gone, until
from tui_backprop import __version__
from tui_backprop.cli import commands

SMALL = ("--layers", "2,3,2", "--data", "moons")
COMMANDS = {
    "trace": SMALL,
    "blame": SMALL,
    "check": SMALL,
    "diff": (str(RECORDING), str(RECORDING)),
    "generate": ("--preset", "microgpt", "--count", "1"),
    "hessian": SMALL,
    "jacobian": ("--expr", "y = w*x", "--let", "w=2, x:=[1, 3]"),
    "doctor": (),
    "keys": (),
    "lesson": ("--chapter", "3"),
    "quiz": ("--chapter", "3"),
    "token": ("--help",),
    "man": (),
    "completion": ("bash",),
}
PROCESSES = (
    ("cost", *SMALL, "--race"),
    ("check", *SMALL, "--exhaustive", "--workers", "1"),
)
# As the script of the installation, which is in a folder of its own, starts it.
ALL = """
import sys
from tui_backprop.cli.main import main
if __name__ == "__main__":
    for command in {commands!r}:
        try: main(list(command))
        except SystemExit as end: assert not end.code, command
"""
SWEEP = """
from tui_backprop.cost.race.subprocess_generator import SubprocessGenerator
if __name__ == "__main__":
    with SubprocessGenerator(range, 3) as process:
        found = []
        while not process.over:
            found += process.received(0.1)
    print(found, process.why)
"""


@pytest.fixture
def shadows(tmp_path):
    """A folder of shadows to be in and one for temporary files; what ran there."""
    mark = tmp_path / "ran"
    for name in ("here", "tmp"):
        plant(tmp_path / name, mark)
    (tmp_path / "bin").mkdir()
    return tmp_path


def started(shadows, code, **kind):
    """Start a script, in a folder of its own, among the shadows."""
    script = shadows / "bin" / "program"
    script.write_text(code)
    return subprocess.Popen(
        [sys.executable, script],
        cwd=shadows / "here",
        env=os.environ | {"TMPDIR": str(shadows / "tmp"), "OPENBLAS_NUM_THREADS": "1"},
        text=True,
        **kind,
    )


def unharmed(shadows, before):
    mark = shadows / "ran"
    assert not mark.exists(), mark.read_text()
    assert sorted((shadows / "tmp").iterdir()) == before


def test_every_command_is_tried():
    there = {path.stem for path in Path(commands.__path__[0]).glob("[a-z]*.py")}
    assert there == COMMANDS.keys() | {command for command, *_ in PROCESSES}


@pytest.mark.parametrize(
    "code",
    [
        ALL.format(commands=[(name, *arguments) for name, arguments in COMMANDS.items()]),
        *(ALL.format(commands=[command]) for command in PROCESSES),
        SWEEP,
    ],
    ids=["alone", "race", "workers", "sweep"],
)
def test_where_every_module_has_a_shadow_none_is_imported(shadows, code):
    before = sorted((shadows / "tmp").iterdir())
    process = started(shadows, code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    printed, said = process.communicate(timeout=GENEROUS)
    unharmed(shadows, before)
    assert (process.returncode, said) == (0, "")
    assert printed
    if code == SWEEP:
        assert printed == "[0, 1, 2] \n"


def test_python_m_imports_nothing_from_the_current_folder_once_it_runs(shadows):
    """Python itself looks there first, for the few modules with which it finds the program."""
    for path in (shadows / "here").iterdir():
        if path.stem not in (
            "click",
            "json",
            "numpy",
            "msgspec",
            "platform",
            "multiprocessing",
            "socket",
            "textual",
        ):
            path.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "tui_backprop", "--version"],
        cwd=shadows / "here",
        capture_output=True,
        text=True,
        timeout=GENEROUS,
    )
    assert (done.stdout, done.stderr) == (
        f"backprop-tui, version {__version__}\n".replace(", version", ""),
        "",
    )
    assert not (shadows / "ran").exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_race_that_is_ended_leaves_nothing_in_tmpdir(shadows, how):
    before = sorted((shadows / "tmp").iterdir())
    process = started(
        shadows,
        ALL.format(commands=[("cost", "--race")]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    family = until(lambda: len(found := psutil.Process(process.pid).children()) >= 2 and found)
    process.send_signal(how)
    process.wait(GENEROUS)
    all_gone(family)
    unharmed(shadows, before)
