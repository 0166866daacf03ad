"""The methods that perturb one parameter at a time, or all of them at once: no evaluation reuses another's work.

Each rule fills ``out[where]`` and yields, after one or a few evaluations, the number of evaluations so far; the
caller may stop iterating at any time. The step is h max(1, |w|). The divisor is the step after rounding in the
parameter's precision, (w + h) - w (the nominal step if that is 0, so that the derivative found is 0).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tui_backprop.engine.gradients.branches import Branches
from tui_backprop.engine.gradients.problem import COMPLEX, Options, Problem
from tui_backprop.engine.gradients.quotient import central_quotient, forward_quotient
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.primitives import Array


def backprop(out: Array, problem: Problem, where: Array, h: float, options: Options) -> Iterator[int]:
    program = problem.program()
    program.forward()
    out[where] = program.backward()[where]
    yield 1


def forward_difference(
    out: Array, problem: Problem, where: Array, h: float, options: Options
) -> Iterator[int]:
    """(L(w + h) − L(w)) / h"""
    program = problem.program()
    base = float(program.forward())
    yield 1
    for n, i in enumerate(where.tolist(), 2):
        out[i] = forward_quotient(program, i, h, base).slope
        yield n


def central_difference(
    out: Array, problem: Problem, where: Array, h: float, options: Options
) -> Iterator[int]:
    """(L(w + h) − L(w − h)) / 2h"""
    program = problem.program()
    for n, i in enumerate(where.tolist(), 1):
        out[i] = central_quotient(program, i, h).slope
        yield 2 * n


def complex_step(out: Array, problem: Problem, where: Array, h: float, options: Options) -> Iterator[int]:
    """Im L(w + ih) / h (Squire and Trapp 1998), on the branches of the pass: nothing is subtracted, so h can be far
    below round-off."""
    program = problem.program(dtype=COMPLEX[problem.spec.dtype])
    parameters, branches = program.parameters, Branches(problem)
    for n, i in enumerate(where.tolist(), 1):
        w = parameters[i]
        parameters[i] = w + 1j * h
        out[i] = float(branches.forward(program).imag) / h
        parameters[i] = w
        yield n


def forward_mode(out: Array, problem: Problem, where: Array, h: float, options: Options) -> Iterator[int]:
    """The JVP along one parameter: the tangents of all parameters, one of them 1, pushed through the list."""
    program = problem.program()
    program.forward()
    direction = np.zeros_like(program.parameters)
    tangents = ForwardMode(program, problem.spec.graph.views(direction))
    for n, i in enumerate(where.tolist(), 1):
        direction[i] = 1
        out[i] = tangents.push()
        direction[i] = 0
        yield n


def spsa(out: Array, problem: Problem, where: Array, h: float, options: Options) -> Iterator[int]:
    """Simultaneous perturbation (Spall 1992): all parameters move by ±h at once, the mean over the probes of
    (L(w + hs) − L(w − hs)) / 2h times s. Unbiased but for O(h²), and noisy: with k probes the error has about
    the size √(P / k) of the gradient."""
    program = problem.program()
    generator = np.random.default_rng(options.seed)
    every = len(where) == len(program.parameters) and np.array_equal(where, problem.positions)
    here = slice(None) if every else where  # copies nothing
    at = program.parameters[where]
    total = np.zeros(len(where))
    for k in range(1, options.probes + 1):
        signs = generator.integers(0, 2, len(where)) * 2 - 1
        moves = signs.astype(at.dtype) * at.dtype.type(h)
        losses = []
        for moved in (at + moves, at - moves):
            program.parameters[here] = moved
            losses.append(float(program.forward()))
        total += (losses[0] - losses[1]) / (2 * h) * signs
        out[here] = total / k
        yield 2 * k
