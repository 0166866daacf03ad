"""Blame of the letters before a prediction: to first order as finite differences say, and by replacing each."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.analysis.gpts import BOUNDARY, SPEC, TEXT, tokens, trained
from tui_backprop.engine.analysis.blame_agreement import judged
from tui_backprop.engine.analysis.blamed_letters import (
    BlamedLetter,
    Replaced,
    agreement,
    blamed_letters,
    same_signs,
    target_at,
)
from tui_backprop.engine.analysis.generation import Predictor, Sampling
from tui_backprop.engine.network.program import Program

NAME = "kamilla"
X, T = TEXT.window(tokens(NAME), SPEC.context)


def loss(x, t, embedded=None):
    """The loss of a text; with the embeddings changed by ``embedded`` (T, width) beforehand."""
    program = Program(SPEC, 1, trained())
    program.feed(x[None], t[None])
    if embedded is None:
        return float(program.forward())
    program.forward(stop=1)
    program.values["e"][0] += embedded
    return float(program.forward(start=1))


def letters_of(t):
    *_, letters = blamed_letters(SPEC, trained(), X, t, BOUNDARY)
    return letters


@pytest.mark.parametrize("position", [0, 2, 4, 7, None])
def test_first_order_and_norms_are_those_of_finite_differences(position):
    t, h = T if position is None else target_at(T, position), 1e-6
    table = trained()[SPEC.graph.slices["E"]].reshape(SPEC.graph.parameters["E"])
    for letter in letters_of(t):
        others = [k for k in range(SPEC.vocabulary) if k not in (letter.token, BOUNDARY)]
        i, slope = letter.position, []
        for channel in range(SPEC.width):
            step = np.zeros((SPEC.context, SPEC.width))
            step[i, channel] = h
            slope.append((loss(X, t, step) - loss(X, t, -step)) / (2 * h))
        changes = [float((table[other] - table[letter.token]) @ slope) for other in others]
        assert letter.first_order == pytest.approx(np.mean(changes), abs=1e-8)
        assert letter.norm == pytest.approx(float(np.linalg.norm(slope)), abs=1e-8)


def test_the_loss_of_one_position_depends_on_no_later_letter():
    for position in range(len(NAME) + 1):
        letters = letters_of(target_at(T, position))
        assert [letter.position for letter in letters] == list(range(position + 1))
        assert [letter.token for letter in letters] == X[: position + 1].tolist()


def test_changes_of_the_sample_are_the_mean_of_those_of_its_positions():
    single = [letters_of(target_at(T, position)) for position in range(len(NAME) + 1)]
    for i, letter in enumerate(letters_of(T)):
        changes = [letters[i].first_order for letters in single if i < len(letters)]
        assert letter.first_order == pytest.approx(sum(changes) / len(single), abs=1e-12)


@pytest.mark.parametrize("position", [0, 3, 7, None])
def test_replacing_a_letter_changes_the_loss_as_single_passes_say(position):
    t = T if position is None else target_at(T, position)
    for letter in letters_of(t):
        changes = {}
        for token in range(SPEC.vocabulary):
            x = X.copy()
            x[letter.position] = token
            changes[token] = loss(x, t) - loss(X, t)
        to_boundary = changes.pop(BOUNDARY)
        changes.pop(letter.token, None)
        found = letter.replaced
        assert found.mean == pytest.approx(np.mean([*changes.values()]), abs=1e-12)
        assert found.largest == pytest.approx(max(changes.values(), key=abs), abs=1e-12)
        assert changes[found.by] == pytest.approx(found.largest, abs=1e-12)
        expected = None if letter.token == BOUNDARY else pytest.approx(to_boundary, abs=1e-12)
        assert found.boundary == expected


def test_first_order_is_the_slope_of_a_small_step_towards_the_other_letters():
    t, small = target_at(T, 4), 1e-5
    table = trained()[SPEC.graph.slices["E"]].reshape(SPEC.graph.parameters["E"])
    for letter in letters_of(t):
        others = [k for k in range(SPEC.vocabulary) if k not in (letter.token, BOUNDARY)]
        step = np.zeros((SPEC.context, SPEC.width))
        step[letter.position] = small * (table[others].mean(0) - table[letter.token])
        change = (loss(X, t, step) - loss(X, t, -step)) / (2 * small)
        assert letter.first_order == pytest.approx(change, abs=1e-7)


def test_what_one_pass_gives_comes_first_and_then_one_letter_after_the_other():
    found = list(blamed_letters(SPEC, trained(), X, target_at(T, 3), BOUNDARY))
    known = [[letter.replaced is not None for letter in letters] for letters in found]
    assert known == [[i < n for i in range(4)] for n in range(5)]
    assert found[0][0].disagreement == 0
    assert np.isnan(agreement(found[0]))


def test_passes_of_few_texts_give_the_same(monkeypatch):
    whole = letters_of(target_at(T, 4))
    monkeypatch.setattr("tui_backprop.engine.analysis.blamed_letters.PASS_BYTES", 10**5)
    for a, b in zip(whole, letters_of(target_at(T, 4)), strict=True):
        assert a.replaced.mean == pytest.approx(b.replaced.mean, abs=1e-13)


def test_a_text_without_a_target_is_refused():
    with pytest.raises(ValueError, match="target"):
        next(blamed_letters(SPEC, trained(), X, target_at(T, 12), BOUNDARY))


def made_up(*changes):
    """Letters with changes to first order, and actual ones."""
    return [
        BlamedLetter(i, i, first, 1.0, Replaced(actual, actual, 0, None))
        for i, (first, actual) in enumerate(changes)
    ]


def test_opposite_signs_do_not_agree():
    opposite = made_up((0.3, -0.3), (-0.1, 0.1), (0.05, -0.05))
    assert (agreement(opposite), same_signs(opposite)) == (-1, 0)
    alike = made_up((0.3, 0.9), (-0.1, -0.2), (0.05, 0.06))
    assert (agreement(alike), same_signs(alike)) == (1, 3)


def test_two_letters_have_no_rank_correlation():
    assert np.isnan(agreement(made_up((0.3, 0.3), (-0.1, -0.1))))


@pytest.fixture(scope="module")
def rankings():
    """The rankings for 50 generated names."""
    predictor = Predictor(SPEC, trained(), BOUNDARY)
    generated = [list(predictor.generate((), Sampling(0.5, 0, number))) for number in range(50)]
    names = [[choice.token for choice in name if choice.token != BOUNDARY] for name in generated]
    windows = [TEXT.window(name, SPEC.context) for name in names]
    return list(judged(SPEC, trained(), windows, BOUNDARY))


def test_how_blame_and_replacing_agree_on_50_names(rankings):
    rho = np.array([each.rho for each in rankings])
    assert len(rankings) == 206
    assert rho.mean() == pytest.approx(0.545, abs=0.0005)
    assert np.median(rho) == pytest.approx(0.8)
    assert rho.min() == -1
    assert np.mean([each.same_first for each in rankings]) == pytest.approx(0.670, abs=0.0005)
    assert np.mean([each.same_signs for each in rankings]) == pytest.approx(0.796, abs=0.0005)


def test_the_worst_disagreement_is_where_the_loss_bends(rankings):
    """The e of "kisele", for its l: another letter is no small change, and the slope holds for small ones only."""
    worst = max(rankings, key=lambda each: each.worst.disagreement).worst
    assert worst.disagreement == max(letter.disagreement for each in rankings for letter in each.letters)
    assert abs(worst.replaced.mean) > 3 * abs(worst.first_order)
    assert worst.disagreement > 2
