"""What the terminal is like: what follows from which variable, and that Textual goes by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tui_backprop.cli import output
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.terminal import capabilities as detect

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("chosen", "environ", "level", "why"),
    [
        ("auto", XTERM, "256", "TERM=xterm-256color"),
        ("auto", {"TERM": "xterm"}, "16", "TERM=xterm supports no more"),
        ("auto", {"TERM": "xterm-kitty"}, "256", "TERM"),
        ("auto", {"TERM": "linux", "COLORTERM": " TrueColor"}, "256", "COLORTERM=truecolor"),
        ("auto", {"TERM": "linux", "COLORTERM": "24bit"}, "256", "COLORTERM=24bit"),
        ("auto", {"TERM": "linux", "COLORTERM": "yes"}, "16", "TERM=linux"),
        ("auto", {}, "16", "(not set)"),
        ("auto", XTERM | {"NO_COLOR": "1"}, "none", "NO_COLOR is set"),
        ("auto", XTERM | {"NO_COLOR": ""}, "256", "TERM"),
        ("auto", XTERM | {"TEXTUAL_COLOR_SYSTEM": "standard"}, "16", "TEXTUAL_COLOR_SYSTEM=standard"),
        ("true", XTERM | {"NO_COLOR": "1"}, "true", "chosen"),
        ("none", XTERM | {"COLORTERM": "truecolor"}, "none", "chosen"),
        ("16", XTERM, "16", "chosen"),
    ],
)
def test_the_level_of_color_and_why(chosen, environ, level, why):
    found = detect.colors(chosen, environ)
    assert found.value == level
    assert why in found.why


ASK_TEXTUAL = (
    "import json, sys; from tui_backprop.terminal.setup import set_color_variables; set_color_variables(sys.argv[1]);"
    "from textual.app import App; app = App(); print(json.dumps([app.console.color_system, app.no_color]))"
)


@pytest.mark.parametrize(
    ("chosen", "environ", "system"),
    [
        ("auto", XTERM, "256"),
        ("auto", XTERM | {"COLORTERM": "truecolor"}, "256"),
        ("auto", {"TERM": "linux"}, "standard"),
        ("auto", XTERM | {"NO_COLOR": ""}, "256"),
        ("true", {"TERM": "linux"}, "truecolor"),
        ("256", XTERM | {"NO_COLOR": "1"}, "256"),
        ("16", XTERM | {"COLORTERM": "truecolor"}, "standard"),
    ],
)
def test_textual_draws_in_that_many_colors(chosen, environ, system):
    assert ask_textual(chosen, environ) == [system, False]


@pytest.mark.parametrize(("chosen", "environ"), [("none", XTERM), ("auto", XTERM | {"NO_COLOR": "1"})])
def test_textual_draws_in_none(chosen, environ):
    assert ask_textual(chosen, environ)[1] is True


def ask_textual(chosen, environ):
    dropped = ("TERM", "COLORTERM", "NO_COLOR", "TEXTUAL", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    command = [sys.executable, "-c", ASK_TEXTUAL, chosen]
    done = subprocess.run(command, env=kept | environ, capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("chosen", "encoding", "glyphs"),
    [
        ("auto", "utf-8", "utf-8"), ("auto", "UTF8", "utf-8"), ("auto", "latin-1", "ascii"), ("auto", None, "ascii"),
        ("auto", "klingon", "ascii"), ("ascii", "utf-8", "ascii"), ("utf-8", "latin-1", "utf-8"),
    ],
)  # fmt: skip
def test_glyphs_are_those_of_the_encoding_unless_they_are_chosen(chosen, encoding, glyphs):
    assert detect.glyph_set(chosen, encoding).value == glyphs
    assert output.glyphs_for(encoding, chosen) is {"utf-8": UTF8, "ascii": ASCII}[glyphs]


@pytest.mark.parametrize("name", detect.SSH)
def test_over_ssh_nothing_moves_unless_it_is_asked_for_and_no_address_is_told(name):
    environ = {name: "192.0.2.7 50000 192.0.2.1 22"}
    assert detect.link(environ) == detect.Capability("ssh", f"{name} is set")
    assert detect.motion(None, environ).value == "no"
    assert detect.motion(True, environ) == detect.Capability("yes", "chosen")
    assert detect.motion(None, {}).value == "yes"
    assert detect.motion(False, {}).value == "no"
    assert detect.link({name: ""}).value == "local"


@pytest.mark.parametrize(
    ("environ", "name"),
    [({"TMUX": "/tmp/x,1,0"}, "tmux"), ({"STY": "1.pts"}, "screen"), ({"ZELLIJ": "0"}, "zellij"),
     ({"TERM": "screen.xterm-256color"}, "screen.xterm"), ({"TERM": "tmux-256color"}, "tmux"), (XTERM, "none"),
     ({}, "none")],
)  # fmt: skip
def test_what_shares_the_terminal_out(environ, name):
    assert detect.multiplexer(environ).value == name
