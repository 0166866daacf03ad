"""After the first one, a training step of the lesson's network makes no arrays."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import ELEMENTWISE
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import Optimizer

COUNTER = Path(__file__).parents[3] / "benchmarks" / "counted_arrays.py"
LIVING = []  # counters: an array keeps only the address of the handler it was made with
NUMBER = 16  # bytes: where a Python float meets an array, numpy makes an array of that one number


@pytest.fixture(scope="session")
def allocated():
    """A function that calls another and lists the bytes of each array's data made meanwhile."""
    module = run_path(str(COUNTER))
    counted = module["CountedArrays"]()
    LIVING.append(counted)

    def run(step):
        with counted as sizes:
            step()
        return sizes.copy()

    return run


def fed(spec, batch):
    rng = np.random.default_rng(0)
    program = Program(spec, batch, initial_parameters(spec))
    x = rng.random((batch, spec.layers[0])).astype(spec.dtype)
    return program, x, rng.integers(spec.layers[-1], size=batch)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("batch", [1, 32, 256])
def test_a_training_step_after_the_first_makes_no_arrays(allocated, batch, optimizer):
    program, x, labels = fed(NetworkSpec(), batch)
    rule = Optimizer(OptimizerSpec(optimizer), 0.01, program.spec.parameters, program.dtype)
    program.feed(x, labels)

    def step():
        program.forward()
        program.backward()
        rule.apply(program.parameters, program.gradient, 0)

    step()
    assert max(allocated(step), default=0) <= NUMBER


@pytest.mark.parametrize("batch", [1, 32, 256])
def test_forward_and_backward_pass_and_feeding_make_none_at_all(allocated, batch):
    program, x, labels = fed(NetworkSpec(), batch)

    def step():
        program.forward()
        program.backward()

    program.feed(x, labels)
    step()
    assert allocated(step) == []
    assert sum(allocated(lambda: program.feed(x, labels))) <= 4 * NUMBER


@pytest.mark.parametrize("loss", ["cross-entropy", "binary-cross-entropy", "mse", "half-squares"])
@pytest.mark.parametrize("activation", ELEMENTWISE)
def test_no_kind_of_network_makes_arrays_larger_than_a_number(allocated, activation, loss):
    spec = NetworkSpec(
        (30, 40, 40, 20), activation, loss, layer_norm=True, residual=True, dropout=0.2, l2=0.1
    )
    program, x, labels = fed(spec, 16)
    program.feed(x, labels if loss == "cross-entropy" else np.eye(20, dtype=np.float32)[labels])

    def step():
        program.forward()
        program.backward()

    step()
    assert max(allocated(step), default=0) <= NUMBER


@pytest.mark.parametrize("temporary", [lambda a: a + a, lambda a: np.empty(1), lambda a: a[:1].copy()])
def test_a_temporary_that_is_freed_at_once_is_counted(allocated, temporary):
    program, x, labels = fed(NetworkSpec((8, 8, 4)), 2)
    program.feed(x, labels)
    program.forward()
    assert allocated(program.forward) == []

    def planted(y, *arguments):
        rule(y, *arguments)
        temporary(y)

    rule, arguments = program._forward[0]
    program._forward[0] = planted, arguments
    assert len(allocated(program.forward)) == 1
