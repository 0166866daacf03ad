"""The lines of PyTorch beside the steps of walks, put together into one script, compute the arrays of those steps.
Skipped where PyTorch is not installed."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.number import number_of, shape_of, tensors
from tui_backprop.engine.explain.pytorch import Before, lines_of, name_in
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import SCHEDULES, OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots
from tui_backprop.engine.training.rules import Rules
from tui_backprop.engine.training.update_rules import UPDATE_RULES

torch = pytest.importorskip("torch", reason="PyTorch is not installed here")

IMPORTS = """
import torch
import torch.nn.functional as F
from torch import optim
from torch.nn.utils import get_total_norm
"""
EXACT = 1e-9
CONFIGURATIONS = 80
SLOTS = {  # in PyTorch's state, the first that there is
    "v": ("square_avg", "exp_avg_sq", "momentum_buffer"), "u": ("momentum_buffer",), "m": ("exp_avg",),
}  # fmt: skip


def configuration(seed):
    """A random network, optimizer, batch size and grain; each activation, loss and optimizer in turn."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 5))
    widths = (
        rng.integers(1, 6, size=depth + 1) if rng.random() < 0.3 else [int(rng.integers(1, 6))] * (depth + 1)
    )
    names = list(ACTIVATIONS)
    activations = [names[(seed + k) % len(names)] for k in range(max(depth - 1, 1))]
    spec = NetworkSpec(
        tuple(map(int, widths)),
        ",".join(activations),
        list(LOSSES)[seed % len(LOSSES)],
        dtype="float64",
        bias=bool(rng.random() < 0.7),
        seed=seed,
        layer_norm=bool(min(widths) > 1 and rng.random() < 0.6),  # of one unit it is 0, but for round-off
        residual=bool(rng.random() < 0.6),
        dropout=float(rng.choice([0.0, 0.0, 0.4])),
        l2=float(rng.choice([0.0, 0.3])),
        l2_bias=bool(rng.random() < 0.5),
    )
    optimizer = OptimizerSpec(
        list(UPDATE_RULES)[seed % len(UPDATE_RULES)],
        momentum=float(rng.choice([0.0, 0.9])),
        beta1=float(rng.choice([0.0, 0.8])),
        beta2=float(rng.choice([0.9, 0.999])),
        rho=float(rng.choice([0.9, 0.99])),
        epsilon=1e-5 if spec.layer_norm else 1e-8,  # gradients of biases before it are nothing but round-off
        weight_decay=float(rng.choice([0.0, 0.05])),
        decay_bias=bool(rng.random() < 0.5),
        clip=float(rng.choice([0.0, 0.05, 100.0])),
        schedule=list(SCHEDULES)[seed % len(SCHEDULES)],
        warmup=int(rng.choice([0, 3])),
        horizon=4,
    )
    return spec, optimizer, int(rng.integers(1, 4)), ["layer", "equation", "operation"][seed % 3]


def iterations_of(calculus, spec, optimizer, batch, count=2):
    """Iterate over (iteration, state before it): each with a batch and a rate of its own, and an edit before all but
    the first."""
    state, before = None, Before()
    for i in range(count):
        given = calculus.problem(spec, batch, seed=spec.seed + 1000 * i)
        if state is None:
            state = TrainingState(0, given.parameters, new_slots(optimizer, spec.parameters, spec.dtype))
        moved = ((0, 0.125),) if i else ()
        iteration = run_iteration(
            spec, Update(given.x, given.target, 0.02 / (i + 1), moved), state, optimizer
        )
        edits = tuple(("W1", (0, 0), by) for _, by in moved)
        yield iteration, replace(before, edits=edits)
        state, before = iteration.after, Before(iteration.lr)


