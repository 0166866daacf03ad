"""Changes of one parameter that flip the prediction of a letter, against forward passes with the changed value."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.analysis.gpts import SESSION, trained
from tui_backprop.data.passage import Passage
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import named
from tui_backprop.engine.network.program import Program
from tui_backprop.session.misclassified import first_class
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training, walk_passage

TEXT = after_training(SESSION, 1000)
REPLAY = Replay(0)


def searched(session, tensor, index):
    iteration = REPLAY.take(session)
    attribution = named(iteration, "gradient", tensor, index)
    return iteration, parameter_detail(iteration, attribution, first_class(session, iteration)).flips


def predicted(iteration, position, tensor, index, by):
    graph, parameters = iteration.graph, trained().astype(float).copy()
    parameters[graph.flat_index(tensor, index)] += by
    program = Program(iteration.spec, 1, parameters)
    program.feed(*(given[:1] for given in iteration.data))
    program.forward()
    return int(program.values[graph.output][0, position].argmax())


@pytest.mark.parametrize(
    ("tensor", "index"), [("Wout", (13, 2)), ("E", (8, 6)), ("P", (2, 6)), ("Wq1", (3, 5)), ("Wd1", (9, 1))]
)
def test_the_flips_of_a_letter_are_those_of_forward_passes(tensor, index):
    session = walk_passage(TEXT, Passage("mice", 3))
    iteration, search = searched(session, tensor, index)
    assert (search.label, search.predicted_class) == (2, predicted(iteration, 2, tensor, index, 0.0))
    for flip, sign in ((search.up, 1), (search.down, -1)):
        if flip:
            assert predicted(iteration, 2, tensor, index, flip.by) == flip.predicted_class
        far = flip.by if flip else sign * search.reach
        for by in sign * np.geomspace(1e-3, abs(far) * 0.99, 60):
            assert predicted(iteration, 2, tensor, index, by) == search.predicted_class
    if search.correction:
        assert predicted(iteration, 2, tensor, index, search.correction.by) == 2


def test_a_weight_used_at_every_step_is_not_tried_and_why():
    session = walk_passage(from_preset("rnn"), Passage("mice", 3))
    iteration = REPLAY.take(session)
    name = next(name for name in iteration.graph.parameters if len(iteration.graph.readers[name]) > 1)
    _, search = searched(session, name, (0,) * len(iteration.graph.parameters[name]))
    assert search.untried == f"{name} is used more than once"


def test_a_whole_text_has_no_single_prediction():
    session = walk_passage(TEXT, Passage("mice"))
    iteration, search = searched(session, "Wout", (13, 2))
    assert search is None
    assert first_class(session, iteration) is None
