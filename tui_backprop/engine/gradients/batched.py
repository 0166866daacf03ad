"""The methods that share work between parameters: the operations before a parameter are computed once, and many
parameters pass through the remaining operations together.

A parameter enters at one operation, which is linear in it: perturbing ``W2[i, j]`` by h adds h a1[:, i] to
column j of a W, and changes nothing else. So only the operations after it are run, for many perturbations stacked
as if they were samples (differences), or for many tangents beside one pass (forward mode).

With an L2 penalty a parameter also enters the loss directly; the derivative of that term is added by formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.gradients.problem import Options, Problem
from tui_backprop.engine.gradients.unbatched import forward_difference
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array

BATCHED_BYTES = (
    64 * 2**20
)  # bytes for passes of many parameters at once; larger passes would not fit into a cache
ENTRIES = "affine", "normalization", "penalty"  # kinds of operations at which a parameter of a layer enters
ARRAYS_PER_UNIT = 16  # an upper bound of the arrays of a pass, for each unit and sample


@dataclass(frozen=True)
class SharedEntryPoint:
    """Parameters that enter at the same operation, number ``at``, as its input ``of``.

    ``where`` are their indices in the flat vector, ``rows`` and ``columns`` those in their tensor (the rows of a
    vector are 0). Each changes one column of the operation's output.
    """

    at: int
    op: Op
    of: int
    where: Array
    rows: Array
    columns: Array

    def part(self, start: int, count: int) -> SharedEntryPoint:
        cut = slice(start, start + count)
        return SharedEntryPoint(self.at, self.op, self.of, self.where[cut], self.rows[cut], self.columns[cut])

    def answers(self, program: Program) -> Array:
        """Return dy/dw of each parameter, in the column that it changes, shape (m, n), at the values of a pass."""
        inputs = [program.values[name] for name in self.op.inputs]
        if inputs[self.of].ndim == 2:  # a weight matrix
            return inputs[0][:, self.rows].T
        y = program.values[self.op.output]
        all_columns = np.empty_like(y)
        ones = np.ones_like(inputs[self.of])
        rule = self.op.primitive.jvps[self.of]
        rule(all_columns, ones, y, program.caches[self.op.output], *inputs)
        return all_columns[:, self.columns].T


def groups(problem: Problem, where: Array, program: Program) -> list[SharedEntryPoint]:
    """Group the parameters ``where`` by the operation where they enter; the last operation first, so that a pass
    that begins there overwrites nothing that earlier groups need."""
    found, shapes = [], problem.spec.graph.parameters
    for name, place in problem.spec.graph.slices.items():
        inside = np.sort(where[(where >= place.start) & (where < place.stop)])
        if len(inside):
            at = next(at for at, op in enumerate(program.ops) if name in op.inputs)
            op = program.ops[at]
            rows, columns = np.divmod(inside - place.start, shapes[name][-1])
            found.append(SharedEntryPoint(at, op, op.inputs.index(name), inside, rows, columns))
    return sorted(found, key=lambda group: -group.at)


def _penalty_slope(problem: Problem, group: SharedEntryPoint, h: Array | float) -> Array | float:
    """Return (λ/2 (w + h)² − λ/2 w²) / h of parameters under an L2 penalty."""
    strength = problem.spec.graph.penalties.get(group.op.inputs[group.of])
    if strength is None:
        return 0.0
    return strength * (problem.parameters[group.where] + h / 2)


def perturbed_at_once(parameters: float, itemsize: int, batch: int, units: float, most: int) -> int:
    """Return how many of these parameters are perturbed in one pass, at most ``most``, in a network of so many
    ``units`` with its inputs."""
    each = ARRAYS_PER_UNIT * itemsize * batch * units
    return max(1, min(most, math.ceil(parameters), int(BATCHED_BYTES // each)))


def _together(problem: Problem, where: Array, options: Options) -> int:
    spec = problem.spec
    itemsize = np.dtype(spec.dtype).itemsize
    return perturbed_at_once(len(where), itemsize, problem.batch, sum(spec.graph.widths), options.at_once)


def copies_stack(graph: Graph) -> bool:
    """Return True if each parameter changes one column of values with a row for each sample, up to a loss that is the
    mean over samples: only then can perturbed copies be stacked as if they were samples."""
    readers = (op for name in graph.parameters for op in graph.readers.get(name, ()))
    return graph.loss_op.primitive.kind == "loss" and all(op.primitive.kind in ENTRIES for op in readers)


def batched_difference(
    out: Array, problem: Problem, where: Array, h: float, options: Options
) -> Iterator[int]:
    """Take forward differences, running only the operations after a parameter, many parameters in one pass; one after
    the other in a graph where copies cannot be stacked."""
    if not copies_stack(problem.spec.graph):
        yield from forward_difference(out, problem, where, h, options)
        return
    program = problem.program()
    program.forward()
    n = problem.batch
    copies = _together(problem, where, options)
    stacked = problem.program(copies=copies)
    stacked.forward()
    each = next(stacked.caches[op.output].each for op in stacked.ops if op.primitive.kind == "loss")
    base = each.reshape(copies, n).mean(axis=1, dtype=float)
    yield 1
    done = 1
    for group in groups(problem, where, program):
        y = program.values[group.op.output]
        nudged = stacked.values[group.op.output].reshape(copies, *y.shape)
        after = group.at + 1
        while stacked.ops[after].primitive.in_place:  # has already added to the same array
            after += 1
        for start in range(0, len(group.where), copies):
            part = group.part(start, copies)
            answers = part.answers(program)
            m = len(part.where)
            w = problem.parameters[part.where].astype(float)
            with np.errstate(all="ignore"):  # of infinite parameters and losses
                steps = h * np.maximum(1, np.abs(w))
                nudged[...] = y
                nudged[np.arange(m), :, part.columns] += steps[:, None] * answers
                stacked.forward(after)
                slopes = (each.reshape(copies, n).mean(axis=1, dtype=float) - base)[:m] / steps
                out[part.where] = slopes + _penalty_slope(problem, part, steps)
            done += m
            yield done


def batched_forward_mode(
    out: Array, problem: Problem, where: Array, h: float, options: Options
) -> Iterator[int]:
    """Compute JVPs, running only the operations after a parameter, the tangents of many parameters at once."""
    program = problem.program()
    program.forward()
    many = _together(problem, where, options)
    if not copies_stack(problem.spec.graph):
        yield from _from_parameters(out, program, where, many)
        return
    done = 0
    for group in groups(problem, where, program):
        y = program.values[group.op.output]
        seeds = np.zeros((many, *y.shape), y.dtype)
        tangents = ForwardMode(program, {group.op.output: seeds}, many)
        for start in range(0, len(group.where), many):
            part = group.part(start, many)
            answers = part.answers(program)
            m = len(part.where)
            seeds[...] = 0
            seeds[np.arange(m), :, part.columns] = answers
            out[part.where] = tangents.push()[:m] + _penalty_slope(problem, part, 0.0)
            done += m
            yield done


def _from_parameters(out: Array, program: Program, where: Array, many: int) -> Iterator[int]:
    """Compute JVPs from the parameters themselves, the tangents of ``many`` at once."""
    graph, done = program.graph, 0
    for name, place in graph.slices.items():
        inside = where[(where >= place.start) & (where < place.stop)]
        seeds = np.zeros((many, place.stop - place.start), program.dtype)
        tangents = ForwardMode(program, {name: seeds.reshape((many, *graph.parameters[name]))}, many)
        for start in range(0, len(inside), many):
            part = inside[start : start + many]
            seeds[...] = 0
            seeds[np.arange(len(part)), part - place.start] = 1
            out[part] = tangents.push()[: len(part)]
            done += len(part)
            yield done
