"""The network in PyTorch, line by line, to be compared or run.

One line per operation, with the names that the walk uses. The lines of a walk, and of any number of walks one after
the other, run unchanged after

    import torch
    import torch.nn.functional as F
    from torch import optim
    from torch.nn.utils import get_total_norm

where ``W1``, ``b1``, ... are the initial parameters, leaf tensors that require gradients, and ``params`` is the
list of them all (in double precision, after ``torch.set_default_dtype(torch.float64)``, too); ``lambda_`` is the
strength of the L2 penalty; and, before each walk, ``x`` and ``t`` (and the masks
``m1``, ...) are the tensors of its batch. Where parameters are given rather than drawn, the lines define all this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.engine.explain.notation import name_in
from tui_backprop.engine.explain.pytorch_given import given_lines
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model, TrainingSettings
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.network.tensor_names import SO_FAR
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES

ZERO_GRAD = "optimizer.zero_grad()"


@dataclass(frozen=True)
class Before:
    """The state before an iteration that its lines depend on: the scheduled rate of the last update (None before the
    first one), the edits of parameters since then, as (tensor, index, increment), and the optimizer and the network's
    settings in the last update (None: the same as now)."""

    rate: float | None = None
    edits: Sequence[tuple[str, tuple[int, ...], float]] = ()
    optimizer: OptimizerSpec | None = None
    settings: TrainingSettings | None = None


def expression(op: Op, **given: str) -> str:
    """Expression of an operation's output; ``given`` maps names of inputs to expressions that replace them."""
    return op.primitive.torch.format(*(given.get(name, _operand(op, name)) for name in op.inputs))


def _operand(op: Op, name: str) -> str:
    """Return an input of an operation: a number that is written in a formula is a tensor where PyTorch needs one."""
    text = name_in(name)
    if text.isidentifier():
        return text
    infix = not op.primitive.torch.startswith("torch.") and len(op.inputs) > 1
    if infix and any(name_in(each).isidentifier() for each in op.inputs):
        return _number(name)
    return f"torch.tensor({float(text)!r})"


def _number(name: str) -> str:
    """Return the name of a value; a number below 0 in brackets."""
    text = name_in(name)
    return f"({text})" if text.startswith("-") else text


def backward_line(graph: Graph) -> str:
    """Statement that runs the backward pass."""
    return f"{name_in(graph.loss)}.backward()"


def forward_line(graph: Graph, value: str) -> str | None:
    """Statement that computes a value: z2 = a1 @ W2 + b2. None for a value that no operation computes."""
    ops = graph.by_output
    op = ops.get(value)
    if op is None:
        return None
    inner = {name: expression(ops[name]) for name in op.inputs if name in graph.overwritten}
    return f"{name_in(value)} = {expression(op, **inner)}"


def gradient_line(graph: Graph, value: str, index: tuple[int, ...], parameter: bool) -> str:
    """Statements that leave the gradient of a value in ``.grad``, and its entry there. Gradients of parameters are
    set to zero before, because ``backward`` adds to them; those of other values are kept on request only."""
    at = f"[{', '.join(map(str, index))}]" if index else ""
    name = name_in(_with_gradient(graph, value))
    return f"{ZERO_GRAD if parameter else f'{name}.retain_grad()'}; {backward_line(graph)}; {name}.grad{at}"


def transposed_entry(graph: Graph, weights: str, index: tuple[int, ...]) -> str:
    """Say where a module of PyTorch that keeps weights transposed has an entry of their gradient; "" where none does:
    kernels and embedding tables are stored as here."""
    if not graph.is_weight(weights):
        return ""
    modules = (op.primitive.torch_module for op in graph.ops if op.inputs[1:2] == (weights,))
    at = ",".join(map(str, reversed(index)))
    return next((f"{module} stores Wᵀ: weight.grad[{at}]" for module in modules if module), "")


