"""Pictures of networks with one or two inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.data.samples import load
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.predictions import NO_CLASS
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.plotting import true_runs
from tui_backprop.render.draw.spans import line, packed, plain, width
from tui_backprop.render.panels.decision_boundary import (
    class_glyphs,
    picture_lines,
    samples_drawn,
)
from tui_backprop.session.decision_boundary import Fit, Plane, plane_of
from tui_backprop.session.state import Session, from_preset

SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])

SESSIONS = {
    "xor": from_preset("xor"),
    "vanishing": from_preset("vanishing"),
    "sine": from_preset("sine"),
    "spiral": Session(NetworkSpec((2, 3), "tanh"), "spiral", sample=599, batch=32),
    "mse": Session(NetworkSpec((2, 4, 2), loss="mse"), "circles"),
    "deep": Session(NetworkSpec((2, *(3,) * 39, 2), "tanh", residual=True, dropout=0.2), "moons"),
}


def picture(name, fill=None):
    session = SESSIONS[name]
    parameters = initial_parameters(session.network)
    return plane_of(session, parameters if fill is None else np.full_like(parameters, fill))


def text_of(lines):
    return "\n".join(map(plain, lines))


def half_plane():
    """Class 1 where the first input is above the second, by weights put there by hand."""
    session = Session(NetworkSpec((2, 2), dtype="float64"), "circles", sample=3)
    parameters = np.zeros(session.network.parameters)
    session.network.graph.views(parameters)["W1"][:] = [[0, 9], [0, -9]]
    return session, parameters


def test_a_plane_has_the_class_and_the_probability_of_each_cell():
    session, parameters = half_plane()
    plane = plane_of(session, parameters, columns=40, rows=20)
    assert isinstance(plane, Plane)
    x = np.linspace(plane.low[0], plane.high[0], 81)[1::2]
    y = np.linspace(plane.high[1], plane.low[1], 41)[1::2, None]
    assert np.array_equal(plane.predicted, (x > y).astype(int))
    assert np.allclose(plane.sure, 1 / (1 + np.exp(-9 * np.abs(x - y))))
    data = load("circles", 0)
    assert np.array_equal(plane.correct, (data.x[:, 0] > data.x[:, 1]) == data.target)
    assert not np.array_equal(plane.correct, (data.x[:, 0] < data.x[:, 1]) == data.target)  # a check can fail


@SETS
def test_a_region_is_told_by_its_glyph_and_lies_where_it_is(context):
    session, parameters = half_plane()
    plane = replace(plane_of(session, parameters), points=np.zeros((1, 2)), sample=0)
    lines = picture_lines(plane, 45, 23, context)
    zero, one, _ = class_glyphs(context)
    top, bottom = plain(lines[0])[6:], plain(lines[18])[6:]
    assert set(top[:10]) == {zero[2]}
    assert set(bottom[-10:]) == {one[2]}
    families = class_glyphs(context)
    assert not set(families[0]) & set(families[1])
    assert not set(families[2]) & set(families[0] + families[1])


def test_single_outputs_give_both_classes_and_their_probabilities():
    plane = picture("xor")
    assert set(np.unique(plane.predicted)) <= {0, 1}
    assert (plane.sure >= 0.5).all()


def test_a_loss_without_probabilities_is_drawn_at_full_strength():
    plane = picture("mse")
    assert plane.sure is None
    assert not set("░▒-=") & set(text_of(picture_lines(plane, 40, 20, UTF8)[:-3]).replace("−", ""))


@pytest.mark.parametrize("fill", [np.nan, np.inf, -np.inf])
def test_where_outputs_are_not_finite_nothing_is_predicted_and_the_key_says_so(fill):
    plane = picture("vanishing", fill)
    assert (plane.predicted == NO_CLASS).all()
    assert not plane.correct.any()
    lines = picture_lines(plane, 50, 20, UTF8)
    assert set(plain(lines[2]).strip()) <= set("! ◇")
    assert "! no prediction" in text_of(lines)
    assert "no prediction" not in text_of(picture_lines(picture("vanishing"), 50, 20, UTF8))


def test_a_sample_without_a_prediction_is_marked_as_one():
    points = np.array([[0.1, 0.9], [0.9, 0.1]])
    plane = Plane(
        (0, 0), (1, 1), np.zeros((4, 4), int), None, points, np.array([1, 0]), np.array([NO_CLASS, 0]), 1
    )
    assert "!" in plain(picture_lines(plane, 40, 20, UTF8)[1])
    assert "!" not in text_of(picture_lines(replace(plane, predictions=np.array([0, 0])), 40, 20, UTF8))


def test_samples_right_and_wrong_differ_without_color_and_the_current_one_from_both():
    points = np.array([[0.1, 0.5], [0.5, 0.5], [0.9, 0.5], [0.9, 0.9]])
    said = np.zeros((4, 4), int)
    labels = np.array([0, 1, 0, 1])
    plane = Plane((0, 0), (1, 1), said, None, points, labels, np.zeros(4, int), 2)
    context = text_of(picture_lines(plane, 30, 20, UTF8)[:-3])
    assert (context.count("●"), context.count("1") - plain(line((context, "text"))).count("1.00")) == (1, 2)
    assert context.count("◆") == 1
    assert "◇" in text_of(picture_lines(replace(plane, sample=3), 30, 20, UTF8)[:-3])


def test_a_wrong_sample_is_not_hidden_by_a_right_one():
    points, labels = np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.1]]), np.array([1, 0, 0])
    plane = Plane((0, 0), (2, 2), np.zeros((4, 4), int), None, points, labels, np.zeros(3, int), 2)
    assert any(("1", "bad") in row for row in picture_lines(plane, 30, 20, UTF8)[:-3])


def test_a_sample_lies_where_its_inputs_put_it():
    points = np.array([[0.05, 0.95], [0.95, 0.05]])
    plane = Plane((0, 0), (1, 1), np.zeros((4, 4), int), None, points, np.array([0, 1]), np.zeros(2, int), 0)
    lines = picture_lines(plane, 30, 20, UTF8)
    deep = len(lines) - 3
    assert "◆" in plain(lines[0])[5:9]
    assert plain(lines[deep - 1]).index("1") > width(lines[deep - 1]) - 4
    assert not any("◆" in plain(row) for row in lines[1:-1])


def test_few_cells_show_few_samples():
    plane = picture("spiral")
    assert samples_drawn(plane, 80) == 10
    assert samples_drawn(plane, 10**6) == 600
    assert samples_drawn(plane, 0) == 1


@SETS
def test_the_axes_are_labeled_with_the_range(context):
    plane = replace(picture("xor"), low=(-1.5, -2.5), high=(3.5, 4.5))
    lines = picture_lines(plane, 40, 20, context)
    minus = "-" if context.plain else "−"
    assert plain(lines[0]).strip().startswith("4.50")
    assert plain(lines[-4]).strip().startswith(f"{minus}2.50")
    assert plain(lines[-3]).split() == [f"{minus}1.50", "3.50"]


def test_the_map_is_twice_as_many_columns_as_rows():
    lines = picture_lines(picture("xor"), 80, 23, UTF8)
    deep = len(lines) - 3
    assert width(lines[1]) - width(lines[1][:1]) == 2 * deep


# --- the sine ----------------------------------------------------------------------------------------------


def test_a_fit_has_the_output_at_evenly_spaced_inputs_and_all_samples_in_order():
    session = SESSIONS["sine"]
    parameters = initial_parameters(session.network)
    fit = plane_of(session, parameters, columns=30)
    w, a = session.network.graph.views(parameters), fit.x[:, None]
    for k in (1, 2):
        a = np.tanh(a @ w[f"W{k}"] + w[f"b{k}"])
    assert isinstance(fit, Fit)
    assert np.allclose(fit.y, (a @ w["W3"] + w["b3"])[:, 0])
    assert np.allclose(fit.targets, np.sin(fit.points))
    assert (np.diff(fit.points) >= 0).all()
    assert np.array_equal(np.sort(fit.points[fit.batch]), np.sort(load("sine", 0).x[:32, 0]))


@SETS
def test_a_fit_names_what_it_draws(context):
    lines = picture_lines(picture("sine"), 40, 16, context)
    assert {"forward", "mark", "backprop"} <= {role for row in lines for _, role in row}
    for word in ("output", "target", "batch"):
        assert word in plain(lines[-1])


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (np.nan, "output not finite at 80 of 80 inputs"),
        (np.inf, "output not finite at 80 of 80 inputs"),
        (1e30, "the output is outside the plot"),
    ],
)
def test_an_output_that_cannot_be_drawn_is_said(fill, words):
    assert words in text_of(picture_lines(picture("sine", fill), 40, 16, UTF8))
    assert "outside the plot" not in text_of(picture_lines(picture("sine"), 40, 16, UTF8))


def test_networks_with_more_inputs_have_no_picture():
    session = Session(NetworkSpec((784, 10)))
    assert plane_of(session, initial_parameters(session.network)) is None


def test_runs_are_the_stretches_that_are_true():
    assert true_runs(np.array([1, 1, 0, 1, 0, 0, 1], bool)) == [slice(0, 2), slice(3, 4), slice(6, 7)]
    assert true_runs(np.zeros(3, bool)) == []


def test_packing_keeps_the_order_and_the_width():
    pieces = [line((word, "text")) for word in ("one", "three", "seventeen", "two")]
    assert [plain(row) for row in packed(pieces, 12)] == ["one  three", "seventeen", "two"]
    assert [plain(row) for row in packed(pieces, 5)] == ["one", "three", "seve…", "two"]
