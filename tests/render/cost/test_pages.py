"""The pages of the cost panel: what they say is what was counted, measured or projected."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tests.cost.machines import machine
from tui_backprop.cost.accounting.ledger import ledger
from tui_backprop.cost.accounting.ledger_findings import findings
from tui_backprop.cost.accounting.memory_ledger import memory_ledger
from tui_backprop.cost.model.claims import claims_of
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Estimate, Measured
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.race.agreement import Agreement
from tui_backprop.cost.race.race import RACE_METHODS, RaceStatus
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.gradients.step_size import STEP_METHODS, step_sweep
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.render.cost.claims import claims_lines
from tui_backprop.render.cost.ledger import ledger_lines
from tui_backprop.render.cost.race import (
    RaceForecast,
    forecast_lines,
    forecast_of,
    progress_lines,
    race_lines,
)
from tui_backprop.render.cost.step_size import STYLES, legend, power, readout, step_size_lines
from tui_backprop.render.cost_state import CostState, ShownRace
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.session.session_parts import PRECISIONS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_bytes, format_duration
from tui_backprop.support.quantity import Text, ratio, written

LESSON = NetworkSpec()
HERE = machine(sizes=(1e3, 1e4, 1e5, 335_114.0, 1e6, 1e7))
SIZES = [(35, 28), (37, 36), (56, 14), (76, 20), (96, 30), (116, 36), (196, 56)]
NETWORKS = {
    "lesson": Session(),
    "xor": from_preset("xor"),
    "vanishing": from_preset("vanishing"),
    "sine": from_preset("sine"),
    "one layer": replace(Session(), network=NetworkSpec((784, 10))),
    "residual": Session(
        NetworkSpec((2, 8, 8, 8, 2), "gelu", residual=True, layer_norm=True, dropout=0.2), "moons", batch=4
    ),
}


def text(drawn) -> str:
    return "\n".join(plain(row) for row in drawn)


def test_each_claim_of_the_lesson_stands_beside_what_was_measured_here():
    there = text(claims_lines(CostState(LESSON, HERE), 116, UTF8))
    naive = HERE.gradient("naive", shape_of(LESSON)).middle
    for said, here in (
        ("330,000", "335,114"),
        ("1 ms, assumed", format_duration(HERE.seconds("forward", shape_of(LESSON)).middle)),
        ("5.5 minutes", format_duration(naive)),
        ("over a year", format_duration(1e5 * naive)),
        ("about 3x", "2.40x"),
    ):
        assert re.search(rf"{re.escape(said)} +{re.escape(here)}", there), (said, here)


def test_a_race_that_was_run_stands_in_the_place_of_the_projection():
    status = RaceStatus("forward-difference", "done", 335_115, 335_115, 335_114, 335_114, seconds=31.4)
    done = ShownRace(status, Session())
    claim = next(
        c
        for c in claims_of(LESSON, HERE, CostState(LESSON, HERE, race=done).raced)
        if "numerically" in c.what
    )
    assert written(claim.here) == "31.4 s"
    assert "in the race" in written(claim.how)
    busy = ShownRace(replace(status, share=0.2), Session())
    claim = next(
        c
        for c in claims_of(LESSON, HERE, CostState(LESSON, HERE, race=busy).raced)
        if "numerically" in c.what
    )
    assert written(claim.here) == "6.28 s"
    assert written(claim.how) == "CPU time of the race, which took 31.4 s with 20% of a core"
    other = ShownRace(replace(status, method="complex-step"), Session())
    claim = next(
        c
        for c in claims_of(LESSON, HERE, CostState(LESSON, HERE, race=other).raced)
        if "numerically" in c.what
    )
    assert written(claim.here) != "31.4 s"


def measured_here(times: float, spread: float = 1.01, share: float = 1.0) -> CostModel:
    """HERE with backprop of the lesson's network so many times as slow as a forward pass, runs so far apart, and such
    a share of a core."""
    shape = shape_of(LESSON)
    forward = HERE.seconds("forward", shape).middle
    points = [p for p in HERE.points if round(p.parameters) != LESSON.parameters]
    for kind, seconds in (("forward", forward), ("backprop", times * forward)):
        points.append(Measured(kind, shape, seconds / spread, seconds, seconds * spread, 9, share))
    return CostModel(tuple(points), HERE.probe)


@pytest.mark.parametrize(
    ("spread", "share", "here", "said"),
    [(1.01, 1.0, "5.10x", "5.1x"), (1.01, 0.4, "5x", "5x"), (1.5, 1.0, "5x", "5x")],
)
def test_the_ratio_at_every_size_holds_that_of_the_line_above_it_and_says_where_the_machine_was_busy(
    spread, share, here, said
):
    cost_model = measured_here(5.1, spread, share)  # nearly as projected
    busy = here == "5x"
    claims = claims_of(LESSON, cost_model)
    sizes = next(c for c in claims if c.what == "at any size")
    assert here in [written(c.here) for c in claims]
    found = re.findall(r"([\d.]+)x at", written(sizes.how))
    assert len(found) == len({p.parameters for p in cost_model.points})
    ends = min(found, key=float), max(found, key=float)
    assert sizes.here == Text(f"{ends[0]}-{ends[1]}x", f"{ends[0]} to {ends[1]} times")
    assert written(sizes.how).startswith(f"in time: {said} at 335k" + " (busy)" * busy + ", ")
    assert written(sizes.how).count("busy") == busy
    assert not any(c.what == "at any size" for c in claims_of(LESSON, CostModel()))


def test_beside_the_walk_the_last_claim_is_seen_below_a_long_list_of_sizes():
    cost_model = machine(sizes=[10 ** (3 + n / 2) for n in range(13)])
    shown = text(claims_lines(CostState(LESSON, cost_model), 37, UTF8))
    assert "3.2x at 1B" in shown.replace("\n    ", " ")
    assert "100,000 steps of backprop" in shown


def test_at_80_columns_every_claim_is_seen_also_where_the_sizes_take_two_lines():
    cost_model = machine(sizes=[10 ** (3 + n / 2) for n in range(7)])
    lines = text(claims_lines(CostState(LESSON, cost_model), 79, UTF8)).split("\n")
    assert lines[-1].split("  ")[0] == "100,000 steps of backprop"
    assert [line.split() for line in lines if line.startswith("the gradients")] == [
        ["the", "gradients", "exact", "up", "to", "rounding"]
    ]


@pytest.mark.parametrize(
    ("times", "spread", "said"),
    [(4.84, 1.01, True), (2.4, 1.01, False), (1.9, 1.01, False), (3.0, 1.5, False)],
)
def test_a_reason_is_offered_where_time_is_clearly_above_macs_and_as_one_that_may_be(times, spread, said):
    there = text(claims_lines(CostState(LESSON, measured_here(times, spread)), 116, UTF8))
    assert ("may be" in there) == ("caches" in there) == said
    assert "caches" not in text(claims_lines(CostState(LESSON, CostModel()), 116, UTF8))


def test_the_race_counts_parameters_and_says_what_it_will_take_before_and_leaves_out_what_is_not_known():
    ready = RaceStatus("forward-difference", parameters=335_114)
    entry = forecast_of(ShownRace(ready, Session()), CostState(LESSON, HERE))
    assert entry.expected == HERE.gradient("naive", shape_of(LESSON))
    assert entry.step == METHODS["forward-difference"].best_step("float32")
    before = text(race_lines(ShownRace(ready, Session()), 60, 30, UTF8, entry))
    assert f"{format_duration(entry.expected.middle)} projected ±" in before
    assert "h = 0.00035" in before
    assert "parameter 0 of 335,114" in before
    assert "NaN" not in before
    assert "cosine" not in before
    running = replace(ready, state="running", agreement=Agreement(float("nan"), float("nan"), 0.0, "W1[0,0]"))
    going = text(race_lines(ShownRace(running, Session()), 60, 30, UTF8))
    assert "NaN" not in going
    assert "cosine         undefined" in going  # of a gradient that is 0, or not finite


@pytest.mark.parametrize("state", ["starting", "running", "paused", "done"])
def test_the_projection_of_a_race_stays_as_it_was_when_it_started(state):
    race = ShownRace(RaceStatus("forward-difference", state, parameters=335_114), Session(), costs=HERE)
    for later in (None, machine(sizes=(1e3, 2e6))):
        entry = forecast_of(race, CostState(LESSON, later))
        assert entry.expected == HERE.gradient("naive", shape_of(LESSON))


def test_every_method_that_can_race_and_has_a_line_in_the_chart_has_an_expectation():
    named = {way.engine_method for way in COST_METHODS.values()}
    assert named <= set(METHODS)
    for method in RACE_METHODS:
        entry = forecast_of(
            ShownRace(RaceStatus(method, parameters=335_114), Session()), CostState(LESSON, HERE)
        )
        assert (entry.expected is not None) == (method in named)
        assert entry.expected is None or math.isfinite(entry.expected.middle)


@pytest.mark.parametrize(
    ("state", "seconds", "left", "said"),
    [
        ("ready", 0.0, None, "20.0 s projected ±20%"),
        ("running", 10.0, 9.0, "20.0 s projected ±20%; now 19.0 s, as projected"),
        ("running", 10.0, 118.0, "20.0 s projected ±20%; now 2.13 min, 6.4 times that"),
        ("done", 128.0, None, "20.0 s projected ±20%; took 6.4 times that"),
        ("done", 4.0, None, "20.0 s projected ±20%; took 0.2 times that"),
        ("canceled", 4.0, None, None),
    ],
)
def test_a_race_corrects_its_forecast_as_it_runs_and_says_at_the_end_how_it_was_met(
    state, seconds, left, said
):
    status = RaceStatus(
        "forward-difference", state, 9, 99, 8, 98, seconds, 1.0 if seconds else None, left, 1e-3
    )
    entry = RaceForecast(expected=Estimate(20 / 1.2, 20.0, 20 * 1.2))
    shown = [plain(row) for row in progress_lines(status, 80, UTF8, entry)]
    assert [row for row in shown if "projected" in row and "as long" not in row] == ([said] if said else [])
    assert all(len(plain(row)) <= 30 for row in forecast_lines(status, 30, entry))


def test_a_race_beside_other_work_says_which_share_of_a_core_it_had():
    status = RaceStatus("forward-difference", "running", 9, 99, 8, 98, 2.0, 1.0, 9.0, share=0.45)
    assert "busy: 45% of a core was the race's" in text(progress_lines(status, 80, UTF8))
    assert "busy" not in text(progress_lines(replace(status, share=0.97), 80, UTF8))
    known = replace(status, backprop=1e-3, left=8.0, share=0.5)  # of 10 s, 5 are its own
    shown = text(progress_lines(known, 80, UTF8))
    assert "busy: 50% of a core was the race's; on an idle core 5.00 s" in shown
    assert "5,000 times as long as backprop, projected" in shown


def test_before_it_starts_a_race_says_what_it_takes_on_a_busy_machine():
    ready = ShownRace(RaceStatus("forward-difference", parameters=335_114), Session())
    busy = CostModel(tuple(replace(point, share=0.25) for point in HERE.points), HERE.probe)
    expected = busy.gradient("naive", shape_of(LESSON)).middle
    entry = forecast_of(ready, CostState(LESSON, busy))
    words = f"on an idle core; busy: {format_duration(4 * expected)} with 25% of a core"
    assert words in text(race_lines(ready, 80, 30, UTF8, entry))
    assert "busy" not in text(race_lines(ready, 80, 30, UTF8, forecast_of(ready, CostState(LESSON, HERE))))


def test_a_race_of_a_batch_has_no_forecast_for_one_sample():
    session = replace(Session(), batch=32)
    ready = ShownRace(RaceStatus("forward-difference", parameters=335_114), session)
    assert forecast_of(ready, CostState(LESSON, HERE)).expected is None


@pytest.mark.parametrize(("batch", "said"), [(1, "2.9x in time, of whole passes"), (32, "batch of 32")])
def test_the_ledger_has_the_ratio_in_time_of_the_claims_for_one_sample_and_its_own_for_a_batch(batch, said):
    book = ledger(LESSON, batch)
    timed = replace(
        book,
        timed=True,
        entries=tuple(
            replace(
                entry,
                **{name: replace(getattr(entry, name), seconds=1e-3) for name in ("forward", "delta", "dW")},
            )
            for entry in book.entries
        ),
    )
    lines = [finding.text.written for finding in findings(timed, ratio(2.9, 1))]
    assert [line for line in lines if "in time" in line] == [next(line for line in lines if said in line)]
    assert any("timed by itself" in line for line in lines) == (batch == 1)  # its sums are not whole passes
    assert not any("timed by itself" in one.text.written for one in findings(book, ratio(2.9, 1)))


@pytest.fixture(scope="module", params=NETWORKS)
def snapshot(request, snapshots):
    return snapshots(NETWORKS[request.param])[-1]


def test_the_dial_s_letters_are_those_of_the_chart_its_mark_is_the_theory_s_and_a_kink_has_a_letter(snapshot):
    found = step_sweep(snapshot.iteration, *snapshot.weights[0])
    for (columns, rows), context, precision in product(SIZES, (UTF8, ASCII), PRECISIONS):
        shown = text(step_size_lines(found, 1e-4, precision, columns, rows, context))
        for way, method in (("naive", "forward-difference"), ("central", "central-difference")):
            assert COST_METHODS[way].engine_method == method
            assert re.search(rf"{way} +{COST_METHODS[way].letter} ", shown)
        marks = plain(legend(found, precision, columns, context))
        assert "theory" in marks
        kinks = any(flip for row in STYLES for flip in found.rows[row, precision].flips)
        assert marks.endswith("x kink") == kinks


def test_the_dial_says_what_each_method_finds_with_the_lesson_s_step(snapshots):
    snapshot = snapshots(Session())[-1]
    found = step_sweep(snapshot.iteration, *snapshot.weights[0])
    shown = text(step_size_lines(found, 1e-4, "float64", 116, 36, UTF8))
    assert "h = 0.0001, the lesson's  float64" in shown
    row = found.rows["central-difference", "float64"]
    assert power(float(found.steps[row.least])) in shown
    name = f"dL/d{found.tensor}[{','.join(map(str, found.index))}]"
    assert name in shown


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("columns", "rows"), [(76, 20), (116, 36)])
def test_the_central_difference_follows_from_the_losses_and_steps_that_are_shown(
    snapshots, precision, columns, rows
):
    snapshot = snapshots(Session())[-1]
    found = step_sweep(snapshot.iteration, *snapshot.weights[0])
    shown = text(step_size_lines(found, 1e-4, precision, columns, rows, UTF8))
    up, down, above, below = (
        float(re.search(rf"{re.escape(label)} +(\S+)", shown).group(1))
        for label in ("(w+h) - w", "w - (w-h)", "L(w+h)", "L(w-h)")
    )
    central = float(found.rows["central-difference", precision].found[found.nearest(1e-4)])
    assert (above - below) / (up + down) == pytest.approx(
        central, rel=1e-6 if precision == "float32" else 1e-10
    )


def test_the_ledger_shows_its_ratio_in_every_size(snapshot):
    found = ledger(snapshot.session.network, snapshot.session.batch)
    memory = memory_ledger(found, snapshot.session.optimizer)
    for (columns, rows), context in product(SIZES, (UTF8, ASCII)):
        assert f"{found.ratio:.2f}x" in text(ledger_lines(found, memory, columns, rows, context))


def test_where_the_ledger_does_not_show_every_layer_its_sum_says_of_how_many():
    found = ledger(LESSON, 1)
    memory = memory_ledger(found, OptimizerSpec())
    for rows, complete in ((9, False), (11, False), (13, True)):
        shown = text(ledger_lines(found, memory, 79, rows, UTF8))
        assert ("layer 4 " in shown, "all 4 " in shown) == (complete, not complete)


@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
def test_the_ledger_has_bytes_for_training_and_inference_with_formulas_where_there_is_room(snapshot, context):
    found = ledger(snapshot.session.network, snapshot.session.batch)
    memory = memory_ledger(found, OptimizerSpec("adam"))

    def shown(columns, rows):
        return " ".join(text(ledger_lines(found, memory, columns, rows, context)).split())

    for columns, rows in ((120, 40), (78, 20), (36, 34), (60, 20)):
        for total in (memory.training, memory.inference):
            assert format_bytes(total) in shown(columns, rows), (columns, rows)
    for row in memory.rows:
        assert context.text(f"{row.formula} = {row.numbers}") in shown(120, 40), row
        assert f"{row.name} {format_bytes(row.training)} {format_bytes(row.inference)}" in shown(120, 40)


@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_errors_of_0_and_errors_that_are_not_finite_are_marked_and_counted(snapshot, precision, context):
    found = step_sweep(snapshot.iteration, *snapshot.weights[0])
    rows = {key: replace(row, off=row.off.copy()) for key, row in found.rows.items()}
    plain_sweep = replace(
        found, rows={key: replace(row, off=np.full_like(row.off, 0.1)) for key, row in rows.items()}
    )
    for (method, kind), row in rows.items():
        row.off[:] = np.where(row.off == 0, 1e-9, np.nan_to_num(row.off, nan=1e-9, posinf=1e-9))
        if kind == precision and method == STEP_METHODS[0]:
            row.off[3:7] = 0
            row.off[20:22] = [np.nan, np.inf]
    changed = replace(found, rows=rows)
    shown = text(step_size_lines(changed, 1e-4, precision, 110, 40, context))
    low, high = ("v", "^") if context.plain else ("▾", "▴")
    words = f"Errors not on the axis: {low} 4 of 0, {high} 2 not finite."
    said = " ".join(text(readout(changed, 5, precision, 40, 99, context)).split())
    assert words in said
    assert "not on the axis" not in text(readout(plain_sweep, 5, precision, 40, 99, context))
    assert shown.count(low) > 1
    assert shown.count(high) > 1


def test_the_ledger_names_blocks_with_their_numbers_also_where_they_do_not_fit():
    found = ledger(GptSpec(depth=2), 1)
    memory = memory_ledger(found, OptimizerSpec())
    narrow, wide = (text(ledger_lines(found, memory, columns, 30, UTF8)) for columns in (37, 90))
    assert "attent… 1    24,576   32,768   16,384" in narrow
    assert "attent… 2 " in narrow
    assert "attention 2     24,576    32,768    16,384" in wide
