"""Iterations in which the rules of mutants occur."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.engine.frontends.expressions import take
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.frontends.rnn.spec import RnnSpec
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.mutants.model import MutantModel
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.primitives import LOSSES, size
from tui_backprop.engine.training.iteration import Iteration, TrainingState, Update, run_iteration


def dense(*arguments, batch=3, **choices) -> Iteration:
    spec = NetworkSpec(*arguments, dtype="float64", **choices)
    rng, outputs = np.random.default_rng(0), spec.layers[-1]
    labels = LOSSES[spec.loss].labels
    target = rng.integers(outputs, size=batch) if labels else rng.integers(2, size=(batch, outputs)) * 1.0
    update = Update(rng.normal(size=(batch, spec.layers[0])), target, 0.5)
    return run_iteration(spec, update, TrainingState(0, initial_parameters(spec)))


def expression(text, let) -> Iteration:
    return take(ExpressionSpec(text, let))


def tokens(spec) -> Iteration:
    """Of sequences that use a token twice; the second one ends early."""
    x = np.array([[0, 1, 2, 1], [3, 1, 0, 0]], float)
    target = np.array([[1, 2, 1, 3], [1, 3, -1, -1]])
    return run_iteration(spec, Update(x, target, 0.5), TrainingState(0, initial_parameters(spec)))


def images(spec) -> Iteration:
    rng = np.random.default_rng(0)
    update = Update(rng.normal(size=(3, size(spec.image))), rng.integers(spec.classes, size=3), 0.5)
    return run_iteration(spec, update, TrainingState(0, initial_parameters(spec)))


GPT = GptSpec(vocabulary=4, width=4, heads=2, context=4, init="normal:0.5")
RNN = RnnSpec(vocabulary=4, hidden=3, context=4)
CONV = ConvSpec(
    (2,), (2,), padding=(0,), dense=(3,), activation="tanh", image=(1, 5, 5), classes=3, dtype="float64"
)


@cache
def iterations() -> tuple[Iteration, ...]:
    """Of networks that have everything between them; biases start at 0."""
    return (
        dense((3, 4, 2), "tanh", "binary-cross-entropy"),
        dense((4, 4, 4, 3), "relu,tanh", residual=True, l2=0.1),
        dense(
            (2, 3, 2), "sigmoid", "half-squares", layer_norm=True, dropout=0.4, output_activation="sigmoid"
        ),
        dense((3, 4, 3), "silu", "mse"),
        expression("u = tanh(w)\nL = u*x + u**2 + sin(u) - u", "w=0.5, x:=2"),
        expression("L = mean((x @ W - 1)**2)", "x:=[[1, 2], [0.5, -1]], W=[[0.3, 0.2], [1, -0.4]]"),
        tokens(GPT),
        tokens(RNN),
        images(CONV),
    )


def problem_of(iteration, mutant=None) -> Problem:
    """The problem of an iteration, or that with a mutant in its place."""
    spec = iteration.spec if mutant is None else MutantModel(iteration.spec, mutant, iteration.lr)
    return Problem(spec, *iteration.data, iteration.before.parameters.copy(), iteration.before.t)
