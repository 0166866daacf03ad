"""The Jacobian of the last value of a graph: by rows, one VJP for each of its entries, or by columns, one JVP for
each parameter. Both ways give the same matrix; what they cost differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tui_backprop.engine.arrays.types import index_at, size
from tui_backprop.engine.gradients.hessian import entry_names
from tui_backprop.engine.gradients.problem import Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.support.errors import InputError
from tui_backprop.support.running_clock import running_clock

MOST_ENTRIES = 10_000  # of a Jacobian
REPEATS = 3  # of each way, to measure its time


@dataclass(frozen=True)
class JacobianCost:
    """What one way to the Jacobian costs beside the forward pass that both need: ``passes`` of a kind, their
    floating-point operations, and the ``seconds`` measured: the least of REPEATS."""

    kind: Literal["VJP", "JVP"]
    passes: int
    flops: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Jacobian:
    """The derivatives (m, P) of the m entries of a value by P parameters, exact to round-off (``finite`` if all are
    numbers), with the cost of both ways. ``difference`` is the largest one between their entries, which only
    round-off makes."""

    outputs: tuple[str, ...]
    names: tuple[str, ...]
    value: Array
    matrix: Array
    rows: JacobianCost
    columns: JacobianCost
    finite: bool
    difference: float

    @property
    def cheaper(self) -> JacobianCost:
        """The way with fewer floating-point operations: of equal ones, by rows."""
        return min(self.rows, self.columns, key=lambda way: way.flops)


@np.errstate(all="ignore")
def jacobian(problem: Problem) -> Jacobian:
    """Compute the Jacobian in both ways. Raises InputError if it has more than MOST_ENTRIES entries."""
    graph, count = problem.spec.graph, problem.spec.parameters
    shape = graph.shapes(problem.batch)[graph.loss]
    outputs = size(shape)
    if outputs * count > MOST_ENTRIES:
        text = f"{outputs:,} values by {count:,} parameters are {outputs * count:,} derivatives"
        raise InputError("jacobian", f"{text}; at most {MOST_ENTRIES:,}")
    program = problem.program()
    value = np.array(program.forward(), float)
    by_rows, rows = _measured(lambda: by_vjps(program), outputs, count)
    by_columns, columns = _measured(lambda: by_jvps(program), outputs, count)
    return Jacobian(
        tuple(entry_name(graph.loss, index_at(i, shape)) for i in range(outputs)),
        entry_names(problem),
        value,
        by_rows,
        JacobianCost("VJP", outputs, outputs * vjp_flops(program), rows),
        JacobianCost("JVP", count, count * jvp_flops(graph, program), columns),
        bool(np.isfinite(by_rows).all()),
        float(np.abs(by_rows - by_columns).max()),
    )


def _measured(way: Callable[[], Array], outputs: int, count: int) -> tuple[Array, float]:
    """Return a Jacobian, and the least of the times that it took."""
    times = []
    with running_clock() as clock:
        for _ in range(REPEATS):
            before = clock()
            found = way()
            times.append(clock() - before)
    return found.reshape(outputs, count), min(times)


def by_vjps(program: Program) -> Array:
    """Return the Jacobian (m, P) after a forward pass, row by row: the VJP of each unit vector."""
    seed = program.cotangents[program.graph.loss]
    found = np.empty((seed.size, len(program.parameters)))
    for i in range(seed.size):
        seed.fill(0)  # an operation that passes its cotangent on may have written there
        seed.reshape(-1)[i] = 1
        program.gradient.fill(0)
        found[i] = program.backward()
    return found


def by_jvps(program: Program) -> Array:
    """Return the Jacobian (m, P) after a forward pass, column by column: the JVP along each parameter."""
    direction = np.zeros_like(program.parameters)
    tangents = ForwardMode(program, program.graph.views(direction))
    columns = []
    for i in range(len(direction)):
        direction[i] = 1
        columns.append(np.array(tangents.push(), float).reshape(-1))
        direction[i] = 0
    return np.stack(columns, axis=1)


def vjp_flops(program: Program) -> int:
    """Count the floating-point operations of one VJP of the whole graph."""
    return sum(visit.costs(program.shapes)[1] for visit in program.graph.backward_visits)


def jvp_flops(graph: Graph, program: Program) -> int:
    """Count the floating-point operations of one JVP of the whole graph: as many as of the VJPs by the same inputs,
    and those that add the tangents through several inputs."""
    total = 0
    for op in graph.ops:
        shapes = [program.shapes[name] for name in op.inputs]
        sources = [i for i, name in enumerate(op.differentiated) if name in graph.differentiable]
        total += sum(op.primitive.vjp_flops[i](*shapes) for i in sources)
        total += max(len(sources) - 1, 0) * size(program.shapes[op.output])
    return total
