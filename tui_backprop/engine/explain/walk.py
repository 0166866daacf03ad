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
from tui_backprop.engine.network.graph import (
    Visit,
    backward_visits,
    costs_of,
    forward_visits,
    parameter_shapes,
    value_shapes,
)
from tui_backprop.engine.network.spec import ITEMSIZE, NetworkSpec
from tui_backprop.engine.network.tensor_names import (
    INPUT,
    SO_FAR,
    STRENGTH,
    TARGET,
    gradient_of,
    is_gradient,
    is_weight,
    kind_of,
    layer_of,
    preactivation,
    weight,
)
from tui_backprop.engine.primitives import Shape, size
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import flops as update_flops
from tui_backprop.engine.training.optimizers import formulas
from tui_backprop.engine.training.optimizers import moved as update_moved
from tui_backprop.engine.training.update_rules import UPDATE_RULES


def _key(spec: NetworkSpec, visit: Visit) -> tuple[str, int, str]:
    """Visits with the same (phase, layer, kind) make one step."""
    op, kind, written = visit.op, visit.op.primitive.kind, kind_of(visit.writes)
    if visit.of is None:
        return "loss" if kind in ("loss", "penalty") else "forward", op.layer, kind
    if written == "loss" or kind == "loss":
        return "backward", op.layer, "output delta"
    layer = layer_of(visit.writes)
    if written in ("weight", "bias", "product"):
        return "backward", layer, "weights"
    if written in ("gain", "shift"):
        return "backward", layer, "gains"
    if written == "activation" and spec.adds_input(layer):
        return "backward", layer, "carried"
    return "backward", layer, "normalization delta" if kind == "normalization" else "delta"


@lru_cache(maxsize=64)
def walk(
    spec: NetworkSpec, batch: int, optimizer: OptimizerSpec = OptimizerSpec(), grain: str = "equation"
) -> tuple[Step, ...]:
    """List the steps of one training iteration: input, forward, loss, backward, update. ``grain`` is "operation",
    "equation" or "layer"."""
    if grain == "layer":
        return _by_layer(walk(spec, batch, optimizer))
    shapes = value_shapes(spec, batch)
    forward = spec.weights * batch
    steps = [
        Step(
            0,
            "forward",
            0,
            "input",
            "input",
            INPUT,
            INPUT,
            ((INPUT, shapes[INPUT]),),
            (),
            0,
            0,
            0,
            0,
            forward,
        )
    ]
    total = done = 0
    for (phase, layer, kind), visits in _groups(spec, grain):
        step = _step(len(steps), phase, layer, kind, visits, spec, shapes)
        total += step.macs
        done += len(visits)
        steps.append(replace(step, total=total, forward=forward, done=done, grain=grain))
    for n, (k, names) in enumerate(groupby(parameter_shapes(spec), layer_of), 1):
        update = _update_step(len(steps), k, list(names), spec, shapes, optimizer)
        steps.append(replace(update, total=total, forward=forward, done=done + n))
    return tuple(steps)


def _groups(spec: NetworkSpec, grain: str) -> list[tuple[tuple[str, int, str], tuple[Visit, ...]]]:
    """The visits of each step, under its (phase, layer, kind)."""
    visits = (*forward_visits(spec), *backward_visits(spec))
    if grain == "equation":
        return [(key, tuple(group)) for key, group in groupby(visits, lambda visit: _key(spec, visit))]
    groups: list[tuple[tuple[str, int, str], tuple[Visit, ...]]] = []
    handed_on: tuple[Visit, ...] = ()
    for visit in visits:
        if makes_value(visit):
            groups.append((_key(spec, visit), (*handed_on, visit)))
            handed_on = ()
        else:
            handed_on += (visit,)
    return groups


