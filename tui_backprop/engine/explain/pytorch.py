"""The network in PyTorch, line by line, to be compared or run.

One line per operation, with the names that the walk uses. They run unchanged after

    import torch
    import torch.nn.functional as F
    from torch import optim
    from torch.nn.utils import clip_grad_norm_

where ``W1``, ``b1``, ... are tensors that require gradients, ``parameters`` is the list of them all, ``x`` and ``t``
(and the masks ``m1``, ...) are tensors of the batch, and ``lambda_`` is the strength of a penalty.
"""

from __future__ import annotations

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.explain.walk import Step
from tui_backprop.engine.network.graph import Op, compile_ops
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import STRENGTH, gradient_of, kind_of
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES

LOSS = "L.backward()"


def name_in(value: str) -> str:
    """Name of a value as a Python identifier: γ1 is gamma1; λ is lambda_, because lambda is a keyword."""
    return "lambda_" if value == STRENGTH else ascii_formula(value)


def expression(op: Op, **given: str) -> str:
    """Expression of an operation's output; ``given`` maps names of inputs to expressions that replace them."""
    return op.primitive.torch.format(*(given.get(name, name_in(name)) for name in op.inputs))


def forward_line(spec: NetworkSpec, value: str) -> str | None:
    """Statement that computes a value: z2 = a1 @ W2 + b2. None for a value that no operation computes."""
    ops = {op.output: op for op in compile_ops(spec)}
    op = ops.get(value)
    if op is None:
        return None
    inner = {name: expression(ops[name]) for name in op.inputs if kind_of(name) == "product"}
    return f"{name_in(value)} = {expression(op, **inner)}"


def gradient_line(value: str, index: tuple[int, ...], parameter: bool) -> str:
    """Where PyTorch leaves a gradient after ``L.backward()``; for what is no parameter, ``retain_grad`` has to be
    asked of it before."""
    at = f"[{', '.join(map(str, index))}]" if index else ""
    keep = "" if parameter else f"{name_in(value)}.retain_grad(); "
    return f"{keep}{LOSS}; {name_in(value)}.grad{at}"


PARAMETER_GROUPS = (
    '[{"params": [p for p in parameters if p.ndim > 1]},'
    ' {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0}]'
)  # weight decay of weights only: biases, gains and shifts are vectors


def update_line(optimizer: OptimizerSpec, lr: float) -> str:
    """Statement of the update at the scheduled rate ``lr``. An optimizer with state must be kept between iterations:
    a new one makes the first update."""
    row = UPDATE_RULES[optimizer.name]
    given = [f"lr={lr}", *(f"{key}={value.format(optimizer)}" for key, value in row.torch_settings)]
    if optimizer.weight_decay or row.decoupled:
        given.append(f"weight_decay={optimizer.weight_decay}")
    parameters = "parameters" if optimizer.decay_bias else PARAMETER_GROUPS
    clip = f"clip_grad_norm_(parameters, {optimizer.clip}); " if optimizer.clip else ""
    return f"{clip}optim.{row.torch}({parameters}, {', '.join(given)}).step()"


def lines_of(step: Step, spec: NetworkSpec, optimizer: OptimizerSpec, lr: float) -> list[str]:
    """What PyTorch would be told at a step of the walk; after a backward pass, where what it made is found (of what
    is no parameter, if ``retain_grad`` was asked of it before)."""
    if step.phase == "update":
        return [update_line(optimizer, lr)]
    made = [visit.writes for visit in step.visits]
    if step.operation == ("bias add", None):  # what it adds to is there by its name
        return [f"{name_in(made[0])} = {expression(step.visits[-1].op)}"]
    if step.phase != "backward":
        lines = [forward_line(spec, name) for name in made if kind_of(name) != "product" or name == made[-1]]
        return [line for line in lines if line]
    shown = {name for name, _ in step.operands}
    values = dict.fromkeys(name for name in made if kind_of(name) != "product" and gradient_of(name) in shown)
    first = [LOSS] if step.pieces[0].kind == "output delta" else []
    return [*first, ", ".join(f"{name_in(name)}.grad" for name in values)]
