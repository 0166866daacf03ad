"""The ledger against counts by hand, products counted as they run, and arrays filled with NaN to find who reads
them."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, product

import numpy as np
import pytest

from tui_backprop.cost.accounting.ledger import (
    OperationCost,
    hidden_layers_near_three,
    kept_bytes,
    ledger,
    with_hidden_layers,
)
from tui_backprop.cost.accounting.operation_times import Quartiles, Timing, rule_of
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, backprop_ratio
from tui_backprop.engine.primitives import linear
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES

LESSON = NetworkSpec()
EVERYTHING = NetworkSpec((4, 5, 5, 3), "gelu,relu", layer_norm=True, residual=True, dropout=0.3, l2=0.1)
SPECS = [
    LESSON,
    NetworkSpec((7, 3)),
    NetworkSpec((1, 1, 1), "tanh", "mse", bias=False),
    NetworkSpec((3, 9, 2, 6), "relu", bias=False, dtype="float64"),
    NetworkSpec((6, 4, 4, 4, 2), "silu", residual=True),
    NetworkSpec((5, 4, 3), "tanh", layer_norm=True, bias=False),
    EVERYTHING,
]
EACH = pytest.mark.parametrize("spec", SPECS, ids=str)
BATCHES = pytest.mark.parametrize("batch", [1, 2, 32])


# --- multiply-accumulates ---------------------------------------------------------------------------------


def test_the_lessons_network_takes_2_40_forward_passes_and_not_three():
    book = ledger(LESSON, 1)
    assert [share.macs for share in book.total.costs] == [334_336, 133_632, 334_336]
    assert book.ratio == pytest.approx(2.40, abs=0.005)
    assert book.without_dw == pytest.approx(1.40, abs=0.005)
    assert book.first_share == pytest.approx(0.60, abs=0.005)
    rows = [(200_704, 0, 200_704), (65_536,) * 3, (65_536,) * 3, (2_560,) * 3]
    assert [tuple(share.macs for share in layer.costs) for layer in book.layers] == rows
    assert (book.ratio_in_time, book.timed) == (None, False)


@EACH
@BATCHES
def test_each_layer_takes_a_mac_for_each_weight_and_sample_and_the_first_no_gradient_of_its_input(
    spec, batch
):
    book = ledger(spec, batch)
    for k, ((fan_in, fan_out), layer) in enumerate(zip(spec.fans, book.layers, strict=True), 1):
        macs = batch * fan_in * fan_out
        assert [share.macs for share in layer.costs] == [macs, macs * (k > 1), macs]
        assert (layer.layer, layer.kind) == (k, f"layer {k}")
    assert book.ratio == pytest.approx(backprop_ratio(spec), rel=1e-12)


@EACH
@BATCHES
def test_layers_add_up_to_the_total_and_rows_to_their_layers(spec, batch):
    book = ledger(spec, batch)
    for column in range(3):
        for what in ("macs", "flops"):
            total = getattr(book.total.costs[column], what)
            assert total == sum(getattr(layer.costs[column], what) for layer in book.layers)
            assert total == sum(getattr(entry.costs[column], what) for entry in book.entries)
    assert (
        book.total.kept == sum(layer.kept for layer in book.layers) == sum(kept_bytes(spec, batch).values())
    )
    assert (book.total.layer, book.total.kind) == (0, "total")
    assert len({(entry.layer, entry.kind) for entry in book.entries}) == len(book.entries)
    assert {entry.layer for entry in book.entries} == set(range(1, spec.depth + 1))


@EACH
@BATCHES
def test_the_steps_of_the_walk_come_to_the_same(spec, batch):
    book = ledger(spec, batch)
    steps = walk(spec, batch, grain="operation")
    forward = [step for step in steps if step.phase in ("forward", "loss")]
    weights = [step for step in steps if step.phase == "backward" and step.kind in ("weights", "gains")]
    deltas = [step for step in steps if step.phase == "backward" and step not in weights]
    for share, part in zip(book.total.costs, (forward, deltas, weights), strict=True):
        assert share.macs == sum(step.macs for step in part)
        assert share.flops == sum(step.flops for step in part)
    assert book.ratio == pytest.approx(steps[-1].ratio, rel=1e-12)


@EACH
@BATCHES
def test_products_counted_as_they_run_come_to_the_same(calculus, monkeypatch, spec, batch):
    program = calculus.problem(spec, batch).program()
    macs, total = calculus.products(monkeypatch), ledger(spec, batch).total
    program.forward()
    assert sum(macs) == total.forward.macs
    macs.clear()
    program.backward()
    assert sum(macs) == total.delta.macs + total.dW.macs
    in_parts = sum(len(linear.parts(fan_in, linear.WEIGHT_ROWS)) - 1 for fan_in, _ in spec.fans)
    assert len(macs) == 2 * spec.depth - 1 + (in_parts if batch > 1 else 0)


def test_a_network_of_one_layer_has_nothing_to_hand_back_to():
    book = ledger(NetworkSpec((784, 10)), 3)
    assert (book.ratio, book.without_dw, book.first_share) == (2.0, 1.0, 1.0)
    assert book.total.delta.macs == 0
    assert len(book.layers) == 1


def test_a_penalty_is_booked_with_the_layer_of_its_weights():
    plain, spec = NetworkSpec((9, 8, 7, 2)), NetworkSpec((9, 8, 7, 2), l2=0.1)
    layers = zip(ledger(plain, 1).layers, ledger(spec, 1).layers, spec.fans, strict=True)
    for without, with_it, (i, o) in layers:
        assert with_it.forward.flops - without.forward.flops == 2 * i * o + 2
        assert with_it.dW.flops - without.dW.flops == 2 * i * o + 1  # the product, and adding it
        assert with_it.delta == without.delta
        assert with_it.kept == without.kept


# --- 3x ----------------------------------------------------------------------------------------------------


def test_ten_equal_layers_come_to_2_75_and_no_number_of_them_to_three():
    assert ledger(with_hidden_layers(LESSON, 10), 1).ratio == pytest.approx(2.75, abs=0.005)
    assert with_hidden_layers(LESSON, 10).layers == (784, *[256] * 10, 10)
    ratios = [ledger(with_hidden_layers(LESSON, n), 1).ratio for n in (1, 3, 10, 30, 100, 300)]
    assert ratios == sorted(ratios)
    assert 2.98 < ratios[-1] < 3


def by_hand(inputs, width, outputs, hidden):
    """Forward and backward over forward."""
    first = inputs * width
    weights = first + (hidden - 1) * width**2 + width * outputs
    return (3 * weights - first) / weights


@pytest.mark.parametrize(
    "layers",
    [
        LESSON.layers,
        (784, 10),
        (2, 3, 1),
        (1, 1),
        (1, 50, 900),
        (64, 32, 48, 10),
        (10, 10, 10),
        (100, 7, 3),
        (100, 1, 1, 100),
        (9, 3, 3),
        (111, 1, 1),
    ],
    ids=str,
)
def test_the_network_that_is_named_for_2_9_is_the_first_that_comes_to_it(layers):
    spec, width = NetworkSpec(layers), max(layers[1:-1] or layers)
    hidden = hidden_layers_near_three(spec)
    named = ledger(with_hidden_layers(spec, hidden), 1).total
    macs = [share.macs for share in named.costs]
    assert 10 * sum(macs) >= 29 * macs[0]
    assert hidden == next(n for n in count(1) if by_hand(layers[0], width, layers[-1], n) >= 2.9)
    assert with_hidden_layers(spec, hidden).layers == (layers[0], *[width] * hidden, layers[-1])


def test_the_lesson_would_need_29_layers_and_a_narrow_network_more_than_any_has():
    assert hidden_layers_near_three(LESSON) == 29
    assert hidden_layers_near_three(NetworkSpec((784, 2, 10))) is None
    assert hidden_layers_near_three(NetworkSpec((10**9, 1, 1))) is None
    assert hidden_layers_near_three(NetworkSpec((112, 1, 9))) == 1000
    assert hidden_layers_near_three(NetworkSpec((112, 1, 8))) is None


# --- what is kept ------------------------------------------------------------------------------------------


def really_read(program):
    """Return the bytes of all arrays of the forward pass that the backward pass reads, found by filling each with
    NaN."""
    program.forward()
    right = program.backward().copy()
    arrays = {id(a): a for op in program.ops for a in (program.values[op.output], *program.caches[op.output])}
    arrays |= {id(a): a for name, a in program.values.items() if name[0] == "m"}
    floats = {key: a for key, a in arrays.items() if a.dtype.kind == "f"}  # labels belong to the batch
    before = {key: a.copy() for key, a in floats.items()}
    x = program.values["x"].copy()
    program.values["x"].fill(np.nan)
    program.forward()
    left = [key for key, a in floats.items() if np.isnan(a).all()]
    left += [id(a) for name, a in program.values.items() if name[0] == "m"]
    np.copyto(program.values["x"], x)
    total = 0
    for key in left:
        for each, a in floats.items():
            np.copyto(a, before[each])
        floats[key].fill(np.nan)
        with np.errstate(all="ignore"):
            total += floats[key].nbytes * (not np.array_equal(program.backward(), right))
    return total


FORMS = [
    {},
    {"bias": False},
    {"layer_norm": True},
    {"dropout": 0.3},
    {"residual": True, "l2": 0.1},
    {"layer_norm": True, "dropout": 0.3, "residual": True},
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_kept_is_what_the_backward_pass_reads(calculus, activation, form):
    for loss, dtype, batch in (("cross-entropy", "float32", 3), ("half-squares", "float64", 5)):
        spec = NetworkSpec((4, 6, 6, 3), activation, loss, dtype=dtype, **form)
        assert sum(kept_bytes(spec, batch).values()) == really_read(calculus.problem(spec, batch).program())


@pytest.mark.parametrize(("loss", "layers"), list(product(LOSSES, [(4, 3), (2, 9, 3)])), ids=str)
def test_what_a_loss_keeps_is_one_number_for_each_output_and_sample(calculus, loss, layers):
    spec = NetworkSpec(layers, "tanh", loss)
    assert ledger(spec, 5).entries[-1].kept == 4 * 5 * 3
    assert sum(kept_bytes(spec, 5).values()) == really_read(calculus.problem(spec, 5).program())


def test_the_lesson_keeps_a_z_and_an_a_of_each_hidden_unit_and_the_probabilities():
    for batch in (1, 32):
        book = ledger(LESSON, batch)
        assert [layer.kept for layer in book.layers] == [8 * 256 * batch] * 3 + [40 * batch]
        assert ledger(replace(LESSON, dtype="float64"), batch).total.kept == 2 * book.total.kept


def test_a_normalized_layer_keeps_its_sums_twice_and_a_mask_where_units_are_dropped():
    spec = NetworkSpec((4, 6, 3), "relu", dtype="float32", layer_norm=True, dropout=0.5)
    layer = ledger(spec, 2).layers[0]  # v and its deviation, n for ReLU's sign, the mask, a for dW2
    assert layer.kept == 4 * 2 * (6 + 1 + 6 + 6 + 6)
    kinds = {entry.kind: entry.kept for entry in ledger(spec, 2).entries if entry.layer == 1}
    assert kinds == {"affine": 0, "normalization": 4 * 2 * 13, "activation": 0, "dropout": 4 * 2 * 12}


# --- time --------------------------------------------------------------------------------------------------


def timing_of(spec):
    """Each rule takes a power of two, so that a sum says which went into it."""
    visits = [*spec.graph.forward_visits, *spec.graph.backward_visits]
    return Timing({rule_of(v): Quartiles(0.0, 2.0**i, 9e9) for i, v in enumerate(visits)}, 3), visits


@EACH
def test_every_rule_is_timed_once_and_in_its_own_column(spec):
    timing, visits = timing_of(spec)
    book = ledger(spec, 4, timing)
    assert book.timed
    seconds = [share.seconds for share in book.total.costs]
    columns = ["f" if v.of is None else "w" if v.writes[0] in "Wbγβ" else "d" for v in visits]
    for column, found in zip("fdw", seconds, strict=True):
        assert found == sum(2.0**i for i, name in enumerate(columns) if name == column)
    assert book.ratio_in_time == pytest.approx(sum(seconds) / seconds[0])
    assert sum(seconds) == timing.forward() + timing.backward()
    layers = [share.seconds for layer in book.layers for share in layer.costs]
    assert sum(layers) == pytest.approx(sum(seconds))


def test_times_change_no_count():
    timing, _ = timing_of(EVERYTHING)
    for entry, plain in zip(
        ledger(EVERYTHING, 4, timing).entries, ledger(EVERYTHING, 4).entries, strict=True
    ):
        shares = [replace(share, seconds=0.0) for share in entry.costs]
        assert (entry.layer, entry.kind, *shares, entry.kept) == (
            plain.layer,
            plain.kind,
            *plain.costs,
            plain.kept,
        )


def test_the_times_of_another_network_are_refused():
    with pytest.raises(KeyError):
        ledger(EVERYTHING, 1, timing_of(NetworkSpec((4, 5, 3)))[0])


def test_without_a_time_forward_there_is_no_ratio_of_times():
    rules = {
        rule_of(v): Quartiles(0.0, 0.0, 0.0)
        for v in (*LESSON.graph.forward_visits, *LESSON.graph.backward_visits)
    }
    assert ledger(LESSON, 1, Timing(rules, 1)).ratio_in_time is None


def test_shares_add_up():
    assert OperationCost(1, 2, 3.0) + OperationCost(10, 20, 30.0) == OperationCost(11, 22, 33.0)
