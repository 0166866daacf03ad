"""Words that name a key name the one that works now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.cost.machines import machine
from tui_backprop.cost.measure.sweep import Progress
from tui_backprop.cost.race.race import RaceStatus
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.keys.panel_table import PANEL_ROWS, PANELS
from tui_backprop.keys.remap import remapped
from tui_backprop.render.cost.cost import readout
from tui_backprop.render.cost.page_bar import pages
from tui_backprop.render.cost.race import race_lines
from tui_backprop.render.cost.sweep import sweeping
from tui_backprop.render.cost_state import CostState, ShownRace
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.confusion import Confusion, confusion_lines
from tui_backprop.render.panels.edits import edit_lines
from tui_backprop.render.panels.screen_bars import tabs
from tui_backprop.render.panels.training import key_hint, progress
from tui_backprop.render.walk.caption import caption_of
from tui_backprop.render.walk.explanation import closing_lines
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.training_curve import Learning
from tui_backprop.session.transitions import after_training, edit_parameter

OTHER = remapped({
    "undo": ("ctrl+u",), "page(1)": ("P",), "sweep": ("M",), "race": ("G",), "cancel_race": ("O",),
    "start_training": ("L",), "stop_training": ("Q",), "amount(-1)": ("A",), "iteration(1)": ("B",),
    "panel('train')": ("K",), "restart": ("R",), "resume": ("Z",), "step_on": ("D",), "panel('walk')": ("W", "f3"),
    "panel('cost')": ("f11",),
})  # fmt: skip
GLYPHS = replace(UTF8, keys=OTHER)
HERE = machine(sizes=(1e3, 1e4, 335_114.0))
COSTS = CostState(NetworkSpec(), HERE, sweep=Progress(3, 13, 1e5, HERE, 12.0, ""))


def text(rows):
    return " ".join(" ".join(plain(row) for row in rows).split())


def race(state):
    return text(
        race_lines(
            ShownRace(RaceStatus("forward-difference", state, parameters=9), Session()), 100, 30, GLYPHS
        )
    )


def cases(snapshot, bad):
    busy = replace(HERE, points=tuple(replace(point, high=2 * point.high) for point in HERE.points))
    going = Learning(0, np.array([0.5, 0.4]), going=True)
    moved = edit_parameter(Session(), "W1", (0, 0), 0.1)
    return {
        "ctrl+u undoes the last change": text(edit_lines(moved, 80, GLYPHS)),
        "page 1 of 6 (P)": plain(pages("cost", 20, GLYPHS)),
        "M stops": text(sweeping(COSTS, 80, GLYPHS)),
        "M measures again": text(readout(CostState(NetworkSpec(), busy), 80, context=GLYPHS)),
        "G starts it": race("ready"),
        "G pauses, O cancels": race("running"),
        "G resumes, O cancels": race("paused"),
        "G races again": race("canceled"),
        "A + number of updates, m batch, L trains, ← B iteration": plain(key_hint(80, GLYPHS)),
        "Q stops": text(progress(going, 80, GLYPHS)),
        "train (K)": text(confusion_lines(Confusion([[1, 0], [0, 1]], (0, 1), refused=True), 60, GLYPHS)),
        "Press D to send": caption_of(snapshot, GLYPHS),
        "W walk": plain(tabs("cost", 120, GLYPHS)),
        "F3 walk": plain(tabs("network", 120, GLYPHS)),
        "F11 cost": plain(tabs("walk", 120, GLYPHS)),
        "R restarts": text(closing_lines(bad, 100, GLYPHS)),
    }


def test_they_name_the_keys_that_were_chosen(snapshots):
    diverged = after_training(replace(from_preset("sine"), lr=1e30), 5)
    for words, said in cases(snapshots(from_preset("xor"))[0], snapshots(diverged)[0]).items():
        assert words in said


@pytest.mark.parametrize("panel", [panel for panel in PANELS[1:] if not PANEL_ROWS[panel].needs])
def test_the_usual_ones_are_digits_and_f_keys(panel):
    digit = str((PANELS.index(panel) + 1) % 10)
    assert f"{digit} {panel}" in plain(tabs(panel, 120, UTF8)).replace("  ", " ")
