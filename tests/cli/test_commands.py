"""Commands are the modules of a folder: found there, and imported no sooner than they are needed."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from tui_backprop.cli import commands
from tui_backprop.cli.main import main

CONTEXT = click.Context(main, info_name="backprop-tui")
NAMES = main.list_commands(CONTEXT)


def test_every_module_of_the_folder_is_a_command():
    files = Path(commands.__file__).parent.glob("[!_]*.py")
    assert sorted(path.stem for path in files) == NAMES
    assert len(NAMES) > 5


@pytest.mark.parametrize("name", NAMES)
def test_each_has_the_name_of_its_module_and_says_what_it_does(name):
    command = main.get_command(CONTEXT, name)
    assert command is import_module(f"{commands.__name__}.{name}").command
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", ["", "__init__", "trace.x", "../trace", "Trace", "nosuch"])
def test_anything_else_is_none(name):
    assert main.get_command(CONTEXT, name) is None


@pytest.mark.parametrize(
    ("arguments", "wanted"), [("--version", set()), ("trace --help", {"trace"}), ("--help", {*NAMES})]
)
def test_no_module_is_imported_that_is_not_needed(arguments, wanted):
    code = (
        "import sys; from tui_backprop.cli.main import main\n"
        f"try: main({arguments.split()!r})\n"
        "except SystemExit: pass\n"
        f"print([m.rpartition('.')[2] for m in sys.modules if m.startswith('{commands.__name__}.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(eval(done.stdout.splitlines()[-1])) == wanted
