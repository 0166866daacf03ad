"""Imports: the engine and its data do not import the terminal, and help loads nothing heavy."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys

import pytest

from tui_backprop import cost, data, engine, session, support

TERMINAL = {"textual", "rich", "plotext", "click"}
QUIET = [
    module.name
    for package in (engine, data, cost, session, support)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
]


def loaded_by(code):
    """Return the top-level modules that a fresh interpreter has loaded after running some code."""
    report = "import json, sys; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_engine_the_data_the_cost_model_and_the_session_load_no_terminal_library():
    assert len(QUIET) > 60
    loaded = loaded_by("import " + ", ".join(QUIET))
    assert "numpy" in loaded
    assert not loaded & TERMINAL


@pytest.mark.parametrize(
    "module",
    [
        "tui_backprop.engine.frontends.dense.spec",
        "tui_backprop.engine.training.optimizer_spec",
        "tui_backprop.session.state",
        "tui_backprop.engine.training.memory",
        "tui_backprop.data.catalogue",
        "tui_backprop.session.network_form",
    ],
)
def test_what_runs_before_the_first_paint_loads_no_numpy(module):
    assert not loaded_by(f"import {module}") & (TERMINAL | {"numpy"})


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["trace", "--help"]], ids=" ".join)
def test_help_and_version_load_neither_numpy_nor_textual(arguments):
    run = (
        "import sys, contextlib, io\n"
        f"sys.argv = ['backprop-tui', *{arguments!r}]\n"
        "from tui_backprop.cli.main import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main()\n"
    )
    loaded = loaded_by(run)
    assert "click" in loaded
    assert not loaded & {"numpy", "textual", "rich", "plotext"}


def test_the_package_itself_loads_nothing_of_its_dependencies():
    assert not loaded_by("import tui_backprop") & (TERMINAL | {"numpy", "msgspec", "psutil"})


LATE = {  # what the first paint does without: it is imported when it is needed
    "numpy", "plotext", "msgspec", "tui_backprop.cost", "tui_backprop.lesson", "tui_backprop.files",
    "tui_backprop.keys.search", "tui_backprop.keys.search_words", "tui_backprop.keys.remap",
    "tui_backprop.engine.frontends.conv.spec", "tui_backprop.engine.frontends.expression.spec",
    "tui_backprop.engine.frontends.gpt.spec", "tui_backprop.engine.frontends.rnn.spec",
    "tui_backprop.engine.explain", "tui_backprop.render.panels.form", "tui_backprop.render.walk",
    "tui_backprop.session.share_token", "tui_backprop.session.replay", "tui_backprop.support.atomic_write",
    "tui_backprop.tui.app.screenshot", "tui_backprop.tui.screens.palette", "tui_backprop.tui.screens.help",
    "tui_backprop.tui.screens.quiz",
}  # fmt: skip
FIRST_PAINT = """
import os, sys
from textual.app import App
from tui_backprop.cli.app import _app_on
from tui_backprop.cli.settings import settings
from tui_backprop.session.autosave import Saver, earlier
from tui_backprop.session.state import Session

def displayed(app, screen, renderable, display=App._display):
    display(app, screen, renderable)
    if renderable is not None and screen.is_mounted and screen.size.width:
        print("painted with", *sorted(sys.modules), flush=True)
        os._exit(0)

App._display = displayed
_app_on(Session(), settings({}), Saver(), False, earlier).run(headless=True, size=(120, 40))
"""


@pytest.mark.parametrize("lesson", ["false", "true"])
def test_the_first_paint_waits_for_nothing_that_it_does_not_show(tmp_path, lesson):
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), str(tmp_path))
    more = {"BACKPROP_TUI_LESSON": lesson, "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT],
        capture_output=True, text=True, check=True, timeout=60, env=os.environ | homes | more,
    )  # fmt: skip
    _, mark, modules = done.stdout.partition("painted with ")
    assert mark
    assert "tui_backprop.tui.panels.walk" in modules.split()
    assert not LATE & {*modules.split()}