PARAMETER_GROUPS = (
    '[{"params": [p for p in params if p.ndim > 1]},'
    ' {"params": [p for p in params if p.ndim == 1], "weight_decay": 0}]'
)  # weight decay of weights only: biases, gains and shifts are vectors


def _with_gradient(graph: Graph, value: str) -> str:
    """The value whose gradient it is: that of a product is the pre-activation's, whose line contains the product."""
    return graph.value_of(graph.gradient_of(value))


def optimizer_line(optimizer: OptimizerSpec, lr: float, layered: bool = True) -> str:
    """Statement that creates the optimizer, with the scheduled rate ``lr`` of the first update, of a network that is
    ``layered`` or of another graph, whose parameters are in one group."""
    row = UPDATE_RULES[optimizer.name]
    given = [f"lr={lr}", *(f"{key}={value.format(optimizer)}" for key, value in row.torch_settings)]
    if optimizer.weight_decay or row.decoupled:
        given.append(f"weight_decay={optimizer.weight_decay}")
    params = "params" if optimizer.decay_bias or not layered else PARAMETER_GROUPS
    return f"optimizer = optim.{row.torch}({params}, {', '.join(given)})"


def lines_of(step: Step, iteration: Iteration, before: Before = Before()) -> list[str]:
    """The lines of a step of the walk through ``iteration``. Expressions without an assignment are the arrays that
    the step computes."""
    if step.kind == "input":
        return _input_lines(iteration, before)
    if step.phase == "update":
        return _update_lines(step, iteration, before)
    if step.phase == "backward":
        return _backward_lines(iteration.graph, step)
    return _forward_lines(step, iteration.spec)


def _input_lines(iteration: Iteration, before: Before) -> list[str]:
    """What is given; the optimizer and constants, where they are new; edits of parameters; and the gradient of the
    input, if it is wanted."""
    given = given_lines(iteration, first=before.rate is None)
    made = [*given, *_optimizer_lines(iteration, before), *_constant_lines(iteration, before)]
    edits = [
        f"with torch.no_grad(): {name_in(tensor)}[{', '.join(map(str, index))}] += {by}"
        for tensor, index, by in before.edits
    ]
    graph = iteration.graph
    to_input = graph.input in graph.differentiable and graph.input not in graph.parameters
    wanted = [f"{name_in(graph.input)}.requires_grad_()"] if to_input else []
    return made + _frozen_lines(iteration, before) + edits + wanted


def _optimizer_lines(iteration: Iteration, before: Before) -> list[str]:
    """The optimizer, before the first iteration and where it changes. One of the same name keeps its slots."""
    spec, last = iteration.optimizer, before.optimizer or iteration.optimizer
    line = optimizer_line(spec, iteration.lr, iteration.graph.layered)
    if before.rate is None or spec.name != last.name:
        return [line]
    return [f"slots = optimizer.state; {line}; optimizer.state = slots"] if spec != last else []


def _frozen_lines(iteration: Iteration, before: Before) -> list[str]:
    """Which parameters are frozen, at the start and where that changes."""
    graph, last, now = iteration.graph, before.settings, iteration.spec.training_settings
    if before.rate is None:
        changed = [name for name in graph.parameters if name not in graph.trained]
    elif last is not None and last.frozen != now.frozen:
        changed = [
            name for name in graph.parameters if (graph.block(name) in last.frozen) == (name in graph.trained)
        ]
    else:
        changed = []
    flags = [f"{name_in(name)}.requires_grad_({name in graph.trained})" for name in changed]
    return ["; ".join(flags)] if flags else []


def _constant_lines(iteration: Iteration, before: Before) -> list[str]:
    """The constants of the network, where its settings change."""
    if before.settings in (None, iteration.spec.training_settings):
        return []
    names = {name_in(each.name): each.constant for each in iteration.graph.constants}
    return [f"{name} = {number}" for name, number in names.items() if name.isidentifier()]