def _by_layer(equations: tuple[Step, ...]) -> tuple[Step, ...]:
    """Join the steps of each layer and phase."""
    steps: list[Step] = []
    for (phase, _), group in groupby(equations, lambda step: (step.phase, step.layer)):
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
    layer: int,
    kind: str,
    visits: tuple[Visit, ...],
    spec: NetworkSpec,
    shapes: dict[str, Shape],
) -> Step:
    """Build the step of some neighboring visits, without its totals."""
    made, read = equation(visits)
    if kind == "penalty":
        made = {name: folded(formula) for name, formula in made.items()}
        read = [name for name in read if any(name in formula.split() for formula in made.values())]
    costs = [costs_of(visit, shapes) for visit in visits]
    tensor = next(iter(made)) + (SO_FAR if _more_to_come(visits[-1], spec) else "")
    macs, flops, numbers = (sum(column) for column in zip(*costs, strict=True))
    suffix = " vjp" if phase == "backward" else ""
    given = {TARGET, STRENGTH, *parameter_shapes(spec)}
    return Step(
        index=index,
        phase=phase,
        layer=layer,
        kind=kind,
        op=", ".join(dict.fromkeys(v.op.primitive.name + suffix for v in visits if makes_value(v))),
        formula=tidy(" , ".join(f"{name} = {formula}" for name, formula in made.items())),
        tensor=tensor,
        operands=tuple((name, shape_of(name, shapes, preactivation(spec.depth))) for name in (*made, *read)),
        reused=tuple(n for n in read if phase == "backward" and not (is_gradient(n) or n in given)),
        macs=macs,
        flops=flops,
        moved=numbers * ITEMSIZE[spec.dtype],
        total=0,
        forward=0,
        visits=visits,
        products=tuple(product for visit in visits if (product := _product(visit, shapes))),
    )


def _product(visit: Visit, shapes: dict[str, Shape]) -> Shape:
    """Return the samples, inputs and units of a matrix product; nothing for another operation."""
    inputs = [shapes[name] for name in visit.op.inputs]
    return (*inputs[0], inputs[1][-1]) if visit.op.primitive.macs(*inputs) else ()


def _more_to_come(visit: Visit, spec: NetworkSpec) -> bool:
    """Check whether a later visit adds to the cotangent that this one writes."""
    if visit.of is None:
        return False
    return visit != _last_visits(spec)[visit.writes]


@lru_cache(maxsize=64)
def _last_visits(spec: NetworkSpec) -> dict[str, Visit]:
    """Map each value to the last visit that writes its cotangent."""
    return {visit.writes: visit for visit in backward_visits(spec)}


def _update_step(
    index: int,
    k: int,
    names: list[str],
    spec: NetworkSpec,
    shapes: dict[str, Shape],
    optimizer: OptimizerSpec,
) -> Step:
    """Build the step that updates a layer's parameters, without its totals; several equations are written for the
    weights alone."""
    parameters = sum(size(shapes[name]) for name in names)
    flops = sum(
        size(shapes[name]) * update_flops(optimizer, decays=optimizer.decay_bias or is_weight(name))
        for name in names
    )
    written = {"W": weight(k), "dW": gradient_of(weight(k))}
    lines = [
        re.sub(r"(?<![A-Za-z])(?<!all )d?W(?![A-Za-z0-9])", lambda token: written[token[0]], line)
        for line in formulas(optimizer)
    ]
    if len(lines) == 1:
        lines = [lines[0].replace(weight(k), name) for name in names]
    else:
        names = names[:1]
    made = (*names, *(gradient_of(name) for name in names))
    return Step(
        index=index,
        phase="update",
        layer=k,
        kind="update",
        op=UPDATE_RULES[optimizer.name].title or optimizer.name,
        formula=tidy(" , ".join(lines)),
        tensor=weight(k),
        operands=tuple((name, shape_of(name, shapes, "")) for name in made),
        reused=(),
        macs=0,
        flops=flops,
        moved=update_moved(optimizer) * parameters * ITEMSIZE[spec.dtype],
        total=0,
        forward=0,
    )
