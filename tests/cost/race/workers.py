"""What the tests of clusters share."""

from __future__ import annotations

import time

import psutil

from tui_backprop.data.samples import cut
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.spec import NetworkSpec

GENEROUS = 60.0  # seconds; only a hang takes so long
SMALL = NetworkSpec((2, 7, 5, 2), "tanh", dtype="float64")
LONG = NetworkSpec((784, 32, 10))  # 25,450 parameters: enough to meet it on its way


def problem_of(spec, batch=1):
    data = {784: "digits", 1: "sine"}.get(spec.layers[0], "moons")
    samples = cut(spec, data, 0, batch)
    return Problem(spec, samples.x, samples.t, initial_parameters(spec))


def wait_for(reached):
    end = time.monotonic() + GENEROUS
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
