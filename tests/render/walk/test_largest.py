"""The view of the largest entries of an array."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.arrays.statistics import summarize
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.array_table import share_of_norm
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.walk.tensor import tensor_view
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update, select

LESSON, XOR = Session(), from_preset("xor")
TWINS = Session(NetworkSpec((2, 3, 2), init="constant:0.5", l2=0.5), "moons", sample=2)
NO_NUMBERS_LEFT = after_update(
    after_update(after_update(Session(NetworkSpec((784, 8, 10), loss="mse"), lr=1e30)))
)


@pytest.mark.parametrize("name", ["dW1", "W2'", "b", "a1", "z4"])
def test_the_largest_entries_are_those_of_the_array_and_hold_the_share_beside_them(view_of, name):
    if name == "b":
        name = "dW4"
    (_, *lines, last), iteration = view_of(LESSON, "largest", name)
    array = iteration.new["W2"] if name == "W2'" else iteration.tensor(name)
    if name in ("a1", "z4"):
        array = array[0]
    found = []
    for text in lines:
        label, index, value = re.match(r"([^\[]+)\[([\d,]+)\] +(\S+)", text).groups()
        assert label == name
        entry = array[tuple(map(int, index.split(",")))]
        assert float(value.replace("−", "-")) == pytest.approx(float(entry), rel=6e-3)
        found.append(float(entry))
    sizes = np.sort(np.abs(array.ravel()))[::-1][: len(found)]
    assert np.abs(found).tolist() == pytest.approx(sizes.tolist())
    share = (sizes.astype(float) ** 2).sum() / (array.astype(float) ** 2).sum()
    share_text = re.sub(r"; (the )?first \d+( or more)? (are equally large|equal)$", "", last)
    said = re.fullmatch(r"these (\d+) hold (.+) of the norm²", share_text)
    assert int(said[1]) == len(found)
    if said[2] == "all":
        assert len(found) == np.count_nonzero(array)
    else:
        lead, percent = re.fullmatch(r"([<>]?)([\d.]+)%", said[2]).groups()
        if lead:
            assert 0 < 100 * share < 0.1 if lead == "<" else 99.9 < 100 * share < 100
        else:
            assert 100 * share == pytest.approx(float(percent), abs=0.51)
            assert percent not in ("0", "100")


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("preset", "name"),
    [("lenet", "dW1"), ("lenet", "W2'"), ("lenet", "u1"), ("lenet", "x"), ("rnn", "dWh"), ("microgpt", "A1"),
     ("micrograd", "g")],
)  # fmt: skip
def test_entries_have_the_index_of_their_own_array(view_of, preset, name, batch):
    session = from_preset(preset)
    session = replace(session, batch=batch) if session.network.graph.fed else session
    (_, *lines, _), iteration = view_of(session, "largest", name)
    array = iteration.new[name[:-1]] if name.endswith("'") else iteration.tensor(name)
    array = array[0] if iteration.graph.per_sample(name.rstrip("'")) else array
    sizes = np.sort(np.abs(array).ravel())[::-1]
    for text, size in zip(lines, sizes, strict=False):
        label, value = re.match(r"(\S+) +(\S+)", text).groups()
        where, _, index = label.rstrip("]").partition("[")
        entry = array[tuple(map(int, filter(None, index.split(","))))]
        assert (where, np.ndim(entry)) == (name, 0)
        assert abs(float(entry)) == size
        assert float(value.replace("−", "-")) == pytest.approx(float(entry), rel=6e-3)


def test_equal_entries_come_in_the_order_of_the_array(view_of):
    (_, *lines, _), _ = view_of(LESSON, "largest", "dW1")
    at = [int(re.match(r"dW1\[(\d+)", text)[1]) for text in lines if "−0.280" in text]
    assert len(at) > 1
    assert at == sorted(at)


def test_the_selected_unit_of_a_vector_is_marked_among_the_largest(snapshots, view_of):
    (_, first, *_), _ = view_of(LESSON, "largest", "a1")
    unit = int(re.match(r"a1\[(\d+)", first)[1])
    snapshot = snapshots(select(having(LESSON, view="largest"), 1, unit))[2]
    row = tensor_view(snapshot, 50, 20, UTF8)[1]
    assert row[0] == (f"a1[{unit}]", "cursor")


def test_an_array_of_zeros_and_one_without_numbers_say_so(view_of):
    lines, _ = view_of(NO_NUMBERS_LEFT, "largest", "z1")
    assert "NaN or infinite" in lines[-1]
    relu = Session(NetworkSpec((2, 1, 2), seed=1), "moons")
    for seed in range(40):
        relu = replace(relu, network=replace(relu.network, seed=seed))
        lines, iteration = view_of(relu, "largest", "dW1")
        if not iteration.tensor("dW1").any():
            break
    assert lines[-1] == "every entry is 0"


def test_a_part_never_holds_all_of_the_norm_nor_nothing():
    values = np.array([1e8, *[1e-3] * 9])
    assert share_of_norm(summarize(values), values[:1], 99) == "this one holds >99.9% of the norm²"
    assert share_of_norm(summarize(values), values[1:2], 99) == "this one holds <0.1% of the norm²"
    assert share_of_norm(summarize(values), values, 99) == "these 10 hold all of the norm²"


def test_the_largest_entries_say_how_many_are_equally_large(view_of):
    lines, iteration = view_of(TWINS, "largest", "z1", 60)
    assert len(set(iteration.tensor("z1")[0].tolist())) == 1
    assert lines[-1] == "these 3 hold all of the norm²; the first 3 are equally large"
    lines, iteration = view_of(LESSON, "largest", "dW1", 60)
    sizes = np.abs(iteration.tensor("dW1"))
    ties = int((sizes == sizes.max()).sum())
    assert ties > 1
    assert re.search(rf"first {ties} (are equally large|equal)$", lines[-1])
    lines, iteration = view_of(XOR, "largest", "z1", 60)
    assert "equally" not in lines[-1]
