"""Every figure of the lesson is the number that it stands for."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from tui_backprop.keys.table import ROWS
from tui_backprop.lesson.figures import ACTIONS, COMPUTED, COUNTED, FIGURES, fill
from tui_backprop.lesson.start import read_start
from tui_backprop.lesson.subject import Subject
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number

# Of the lesson's network, worked out by hand: see the comments.
LESSON = {
    "parameters": "335,114",  # 334,336 weights and 778 biases
    "other_parameters": "335,113",
    "passes": "335,115",
    "central_passes": "670,228",
    "weights": "334,336",  # 784 × 256 + 2 × 256 × 256 + 256 × 10
    "first_layer_shape": "(784,256)",
    "hidden_layers": "3",
    "layer_counts": "784 × 256 + 256 + 256 × 256 + 256\n+ 256 × 256 + 256 + 256 × 10 + 10",
    "samples": "1",
    "forward_steps": "8",  # input, three times z and a, and the last z
    "backward_steps": "8",  # δ and gradients, four times
    "outcome_digits": "100,880",  # 335,114 × 0.30103 = 100,879.4
    "universe_digits": "18",  # 4.35e17
    "assumed_pass": "1 ms",
    "gradient_time": "5.59 min",  # 335.115 s
    "training_time": "388 days",  # 33,511,500 s
    "rounded_passes": "330,000",
    "rounded_time": "5.50 min",
    "rounded_training_time": "382 days",
    "scored_samples": "first 500 of 4,000",
    "steps": "100,000",
    "h": "0.0001",
    "alpha": "0.01",
    "ratio": "2.40",  # (3 × 334,336 − 200,704) / 334,336
    "backward_ratio": "1.40",
    "deep_ratio": "2.75",
    "deep_layers": "10",
    "deep_width": "256",
    "first_share": "60%",
    "paths": "655,360",  # 256 × 256 × 10
    "path_multiplications": "4,587,520",  # 655,360 × 7: x, three slopes, three weights and the loss's own derivative
    "backprop_multiplications": "468,736",  # 334,336 + 133,632 products, 768 slopes
}


def neuron():
    """The neuron of chapter 1 and, worked out here, p, L and the derivatives by its two weights."""
    session = read_start("xor layers=2,1 data=moons batch=1").session
    iteration = Subject(session).iteration
    x, w = iteration.tensor("x")[0].astype(float), iteration.tensor("W1")[:, 0].astype(float)
    p = 1 / (1 + exp(-float(x @ w)))
    return session, x, w, p, p * x


def test_each_counted_figure_of_the_lesson_is_right():
    assert set(LESSON) == set(COUNTED)
    found = {name: fill("{" + name + "}", Session()) for name in COUNTED}
    assert found == LESSON


def test_each_computed_figure_of_a_neuron_is_right():
    session, x, w, p, slopes = neuron()
    k = int(np.abs(slopes).argmax())
    before = -log(1 - p)
    moved = w.copy()
    moved[k] += 1e-4
    after = -log(1 - 1 / (1 + exp(-float(x @ moved))))
    stepped = w - 0.5 * slopes
    loss_after = -log(1 - 1 / (1 + exp(-float(x @ stepped) + 0.5 * p)))
    slope = format_number(slopes[k])
    wanted = {
        "loss": format_number(before, 4),
        "loss_after": format_number(loss_after, 4),
        "gradient": f"({format_number(slopes[0])}, {format_number(slopes[1])}, {format_number(p)})",
        "weight": f"W1[{k},0]",
        "weight_value": format_number(w[k]),
        "weight_slope": slope,
        "weight_slope_factor": f"({slope})",
        "weight_after": format_number(stepped[k]),
        "terms": f"{format_number(slopes[0])} = {format_number(slopes[0])}",
        "loss_in_full": format_number(before, 8),
        "loss_moved": format_number(after, 8),
        "quotient": format_number((after - before) / 1e-4, 4),
        "slope_in_full": format_number(slopes[k], 4),
        "first_weight": f"W1[{k},0]",
        "chain": f"{format_number(p)} × ({format_number(x[k])})",
        "chain_names": f"dL/dz1[0] · x[{k}]",
        "chain_product": slope,
        "first_delta": format_number(p),
        "last_delta": format_number(p),
    }
    assert set(wanted) == set(COMPUTED)
    assert {name: fill("{" + name + "}", session) for name in COMPUTED} == wanted


def test_the_factors_of_a_hidden_weight_multiply_to_its_gradient():
    about = Subject(read_start("xor batch=1").session)
    gradient = about.gradient_of("W1")[about.first_weight[1]]
    assert fill("{chain_product}", about.session) == format_number(float(gradient))
    assert len(about.path) == 4


def test_the_terms_of_two_losses_add_up_to_the_gradient():
    assert (
        fill("{terms}", from_preset("two-losses")) == "−3.00 + (−8.00) = −11.0"
    )  # 2 · (−1.5) · 1, 2 · (−2) · 2


def test_figures_follow_the_session():
    assert fill("{parameters} {passes}", from_preset("xor")) == "9 10"


def test_no_figure_is_called_like_an_action():
    assert not set(FIGURES) & ACTIONS
    assert {key.id for key in ROWS} == ACTIONS


def test_actions_are_left_and_other_names_are_refused():
    assert fill("Press {step_on}, {panel('blame')}.", Session()) == "Press {step_on}, {panel('blame')}."
    with pytest.raises(KeyError):
        fill("{parametres}", Session())


def test_an_iteration_that_is_known_is_not_computed_again():
    session = from_preset("xor")
    other = Subject(read_start("xor seed=1").session).iteration
    assert fill("{loss}", session, other) == format_number(other.loss, 4) != fill("{loss}", session)
