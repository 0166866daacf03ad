"""Typed expressions: addresses, the step dial, slices, details, training, and conventions."""

from __future__ import annotations

import numpy as np
import pytest

from tests.calculus import off
from tests.engine.frontends.expressions import take
from tests.engine.frontends.test_expression import ARRAYS, SPECS
from tui_backprop.engine.analysis.loss_slices import slice_along
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import named
from tui_backprop.engine.explain.address import parse_address
from tui_backprop.engine.explain.conventions import conventions
from tui_backprop.engine.explain.pytorch import lines_of
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.gradients.step_size import step_sweep
from tui_backprop.engine.network.model import no_data
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.training import Training
from tui_backprop.support.errors import InputError

each = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.title)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("u[1]", ("u", (1,))),
        ("dW[1,0]", ("W", (1, 0))),
        ("du 2", ("du", (2,))),
        ("L", ("L", ())),
        ("v1 0", ("v1", (0,))),
    ],
)
def test_every_name_has_an_address(typed, address):
    found = parse_address(typed, ARRAYS.graph)
    assert (found.tensor, found.index) == address


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("L[1]", "address: L is a single number; write it without an index"),
        ("u[3]", "address: index 3 of u is out of range (0 to 2)"),
        ("0.1", 'address: "0.1" is not the name of a number; write it like W[2,1], u[2], v1[2], h[2], '),
    ],
)
def test_an_address_of_nothing_is_refused(typed, message):
    with pytest.raises(InputError) as error:
        parse_address(typed, ARRAYS.graph)
    assert str(error.value).startswith(message[:60])


@each
def test_step_dial_slices_details_and_training_work(spec):
    iteration, graph = take(spec), spec.graph
    for name, shape in graph.parameters.items():
        index = tuple(n - 1 for n in shape)
        sweep = step_sweep(iteration, name, index)
        assert sweep.checked == pytest.approx(sweep.exact, rel=1e-12)
        *_, slice_ = slice_along(iteration, ((name, index),), points=5)
        assert slice_.losses[2] == pytest.approx(iteration.loss)
        detail = parameter_detail(iteration, named(iteration, "gradient", name, index))
        assert detail.base_loss == pytest.approx(iteration.loss)
        assert [hop.value for hop in detail.path][-1:] == [graph.loss] * (name in graph.differentiable)
    data = no_data(spec.dtype)
    training = Training(spec, OptimizerSpec("adam"), 10**6)
    losses = training.losses(20, lambda t: Update(data, data, 0.01))
    assert losses[-1] < losses[0] == iteration.loss


def test_the_dial_tells_which_tie_a_step_crossed():
    spec = ExpressionSpec("L = max(k, w)*3 + max(M*w)", "w=1.5, k:=1.4999, M:=[1, 0.5]")
    curve = step_sweep(take(spec), "w", ()).rows["central-difference", "float64"]
    assert curve.flips[0].first == "k"
    assert curve.flips[-1] is None


def test_what_holds_at_kinks_and_ties_is_stated():
    spec = ExpressionSpec("L = relu(w) + abs(w) + max(w, 1) + max(M)*w", "w=1, M:=[1, 2]")
    assert conventions(spec, OptimizerSpec())[-4:] == (
        "the derivative of relu at 0 is 0, as in PyTorch",
        "the derivative of abs at 0 is 0, as in PyTorch",
        "of two equal values, a maximum or minimum has half a derivative by each, as in PyTorch",
        "equal largest or smallest entries share the derivative equally, as in torch.amax",
    )


def test_weight_decay_acts_on_the_parameters():
    spec, decay = (
        ExpressionSpec("L = w*x", "w=2, x:=3"),
        OptimizerSpec("sgd", weight_decay=0.5, decay_bias=False),
    )
    data = no_data(spec.dtype)
    iteration = run_iteration(spec, Update(data, data, 0.1), TrainingState(0, np.array([2.0])), decay)
    assert iteration.new["w"] == pytest.approx(2 - 0.1 * (3 + 0.5 * 2))
    assert "acts on parameters" in " ".join(conventions(spec, decay))
    *_, last = lines_of(walk(spec, 1, decay)[0], iteration)
    assert last == "optimizer = optim.SGD(params, lr=0.1, weight_decay=0.5)"
    (step,) = [step for step in walk(spec, 1, decay) if step.phase == "update"]
    assert off(receipt_rows(iteration, step, 0)) < 1e-15