def changing(calculus):
    """Iterate over iterations whose optimizer and settings change: (iteration, state before it)."""
    plain = NetworkSpec((3, 4, 2), "tanh", "mse", dtype="float64")
    decayed = OptimizerSpec("momentum", 0.5, weight_decay=0.1, decay_bias=False)
    setups = (
        (plain, OptimizerSpec("momentum"), 0),
        (replace(plain, l2=0.3), OptimizerSpec("momentum", 0.5), 0),
        (replace(plain, l2=0.1, l2_bias=True), decayed, 0),
        (replace(plain, l2=0.1), OptimizerSpec("adam", schedule="inverse-sqrt"), 3),
        (plain, OptimizerSpec("adam", beta1=0.5, clip=0.1), 3),
        (replace(plain, frozen=(1,)), OptimizerSpec("adam", beta1=0.5, clip=0.1), 3),
        (replace(plain, frozen=(2,)), OptimizerSpec("momentum", weight_decay=0.1), 6),
        (replace(plain, frozen=(1,), l2=0.1), OptimizerSpec("momentum"), 6),
        (plain, OptimizerSpec("momentum"), 6),
    )
    state, before = None, Before()
    for t, (spec, optimizer, began) in enumerate(setups):
        given = calculus.problem(spec, 2, seed=t)
        state = state or TrainingState(0, given.parameters)
        update = Update(given.x, given.target, 0.1, rules=Rules(spec, optimizer, began))
        iteration = run_iteration(spec, update, state)
        yield iteration, before
        state, before = iteration.after, Before(iteration.lr, (), optimizer, spec.training_settings)


def results(step, iteration):
    """The arrays that a step computes, by the names on the left of its formula."""
    if step.phase == "update":
        return {name: array for name, array in iteration.new.items() if int(name[1:]) == step.block}
    sides = [part.split(" ")[0] for part in re.split(r"(?<=,) (?=\S+ =)", step.formula)]
    if step.tensor.endswith(" so far"):
        return {step.tensor: iteration.tensor(step.tensor)}
    return {name: iteration.tensor(name) for name in sides if name != "h"}  # a shorthand within one formula


def is_expression(line):
    """Whether a line is one expression that changes nothing: it only shows arrays."""
    body = ast.parse(line).body
    calls = [node for node in ast.walk(body[0]) if isinstance(node, ast.Call)]
    changes = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] != "sum"]
    return len(body) == 1 and isinstance(body[0], ast.Expr) and not changes


class Script:
    """The lines of walks as one script, which hands what it computes to ``show``."""

    def __init__(self, first):
        self.spec, self.lines, self.batches, self.wanted, self.found = first.spec, [IMPORTS], [], [], []
        self.initial = {name: first.tensor(name).copy() for name in self.spec.graph.parameters}

    def show(self, what, *arrays):
        self.found.append((what, [array.detach().clone() for array in arrays]))

    def batch(self, i, name):
        return torch.tensor(np.array(self.batches[i].tensor(name)))

    def begin(self, iteration):
        """The tensors of another batch."""
        names = ("x", "t", *(mask.name for mask in iteration.graph.masks))
        self.lines += [f"{name} = batch({len(self.batches)}, {name!r})" for name in names]
        self.batches.append(iteration)

    def add(self, step, iteration, before):
        """The lines of a step, and what has to be in the arrays that they compute."""
        arrays = results(step, iteration) if step.kind != "input" else {}
        shown = {}
        for line in lines_of(step, iteration, before):
            if is_expression(line):
                self.lines.append(f"show({len(self.wanted)}, {line})")
                self.wanted.append((step, line, list(arrays.values())))
                shown |= arrays
                continue
            self.lines.append(line)
            for name in set(re.findall(r"(?:^|; )(\w+) = ", line)) & set(map(name_in, arrays)):
                self.lines.append(f"show({len(self.wanted)}, {name})")
                (key,) = (key for key in arrays if name_in(key) == name)
                self.wanted.append((step, line, [arrays[key]]))
                shown[key] = arrays[key]
        assert shown.keys() == arrays.keys(), (
            f"no line gives {arrays.keys() - shown.keys()} of {step.formula}"
        )

    def run(self):
        names = {"show": self.show, "batch": self.batch, "lambda_": self.spec.l2}
        for name, array in self.initial.items():
            names[name_in(name)] = torch.tensor(array, requires_grad=True)
        names["params"] = [names[name_in(name)] for name in self.initial]
        exec(compile("\n".join(self.lines), "script", "exec"), names)
        return names


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_the_lines_of_two_iterations_are_a_script_with_every_array_of_their_steps(calculus, seed):
    check_script(calculus, *configuration(seed), count=2)


@pytest.mark.parametrize("seed", range(len(UPDATE_RULES)))
def test_the_lines_of_six_iterations_are_such_a_script(calculus, seed):
    check_script(calculus, *configuration(seed), count=6)


