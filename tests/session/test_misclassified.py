"""Finding the samples that a network reads wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.data.samples import load
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.predictions import NO_CLASS
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.iteration import Update
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.training import Training
from tui_backprop.session import misclassified as mistakes
from tui_backprop.session.misclassified import confusion, next_mistake
from tui_backprop.session.state import Session, from_preset

MOONS = Session(NetworkSpec((2, 8, 2), "tanh"), "moons")


def learned(session, updates):
    data = load(session.data, session.network.seed)
    update = Update(data.x.astype("float32"), data.target, 0.5)
    return Training(session.network, OptimizerSpec(), 0).state(updates, lambda t: update).parameters


def wrong_ones(session, parameters):
    data = load(session.data, session.network.seed)
    program = Program(session.network, len(data.x), parameters)
    program.feed(data.x.astype("float32"), data.target)
    program.forward()
    return np.flatnonzero(program.values["z2"].argmax(axis=1) != data.target).tolist()


@pytest.mark.parametrize("at_once", [7, 256, 1000])
def test_going_on_meets_every_mistake_and_only_those(monkeypatch, at_once):
    monkeypatch.setattr(mistakes, "AT_ONCE", at_once)
    parameters = learned(MOONS, 60)
    wrong = wrong_ones(MOONS, parameters)
    assert 3 < len(wrong) < 200
    for direction, order in ((1, [*wrong, wrong[0]]), (-1, [*wrong[::-1], wrong[-1]])):
        session = replace(MOONS, sample=order[0])
        for sample in order[1:]:
            session = replace(session, sample=next_mistake(session, parameters, direction).sample)
            assert session.sample == sample


def test_where_there_are_no_classes_there_is_no_mistake():
    session = from_preset("sine")
    assert next_mistake(session, initial_parameters(session.network)) is None


def test_a_network_that_reads_everything_right_has_none():
    session = replace(MOONS, data="circles", network=NetworkSpec((2, 16, 2), "relu"))
    assert wrong_ones(session, learned(session, 600)) == []
    assert next_mistake(session, learned(session, 600)) is None


def test_the_confusion_counts_every_sample_once():
    parameters = learned(MOONS, 60)
    counts = confusion(MOONS, parameters)
    assert counts.sum() == 400
    assert counts[:, 2].tolist() == [0, 0]
    assert counts.sum(axis=1).tolist() == np.bincount(load("moons", 0).target).tolist()
    assert counts.sum() - np.trace(counts) == len(wrong_ones(MOONS, parameters))


def test_one_kind_of_mistake_can_be_sought():
    parameters = learned(MOONS, 60)
    target, wrong = load("moons", 0).target, wrong_ones(MOONS, parameters)
    for sort in ((0, 1), (1, 0)):
        ones = [s for s in wrong if target[s] == sort[0]]
        assert len(ones) == confusion(MOONS, parameters)[sort]
        found, session = [], replace(MOONS, sample=0)
        for _ in ones:
            session = replace(session, sample=(mistake := next_mistake(session, parameters, 1, sort)).sample)
            assert (mistake.label, mistake.predicted) == sort
            found.append(session.sample)
        assert sorted(found) == ones
        assert next_mistake(replace(MOONS, sample=found[0]), parameters, -1, sort).sample == found[-1]
    assert next_mistake(MOONS, parameters, 1, (0, 7)) is None


@pytest.mark.parametrize("fill", [np.nan, np.inf])
def test_samples_for_which_nothing_is_predicted_are_counted_apart_and_found(fill):
    parameters = np.full(MOONS.network.parameters, fill, np.float32)
    counts = confusion(MOONS, parameters)
    assert counts[:, :2].sum() == 0
    assert counts[:, 2].tolist() == np.bincount(load("moons", 0).target).tolist()
    assert next_mistake(MOONS, parameters) == (1, load("moons", 0).target[1], NO_CLASS)
    assert next_mistake(MOONS, parameters, sought=(1, 0)) is None
