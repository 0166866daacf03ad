"""The trace: what the cursor can stop at. It is the walk that ``program`` runs, cut into steps.

The walk goes down the list of operations (forward, ending in the loss), up it again (backward), and then
along the parameters (update). Neighbouring visits that make one equation of a textbook are one step: matmul
and bias add (z = a W + b), the two gradients of a layer's parameters, the matmul VJP and the activation's
(delta). Formulas, operands and counts come from the table of primitives; nothing is written a second time.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from tui_backprop.engine.network import INPUT, LOSS, Visit, backward_visits, forward_visits, value_shapes
from tui_backprop.engine.notation import tidy
from tui_backprop.engine.primitives import Shape
from tui_backprop.engine.spec import NetworkSpec

PHASES = ("forward", "loss", "backward", "update")
CACHE = "p"  # how formulas name what a softmax or sigmoid loss leaves for its own backward rule


@dataclass(frozen=True)
class Step:
    """One stop of the cursor.

    ``kind`` is one of input, affine, activation, loss, output delta, weights, delta, update. ``tensor`` names
    what the step makes (see ``Pass.tensor``). ``operands`` are the values in the formula with their shapes,
    ``reused`` those of them that the forward pass left behind. ``macs`` are multiply-accumulates of matrix
    products, ``flops`` all floating-point operations; ``ratio`` is the running sum of macs over those of one
    forward pass (updates are not part of a gradient's cost, and leave it as it is).
    """

    index: int
    phase: str
    layer: int
    kind: str
    op: str
    formula: str
    tensor: str
    operands: tuple[tuple[str, Shape], ...]
    reused: tuple[str, ...]
    macs: int
    flops: int
    ratio: float


def cotangent_name(value: str) -> str:
    """How the field names dL/dvalue: delta for pre-activations, dW and db for parameters."""
    return "δ" + value[1:] if value[0] in "zu" else f"d{value}"


def _key(visit: Visit) -> tuple[str, int, str]:
    """Visits with the same (phase, layer, kind) make one step."""
    op = visit.op
    if visit.of is None:
        if op.output == LOSS:
            return "loss", op.layer, "loss"
        return "forward", op.layer, "activation" if op.output.startswith("a") else "affine"
    if op.output == LOSS:
        return "backward", op.layer, "output delta"
    if visit.writes[0] in "Wbu":
        return "backward", op.layer, "weights"
    return "backward", op.layer - visit.writes.startswith("a"), "delta"


def _equation(visits: Sequence[Visit]) -> tuple[dict[str, str], list[str]]:
    """Compose the visits' formulas: (what the step makes, each with its formula; the values that it reads)."""
    made: dict[str, str] = {}
    read: list[str] = []
    for visit in visits:
        op, backward = visit.op, visit.of is not None
        row = op.primitive.vjp_formulas[visit.of or 0] if backward else op.primitive.formula
        names = {str(i): name for i, name in enumerate(op.inputs)} | {"y": op.output}
        names["g"] = cotangent_name(op.output)
        used = {field for _, field, _, _ in string.Formatter().parse(row) if field}
        read += [CACHE] if backward and CACHE in row.split() else []
        read += [names[field] for field in sorted(used, reverse=backward) if names[field] not in made]
        for field in used & {f for f, name in names.items() if name in made}:  # made here and used up here
            inner = made.pop(names[field])
            names[field] = f"( {inner} )" if backward else inner
        name = cotangent_name(visit.writes) if backward else visit.writes.replace(LOSS, "L")
        formula = row.format(*(names[str(i)] for i in range(len(op.inputs))), y=names["y"], g=names["g"])
        if formula != name:  # the bias hands its cotangent on unchanged
            made = {name: formula} | made
    return made, list(dict.fromkeys(read))


def _shape(name: str, shapes: dict[str, Shape]) -> Shape:
    """Shape of a value, or of a derivative, by the name that a formula gives it."""
    last = max((value for value in shapes if value[0] == "z"), key=lambda value: int(value[1:]))
    named = {"L": LOSS, CACHE: last}.get(name, name)
    if named.startswith("δ"):
        named = "z" + named[1:]
    return shapes[named.removeprefix("d")]


@lru_cache(maxsize=64)
def walk(spec: NetworkSpec, batch: int) -> tuple[Step, ...]:
    """All steps of one training iteration: input, forward, loss, backward, update."""
    shapes = value_shapes(spec, batch)
    steps = [Step(0, "forward", 0, "input", "input", "x", INPUT, ((INPUT, shapes[INPUT]),), (), 0, 0, 0.0)]
    total = 0

    def add(
        phase: str,
        layer: int,
        kind: str,
        op: str,
        made: dict[str, str],
        read: list[str],
        flops: int,
        macs: int,
    ) -> None:
        tensor = next(iter(made))
        operands = tuple((name, _shape(name, shapes)) for name in (*made, *read))
        reused = tuple(n for n in read if n[0] in "xzap") if phase == "backward" else ()
        formula = tidy(" , ".join(f"{name} = {formula}" for name, formula in made.items()))
        if phase == "update":
            formula = formula.replace(" = ", " ← ")
        ratio = total / (spec.weights * batch)
        steps.append(
            Step(len(steps), phase, layer, kind, op, formula, tensor, operands, reused, macs, flops, ratio)
        )

    for (phase, layer, kind), group in groupby((*forward_visits(spec), *backward_visits(spec)), _key):
        visits = list(group)
        made, read = _equation(visits)
        flops = macs = 0
        for visit in visits:
            inputs = [shapes[name] for name in visit.op.inputs]
            row = visit.op.primitive
            flops += row.flops(*inputs) if visit.of is None else row.vjp_flops[visit.of](*inputs)
            macs += row.macs(*inputs)
        op = ", ".join(
            dict.fromkeys(v.op.primitive.name + (" vjp" if v.of is not None else "") for v in visits)
        )
        total += macs
        add(phase, layer, kind, op, made, read, flops, macs)

    for k, (fan_in, fan_out) in enumerate(spec.fans, 1):
        names = [f"W{k}"] + ([f"b{k}"] if spec.bias else [])
        made = {name: f"{name} − α d{name}" for name in names}
        size = fan_in * fan_out + (fan_out if spec.bias else 0)
        add("update", k, "update", "gradient descent", made, [f"d{name}" for name in names], 2 * size, 0)
    return tuple(steps)
