"""The function explorer shows the numbers of its unit and its weights where they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.analysis.loss_slices import activation_curve, slice_along
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.lesson.start import read_start
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.line_chart import limits, marks_of
from tui_backprop.render.draw.loss_surface import surface
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.curves import curves_panel
from tui_backprop.render.panels.function_chart import SLOPE_WORDS, slope_words
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update, select
from tui_backprop.support.format import format_number

SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
ROUGH = NetworkSpec((2, 8, 8, 8, 2), "gelu,tanh,elu", layer_norm=True, residual=True, dropout=0.1, l2=0.001)
BRAILLE = {chr(code) for code in range(0x2801, 0x2900)}


def diverged(session, times):
    for _ in range(times):
        session = after_update(session)
    return session


SESSIONS = {name: from_preset(name) for name in PRESETS} | {
    "one layer": Session(NetworkSpec((784, 10)), batch=32),
    "no bias": Session(NetworkSpec((784, 30, 10), bias=False)),
    "forty layers": Session(NetworkSpec((2, *(3,) * 39, 2), "tanh"), "moons"),
    "one by one": Session(NetworkSpec((1, 1), loss="mse"), "sine"),
    "everything": Session(
        ROUGH, "moons", batch=4, optimizer=OptimizerSpec("adamw", weight_decay=0.1, clip=0.1)
    ),
    "zeros": Session(NetworkSpec((2, 4, 2), init="zeros", bias=False), "moons"),
    "diverged": diverged(Session(NetworkSpec((2, 8, 3), dtype="float64", loss="mse"), "spiral", lr=1e30), 2),
    "no numbers left": diverged(Session(NetworkSpec((2, 8, 3), loss="mse"), "spiral", lr=1e30), 3),
}


KEPT = {}  # slices by what the pass depends on


def slices_of(snapshot):
    """Of the weight with the largest gradient, and of it with another one; each begun, half done and whole."""
    key = snapshot.session.pass_key
    if key not in KEPT:
        iteration = snapshot.iteration
        ranked = ranking(iteration, "gradient", 1)
        first = (ranked[0].tensor, ranked[0].index) if ranked else ("W1", (0, 0))
        last = f"W{iteration.spec.depth}"
        other = last, tuple(n - 1 for n in iteration.tensor(last).shape)
        KEPT[key] = []
        for weights in ((first,), (first, other) if other != first else (first,)):
            runs = list(slice_along(iteration, weights, points=9))
            KEPT[key] += [runs[0], runs[len(runs) // 2], runs[-1]]
    return KEPT[key]


def text_of(rows):
    return "\n".join(plain(row) for row in rows)


def at(snapshots, kind, layer=None):
    return next(m for m in snapshots if m.step.kind == kind and layer in (None, m.step.block))


@pytest.mark.parametrize("columns", [36, 76, 114])
def test_the_unit_s_numbers_stand_below_its_function(snapshots, columns):
    session = select(from_preset("lesson"), 2, 40)
    snapshot = at(snapshots(session), "activation", 2)
    curve = activation_curve(snapshot.iteration, 2, 40, 9)
    text = text_of(curves_panel(snapshot, None, columns, 34, UTF8))
    assert "relu, layer 2, unit 40" in text
    assert f"z2[40] {format_number(curve.at)}" in text
    assert f"f(z) {format_number(curve.value)}" in text
    assert f"f'(z) {format_number(curve.slope_at)}" in text
    assert slope_words(curve.slope_at) in text


def test_the_layer_before_the_first_shows_the_first_and_the_last_one_is_linear(snapshots):
    first, *_, last = snapshots(from_preset("lesson"))
    assert "relu, layer 1," in text_of(curves_panel(first, None, 36, 34, UTF8))
    assert last.step.block == 4
    text = text_of(curves_panel(last, None, 36, 34, UTF8))
    assert "identity, layer 4," in text
    assert "the output layer is linear" in text


@pytest.mark.parametrize(
    ("slope", "words"),
    [
        (0.0, "no gradient passes back"),
        (-0.0, "no gradient passes back"),
        (0.01, "fades here: × 0.0100"),
        (0.6, "shrinks here: × 0.600"),
        (1.0, "passes unchanged"),
        (1.13, "grows here: × 1.13"),
        (-0.1, "fades here: × −0.100, with its sign flipped"),
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
    ],
)
def test_the_words_say_what_a_slope_does(slope, words):
    assert words in slope_words(slope)


def test_every_slope_has_words():
    assert [most for most, _ in SLOPE_WORDS] == sorted(most for most, _ in SLOPE_WORDS)
    assert SLOPE_WORDS[-1][0] == float("inf")


@SETS
@pytest.mark.parametrize("unit", [0, 1])
def test_the_marks_of_a_unit_stand_on_its_curves(snapshots, unit, context):
    snapshot = at(snapshots(select(from_preset("xor"), 1, unit)), "activation")
    curve, marks = activation_curve(snapshot.iteration, 1, unit, 9), marks_of(context)
    rows = [plain(row) for row in curves_panel(snapshot, None, 56, 13, context)]
    axis = max(rows[1].find("┤"), rows[1].find("+"))
    for mark in (marks.here, marks.other):
        (column,) = (row.index(mark) for row in rows[1:-2] if mark in row)
        share = (column - axis - 1) / (56 - axis - 2)
        assert curve.x[0] + share * (curve.x[-1] - curve.x[0]) == pytest.approx(curve.at, abs=0.15)


@pytest.mark.parametrize("columns", [36, 56, 74])
def test_the_table_has_the_numbers_of_the_slice(snapshots, columns):
    snapshot = at(snapshots(from_preset("lesson")), "update")
    found = slices_of(snapshot)[2]
    text = text_of(curves_panel(snapshot, found, columns, 38, UTF8))
    assert f"loss along {entry_name(*found.weights[0])}" in text
    assert f"gradient {format_number(found.gradient[0], sign=True)}" in text
    assert f"loss {format_number(found.loss, 4)}" in text
    lines = {row.split()[1]: row for row in text.splitlines() if row[2:].startswith(("now", "1st-", "upda"))}
    assert format_number(found.here[0], sign=True) in lines["now"]
    assert format_number(found.predicted_change, sign=True) in lines["1st-order"]
    assert format_number(found.actual_change, sign=True) in lines["updated"]
    for label in ("1st-order", "updated"):
        assert format_number(found.updated[0], sign=True) in lines[label]
    assert format_number(found.lowest[1] - found.base, sign=True) in next(
        r for r in text.splitlines() if r.startswith("  at edge")
    )
    assert "others" not in text
    assert "335,114" in text


@SETS
def test_an_update_too_short_to_be_seen_is_an_arrow_and_a_long_one_a_point(snapshots, context):
    snapshot = at(snapshots(from_preset("lesson")), "update")
    found = slices_of(snapshot)[2]
    marks = marks_of(context)
    for by, mark in ((0.001, context.on), (-0.001, context.back), (0.2, marks.coming), (-0.2, marks.coming)):
        moved = replace(found, updated=(found.here[0] + by,))
        rows = [plain(row) for row in curves_panel(snapshot, moved, 56, 20, context)]
        (now,) = [row for row in rows if marks.here in row and "now" not in row]
        assert any(row.startswith(f"{mark} updated") for row in rows)
        if mark != marks.coming:
            assert (now.index(mark) > now.index(marks.here)) == (by > 0)


def test_a_slice_that_is_still_running_says_so(snapshots):
    snapshot = at(snapshots(from_preset("lesson")), "update")
    begun, half, full = slices_of(snapshot)[:3]
    assert "evaluated: 0 of 9" in text_of(curves_panel(snapshot, begun, 36, 34, UTF8))
    assert f"evaluated: {half.done} of 9" in text_of(curves_panel(snapshot, half, 36, 34, UTF8))
    assert "evaluated" not in text_of(curves_panel(snapshot, full, 36, 34, UTF8))
    assert "evaluating the loss" in text_of(curves_panel(snapshot, None, 36, 34, UTF8))


def test_where_nothing_is_lower_no_other_place_is_called_the_lowest(snapshots):
    for name, lower in (("lesson", True), ("zeros", False)):
        snapshot = at(snapshots(SESSIONS[name]), "update")
        found = slices_of(snapshot)[2]
        assert (found.losses < found.base).any() == lower
        assert ("lowest" in text_of(curves_panel(snapshot, found, 36, 34, UTF8))) == lower


def test_a_loss_that_is_no_number_leaves_a_gap_in_the_curve(snapshots):
    snapshot = at(snapshots(from_preset("lesson")), "update")
    full = replace(slices_of(snapshot)[2], gradient=(np.nan,))  # without the tangent's dots

    def inked(found):
        rows = curves_panel(snapshot, found, 70, 25, UTF8)
        cells = [[(c, role) for text, role in row for c in text] for row in rows]
        return {x for row in cells for x, (c, role) in enumerate(row) if role == "loss" and c in BRAILLE}

    losses = full.losses.copy()
    losses[2:4] = np.nan, np.inf
    gap = inked(full) - inked(replace(full, losses=losses))
    assert len(gap) > 15
    assert max(gap) - min(gap) < 30


# --- the surface -------------------------------------------------------------------------------------------


def bowl(snapshots, gradient=(1.0, 0.0)):
    """A slice over two weights whose loss grows to the right and a little upwards, as a valley does."""
    snapshot = at(snapshots(from_preset("lesson")), "update")
    found = slices_of(snapshot)[-1]
    x, y = np.meshgrid(np.arange(9.0), np.arange(9.0), indexing="ij")
    return snapshot, replace(found, losses=x + 0.01 * y, gradient=gradient, updated=found.here)


def cells_of(found, context, columns=40, rows=13):
    drawn = surface(found, marks_of(context), context, False, columns, rows)
    texts = [plain(row) for row in drawn[:-2]]
    side = texts[0].index("┤") + 1
    return [text[side:] for text in texts]


@SETS
def test_what_is_low_is_light_and_the_first_weight_grows_to_the_right(snapshots, context):
    _, found = bowl(snapshots)
    for row in cells_of(found, context)[:3]:
        levels = [context.ramp.index(c) for c in row]
        assert levels == sorted(levels)
        assert levels[0] == 0
        assert levels[-1] == len(context.ramp) - 1
    turned = replace(found, losses=found.losses.T)
    columns = list(zip(*cells_of(turned, context), strict=True))
    levels = [context.ramp.index(c) for c in columns[-1]]
    assert levels == sorted(levels, reverse=True)  # the second grows upwards


@SETS
@pytest.mark.parametrize("gradient", [(1, 0), (-1, 0), (0, 1), (0, -1), (0, 0), (np.nan, 1)])
def test_dots_lead_against_the_gradient(snapshots, gradient, context):
    _, found = bowl(snapshots, gradient)
    marks = marks_of(context)
    cells = cells_of(found, context)
    here = [(r, row.index(marks.here)) for r, row in enumerate(cells) if marks.here in row]
    assert here == [(len(cells) // 2, len(cells[0]) // 2)]
    dots = [(r, c) for r, row in enumerate(cells) for c, glyph in enumerate(row) if glyph == marks.dots]
    ways = {(int(np.sign(c - here[0][1])), int(np.sign(here[0][0] - r))) for r, c in dots}
    assert ways == ({tuple(-g for g in gradient)} if any(gradient) and np.isfinite(gradient).all() else set())


def test_a_point_of_a_surface_that_is_no_number_is_marked_and_one_not_run_is_blank(snapshots):
    _, found = bowl(snapshots)
    losses = found.losses.copy()
    losses[1, 1] = np.inf
    assert "!" in "".join(cells_of(replace(found, losses=losses), UTF8))
    assert "!" not in "".join(cells_of(found, UTF8))
    assert set("".join(cells_of(replace(found, done=0), UTF8))) == {" ", "●", "·"}


@SETS
def test_the_two_weights_are_named_with_their_ranges(snapshots, context):
    snapshot, found = bowl(snapshots)
    text = text_of(curves_panel(snapshot, found, 74, 25, context))
    first, second = (entry_name(*weight) for weight in found.weights)
    assert f"{first} across, {second} up" in text
    for values in found.values:
        for end in (values[0], values[-1]):
            assert context.text(format_number(float(end), sign=True)) in text


# --- charts ------------------------------------------------------------------------------------------------


@SETS
def test_beside_the_lesson_at_80x24_both_halves_have_a_chart_and_what_is_left_out_is_marked(
    snapshots, context
):
    snapshot = snapshots(read_start("xor layers=2,1 data=moons batch=1").session)[0]
    *_, found = slice_along(snapshot.iteration, (("W1", (0, 0)),), points=9)
    rows = [plain(row) for row in curves_panel(snapshot, found, 79, 11, context)]
    assert any("+0.657" in row and "+7.84" in row for row in rows)  # the axis of the loss
    assert all(word in " ".join(rows) for word in ("now", "1st-order", "updated"))
    assert rows[-1].rstrip().endswith(context.text("…"))


def test_where_there_is_room_for_one_half_it_is_the_one_that_the_step_is_about(snapshots):
    for snapshot in snapshots(from_preset("lesson")):
        text = text_of(curves_panel(snapshot, slices_of(snapshot)[2], 56, 13, UTF8))
        assert ("loss along" in text) != ("f(z)" in text)
        if snapshot.step.kind in ("activation", "delta"):
            assert "f(z)" in text
        if snapshot.step.kind in ("weights", "update"):
            assert "loss along" in text


def test_drawing_again_draws_the_same(snapshots):
    snapshot = at(snapshots(from_preset("sine")), "activation")
    found = slices_of(snapshot)[2]
    one = curves_panel(snapshot, found, 74, 54, UTF8)
    curves_panel(snapshot, None, 36, 34, ASCII)
    assert curves_panel(snapshot, found, 74, 54, UTF8) == one


@pytest.mark.parametrize(
    "values", [[], [np.nan], [3.0], [0.0, 1.0], [-1e308, 1e308], [1e30, 1e30], [np.inf, 1.0]]
)
def test_limits_are_finite_and_have_a_width(values):
    for margin in (0.0, 0.04):
        low, high = limits(values, margin)
        assert np.isfinite([low, high]).all()
        assert low < high
        assert all(low <= value <= high for value in values if np.isfinite(value))
