"""Every figure about a named value is the number that it stands for."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.lesson.figures import fill
from tui_backprop.lesson.start import read_start
from tui_backprop.lesson.subject import Subject
from tui_backprop.lesson.value_figures import VALUE_FIGURES
from tui_backprop.support.format import format_number

GPT, CONV, RNN = (read_start(start).session for start in ("microgpt", "lenet", "rnn context=4"))
COUNTED = {
    ("uses Wq1", GPT): "16",  # positions
    ("uses Wh", RNN): "3",  # the first of four steps has no state before it
    ("uses W1", CONV): "784",  # 28 × 28
    ("uses W3", CONV): "1",
    ("entries W1", CONV): "150",  # 6 × 1 × 5 × 5
    ("shape W1", CONV): "6×1×5×5",
    ("pairs X u1", CONV): "3,687,936",  # 784 × 4,704
    ("products u2", CONV): "150",  # 6 × 5 × 5
    ("letters x", GPT): "anita",
}


@pytest.mark.parametrize(("figure", "session"), COUNTED, ids=lambda each: str(each)[:10])
def test_each_count_is_right(figure, session):
    assert fill("{" + figure + "}", session) == COUNTED[figure, session]


def test_every_figure_is_tested():
    names = {figure.split()[0] for figure, _ in COUNTED}
    assert names | {"largest", "slope", "rms", "zeros", "through"} == set(VALUE_FIGURES)


def test_the_entry_with_the_largest_gradient_and_that_gradient():
    gradient = Subject(RNN).gradient_of("Wh")
    i, j = np.argwhere(np.abs(gradient) == np.abs(gradient).max())[0]
    assert fill("{largest Wh}", RNN) == f"Wh[{i},{j}]"
    assert fill("{slope Wh}", RNN) == format_number(float(gradient[i, j]))


def test_sizes_and_zeros():
    iteration = Subject(CONV).iteration
    back = np.asarray(iteration.tensor("da1"), float)
    assert fill("{rms da1}", CONV) == format_number(float(np.sqrt((back**2).mean())))
    assert fill("{zeros da1}", CONV) == f"{(back == 0).mean():.0%}"


def test_the_part_of_a_gradient_that_comes_through_a_later_state():
    iteration = Subject(RNN).iteration
    tensor, w = iteration.tensor, iteration.tensor("Wh")
    back = tensor("dh3")
    for t in (3, 2):
        back = (back * (1 - tensor(f"h{t}") ** 2)) @ w.T
    assert fill("{through h1 h3}", RNN) == format_number(float(np.sqrt((back**2).mean())))
    assert fill("{through h3 h3}", RNN) == fill("{rms dh3}", RNN)


@pytest.mark.parametrize("figure", ["rms dh99", "largest W9", "smallest Wh"])
def test_a_name_that_is_not_there_is_refused(figure):
    with pytest.raises(KeyError):
        fill("{" + figure + "}", RNN)
