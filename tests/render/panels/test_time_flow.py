"""The chart of the gradient over time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.render.room import STRICT_ASCII, faults
from tui_backprop.engine.analysis.value_flow import GraphFlow, StepFlow, ValueFlow, value_flow
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.time_flow import time_verdict
from tui_backprop.render.panels.value_flow import value_flow_panel
from tui_backprop.session.state import from_preset
from tui_backprop.support.format import format_number, format_times

RNN = from_preset("rnn")


def report(*steps):
    """Return the flow of steps of (norm, carried)."""
    each = [StepFlow(k, f"dh{k}", *pair) for k, pair in enumerate(steps, 1)]
    return GraphFlow((ValueFlow("L", "dL", 1.0),), None, tuple(each))


def said(*steps):
    return " ".join(plain(row) for row in time_verdict(report(*steps), 60, UTF8))


def test_every_step_that_a_gradient_reaches_has_a_bar(snapshots):
    snapshot = snapshots(RNN)[0]
    found = value_flow(snapshot.iteration)
    lines = [plain(row) for row in value_flow_panel(snapshot, found, 80, 22, UTF8)]
    reached = [each for each in found.steps if each.norm]
    assert len(reached) == len([text for text in lines if text.strip().startswith("step ") and "━" in text])
    bars = [text.count("━") for text in lines if text.strip().startswith("step ") and "━" in text]
    order = sorted(range(len(reached)), key=lambda i: reached[i].norm)
    assert [bars[i] for i in order] == sorted(bars)
    assert any("no gradient reaches step" in text for text in lines)


@pytest.mark.parametrize("columns", [37, 60, 78])
def test_the_heads_are_whole(snapshots, columns):
    snapshot = snapshots(RNN)[0]
    lines = [
        plain(row) for row in value_flow_panel(snapshot, value_flow(snapshot.iteration), columns, 40, UTF8)
    ]
    assert lines[0].endswith("step 16 → step 1")
    assert lines[1].split() == ["norm,", "log", "0.1", "to", "1", "step", "back"]
    assert lines[1].endswith("step back")
    assert not any("…" in line for line in lines[:2])


def test_the_formulas_are_below_each_other(snapshots):
    snapshot = snapshots(from_preset("microgpt"))[0]
    rows = [plain(row) for row in value_flow_panel(snapshot, value_flow(snapshot.iteration), 78, 60, UTF8)]
    begins = {row.index("parameter") for row in rows if "parameter" in row}
    begins |= {row.index("= ") + len("= ") for row in rows if "= " in row}
    assert len(begins) == 1


def test_the_verdict_is_about_the_product_over_the_steps():
    assert "multiplied by 0.0100 (0.100 a step)" in said((0.1, 0.1), (1.0, 0.1), (1.0, 0.0))
    assert "vanishes over time" in said((0.1, 0.1), (1.0, 0.1), (1.0, 0.0))
    assert "explodes over time" in said((9.0, 8.0), (2.0, 2.0), (0.5, 0.0))
    assert "neither" in said((1.0, 0.9), (1.0, 0.0))


def test_without_a_step_back_there_is_no_verdict():
    assert said() == ""


def test_every_verdict_says_by_which_threshold():
    """Just within and just beyond both thresholds; the loss of a step adds to its norm, not to what comes back."""
    for growth, words in (
        (0.099, "it vanishes over time (rule of thumb: below 0.1)"),
        (0.101, "it neither vanishes nor explodes over time (rule of thumb: from 0.1 to 10)"),
        (9.9, "it neither vanishes nor explodes over time (rule of thumb: from 0.1 to 10)"),
        (10.1, "it explodes over time (rule of thumb: above 10)"),
    ):
        text = said((growth + 1.0, growth), (1.0, 0.0))
        assert text == f"what comes back through 1 step is multiplied by {format_number(growth)}: {words}"


@pytest.mark.parametrize("columns", [37, 60, 78, 120])
def test_the_factors_are_explained_below_them_and_are_what_is_explained(snapshots, columns):
    snapshot = snapshots(RNN)[0]
    found = value_flow(snapshot.iteration)
    text = " ".join(
        " ".join(plain(row).split()) for row in value_flow_panel(snapshot, found, columns, 40, UTF8)
    )
    assert "step back: norm through the next step alone ÷ norm there; own loss adds to it" in text
    iteration, wh = snapshot.iteration, snapshot.iteration.tensor("Wh")
    norms = [np.linalg.norm(iteration.tensor(f"dh{t}")) for t in range(1, 17)]
    for t, norm in enumerate(norms[1:], 2):
        if norm:
            through = np.linalg.norm(iteration.tensor(f"du{t}") @ wh.T)  # without the loss of step t - 1
            assert f"×{format_times(through / norm)}" in text


@pytest.mark.parametrize("context", [UTF8, STRICT_ASCII], ids=["utf-8", "ascii"])
def test_the_panel_fits_every_room(snapshots, context):
    snapshot = snapshots(RNN)[40]
    found = value_flow(snapshot.iteration)
    for columns in (30, 38, 60, 78, 130):
        for rows in (6, 12, 20, 44):
            lines = value_flow_panel(snapshot, found, columns, rows, context)
            assert not faults(lines, columns, rows, context)
