"""The walk: the operations that ``program`` runs, as a sequence of steps.

The steps go down the list of operations (forward, ending in the loss), up it again (backward), and then
along the parameters (update). The grain decides what one step is: an operation; an equation of a textbook, made of
neighboring operations (matmul and bias add are z = a W + b, the VJPs of matmul and activation are delta);
or all operations of a layer. Formulas, operands and counts come from the table of primitives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

from tui_backprop.engine.explain.formulas import equation, folded, makes_value, shape_of
from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import ITEMSIZE, Model
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.primitives import Shape, size
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import flops as update_flops
from tui_backprop.engine.training.optimizers import formulas
from tui_backprop.engine.training.optimizers import moved as update_moved
from tui_backprop.engine.training.update_rules import UPDATE_RULES


def _key(graph: Graph, visit: Visit) -> tuple[str, int, str]:
    """Return the phase, the layer and the kind of a visit's equation."""
    kind = visit.op.equation(visit.of)
    phase = (
        "backward" if visit.of is not None else "loss" if graph.role(visit.writes) == "loss" else "forward"
    )
    return phase, graph.block_of(visit), kind


def _same_step(graph: Graph, visit: Visit) -> tuple[tuple[str, int, str], Visit | None]:
    """Neighboring visits with the same phase, layer and kind make one step; one that is an equation of its own does
    so alone."""
    return _key(graph, visit), None if visit.op.equations else visit


@lru_cache(maxsize=64)
def walk(
    spec: Model, batch: int, optimizer: OptimizerSpec = OptimizerSpec(), grain: str = "equation"
) -> tuple[Step, ...]:
    """List the steps of one training iteration: input, forward, loss, backward, update. ``grain`` is "operation",
    "equation" or "layer"."""
    if grain == "layer":
        return _by_layer(walk(spec, batch, optimizer))
    graph = spec.graph
    shapes = graph.shapes(batch)
    forward = spec.weights * batch
    given = graph.inputs or tuple(graph.parameters)
    steps = [
        Step(
            0,
            "forward",
            0,
            "input",
            "input",
            tidy(" , ".join(given)),
            graph.input,
            tuple((name, shapes[name]) for name in given),
            (),
            0,
            0,
            0,
            0,
            forward,
        )
    ]
    total = done = 0
    for (phase, layer, kind), visits in _groups(graph, grain):
        step = _step(len(steps), phase, layer, kind, visits, spec, shapes)
        total += step.macs
        done += len(visits)
        steps.append(replace(step, total=total, forward=forward, done=done, grain=grain))
    for n, (k, names) in enumerate(groupby(graph.trained, graph.block), 1):
        update = _update_step(len(steps), k, list(names), spec, shapes, optimizer)
        steps.append(replace(update, total=total, forward=forward, done=done + n))
    return tuple(steps)


def _groups(graph: Graph, grain: str) -> list[tuple[tuple[str, int, str], tuple[Visit, ...]]]:
    """The visits of each step, under its (phase, layer, kind)."""
    visits = (*graph.forward_visits, *graph.backward_visits)
    if grain == "equation":
        keys = [_same_step(graph, visit) for visit in visits]
        for i in range(len(visits) - 2, 0, -1):
            if keys[i] not in (keys[i - 1], keys[i + 1]) and _only_passes_on(graph, visits[i]):
                keys[i] = keys[i + 1]
        together = groupby(zip(keys, visits, strict=True), lambda pair: pair[0])
        return [(key, tuple(visit for _, visit in group)) for (key, _), group in together]
    groups: list[tuple[tuple[str, int, str], tuple[Visit, ...]]] = []
    handed_on: tuple[Visit, ...] = ()
    for visit in visits:
        if makes_value(graph, visit):
            groups.append((_key(graph, visit), (*handed_on, visit)))
            handed_on = ()
        else:
            handed_on += (visit,)
    return groups


def _only_passes_on(graph: Graph, visit: Visit) -> bool:
    """Return whether a visit of the equations of a layer hands a gradient on unchanged: then it is no step of its
    own, but, where the gradients beside it are not computed, a part of the next one."""
    return visit.of is not None and bool(visit.op.equations) and not makes_value(graph, visit)


