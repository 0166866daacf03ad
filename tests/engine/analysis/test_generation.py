"""Generated text: each token is drawn as the network predicts, the same for a seed."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tests.engine.analysis.gpts import BOUNDARY, SPEC, TEXT, tokens, trained
from tui_backprop.engine.analysis.generation import Predictor, Sampling
from tui_backprop.engine.network.program import Program
from tui_backprop.support.errors import InputError


@pytest.fixture(scope="module")
def predictor():
    return Predictor(SPEC, trained(), BOUNDARY)


def test_a_temperature_raises_probabilities_to_its_inverse():
    p = np.array([0.5, 0.3, 0.2])
    for temperature in (0.25, 0.5, 1.0, 2.0):
        expected = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
        assert Sampling(temperature).drawn_from(np.log(p) + 7) == pytest.approx(expected)


def test_at_temperature_0_the_most_likely_token_is_chosen():
    z = np.array([0.1, 3.0, 2.9, 3.0])
    assert Sampling(0.0).drawn_from(z).tolist() == [0, 1, 0, 0]  # of equal ones the first
    assert Sampling(1e-300).drawn_from(z).tolist() == [0, 0.5, 0, 0.5]


def test_tokens_are_drawn_as_often_as_they_are_probable():
    p, n = np.array([0.0, 0.7, 0.3, 0.0]), 4000
    drawn = [Sampling(1.0, 0, number).draw(p, 3) for number in range(n)]
    counts = np.bincount(drawn, minlength=4) / n
    assert counts[[0, 3]].tolist() == [0, 0]
    assert counts[1] == pytest.approx(0.7, abs=0.03)


def test_seed_number_and_position_each_make_another_draw_and_nothing_else_does():
    p = np.full(1000, 0.001)
    first = Sampling(1.0, 5, 2).draw(p, 3)
    assert first == Sampling(0.1, 5, 2).draw(p, 3)
    others = (Sampling(1.0, 6, 2), 3), (Sampling(1.0, 5, 3), 3), (Sampling(1.0, 5, 2), 4)
    assert all(sampling.draw(p, position) != first for sampling, position in others)
    assert first == 910  # on every machine


def test_names_come_out_the_same_and_go_on_after_any_letter(predictor):
    for number in range(10):
        sampling = Sampling(0.5, 0, number)
        whole = [choice.token for choice in predictor.generate((), sampling)]
        again = [choice.token for choice in predictor.generate((), sampling)]
        continued = [choice.token for choice in predictor.generate(whole[:3], sampling)]
        assert whole == again == whole[:3] + continued


def test_a_name_ends_at_the_boundary_or_with_the_context(predictor):
    lengths = set()
    for number in range(40):
        found = [choice.token for choice in predictor.generate((), Sampling(2.0, 1, number))]
        lengths.add(len(found))
        assert BOUNDARY not in found[:-1]
        assert found[-1] == BOUNDARY or len(found) == SPEC.context
    assert max(lengths) == SPEC.context
    assert list(predictor.generate(tokens("a" * 16), Sampling())) == []
    assert len(list(predictor.generate(tokens("a" * 15), Sampling()))) == 1


def test_each_choice_has_the_probabilities_of_a_pass_over_the_whole_text(predictor):
    choices = list(predictor.generate(tokens("k"), Sampling(0.5)))
    text = [*tokens("k"), *(choice.token for choice in choices)]
    program = Program(SPEC, 1, trained())
    program.feed(*(part[None] for part in TEXT.window(text[:-1], SPEC.context)))
    program.forward()
    p = program.saved(SPEC.graph.loss)[0]
    for position, choice in enumerate(choices, 1):
        assert choice.p == pytest.approx(p[position], abs=1e-14)
        assert choice.drawn_from == pytest.approx(p[position] ** 2 / (p[position] ** 2).sum(), abs=1e-14)
    assert predictor.probabilities(text[:-1])[1 : len(text)] == pytest.approx(p[1 : len(text)], abs=1e-14)


def test_what_comes_later_changes_no_probability(predictor):
    one, other = (predictor.probabilities(tokens(name)) for name in ("maria", "marbles"))
    assert np.array_equal(one[:4], other[:4])
    assert not np.allclose(one[4], other[4])


def test_single_precision_predicts_in_double():
    few = Predictor(replace(SPEC, dtype="float32"), trained().astype(np.float32), BOUNDARY)
    choice = next(few.generate((), Sampling()))
    assert choice.p.dtype == np.float64
    assert choice.p.sum() == pytest.approx(1, abs=1e-15)


def test_logits_that_are_not_finite_predict_nothing():
    with pytest.raises(InputError, match="not finite"):
        next(Predictor(SPEC, np.full(SPEC.parameters, np.nan), BOUNDARY).generate((), Sampling()))


def test_at_a_temperature_near_0_the_name_is_the_most_likely_one(predictor):
    likely = [choice.token for choice in islice(predictor.generate((), Sampling(0.0)), 5)]
    near = [choice.token for choice in islice(predictor.generate((), Sampling(1e-3, 9, 4)), 5)]
    assert likely == near
