"""Formulas and receipts: aligned, each value shown as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.explain.receipts import ReceiptRow, receipt_rows
from tui_backprop.engine.explain.receipts.rows import largest
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.walk.equation import (
    equations,
    formula_with_shapes,
    main_equation,
    receipt,
    shape_text,
    sums,
)
from tui_backprop.render.walk.explanation import explanation
from tui_backprop.session.presets import NETWORKS
from tui_backprop.session.state import from_preset

WIDE = 100


def shown(lines):
    """Split each line of a receipt into (sign, text of the value)."""
    return [(text[0], text.split()[-1]) for text in map(plain, lines)]


def units(text):
    """Convert a decimal to an integer number of its last places, so that sums are exact."""
    return int(text.replace("−", "-").replace("+", "").replace(".", ""))


def long_sums(snapshots, name, terms):
    for snapshot in snapshots(from_preset(name)):
        last = snapshot.session.network.layers[snapshot.step.block] - 1
        for unit in sorted({0, last // 2, last, snapshot.unit(snapshot.step.block)}):
            rows = receipt_rows(snapshot.iteration, snapshot.step, unit, terms)
            if any("more terms" in row.label for row in rows):
                yield snapshot, rows


@pytest.mark.parametrize("terms", [1, 3, 7])
@pytest.mark.parametrize("name", NETWORKS)
def test_each_value_of_a_long_sum_is_shown_as_it_is_rounded_by_itself_that_of_the_rest_too(
    snapshots, name, terms
):
    met = 0
    for snapshot, rows in long_sums(snapshots, name, terms):
        for row, (_, text) in zip(rows, shown(receipt(rows, WIDE, "forward")), strict=True):
            if row.sign in "*/":
                assert float(text) == pytest.approx(row.value, rel=5e-3)
                continue
            decimals = len(text.partition(".")[2])
            own = -row.value if row.sign == "-" else row.value
            assert units(text) == pytest.approx(own * 10**decimals, abs=0.5001), (snapshot.step.formula, rows)
        met += 1
    assert met or max(NETWORKS[name].network.layers) <= terms + 1  # no sum is long there


def test_a_rest_of_zeros_is_0_also_where_the_rounded_column_does_not_add_up():
    values = np.array([0.014, 0.014, 0.014, *[0.0] * 9], np.float32)
    rows = [*largest("a[{}]".format, values, 3), ReceiptRow("=", "sum", 0.042)]
    texts = [text for _, text in shown(receipt(rows, WIDE, "forward"))]
    assert [rows[3].label, rows[3].value, texts[3]] == ["9 more terms", 0.0, "0.0000"]
    uneven = np.array([0.1114, 0.1114, 0.1114, *[0.0] * 9])
    rows = [*largest("a[{}]".format, uneven, 3), ReceiptRow("=", "sum", 0.3342)]
    texts = [text for _, text in shown(receipt(rows, WIDE, "forward"))]
    assert texts == ["+0.111", "+0.111", "+0.111", "0.000", "+0.334"]


def test_a_receipt_is_aligned_on_the_decimal_point():
    rows = [
        ReceiptRow("+", "a", 0.126),
        ReceiptRow("+", "3 more terms", -1.25),
        ReceiptRow("=", "sum", -1.124),
    ]
    lines = [plain(row) for row in receipt(rows, 30, "forward")]
    assert lines == ["  a             +0.13", "  3 more terms  −1.25", "= sum           −1.12"]


def test_factors_are_shown_where_there_is_room_for_them():
    rows = [ReceiptRow("+", "a", 0.5, (0.25, 2.0)), ReceiptRow("=", "sum", 0.5)]
    assert "0.250 × 2.00" in plain(receipt(rows, 40, "forward")[0])
    assert "×" not in plain(receipt(rows, 20, "forward")[0])


def test_a_receipt_is_closer_together_before_its_factors_go():
    rows = [
        ReceiptRow("+", "x[9] · W1[9,0]", 0.5, (0.25, 2.0)),
        ReceiptRow("+", "b", -0.25, (-0.125, 2.0)),
        ReceiptRow("=", "z", 0.25),
    ]
    assert [plain(row) for row in receipt(rows, 36, "forward")] == [
        "  x[9]·W1[9,0]  0.250×2.00 +0.500",
        "  b            −0.125×2.00 −0.250",
        "= z                        +0.250",
    ]
    assert plain(receipt(rows, 36, "forward", ASCII)[0]) == "  x[9]*W1[9,0]  0.250x2.00 +0.500"
    assert "x[9] · W1[9,0]   0.250 × 2.00  +0.500" in plain(receipt(rows, 40, "forward")[0])
    assert plain(receipt(rows, 32, "forward")[0]) == "  x[9] · W1[9,0]  +0.500"


@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
def test_the_arithmetic_of_every_affine_step_has_its_factors_in_the_middle_of_120_columns(snapshots, context):
    for snapshot in snapshots(from_preset("lesson")):
        if snapshot.step.kind == "affine":
            text = [plain(row) for row in explanation(snapshot, 43, 30, context)]
            assert sum(bool(re.search(r"\d[×x]\S?\d.* [+−-]0", row)) for row in text) >= 3, text


@pytest.mark.parametrize("columns", [20, 30, 48, 100])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_receipt_is_never_wider_than_its_columns(snapshots, name, columns):
    for snapshot in snapshots(from_preset(name)):
        rows = receipt_rows(snapshot.iteration, snapshot.step, snapshot.unit(snapshot.step.block))
        assert max(map(width, receipt(rows, columns, "forward"))) <= columns


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("lr", [1e10, 1e30, 1e300])
def test_the_receipt_of_a_diverged_network_is_no_wider_either(loss, lr):
    spec = NetworkSpec((3, 8, 4), "identity", loss, dtype="float64")
    t = np.zeros(1, int) if loss == "cross-entropy" else np.eye(4)[:1]
    update, state = Update(np.ones((1, 3)), t, lr), TrainingState(0, initial_parameters(spec))
    for _ in range(3):
        iteration = run_iteration(spec, update, state)
        for step in walk(spec, 1):
            lines = receipt(receipt_rows(iteration, step, 1), 48, "forward")
            assert max(map(width, lines)) <= 48, (step.formula, [plain(row) for row in lines])
        state = iteration.after


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nan_and_infinity_are_written_in_words(value):
    rows = [ReceiptRow("+", "a", 1.0), ReceiptRow("+", "5 more terms", value), ReceiptRow("=", "sum", value)]
    last = plain(receipt(rows, 40, "forward")[-1])
    assert last.split()[-1].lstrip("+") in ("NaN", "∞", "−∞")


def test_a_result_too_small_for_decimals_is_not_shown_as_zero():
    rows = [ReceiptRow("+", "a", 3e-15), ReceiptRow("=", "sum", 3e-15)]
    assert "3.0" in plain(receipt(rows, 40, "forward")[-1])


@pytest.mark.parametrize(
    ("shape", "text"),
    [((1, 256), "(1,256)"), ((256,), "(256,)"), ((), "scalar"), ((4000, 784), "(4000,784)")],
)
def test_a_shape_is_written_as_numpy_writes_it(shape, text):
    assert shape_text(shape) == text


def steps_of_every_kind():
    for activation, loss in product(ACTIVATIONS, LOSSES):
        spec = NetworkSpec((784, 256, 10), activation, loss)
        yield from ((spec.graph, step) for step in walk(spec, 32))
    rough = NetworkSpec((2, 8, 8, 2), "gelu,elu", layer_norm=True, residual=True, dropout=0.1, l2=0.1)
    for optimizer in UPDATE_RULES:
        steps = walk(rough, 32, OptimizerSpec(optimizer, weight_decay=0.1, clip=1))
        yield from ((rough.graph, step) for step in steps)


def above_and_below(lines):
    """Lines of a formula: those of its text, and those of the shapes."""
    above = [plain(row).rstrip() for row in lines if any(role != "muted" for _, role in row)]
    return above, [plain(row).rstrip() for row in lines if all(role == "muted" for _, role in row)]


@pytest.mark.parametrize("columns", [48, 100])
def test_a_formula_keeps_its_words_and_has_the_shapes_of_its_names_below(columns):
    for graph, step in steps_of_every_kind():
        above, below = above_and_below(formula_with_shapes(graph, step, columns))
        assert " ".join(" ".join(above).split()) == step.formula
        assert all(below)  # a line without a name has no line of shapes
        for name, shape in step.operands:
            assert name in ("p", "λ") or shape_text(shape) in " ".join(below), (step.formula, name)


@pytest.mark.parametrize("columns", [48, 58, 100])
def test_a_formula_fits_its_columns(columns):
    for graph, step in steps_of_every_kind():
        lines = [plain(row).rstrip() for row in formula_with_shapes(graph, step, columns)]
        assert max(map(len, lines)) <= columns, lines


def test_shapes_stand_below_their_names():
    spec = NetworkSpec((784, 256, 10))
    step = next(s for s in walk(spec, 1) if s.kind == "affine")
    above, below = (plain(row) for row in formula_with_shapes(spec.graph, step, 100))
    for name, shape in (("W1", "(784,256)"), ("b1", "(256,)")):
        start = below.index(shape)
        assert name in above[start : start + len(shape)]


def test_a_receipt_for_another_unit_is_another_receipt(snapshots):
    snapshot = snapshots(from_preset("lesson"))[1]
    other = replace(snapshot, session=having(snapshot.session, units=(0, 7)))
    assert other.unit(1) == 7
    assert receipt_rows(other.iteration, other.step, 7) != receipt_rows(
        snapshot.iteration, snapshot.step, snapshot.unit(1)
    )


ADAM = [
    ReceiptRow("+", "β₁ · m", 0.0),
    ReceiptRow("+", "(1 − β₁) · g", 0.0123),
    ReceiptRow("/", "1 − β₁^1", 0.1),
    ReceiptRow("=", "M", 0.123),
    ReceiptRow("+", "β₂ · v", 0.0),
    ReceiptRow("+", "(1 − β₂) · g²", 1.5e-5),
    ReceiptRow("/", "1 − β₂^1", 0.001),
    ReceiptRow("=", "V", 0.0151),
    ReceiptRow("+", "W before", -1.912),
    ReceiptRow("-", "α · M / (√V + ε)", 0.001),
    ReceiptRow("=", "W after", -1.913),
]  # fmt: skip


def test_a_summand_after_a_result_begins_another_sum():
    assert [len(each) for each in sums(ADAM)] == [4, 4, 3]
    assert [
        len(each)
        for each in sums([ReceiptRow("+", "a", 1.0), ReceiptRow("=", "p", 1.0), ReceiptRow("=", "L", 2.0)])
    ] == [3]


def test_each_sum_of_a_receipt_has_the_decimals_that_it_needs():
    lines = [plain(row) for row in receipt(ADAM, 60, "update")]
    assert len({len(text) for text in lines}) == 1
    values = [text.split()[-1] for text in lines]
    assert values == [
        "0.000", "+0.012", "0.100", "+0.123", "0.000000", "+0.000015", "0.00100", "+0.015100", "−1.91200",
        "−0.00100", "−1.91300",
    ]  # fmt: skip


@pytest.mark.parametrize("optimizer", UPDATE_RULES)
@pytest.mark.parametrize("columns", [30, 48, 100])
def test_the_receipt_of_every_optimizer_fits_its_columns(snapshots, optimizer, columns):
    session = replace(
        from_preset("xor"), optimizer=OptimizerSpec(optimizer, weight_decay=0.1, clip=0.01, schedule="cosine")
    )
    for snapshot in snapshots(session):
        rows = receipt_rows(snapshot.iteration, snapshot.step, 0)
        assert max(map(width, receipt(rows, columns, "update"))) <= columns


def test_an_update_can_be_cut_to_its_last_equation_and_to_its_text():
    graph, step = NetworkSpec((2, 2)).graph, walk(NetworkSpec((2, 2)), 1, OptimizerSpec("adam"))[-1]
    drawn = formula_with_shapes(graph, step, 60, first=len(equations(step)) - 1)
    last = [plain(row).rstrip() for row in drawn]
    assert last[0].split() == ["W1", "←", "W1", "−", "α", "M", "/", "(√(V)", "+", "ε)"]
    assert len(last) == 2
    above, below = above_and_below(formula_with_shapes(graph, step, 60, shaped=False))
    assert " ".join(" ".join(above).split()) == step.formula
    assert below == []


def column(lines):
    """Numbers in the column of a receipt; None for a factor, which is not added."""
    return [None if text[0] in "×÷" else units(text.split()[-1]) for text in map(plain, lines)]


@pytest.mark.parametrize("asked", [("W1", (460, 48)), ("W2", (3, 7)), ("b1", (48,)), ("b4", (2,)), None])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
def test_the_column_of_an_update_adds_up_with_the_signs_that_it_shows(snapshots, optimizer, asked):
    """Subtracted terms are shown with a minus and three digits."""
    session = replace(from_preset("lesson"), optimizer=OptimizerSpec(optimizer), lr=0.01)
    met = 0
    for snapshot in snapshots(session):
        if snapshot.step.kind != "update":
            continue
        unit = (
            asked[1][-1]
            if asked and int(asked[0][1]) == snapshot.step.block
            else snapshot.unit(snapshot.step.block)
        )
        rows = receipt_rows(snapshot.iteration, snapshot.step, unit, asked=asked)
        for part in sums(rows):
            lines = receipt(part, 60, "update")
            *added, result = column(lines)
            if any("e" in plain(line).split()[-1] for line in lines) or None in added:
                continue
            assert sum(added) == result, [plain(line) for line in lines]
            met += 1
            for row, line in zip(part, lines, strict=True):
                if row.sign == "-":
                    text = plain(line).split()[-1]
                    assert plain(line).startswith("  −")
                    assert float(text.replace("−", "-")) == pytest.approx(-row.value, rel=5e-3)
                    assert row.value == 0 or len(text.lstrip("+−0.")) >= 3
    assert met >= 4


def test_what_is_subtracted_is_shown_as_what_it_adds_and_so_are_its_factors():
    rows = [
        ReceiptRow("+", "W before", 0.035484),
        ReceiptRow("-", "α · dW", -0.000036, (0.01, -0.0036)),
        ReceiptRow("=", "W after", 0.03552),
    ]
    lines = [plain(row).split() for row in receipt(rows, 60, "update")]
    assert lines == [
        ["W", "before", "+0.0354840"],
        ["−α", "·", "dW", "−0.0100", "×", "−0.00360", "+0.0000360"],
        ["=", "W", "after", "+0.0355200"],
    ]


def test_a_sum_that_would_not_add_up_gets_more_decimals():
    rows = [ReceiptRow("+", "a", 0.126), ReceiptRow("+", "b", 0.126), ReceiptRow("=", "sum", 0.252)]
    assert [text for _, text in shown(receipt(rows, 30, "forward"))] == ["+0.126", "+0.126", "+0.252"]
    rows = [ReceiptRow("+", "a", 0.1264), ReceiptRow("+", "b", 0.1264), ReceiptRow("=", "sum", 0.2528)]
    assert [text for _, text in shown(receipt(rows, 30, "forward"))] == ["+0.1264", "+0.1264", "+0.2528"]
    rows = [ReceiptRow("+", "z", 0.5), ReceiptRow("=", "a = tanh(z)", 0.46211715726)]  # which is no sum
    assert [text for _, text in shown(receipt(rows, 30, "forward"))] == ["+0.500", "+0.462"]


@pytest.mark.parametrize("columns", [36, 41, 46, 58])
def test_a_bracketed_condition_is_never_torn_over_two_lines(columns):
    spec = NetworkSpec((784, 256, 256, 10))
    torn = [
        text
        for step in walk(spec, 1)
        for text in map(plain, formula_with_shapes(spec.graph, step, columns))
        if text.count("[") != text.count("]")
    ]
    assert torn == []


def test_where_an_update_is_cut_its_formula_is_that_of_the_parameter_worked_out():
    def update(optimizer):
        session = replace(from_preset("xor"), optimizer=OptimizerSpec(optimizer))
        steps = walk(session.network, 1, session.optimizer, session.walk.grain)
        return session.network.graph, next(step for step in steps if step.phase == "update")

    for optimizer, asked, begins in (("sgd", "", "W1 ←"), ("sgd", "b1", "b1 ←"), ("momentum", "", "W1 ←")):
        graph, step = update(optimizer)
        assert equations(step)[main_equation(graph, step, asked)].startswith(begins)


def test_a_sum_that_does_not_add_up_says_by_how_much():
    rows = [
        ReceiptRow("+", "a[0]", 0.018),
        ReceiptRow("+", "3 more terms", 0.002),
        ReceiptRow("=", "b", -0.115),
        ReceiptRow("≠", "does not add up", -0.135),
    ]
    lines = [plain(row) for row in receipt(rows, 40, "backward")]
    assert lines[1].split()[-1] == "+0.002"  # the rest is that of the terms
    assert lines[2:] == ["= b                −0.115", "≠ does not add up  −0.135"]
    assert "≠" not in "".join(plain(row) for row in receipt(rows, 40, "backward", hidden=True))
