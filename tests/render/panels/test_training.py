"""The training panel, and the values that it draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.data.samples import cut
from tui_backprop.data.split import split_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network import inference as plane
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.panels.training import amount_line, key_hint, training_panel
from tui_backprop.render.panels.training_curves import IterationAxis, change_mark, loss_chart
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import training_curve as module
from tui_backprop.session.decision_boundary import plane_of
from tui_backprop.session.setting_changes import SettingChange
from tui_backprop.session.state import Session, UpdateRun, from_preset
from tui_backprop.session.training_curve import Learning, Score, score, smoothed, thinned

SIZES = [(36, 34), (76, 20), (56, 13), (74, 54), (114, 34)]
MOONS = Session(NetworkSpec((2, 4, 2), "tanh", dropout=0.2, layer_norm=True, residual=True), "moons")
DEEP = Session(NetworkSpec((2, *(3,) * 39, 2), "tanh", bias=False), "moons", batch=32)
SESSIONS = {
    "moons": MOONS,
    "sine": from_preset("sine"),
    "digits": Session(NetworkSpec((784, 10))),
    "deep": DEEP,
}

FALL = 2.0 * 0.99 ** np.arange(1000)  # to 8.7e-05: more than two decades
LOSSES = {
    "fall": FALL,
    "flat": np.full(50, 0.7),
    "zero": np.zeros(20),
    "to zero": np.concatenate([FALL, np.zeros(50)]),
    "one": np.array([0.5]),
    "none": np.array([]),
    "diverged": np.concatenate([FALL[:300], 1e300 * np.ones(2), [np.inf], np.full(200, np.nan)]),
    "hole": np.concatenate([FALL[:300], [np.nan], FALL[300:]]),
    "lost": np.full(9, np.nan),
    "long": np.tile(FALL, 100),
}


def made(losses, right=0.9, first=0, **more):
    ends = (first, first + len(losses))
    return Learning(first, losses, tuple(Score(i, 0.25, right) for i in ends), **more)


@pytest.fixture(scope="module")
def snapshot(snapshots):
    return lambda session, at=0: replace(
        found := snapshots(session)[0],
        session=having(found.session, update_log=(UpdateRun(0, 1, 0.1, at),) * (at > 0)),
    )


def text(snapshot: Snapshot, learning, columns=76, rows=30, context=UTF8, picture=None):
    return "\n".join(map(plain, training_panel(snapshot, learning, picture, columns, rows, context)))


FIGURES = ("1,000 of 25,000 updates", "esc stops", "333/s", "72.0 s left", "999", "8.72e-05", "loss", "0.250")


@pytest.mark.parametrize("name", SESSIONS)
def test_the_figures_are_whole_at_the_sizes_that_count(snapshot, name):
    session = SESSIONS[name]
    picture = plane_of(session, initial_parameters(session.network))
    learning = made(FALL, None if name == "sine" else 0.934, going=True, wanted=25_000, seconds=3)
    for columns, rows in SIZES:
        shown = text(snapshot(session), learning, columns, rows, UTF8, picture)
        for part in FIGURES:
            assert part in shown
        assert ("accuracy 93.4%" in shown) == (name != "sine")
        assert "…" not in shown


@pytest.mark.parametrize("columns", [30, 37, 60])
def test_the_keys_of_the_list_are_named_below_it(columns):
    for context in (UTF8, ASCII):
        row = key_hint(columns, context)
        assert plain(row).startswith(context.text("− + "))
        assert "enter train" in plain(row)
        assert width(row) <= columns
    assert "← →" in plain(key_hint(37, UTF8))


def test_before_training_nothing_is_claimed(snapshot):
    shown = text(snapshot(MOONS), None)
    assert "all 400 samples of moons" in " ".join(shown.split())
    assert "the all" not in shown
    assert "iteration" not in shown
    assert text(snapshot(MOONS), Learning(0, np.array([]))) == shown


def test_what_is_done_left_and_how_it_stops_is_said_while_it_goes_on(snapshot):
    going = made(np.ones(1240), going=True, wanted=2500, seconds=4.0)
    assert (going.done, going.rate, going.remaining) == (1240, 310, 1260 / 310)
    shown = text(snapshot(MOONS), going)
    for part in ("1,240 of 2,500 updates", "━━━", "───", "310/s", "4.06 s left", "esc stops"):
        assert part in shown
    shown = text(snapshot(MOONS), replace(going, wanted=None))
    assert "1,240 updates, until stopped" in shown
    assert "left" not in shown
    shown = text(snapshot(MOONS), replace(going, going=False))
    assert "1,240 updates in 4.00 s" in shown
    assert "esc" not in shown


def test_the_bar_is_as_long_as_what_is_done(snapshot):
    for done, share in ((0, 0), (250, 0.25), (1000, 1)):
        first = text(snapshot(MOONS), made(np.ones(done), going=True, wanted=1000, seconds=1)).splitlines()[0]
        assert first.count("━") / (first.count("━") + first.count("─")) == pytest.approx(share, abs=0.04)


def test_the_rate_is_unknown_before_time_has_passed():
    start = Learning(0, np.array([]), wanted=10, going=True)
    assert (start.rate, start.remaining, start.last, start.lost) == (0, None, None, None)
    assert made(np.ones(12), wanted=10, seconds=1).remaining == 0


def test_a_span_of_more_than_two_decades_is_drawn_on_a_log_scale_and_says_so(snapshot):
    assert "log10" in text(snapshot(MOONS), made(FALL))
    assert "1e−3" in text(snapshot(MOONS), made(FALL))
    assert "1e-3" in text(snapshot(MOONS), made(FALL), context=ASCII)
    assert "log10" not in text(snapshot(MOONS), made(FALL[:300]))
    assert "log10" in text(snapshot(MOONS), made(LOSSES["to zero"]))


UNSHOWN = {
    "zeros": (np.concatenate([FALL, np.zeros(17)]), {"exactly 0": 17}),
    "zeros between": (np.where(np.arange(1000) % 3, FALL, 0.0), {"exactly 0": 334}),
    "one zero": (np.array([1.0, 1e-3, 0.0]), {"exactly 0": 1}),
    "not finite": (np.concatenate([FALL, np.full(5, np.nan), [np.inf], FALL]), {"NaN": 5, "infinite": 1}),
    "tiny": (np.array([1e6, 1.0, 1e-3, 1e-9, 1e-300, 0.0]), {"below 1.0e-06": 2, "exactly 0": 1}),
    "linear": (np.concatenate([FALL[:99], [np.nan, -np.inf], FALL[:99]]), {"NaN": 1, "infinite": 1}),
}


@pytest.mark.parametrize("name", UNSHOWN)
@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_every_loss_that_the_axis_cannot_show_is_marked_and_counted(snapshot, name, context, columns, rows):
    losses, counts = UNSHOWN[name]
    frame = IterationAxis(0, len(losses), 0, columns, context)
    lines = [plain(row) for row in loss_chart(made(losses), frame, rows)]
    assert len(lines) <= rows
    assert max(map(len, lines)) <= columns
    words = " ".join(lines)
    for what, count in counts.items():
        assert f"{count} {what}" in words
    top, bottom = ("^", "v") if context.plain else ("▴", "▾")
    kinds = {top: {"NaN", "infinite"} & counts.keys(), bottom: {"exactly 0", "below 1.0e-06"} & counts.keys()}
    for mark, there in kinds.items():
        drawn = sum(row.count(mark) for row in lines)
        assert (
            drawn > len(there) if there else not drawn
        )  # one in the heading for each, and others in the chart


def test_where_every_loss_is_shown_none_is_counted(snapshot):
    for name in ("fall", "flat", "long"):
        frame = IterationAxis(0, len(LOSSES[name]), 0, 76, ASCII)
        head = plain(loss_chart(made(LOSSES[name]), frame, 12)[0])
        assert not any(word in head for word in ("exactly", "below", "NaN", "infinite")), head


def ink(snapshot, learning, role, columns=76):
    """The columns where a role is drawn in the chart of the loss, from the first one right of the axis."""
    lines = training_panel(snapshot, learning, None, columns, 12, ASCII)
    inked = set()
    for row in lines:
        if "|" in plain(row)[:8] or "+" in plain(row)[:8]:
            cells = [(c, look) for part, look in row for c in part][8:]
            inked |= {x for x, (c, look) in enumerate(cells) if look == role and c in ".*"}
    return inked


def test_losses_that_are_no_numbers_are_a_gap(snapshot):
    losses = np.concatenate([FALL[:300], np.full(400, np.nan), FALL[:300]])
    for role in ("mark", "loss"):
        inked = ink(snapshot(MOONS, 2000), made(losses), role)
        assert inked
        assert not inked & set(range(23, 45))
        filled = np.where(np.isnan(losses), np.tile([0.2, 1.8], 500), losses)
        assert ink(snapshot(MOONS, 2000), made(filled), role) >= set(range(25, 43))


def test_it_is_said_where_the_loss_stopped_being_a_number(snapshot):
    assert "not finite from iteration 302 on" in text(snapshot(MOONS), made(LOSSES["diverged"]))
    assert "not finite from iteration 402 on" in text(snapshot(MOONS), made(LOSSES["diverged"], first=100))
    assert "not finite at iteration 300." in text(snapshot(MOONS), made(LOSSES["hole"]))
    assert "not finite" not in text(snapshot(MOONS), made(FALL))


def test_where_the_walk_stands_is_marked_by_a_line_and_a_number(snapshot):
    shown = text(snapshot(MOONS, 700), made(FALL), rows=12).splitlines()
    column = shown[-1].index("700")
    assert sum(row[column : column + 3].count("│") for row in shown[3:-2]) >= 4
    assert "│ here" in "\n".join(shown)
    away = text(snapshot(MOONS, 700), made(FALL, first=900), rows=12)
    assert "here" not in away


def test_the_share_read_right_has_a_chart_where_there_are_classes_and_room(snapshot):
    assert "100%┤" in text(snapshot(MOONS), made(FALL))
    assert "on all 400 samples" in text(snapshot(MOONS), made(FALL))
    assert "100%┤" not in text(snapshot(MOONS), made(FALL), rows=13)
    assert "100%┤" not in text(snapshot(SESSIONS["sine"]), made(FALL, None))


def test_the_chosen_amount_is_told_without_color_and_always_shown():
    amounts = ["1", "10", "100", "1,000", "10,000", "until stopped"]
    assert plain(amount_line(amounts, 2, 60)) == "train  1  10 [100] 1,000  10,000  until stopped "
    for columns in (20, 24, 36):
        for chosen, name in enumerate(amounts):
            row = amount_line(amounts, chosen, columns)
            assert width(row) <= columns
            assert f"[{name[:5]}" in plain(row)
            assert [role for _, role in row].count("strong") == 1


# --- the values --------------------------------------------------------------------------------------------


def slow_mean(losses, width):
    means = []
    for i in range(len(losses)):
        window = losses[max(i - width + 1, 0) : i + 1]
        means.append(sum(window) / len(window) if np.isfinite(window).all() else np.nan)
    return means


@pytest.mark.parametrize("width", [1, 2, 3, 7, 40, 1000])
@pytest.mark.parametrize("name", ["fall", "none", "hole", "lost", "diverged"])
def test_smoothing_is_the_mean_of_the_last_ones_and_nan_where_one_of_them_is_not_finite(name, width):
    losses = LOSSES[name][250:370]
    assert np.allclose(smoothed(losses, width), slow_mean(losses, width), rtol=1e-12, equal_nan=True)
    if len(losses) == 120 and width < 120:
        assert not np.allclose(smoothed(losses, width + 1), slow_mean(losses, width), equal_nan=True)


def test_a_huge_loss_leaves_no_round_off_in_the_means_after_it():
    losses = np.concatenate([np.ones(50), [1e30], np.ones(50)])
    assert np.array_equal(smoothed(losses, 5)[60:], np.ones(41))


@pytest.mark.parametrize("most", [2, 10, 64, 5000])
def test_thinning_keeps_the_extremes_and_the_order(most):
    losses = np.random.default_rng(0).normal(size=2003)
    places = thinned(losses, most)
    assert len(places) <= most
    assert (np.diff(places) > 0).all()
    assert {int(losses.argmin()), int(losses.argmax())} <= set(places.tolist())
    assert places.max() < len(losses)


def test_thinning_keeps_a_peak_of_every_stretch_and_a_gap_where_nothing_is_finite():
    losses = np.zeros(1000)
    losses[50::100] = np.arange(1, 11)
    losses[300:400] = np.nan
    kept = losses[thinned(losses, 20)]
    assert set(kept[np.isfinite(kept)]) == {0, 1, 2, 3, 5, 6, 7, 8, 9, 10}
    assert np.isnan(kept).sum() == 1


@pytest.mark.parametrize("held", [10**4, 2**25])
def test_a_score_is_the_loss_and_the_share_of_the_fixed_part(monkeypatch, held):
    monkeypatch.setattr(plane, "PASS_BYTES", held)
    spec = replace(MOONS.network, l2=0.1, dtype="float64")
    session, parameters = replace(MOONS, network=spec), initial_parameters(spec)
    batch = cut(spec, "moons", 0, 400)
    program = Program(replace(spec, dropout=0.0), 400, parameters)
    program.feed(batch.x, batch.t)
    loss = float(program.forward())
    right = np.mean(program.values["z2"].argmax(axis=1) == batch.target)
    assert score(session, parameters) == Score(0, pytest.approx(loss, rel=1e-12), right)
    assert 0 < right < 1
    spec.graph.views(parameters)["W2"][0, 0] += 1e-3
    assert score(session, parameters).loss != pytest.approx(loss, rel=1e-9)


def test_real_values_are_not_right_or_wrong_and_large_sets_are_read_in_part():
    sine = SESSIONS["sine"]
    assert score(sine, initial_parameters(sine.network)).accuracy is None
    assert tuple(module.fixed_part(split_of(n, 0, 0).training) for n in (4000, 200)) == (500, 200)


@pytest.mark.parametrize("fill", [np.nan, np.inf])
def test_a_diverged_network_predicts_nothing(snapshot, fill):
    parameters = np.full(MOONS.network.parameters, fill, np.float32)
    found = score(MOONS, parameters)
    assert np.isnan(found.loss)
    assert (found.accuracy, found.unpredicted) == (0, 1)
    learning = replace(made(FALL), scores=(found,))
    shown = text(snapshot(MOONS), learning, rows=6)
    assert "no prediction" in shown
    assert "accuracy" not in shown


def test_samples_without_a_prediction_are_named_beside_the_accuracy(snapshot):
    learning = replace(made(FALL), scores=(Score(0, 1.0, 0.5, 0.25),))
    assert "accuracy 50.0%, 25.0% without a prediction" in text(snapshot(MOONS), learning)


def test_the_charts_mark_where_a_setting_changed_and_say_which(snapshot):
    changes = [SettingChange(3, (("l2", 0.001),)), SettingChange(12, (("optimizer", "adam"), ("lr", 0.5)))]

    def drawn(columns, context, *changes):
        lines = training_panel(snapshot(MOONS), made(LOSSES["flat"]), None, columns, 20, context, changes)
        return "\n".join(map(plain, lines))

    for context in (UTF8, ASCII):
        mark, found = change_mark(context), drawn(70, context, *changes)
        assert f"{mark} 12: optimizer=adam, lr=0.5" in found
        assert f"{mark} 3: l2=0.001" in found
        assert found.count(mark) > 6
    assert "1 earlier" in drawn(36, ASCII, *changes)
    assert "l2" not in drawn(70, ASCII, SettingChange(10**6, (("l2", 0.001),)))
