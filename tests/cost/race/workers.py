"""What the tests of races and clusters share. Processes that they start import it, too, without the other tests."""

from __future__ import annotations

import psutil

from tui_backprop.cost.race.dask_client import Started
from tui_backprop.data.samples import cut
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.initializers import initial_parameters

SMALL = NetworkSpec((2, 7, 5, 2), "tanh", dtype="float64")
LONG = NetworkSpec((784, 32, 10))  # 25,450 parameters: enough to meet it on its way


def problem_of(spec, batch=1):
    data = {784: "digits", 1: "sine"}.get(spec.layers[0], "moons")
    samples = cut(spec, data, 0, batch)
    return Problem(spec, samples.x, samples.t, initial_parameters(spec))


def naps(race):
    """How often the process of a race has slept: while it runs it never does, while it is paused all the time."""
    return psutil.Process(race._process.pid).num_ctx_switches().voluntary


def stuck(there, scheduler, patience):
    """A client of Dask that hangs after its start, in whatever it does."""
    there.send(Started())
    there.recv()


def dies(there, scheduler, patience):
    """A client of Dask that ends as soon as it has started."""
    there.send(Started())