def _by_layer(equations: tuple[Step, ...]) -> tuple[Step, ...]:
    """Join the steps of each layer and phase."""
    steps: list[Step] = []
    for (phase, _), group in groupby(equations, lambda step: (step.phase, step.block)):
        parts = tuple(group)
        last, joined = parts[-1], parts[-1]
        if len(parts) > 1:
            joined = replace(
                last,
                kind=f"layer {phase}",
                op=", ".join(dict.fromkeys(part.op for part in parts)),
                formula=", ".join(part.formula for part in parts),
                operands=tuple(dict(pair for part in parts for pair in part.operands).items()),
                reused=tuple(dict.fromkeys(name for part in parts for name in part.reused)),
                macs=sum(part.macs for part in parts),
                flops=sum(part.flops for part in parts),
                moved=sum(part.moved for part in parts),
                visits=tuple(visit for part in parts for visit in part.visits),
                makes=tuple(visit for part in parts for visit in part.makes),
                parts=parts,
                products=tuple(product for part in parts for product in part.products),
            )
        steps.append(replace(joined, index=len(steps), grain="layer"))
    return tuple(steps)


def place_after(steps: Sequence[Step], done: int) -> int:
    """Index of the first step at whose end ``done`` visits and updates are done: maps a position between grains."""
    return next((step.index for step in steps if step.done >= done), len(steps) - 1)


def _step(
    index: int,
    phase: str,
    block: int,
    kind: str,
    visits: tuple[Visit, ...],
    spec: Model,
    shapes: dict[str, Shape],
) -> Step:
    """Build the step of some neighboring visits, without its totals."""
    graph = spec.graph
    made, read = equation(graph, visits)
    if kind == "penalty":
        made = {name: folded(formula) for name, formula in made.items()}
        read = [name for name in read if any(name in formula.split() for formula in made.values())]
    costs = [visit.costs(shapes) for visit in visits]
    tensor = next(iter(made)) if visits[-1].of is None else graph.written(visits[-1])
    macs, flops, numbers = (sum(column) for column in zip(*costs, strict=True))
    makes = tuple(visit for visit in visits if makes_value(graph, visit))
    suffix = " vjp" if phase == "backward" else ""
    given = {graph.target, *(each.name for each in graph.constants), *graph.parameters}
    return Step(
        index=index,
        phase=phase,
        block=block,
        kind=kind,
        op=", ".join(dict.fromkeys(v.op.primitive.name + suffix for v in makes)),
        formula=tidy(" , ".join(f"{name} = {formula}" for name, formula in made.items())),
        tensor=tensor,
        operands=tuple((name, shape_of(graph, name, shapes)) for name in (*made, *read)),
        reused=tuple(n for n in read if phase == "backward" and not (graph.is_gradient(n) or n in given)),
        macs=macs,
        flops=flops,
        moved=numbers * ITEMSIZE[spec.dtype],
        total=0,
        forward=0,
        visits=visits,
        makes=makes,
        products=tuple(product for visit in visits if (product := _product(visit, shapes))),
    )


def _product(visit: Visit, shapes: dict[str, Shape]) -> Shape:
    """Return the samples (times positions), inputs and units of a product; nothing for another operation."""
    inputs = [shapes[name] for name in visit.op.inputs]
    macs = visit.op.primitive.macs(*inputs)
    if not macs:
        return ()
    terms, units = visit.op.primitive.terms_and_units(*inputs)
    return macs // (terms * units), terms, units


def _update_step(
    index: int,
    k: int,
    names: list[str],
    spec: Model,
    shapes: dict[str, Shape],
    optimizer: OptimizerSpec,
) -> Step:
    """Build the step that updates a layer's parameters, without its totals; several equations are written for the
    weights alone."""
    graph = spec.graph
    parameters = sum(size(shapes[name]) for name in names)
    flops = sum(
        size(shapes[name]) * update_flops(optimizer, decays=graph.decays(name, optimizer.decay_bias))
        for name in names
    )
    rule = formulas(optimizer)
    names = names if len(rule) == 1 else names[:1]
    lines = [_written(line, name, graph) for name in names for line in rule]
    made = (*names, *(graph.gradient_of(name) for name in names))
    return Step(
        index=index,
        phase="update",
        block=k,
        kind="update",
        op=UPDATE_RULES[optimizer.name].title or optimizer.name,
        formula=tidy(" , ".join(lines)),
        tensor=names[0],
        operands=tuple((name, shape_of(graph, name, shapes)) for name in made),
        reused=(),
        macs=0,
        flops=flops,
        moved=update_moved(optimizer) * parameters * ITEMSIZE[spec.dtype],
        total=0,
        forward=0,
    )


def _written(formula: str, name: str, graph: Graph) -> str:
    """Write the formula of an update rule, which is about W and dW, for a parameter."""
    names = {"W": name, "dW": graph.gradient_of(name)}
    return re.sub(r"(?<![A-Za-z])(?<!all )d?W(?![A-Za-z0-9])", lambda token: names[token[0]], formula)
