"""Causes of zero gradients: the factor named is 0, and the cause given is the cause."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.number import shape_of, tensors
from tui_backprop.engine.explain.zero_gradient import DROPPED, zero_gradients
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

NAME = re.compile(r"(d?[a-zγβδW]\d*)\[(\d+)\]")
PLAIN = NetworkSpec((6, 12, 12, 3), dtype="float64")
SPECS = {
    "relu": PLAIN,
    "no bias": replace(PLAIN, bias=False),
    "dropout": replace(PLAIN, dropout=0.4),
    "residual": replace(PLAIN, layers=(12, 12, 12, 3), residual=True, dropout=0.4),
    "layer norm": replace(PLAIN, layer_norm=True),
    "tanh": replace(PLAIN, activation="tanh"),
    "zeros": replace(PLAIN, init="zeros"),
}


def iteration(spec, batch=1, seed=0, scale=0.5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, spec.layers[0]))
    x[:, 2] = 0
    parameters = rng.normal(scale=scale, size=spec.parameters)
    if spec.init == "zeros":
        parameters[:] = 0
    return run_iteration(
        spec, Update(x, rng.integers(spec.layers[-1], size=batch), 0.1), TrainingState(0, parameters)
    )


def every_number(spec):
    for tensor in tensors(spec.graph):
        for index in np.ndindex(shape_of(spec.graph, tensor)):
            yield tensor, index


def gradient(pass_, tensor, index):
    value = f"z{tensor[1:]}" if tensor == f"a{pass_.spec.depth}" else tensor
    if value not in pass_.spec.graph.differentiable:
        return None
    at = index if tensor in pass_.spec.graph.parameters else (0, *index)
    return float(pass_.tensor(pass_.graph.gradient_of(value))[at])


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("name", SPECS)
def test_a_cause_is_given_for_every_gradient_of_0_and_for_no_other_and_it_is_true(name, batch):
    pass_, met = iteration(SPECS[name], batch), 0
    for tensor, index in every_number(pass_.spec):
        found = zero_gradients(pass_, tensor, index)
        assert bool(found) == (gradient(pass_, tensor, index) == 0), (tensor, index)
        for silence in found:
            met += 1
            factors = [pass_.tensor(array)[:, int(unit)] for array, unit in NAME.findall(silence.name)]
            if silence.samples:
                assert len(factors) == (2 if " or " in silence.name else 1)
                assert not np.prod(factors, axis=0).any()
            else:
                assert factors[0][0] == 0
            if silence.of:
                array, unit = NAME.fullmatch(silence.of).groups()
                assert silence.at == pass_.tensor(array)[0, int(unit)]
                assert silence.at <= 0
                assert silence.why == "relu is inactive"
            if silence.why == DROPPED:
                array, unit = NAME.fullmatch(silence.name).groups()
                assert pass_.tensor("m" + array[-1])[0, int(unit)] == 0
    assert met >= 10


def test_an_inactive_unit_is_named_with_its_pre_activation():
    pass_ = iteration(PLAIN)
    z = pass_.tensor("z1")[0]
    shut, other = int(np.flatnonzero(z < 0)[0]), int(np.flatnonzero(pass_.tensor("δ2")[0])[0])
    (cause,) = zero_gradients(pass_, "W2", (shut, other))
    assert (cause.name, cause.of, cause.at) == (f"a1[{shut}]", f"z1[{shut}]", z[shut])
    assert zero_gradients(pass_, "b1", (shut,))[0].name == f"δ1[{shut}]"
    two = zero_gradients(pass_, "W1", (2, shut))
    assert [each.name for each in two] == ["x[2]", f"δ1[{shut}]"]
    assert zero_gradients(pass_, "a1", (shut,)) == ()  # it would matter, were it not shut


def test_a_gradient_that_is_0_from_the_next_layer_names_that_layer():
    assert zero_gradients(iteration(SPECS["zeros"]), "a2", (0,))[0].why == "all its weights in W3 are 0"
    pass_ = iteration(PLAIN)
    parameters = pass_.program.parameters.copy()
    PLAIN.graph.views(parameters)["b2"][:] = -100
    shut = run_iteration(
        PLAIN, Update(pass_.tensor("x"), pass_.tensor("t"), 0.1), TrainingState(0, parameters)
    )
    assert zero_gradients(shut, "a1", (0,))[0].why == "δ2 is 0 for all units it feeds"
    for unit, z in enumerate(shut.tensor("z1")[0].tolist()):
        (cause,) = zero_gradients(shut, "z1", (unit,))
        assert cause.why == ("δ2 is 0 for all units it feeds" if z > 0 else "relu is inactive")
    flat = iteration(SPECS["tanh"], scale=300.0)
    assert any(
        each.why == "tanh is flat there" for unit in range(12) for each in zero_gradients(flat, "z1", (unit,))
    )


def test_a_constant_has_no_zero_gradient():
    for tensor in ("x", "t"):
        assert zero_gradients(iteration(PLAIN), tensor, (0,)) == ()
