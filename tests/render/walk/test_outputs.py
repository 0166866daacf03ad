"""The outputs one by one: every class with its value, label and prediction marked."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

from tests.render.room import faults
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.walk.outputs import Output, output_lines
from tui_backprop.render.walk.tensor import tensor_view
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update, select
from tui_backprop.support.format import format_number

SIZES = [(45, 7), (26, 10), (26, 12), (60, 20), (128, 30), (20, 6), (14, 4)]


@pytest.fixture
def shown(snapshots):
    """Return a function that renders the map of the array of a step as text."""

    def of(session, tensor, columns, rows, context=UTF8):
        snapshot = next(each for each in snapshots(session) if each.step.tensor == tensor)
        return [plain(row) for row in tensor_view(snapshot, columns, rows, context)], snapshot.iteration

    return of


@pytest.mark.parametrize(("columns", "rows"), [(45, 7), (26, 10), (60, 20)])
@pytest.mark.parametrize(("tensor", "array"), [("z4", "z4"), ("L", "p"), ("δ4", "δ4")])
def test_every_class_has_its_value_and_the_target_is_marked(shown, columns, rows, tensor, array):
    lines, iteration = shown(Session(), tensor, columns, rows)
    values = iteration.tensor(array)[0]
    found = re.findall(r"(?<![\w.,+−])(\d) +([+−]?\d\.?[\de.+−-]*)", " ".join(lines[1:-1]))
    assert [(int(place), text.lstrip("+")) for place, text in sorted(found)] == [
        (i, format_number(float(v), sign=bool((values < 0).any())).lstrip("+")) for i, v in enumerate(values)
    ]
    text = "\n".join(lines)
    right, said = int(iteration.tensor("t")[0]), int(iteration.tensor("z4")[0].argmax())
    for place, mark in ((right, "◆"), (said, "▸")):
        (row,) = [row for row in lines[1:] if re.search(rf"(^| ){place} +[+−]?\d[^◆▸]*{mark}", row)]
        assert row
    assert "◆ label" in text
    assert "▸ predicted" in text


@pytest.mark.parametrize(("columns", "rows", "classes"), [(28, 6, 10), (28, 5, 6), (18, 4, 2), (28, 7, 10)])
def test_where_not_all_classes_fit_it_says_how_many_are_not_shown(shown, columns, rows, classes):
    lines, _ = shown(Session(), "z4", columns, rows)
    assert len(re.findall(r"[+−]\d\.\d+", " ".join(lines[1:]))) == classes
    said = [row for row in lines if "not shown" in row]
    assert [row.strip() for row in said] == ([f"{10 - classes} of 10 not shown"] if classes < 10 else [])


def test_a_correct_prediction_has_one_mark(shown):
    trained = Session()
    for _ in range(10):
        trained = after_update(trained)
    for columns, rows in ((60, 20), (45, 7)):
        lines, iteration = shown(trained, "z4", columns, rows)
        assert int(iteration.tensor("z4")[0].argmax()) == int(iteration.tensor("t")[0])
        text = "\n".join(lines)
        assert "◆ label, predicted" in text
        assert "▸" not in text


def test_an_output_that_is_a_value_stands_beside_its_target(shown):
    sine = from_preset("sine")
    lines, iteration = shown(sine, f"z{sine.network.depth}", 45, 7)
    target = format_number(float(iteration.tensor("t")[0, 0]), sign=True)
    assert any(f"target {target}" in row for row in lines)


@pytest.mark.parametrize("name", ["z1", "dW4", "W4"])
def test_an_array_that_is_not_of_the_outputs_is_a_map(shown, name):
    lines, _ = shown(Session(), name, 45, 12)
    assert not any("◆" in row for row in lines)


@pytest.mark.parametrize("n", [1, 2, 10, 16])
def test_an_output_that_is_marked_is_never_left_out(n):
    values = np.linspace(-1, 1, n)
    outputs = [Output(i, float(v)) for i, v in enumerate(values)]
    outputs[n // 2] = Output(n // 2, 0.001, "◆", "◆ target", "good")
    for context, (columns, rows) in product((UTF8, ASCII), SIZES):
        lines, legend = output_lines(outputs, 0, "forward", columns, rows, context)
        assert faults(lines, columns, rows, context) == []
        text = "\n".join(map(plain, lines))
        assert context.text("◆") in text
        missing = n - len(re.findall(r"\d +[−+-]?\d\.\d+", text))
        count = rf"(^|  ){missing}( of {n})? not shown$" if missing else "$"
        assert re.search(count, legend)
        assert re.sub(count, "", legend) in ("", context.text("◆ target"))


def test_nan_has_no_bar():
    (row, *_), _ = output_lines(
        [Output(0, float("nan")), Output(1, float("inf"))], -1, "forward", 60, 9, UTF8
    )
    assert UTF8.done not in plain(row)


def test_a_batch_shows_the_outputs_of_its_first_sample(shown):
    session = Session(NetworkSpec((784, 12, 10)), batch=8)
    lines, iteration = shown(session, "z2", 60, 20)
    right = int(iteration.tensor("t")[0])
    (row,) = [row for row in lines if "◆" in row]
    assert row.split()[0] == str(right)


def test_nothing_is_marked_as_predicted_where_the_outputs_are_not_finite(shown):
    for init in ("normal:1e19", "constant:1e30"):
        lines, iteration = shown(Session(NetworkSpec((784, 30, 30, 10), init=init)), "z3", 60, 20)
        assert not np.isfinite(iteration.tensor("z3")[0].max())
        text = "\n".join(lines)
        assert "◆ label, no prediction" in text
        assert "▸" not in text
        assert "label, predicted" not in text


@pytest.mark.parametrize("name", ["u5", "z5", "L", "dz5"])
def test_the_classes_of_a_convolutional_network_have_their_marks(snapshots, name):
    """Label 2, predicted 1."""
    snapshot = next(each for each in snapshots(from_preset("lenet")) if each.step.tensor == name)
    lines = [plain(row) for row in tensor_view(snapshot, 38, 7, UTF8)]
    assert re.search(r"1 +[+−.\d]+ ▸", " ".join(lines))
    assert re.search(r"2 +[+−.\d]+ ◆", " ".join(lines))
    assert lines[-1].startswith("▸ predicted  ◆ label")


def test_at_the_loss_of_a_convolutional_network_a_class_can_be_chosen(snapshots):
    session = from_preset("lenet")
    chosen = select(session, [*session.network.graph.axes].index("class"), 7)
    snapshot = next(each for each in snapshots(chosen) if each.step.tensor == "L")
    spans = [span for row in tensor_view(snapshot, 38, 7, UTF8) for span in row]
    assert [text.strip() for text, role in spans if role == "cursor"] == ["7"]


def test_biases_of_the_classes_are_no_outputs(snapshots):
    snapshot = next(each for each in snapshots(from_preset("lenet")) if each.step.tensor == "db5")
    assert not any("label" in plain(row) for row in tensor_view(snapshot, 38, 7, UTF8))
