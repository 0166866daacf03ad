"""A run of pytest inside a test, of its own source, with the configuration of these tests."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPTIONS = ("-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error")


def start(folder: Path, source: str, *before: str, **env: str) -> subprocess.Popen[str]:
    """Start pytest on a source that imports from tests.conftest what it is to have; ``before`` is put before the
    command line."""
    (folder / "test_probe.py").write_text(
        "from tests.conftest import place, untouched_home\n" + textwrap.dedent(source)
    )
    (folder / "conftest.py").write_text("from tests.conftest import pytest_unconfigure\n")
    given = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.Popen(
        [*before, sys.executable, "-m", "pytest", *OPTIONS, "test_probe.py"],
        cwd=folder, env=given | {"PYTHONPATH": str(ROOT)} | env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