def _forward_lines(step: Step, spec: Model) -> list[str]:
    graph, made = spec.graph, [visit.writes for visit in step.visits]
    if step.operation == ("bias add", None):  # the product has a line of its own
        lines = {made[0]: f"{name_in(made[0])} = {expression(step.visits[-1].op)}"}
    else:
        wanted = [name for name in made if name not in graph.overwritten or name == made[-1]]
        lines = {name: forward_line(graph, name) or "" for name in wanted}
    kept = _gradients_of_walk(spec, step.grain)
    shown = [
        f"{line}; {name_in(name)}.retain_grad()" if name in kept else line for name, line in lines.items()
    ]
    return shown + [
        f"{graph.by_name[op.output].saved} = {op.primitive.torch_saved.format(*map(name_in, op.inputs))}"
        for op in (visit.op for visit in step.visits)
        if op.primitive.torch_saved
    ]


def _backward_lines(graph: Graph, step: Step) -> list[str]:
    begins = step.visits[0] == graph.backward_visits[0]
    first = [f"{ZERO_GRAD}; {backward_line(graph)}"] if begins else []
    if SO_FAR in step.tensor:  # of these paths alone; .grad is the sum over all paths
        visits = graph.visits_of[step.visits[-1].writes]
        terms = visits[: visits.index(step.visits[-1]) + 1]
        return [*first, " + ".join(_vjp(graph, visit) for visit in terms)]
    return [*first, ", ".join(f"{name_in(name)}.grad" for name in _values_with_gradient(graph, step))]


def _vjp(graph: Graph, visit: Visit) -> str:
    """Expression of the cotangent that a single VJP computes."""
    op, row = visit.op, visit.op.primitive.torch_vjps[visit.of or 0]
    held = f"{name_in(_with_gradient(graph, op.output))}.grad"
    names = {"g": held, "v": graph.by_name[op.output].saved, "y": name_in(op.output)}
    return row.format(*map(_number, op.inputs), **names)


def _values_with_gradient(graph: Graph, step: Step) -> list[str]:
    """The values whose gradients a step of the backward pass computes."""
    written = [visit.writes for visit in step.visits if visit.writes not in graph.overwritten]
    made = {graph.gradient_of(name): name for name in written}
    return list(dict.fromkeys(made[name] for name, _ in step.operands if name in made))


@lru_cache(maxsize=16)
def _gradients_of_walk(spec: Model, grain: str) -> frozenset[str]:
    """The values other than parameters whose gradients a walk shows."""
    back = [step for step in walk(spec, 1, grain=grain) if step.phase == "backward"]
    values = (name for step in back for name in _values_with_gradient(spec.graph, step))
    return frozenset(name for name in values if name not in spec.graph.parameters)


def _update_lines(step: Step, iteration: Iteration, before: Before) -> list[str]:
    """The update of all layers, at the first of them, and the parameters of the step's layer. The norm is clipped
    without the 1e-6 that ``clip_grad_norm_`` adds to it, and an infinite one not at all."""
    layers, clip, lines = _parameters_by_layer(iteration.graph), iteration.optimizer.clip, []
    some = "" if len(iteration.graph.trained) == len(iteration.graph.parameters) else " if p.grad is not None"
    if step.block == min(layers):
        if clip:
            lines += [
                f"norm = get_total_norm([p.grad for p in params{some}])",
                f"for p in params: p.grad *= min(1, {clip} / norm) or 1"
                if not some
                else f"for p in (p for p in params{some}): p.grad *= min(1, {clip} / norm) or 1",
            ]
        last = before.optimizer or iteration.optimizer
        if before.rate not in (None, iteration.lr) and last == iteration.optimizer:
            lines.append(f'for group in optimizer.param_groups: group["lr"] = {iteration.lr}')
        lines.append("optimizer.step()")
    return [*lines, ", ".join(map(name_in, layers[step.block]))]


@lru_cache(maxsize=16)
def _parameters_by_layer(graph: Graph) -> dict[int, list[str]]:
    """Return the names of the parameters of each layer."""
    found: dict[int, list[str]] = {}
    for name in graph.trained:
        found.setdefault(graph.block(name), []).append(name)
    return found
