"""Judge a network on samples: how well it predicts them, whether a gradient is left, and what its units do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import isfinite

import numpy as np

from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.inference import passes
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.predictions import predicted_classes
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import ACTIVATIONS, Array
from tui_backprop.engine.primitives.losses import Loss
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.support.format import format_share

JUDGED_NUMBERS = 2**22  # numbers that a pass over samples may hold at a time: 16 MiB in single precision
NUMBERS_PER_UNIT = 40  # numbers held for each unit and sample, at most (see NetworkSpec.memory)

CHEAP_FLOPS = 500_000_000  # floating-point operations up to which all samples are judged
SAMPLES = 256  # samples judged where all of them are not cheap

# A unit that is on for one sample in ten is off for 32 of them by chance in 3% of cases, for 16 in 19%.
FEWEST_SAMPLES = 32
SATURATED = 0.97  # of the distance from the middle of an activation's bounds to a bound

LEARNED = 0.05  # share of samples predicted wrongly (or of variance left) up to which a network has learned
STUCK = 0.1  # sensitivity of the loss (see Fit), below which there is hardly any gradient left
PLATEAU = 0.9  # share of the loss of the best constant output, above which outputs are no better


@dataclass(frozen=True, eq=False)
class Examples:
    """Samples to judge a network on: ``x`` (n, inputs) and ``t`` as the loss reads it (see ``Program.feed``), n of
    the data set's ``total``. ``classes``: the targets are classes."""

    x: Array
    t: Array
    total: int
    classes: bool


class FitState(Enum):
    """State of training, as far as one iteration shows it."""

    UNKNOWN = "unknown"  # the outputs are not finite, or the targets do not vary
    LEARNED = "learned"  # few errors
    LIMIT = (
        "limit"  # many errors, hardly any gradient left, and no hidden layer: there is nothing better to find
    )
    PLATEAU = "plateau"  # many errors, hardly any gradient left, and outputs no better than a constant
    STUCK = "stuck"  # many errors, hardly any gradient left, and outputs better than a constant
    TRAINING = "training"  # many errors, and a gradient


@dataclass(frozen=True)
class Fit:
    """Fit of the network to the first ``samples`` of ``total`` samples, without dropout.

    ``error`` is the share of samples predicted wrongly, or where the targets are no ``classes``, the share of their
    variance that the outputs leave unexplained; None where it is not known. ``sensitivity`` is the relative change
    of ``loss`` per relative change of the parameters, norm(dL) norm(w) / L, with norm(w) of at least 1. ``constant``
    is the loss of the best constant output. ``hidden``: the network has hidden layers.
    """

    samples: int
    total: int
    classes: bool
    loss: float
    error: float | None
    sensitivity: float | None
    constant: float
    hidden: bool

    @property
    def errors(self) -> str:
        """The error in words."""
        if self.error is None:
            return "error unknown"
        if not self.classes:
            return f"{format_share(self.error)} of the targets' variance unexplained"
        return f"{round(self.error * self.samples):,} of {self.samples:,} samples misclassified"

    @property
    def judged(self) -> str:
        """The samples judged, and the error, in words."""
        of = f"{self.samples:,} of {self.total:,}" if self.samples < self.total else f"all {self.total:,}"
        errors = self.errors.replace(f" of {self.samples:,} samples", "") if self.classes else self.errors
        return f"judged on {of} samples: {errors}"

    @property
    def state(self) -> FitState:
        if self.error is None or not isfinite(self.loss):
            return FitState.UNKNOWN
        if self.error <= LEARNED and self.loss <= PLATEAU * self.constant:
            return FitState.LEARNED
        if self.sensitivity is None or self.sensitivity >= STUCK:
            return FitState.TRAINING
        if not self.hidden:
            return FitState.LIMIT
        return FitState.PLATEAU if self.loss > PLATEAU * self.constant else FitState.STUCK


@dataclass
class Judgement:
    """A fit, and shares by layer: ``dead`` units, ``saturated`` outputs, and the samples that ``reached`` it with a
    delta that is not 0."""

    fit: Fit
    dead: dict[int, float] = field(default_factory=dict)
    saturated: dict[int, float] = field(default_factory=dict)
    reached: dict[int, float] = field(default_factory=dict)


def samples_to_judge(spec: Model, total: int) -> int:
    """Return how many of ``total`` samples to judge: all, where two passes over them are cheap."""
    flops = total * (6 * spec.weights + 100 * sum(spec.graph.widths))
    return total if flops <= CHEAP_FLOPS else min(total, SAMPLES)


def of_batch(iteration: Iteration) -> Examples:
    """Return the batch of an iteration as examples."""
    graph = iteration.graph
    x, t = iteration.data
    return Examples(x, t, iteration.batch, graph.loss_rule.probabilities)