@pytest.mark.parametrize("grain", ["layer", "equation", "operation"])
def test_the_lines_of_iterations_whose_optimizer_and_settings_change_are_such_a_script(calculus, grain):
    check_lines(calculus, list(changing(calculus)), grain)


def check_script(calculus, spec, optimizer, batch, grain, count):
    check_lines(calculus, list(iterations_of(calculus, spec, optimizer, batch, count)), grain)


def check_lines(calculus, done, grain):
    script = Script(done[0][0])
    for iteration, before in done:
        script.begin(iteration)
        for step in walk(iteration.spec, iteration.batch, iteration.optimizer, grain):
            script.add(step, iteration, before)
    names = script.run()
    assert len(script.found) == len(script.wanted) > 0
    for (step, line, wanted), (_, found) in zip(script.wanted, script.found, strict=True):
        for right, array in zip(wanted, found, strict=True):
            assert calculus.worst(array.numpy(), right) < EXACT, (step.formula, line)
    check_slots(calculus, names, done[-1][0])


def check_slots(calculus, names, iteration):
    """The slots in the receipts of updates are those in the optimizer's state."""
    for slot, flat in iteration.after.slots.items():
        for name, place in iteration.spec.graph.slices.items():
            state = names["optimizer"].state[names[name_in(name)]]
            held = [state[key] for key in SLOTS[slot] if state.get(key) is not None][:1]
            assert len(held) == 1 or not iteration.optimizer.has_momentum  # then PyTorch's SGD keeps none
            assert all(calculus.worst(each.numpy(), flat[place]) < EXACT for each in held), (slot, name)


@pytest.mark.parametrize("seed", range(0, CONFIGURATIONS, 4))
def test_the_lines_of_any_number_give_it_in_a_later_iteration_too(calculus, seed):
    spec, optimizer, batch, _ = configuration(seed)
    (first, before), (second, later) = iterations_of(calculus, spec, optimizer, batch)
    script = Script(first)
    script.begin(first)
    for step in walk(spec, batch, optimizer):
        script.add(step, first, before)
    script.begin(second)
    forward = [
        line
        for step in walk(spec, batch, optimizer)
        if step.phase in ("forward", "loss")
        for line in lines_of(step, second, replace(later, edits=()))
    ]
    script.lines += lines_of(walk(spec, batch, optimizer)[0], second, later)
    wanted = []
    products = [f"u{k}" for k in range(1, spec.depth + 1)] if spec.bias else []
    for tensor in (*tensors(spec.graph), *products, f"a{spec.depth}"):
        index = tuple(n - 1 for n in shape_of(spec.graph, tensor))
        number = number_of(second, tensor, index, sample=batch - 1)
        for line in number.torch:
            *parts, last = line.split("; ")
            value = " = " in last and last.split(" = ")[0]
            at = f"[{batch - 1}, {index[-1]}]"
            script.lines += [*forward, *parts, *([last] if value else [])]
            script.lines.append(f"show({line!r}, {value + at if value else last})")
            wanted.append(number.value if value else number.gradient)
    script.run()
    found = script.found[len(script.wanted) :]
    assert len(found) == len(wanted) > 0
    for (line, (array,)), right in zip(found, wanted, strict=True):
        assert array.item() == pytest.approx(right, rel=EXACT, abs=1e-14), line


def test_where_a_sum_lacks_a_path_the_line_gives_the_partial_sum(calculus):
    spec = NetworkSpec((1, 1, 1, 1), "identity", "mse", dtype="float64", residual=True, l2=0.3, l2_bias=True)
    iteration = calculus.take(calculus.problem(spec, 2))
    lines = {
        step.tensor: lines_of(step, iteration)
        for step in walk(spec, 2, grain="operation")
        if step.phase == "backward"
    }
    assert lines["da1 so far"] == ["z2.grad @ W2.T"]
    assert lines["da1"] == ["a1.grad"]
    assert lines["dW2 so far"] == ["a1.T @ z2.grad"]
    assert lines["dW2"] == ["W2.grad"]
    assert lines["db2 so far"] == ["z2.grad.sum(0)"]
    assert lines["db2"] == ["b2.grad"]
