"""What a walk is given, in PyTorch: parameters that are typed or in a file, and the batch that goes with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tui_backprop.engine.explain.notation import name_in
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.primitives import Array, size
from tui_backprop.engine.training.iteration import Iteration

MOST = 4000  # numbers that are written


def given_lines(iteration: Iteration, *, first: bool) -> Iterator[str]:
    """Yield the statements that define the parameters, before the ``first`` iteration, and the batch; none if all
    parameters are drawn. What takes more than MOST numbers is left out, unless a file has it: then it is loaded."""
    graph = iteration.graph
    if not any(graph.by_name[name].given for name in (*graph.data, *graph.parameters)):
        return
    if first:
        yield from _parameter_lines(iteration)
    batch = {name: iteration.tensor(name) for name in (*graph.fed, *(mask.name for mask in graph.masks))}
    if sum(array.size for array in batch.values()) <= MOST:
        for name, array in batch.items():
            yield f"{name_in(name)} = torch.tensor({_nested(array)})"


def _parameter_lines(iteration: Iteration) -> Iterator[str]:
    """Yield the statements for the precision, each parameter, the list of them, and the constants."""
    graph, spec = iteration.graph, iteration.spec
    if spec.dtype == "float64":
        yield "torch.set_default_dtype(torch.float64)"
    fixed = [graph.by_name[name] for name in graph.data if name not in graph.fed]
    values = [graph.by_name[name] for name in graph.parameters]
    yield from dict.fromkeys(value.in_torch.opened for value in (*fixed, *values) if value.in_torch)
    for value in fixed:
        if value.in_torch:
            yield f"{name_in(value.name)} = {value.in_torch.tensor}"
        elif size(value.shape) <= MOST:
            yield f"{name_in(value.name)} = torch.tensor({_nested(iteration.tensor(value.name))})"
    small = {}
    if not any(value.in_torch for value in values):
        written = values if spec.parameters <= MOST else [value for value in values if value.numbers]
        initial = graph.views(initial_parameters(spec))
        small = {value.name: _nested(initial[value.name]) for value in written}
    for value in values:
        if value.in_torch:
            yield f"{name_in(value.name)} = {value.in_torch.tensor}"
        elif value.name in small:
            yield f"{name_in(value.name)} = torch.tensor({small[value.name]}, requires_grad=True)"
    yield f"params = [{', '.join(map(name_in, graph.parameters))}]"
    for each in graph.constants:
        if (name := name_in(each.name)).isidentifier():
            yield f"{name} = {each.constant}"


def _nested(array: Array) -> str:
    """Write an array as nested lists, each number with as few digits as give it again in the array's precision."""
    if array.ndim:
        return f"[{', '.join(map(_nested, array))}]"
    return (
        str(array)
        if np.isfinite(array)
        else f"{'-' * bool(array < 0)}torch.{'nan' if np.isnan(array) else 'inf'}"
    )
