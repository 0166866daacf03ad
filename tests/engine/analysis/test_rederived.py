"""Recordings of PyTorch models are computed again without PyTorch, operation by operation, and agree."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.record.recordings import FOLDER, MADE_FROM, made_from
from tui_backprop.engine.analysis.rederived import Pair, compare, rederived_of
from tui_backprop.session.recorded_files import recorded_model

NAMES = sorted(path.stem for path in FOLDER.glob("*.bp"))


@cache
def found(name):
    model = recorded_model(FOLDER / f"{name}.bp")
    return model, rederived_of(model)


def test_the_recordings_are_those_of_the_models_and_small():
    assert MADE_FROM.read_text("utf-8") == made_from(), "run: python -m tests.record.recordings"
    assert len(NAMES) >= 50
    assert sum(path.stat().st_size for path in FOLDER.glob("*.bp")) < 5_000_000


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_that_has_a_row_agrees(name):
    model, operations = found(name)
    tolerance = 1e-9 if model.dtype == "float64" else 1e-5
    for each in operations:
        assert each.agrees, each
        assert all(one.difference <= tolerance for one in each.every), each
    with_row = [each for each in operations if each.has_row]
    assert len(with_row) >= 0.8 * len(operations)
    assert all(each.every for each in with_row)


def test_nearly_all_operations_of_all_models_have_a_row():
    every = [each for name in NAMES for each in found(name)[1]]
    assert len(every) > 1000
    assert sum(each.has_row for each in every) >= 0.95 * len(every)


@pytest.mark.parametrize("name", ["mlp-tanh-double", "gpt-double", "lenet-double"])
def test_the_gradients_are_those_that_our_own_pass_gives(name):
    from tui_backprop.engine.network.initializers import initial_parameters
    from tui_backprop.engine.network.program import Program

    model, _ = found(name)
    parameters = initial_parameters(model)
    program = Program(model, 1, parameters)
    loss = program.forward()
    recorded = model.recorded(parameters)
    assert float(loss) == pytest.approx(float(recorded.forward()), rel=1e-12)
    np.testing.assert_allclose(program.backward(), recorded.backward(), rtol=1e-9, atol=1e-12)


def test_arrays_that_are_not_finite_alike_agree_and_others_do_not():
    bad = np.array([np.nan, np.inf, 1.0])
    assert compare(Pair("a", bad, bad.copy(), "float64")).agrees
    assert not compare(Pair("a", bad, np.array([np.nan, 2.0, 1.0]), "float64")).agrees
    assert not compare(Pair("a", np.ones(3), bad, "float64")).agrees
    assert compare(Pair("a", np.ones(0), np.ones(0), "float64")).agrees


def test_rounding_errors_of_the_same_operation_are_allowed_but_no_more():
    pair = Pair("a", np.array([1.0 + 1e-4]), np.array([1.0]), "float32")
    assert not compare(pair).agrees
    rounded = Pair("a", pair.recorded, np.array([1.0 + 5e-5]), "float32")
    assert compare(pair, rounded).agrees
    assert not compare(pair, Pair("a", pair.recorded, np.array([1.0 + 1e-6]), "float32")).agrees
