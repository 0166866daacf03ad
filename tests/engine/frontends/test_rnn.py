"""Recurrent networks: gradients against the reference of scalars, the complex step and PyTorch; sums over time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.frontends.directions import check_gradient
from tests.engine.frontends.tokens import NO_TARGET, program_of, samples_of
from tests.reference import rnn
from tui_backprop.engine.frontends.rnn.spec import RnnSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.support.errors import InputError


def drawn_spec(seed):
    rng = np.random.default_rng(seed)
    spec = RnnSpec(
        vocabulary=int(rng.integers(2, 9)),
        hidden=int(rng.integers(1, 6)),
        context=int(rng.integers(1, 7)),
        activation=str(rng.choice(["tanh", "relu", "sigmoid"])),
        init="normal:0.7",
        seed=seed,
    )
    return spec, int(rng.integers(1, 4))


def test_a_document_s_loss_and_gradient_are_those_of_the_reference():
    tokens = [5, 2, 0, 3, 3, 5]
    spec = RnnSpec(vocabulary=6, hidden=4, context=len(tokens) - 1, init="normal:0.7", seed=3)
    program = Program(spec, 1, initial_parameters(spec))
    program.feed(np.array([tokens[:-1]], float), np.array([tokens[1:]]))
    loss = float(program.forward())
    expected, gradient = rnn.gradient(program.parameters, rnn.shapes(6, 4), tokens)
    assert loss == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(program.backward(), gradient, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("seed", range(16))
def test_gradients_are_those_of_the_complex_step_and_of_forward_mode(seed):
    spec, batch = drawn_spec(seed)
    check_gradient(lambda dtype: program_of(spec, batch, dtype), seed)


def test_a_weight_that_every_step_reads_has_a_term_for_each():
    spec = RnnSpec(context=5)
    terms = {name: len(visits) for name, visits in spec.graph.visits_of.items()}
    assert (terms["Wx"], terms["Wh"], terms["b"], terms["U"]) == (
        5,
        4,
        5,
        1,
    )  # there is no state before the first
    assert spec.parameters == 27 * 32 + 32 * 32 + 32 + 32 * 27 + 27


@pytest.mark.parametrize("seed", range(8))
def test_gradients_are_those_of_pytorch(seed):
    torch = pytest.importorskip("torch")
    spec, batch = drawn_spec(seed)
    program = program_of(spec, batch)
    loss = float(program.forward())
    gradient = program.backward()
    weights = {
        name: torch.tensor(values.copy(), requires_grad=True)
        for name, values in spec.graph.views(program.parameters).items()
    }
    x, t = (torch.tensor(each).long() for each in samples_of(spec, batch))
    state, states = torch.zeros(batch, spec.hidden, dtype=torch.float64), []
    for step in range(spec.context):
        total = weights["Wx"][x[:, step]] + state @ weights["Wh"] + weights["b"]
        state = getattr(torch, spec.activation)(total)
        states.append(state)
    logits = torch.stack(states, 1) @ weights["U"] + weights["c"]
    found = torch.nn.functional.cross_entropy(logits.flatten(0, 1), t.flatten(), ignore_index=NO_TARGET)
    assert loss == pytest.approx(found.item(), rel=1e-12)
    found.backward()
    for name, values in spec.graph.views(gradient).items():
        expected = weights[name].grad
        expected = np.zeros_like(values) if expected is None else expected.numpy()
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "settings", [{"hidden": 0}, {"context": 17}, {"vocabulary": 1}, {"activation": "gelu"}, {"init": "x"}]
)
def test_what_may_not_be_is_said(settings):
    with pytest.raises(InputError):
        RnnSpec(**settings)


def test_each_size_of_each_value_has_an_axis():
    sizes = {"position": 16, "token": 27, "unit": 32, "unit before": 32}
    for value in RnnSpec().graph.values:
        if value.role != "loss":
            assert tuple(sizes[axis] for axis in value.axes) == value.sample_shape, value.name
