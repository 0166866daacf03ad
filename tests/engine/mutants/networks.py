"""Iterations in which the rules of mutants occur."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.engine.frontends.expressions import take
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.mutants.model import MutantModel
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.primitives import LOSSES
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
    )


def problem_of(iteration, mutant=None) -> Problem:
    """The problem of an iteration, or that with a mutant in its place."""
    spec = iteration.spec if mutant is None else MutantModel(iteration.spec, mutant, iteration.lr)
    return Problem(spec, *iteration.data, iteration.before.parameters.copy(), iteration.before.t)