def judge(iteration: Iteration, examples: Examples) -> Judgement:
    """Run a forward and a backward pass over the examples, without dropout, in parts of about JUDGED_NUMBERS numbers,
    and say what was found."""
    spec, graph, n = iteration.spec, iteration.graph, len(examples.x)
    units = _Units(iteration)
    gradient = np.zeros(spec.parameters)
    z = np.empty((n, graph.width(graph.depth)))
    loss, done = 0.0, 0
    rows = max(JUDGED_NUMBERS // (NUMBERS_PER_UNIT * sum(spec.graph.widths)), 1)
    with np.errstate(all="ignore"):
        for program in passes(spec, iteration.program.parameters, examples.x, examples.t, rows):
            program.backward()
            units.see(program)
            share = program.batch / n
            gradient += share * program.gradient
            loss += share * float(program.values[graph.loss])
            z[done : done + program.batch] = program.values[graph.output]
            done += program.batch
        slope = norm(gradient) * max(norm(iteration.program.parameters), 1) / loss if loss else None
        error = _error(z, examples, graph.loss_rule)
    slope = slope if slope is not None and isfinite(slope) else None
    constant = _constant(examples, graph)
    fit = Fit(n, examples.total, examples.classes, loss, error, slope, constant, graph.depth > 1)
    return units.judgement(fit, n)


def is_finite_at_start(spec: Model, examples: Examples) -> bool:
    """Return True where loss and gradient of the first examples are finite with the initial weights."""
    x, t = examples.x[:FEWEST_SAMPLES], examples.t[:FEWEST_SAMPLES]
    program = Program(spec, len(x), initial_parameters(spec))
    program.feed(x, t)
    with np.errstate(all="ignore"):
        program.forward()
        program.backward()
        figures = program.values[program.graph.loss], program.gradient.sum(dtype=float)
        return all(isfinite(float(figure)) for figure in figures)


def _error(z: Array, examples: Examples, rule: Loss) -> float | None:
    """Compute ``Fit.error`` from outputs (n, outputs)."""
    if not np.isfinite(z).all():
        return None
    t = examples.t
    if examples.classes:
        labels = t if t.ndim == 1 else t[:, 0] if t.shape[1] == 1 else np.argmax(t, axis=1)
        return float(np.mean(predicted_classes(z, rule) != labels))
    variance = float(np.square(t - t.mean(axis=0), dtype=float).sum())
    return float(np.square(z - t).sum()) / variance if variance else None


def _constant(examples: Examples, graph: Graph) -> float:
    """Compute the loss of the best constant output: of a network without weights whose bias is fitted."""
    row, outputs, t = graph.loss_rule, graph.width(graph.depth), examples.t
    mean = np.bincount(t, minlength=outputs) / len(t) if row.labels else t.mean(axis=0)
    best = mean
    if row.probabilities:
        sure = np.clip(mean, 1e-30, 1 - 1e-12)
        best = np.log(sure) if row.labels else np.log(sure / (1 - sure))
    z, loss = np.tile(best.astype(float), (len(t), 1)), np.empty(())
    t = t.astype(np.intp if row.labels else float)
    with np.errstate(all="ignore"):
        row.forward(loss, row.room(z.dtype, z.shape, t.shape), z, t)
    return float(loss)


class _Units:
    """What units do on the samples seen so far, by hidden layer."""

    def __init__(self, iteration: Iteration) -> None:
        graph = iteration.graph
        self.ops = graph.activation_ops
        self.rows = {k: ACTIVATIONS[op.primitive.name] for k, op in self.ops.items()}
        self.alive = {k: np.zeros(graph.width(k), bool) for k in self.rows}
        self.beyond, self.finite = dict.fromkeys(self.rows, 0), dict.fromkeys(self.rows, True)
        self.sums = {
            value.block: value.name
            for value in graph.with_role("pre-activation")
            if value.name in graph.differentiable
        }
        self.reached = dict.fromkeys(self.sums, 0)

    def see(self, program: Program) -> None:
        for k in self.reached:
            self.reached[k] += int((program.cotangents[self.sums[k]] != 0).any(axis=1).sum())
        for k, row in self.rows.items():
            op = self.ops[k]
            a, z = program.values[op.output], program.values[op.inputs[0]]
            self.finite[k] &= isfinite(float(a.sum(dtype=float)))
            if row.can_die:
                slope = np.empty_like(z)
                op.primitive.vjps[0](slope, np.ones_like(z), a, program.caches[op.output], z)
                self.alive[k] |= ((a != 0) | (slope != 0)).any(axis=0)
            elif row.saturates:
                self.beyond[k] += int(row.saturated(a, SATURATED).sum())

    def judgement(self, fit: Fit, n: int) -> Judgement:
        judged = {k: row for k, row in self.rows.items() if self.finite[k]}
        found = Judgement(fit)
        found.saturated = {
            k: self.beyond[k] / (n * len(self.alive[k])) for k, row in judged.items() if row.saturates
        }
        if n >= FEWEST_SAMPLES:
            found.dead = {k: 1 - float(self.alive[k].mean()) for k, row in judged.items() if row.can_die}
            found.reached = {k: count / n for k, count in self.reached.items()}
        return found
